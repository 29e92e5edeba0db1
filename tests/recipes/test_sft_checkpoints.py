"""recipes.sft is killed, stopped, resumed: what it goes on from, and what it ends at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.recipes import tiny
from tests.recipes.ranks import Ended, Run, run

ROOT = Path(__file__).resolve().parents[2]
STEPS = 9
EVERY = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder, train=48, validation=8)
    return folder


@pytest.fixture(scope="module")
def unbroken(made: Path) -> Ended:
    """The run as it goes when nothing goes wrong; its checkpoints are in made/checkpoints."""
    return run(arguments(made, made), made / "unbroken.log", ranks=2)


@pytest.fixture
def kept(made: Path, unbroken: Ended, tmp_path: Path) -> Path:
    """Checkpoints of steps 3 and 6, as a run leaves them that was killed after step 6."""
    import shutil

    assert unbroken.codes == (0, 0), unbroken.errors
    shutil.copytree(made / "checkpoints", tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def arguments(made: Path, place: Path, *more: str) -> list[str]:
    """Options of a short run of two ranks that puts all it writes into ``place``."""
    return [
        *("--model", str(made / "base"), "--data", str(made / "data"), "--scratch", str(made)),
        *("--output", str(place / "out"), "--checkpoints", str(place / "checkpoints")),
        *("--max-steps", str(STEPS), "--checkpoint-every", str(EVERY), "--keep", "2"),
        *("--max-length", "160", "--batch-size", "2", "--learning-rate", "1e-2"),
        *("--log-every", "2", "--samples", "0", "--lora-dropout", "0.1"),
        *more,
    ]


def test_the_newest_checkpoints_are_kept(kept: Path) -> None:
    assert sorted(path.name for path in kept.iterdir()) == ["step-00000003", "step-00000006"]
    marker = json.loads((kept / "step-00000006" / "checkpoint.json").read_text())
    listed = {file["name"]: file["size"] for file in marker["files"]}
    there = {path.name: path.stat().st_size for path in (kept / "step-00000006").iterdir()}
    del there["checkpoint.json"]
    assert listed == there
    assert {"__0_0.distcp", "__1_0.distcp", ".metadata", "metrics.jsonl"} == set(listed)


def test_older_checkpoints_are_deleted_file_by_file(made: Path, tmp_path: Path) -> None:
    left = tmp_path / "checkpoints" / "step-00000001"
    left.mkdir(parents=True)
    (left / "__7_0.distcp").write_text("of a save that did not end")
    ended = run(arguments(made, tmp_path, "--checkpoint-every", "2"), tmp_path / "log")
    assert ended.codes == (0,), ended.errors
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000006", "step-00000008"]


def test_a_resumed_run_ends_as_the_unbroken_one(
    made: Path, kept: Path, unbroken: Ended, tmp_path: Path
) -> None:
    """With dropout on, and a line of metrics (step 6 is even, step 9 is not) begun before."""
    again = run(arguments(made, tmp_path), tmp_path / "log", ranks=2)
    assert again.codes == (0, 0), again.errors
    assert [event["step"] for event in again.events("resumed")] == [6]
    assert list(again.losses()) == [8, 9]
    _ends_as(again, unbroken)
    journal = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    steps = [line["step"] for line in map(json.loads, journal) if line.get("metric") == "train"]
    assert steps == [2, 4, 6, 8, 9], "the metrics before the resume are lost"


def test_a_line_of_metrics_spans_a_resume(
    made: Path, kept: Path, unbroken: Ended, tmp_path: Path
) -> None:
    """Step 3 is in the middle of the line for 3 and 4: its loss comes from the checkpoint."""
    _forget(kept, 6)
    again = run(arguments(made, tmp_path), tmp_path / "log", ranks=2)
    assert [event["step"] for event in again.events("resumed")] == [3]
    assert again.losses()[4] == pytest.approx(unbroken.losses()[4], abs=1e-5)
    _ends_as(again, unbroken)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_another_number_of_ranks_goes_on(made: Path, tmp_path: Path, method: str) -> None:
    options = ("--method", method, "--lora-dropout", "0")
    whole = run(arguments(made, tmp_path, *options), tmp_path / "log", ranks=2)
    assert whole.codes == (0, 0), whole.errors
    one = (*options, "--batch-size", "4")
    again = run(arguments(made, tmp_path, *one), tmp_path / "log")
    assert again.codes == (0,), again.errors
    assert again.events("resumed")[0]["ranks_then"] == 2
    _ends_as(again, whole, within=1e-2)  # sums are rounded in another order


def _break_a_byte(folder: Path) -> None:
    path = folder / "__1_0.distcp"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(folder: Path) -> None:
    path = folder / "__0_0.distcp"
    path.write_bytes(path.read_bytes()[:-1])


def _lose(folder: Path) -> None:
    (folder / ".metadata").unlink()


def _garble_marker(folder: Path) -> None:
    (folder / "checkpoint.json").write_text('{"step": 6')


@pytest.mark.parametrize("damage", [_break_a_byte, _cut, _lose, _garble_marker])
def test_a_damaged_checkpoint_is_named_and_an_older_one_taken(
    made: Path, kept: Path, unbroken: Ended, tmp_path: Path, damage: object
) -> None:
    assert callable(damage)
    damage(kept / "step-00000006")
    again = run(arguments(made, tmp_path), tmp_path / "log", ranks=2)
    assert again.codes == (0, 0), again.errors
    assert [event["step"] for event in again.events("damaged checkpoint")] == [6]
    assert again.events("damaged checkpoint")[0]["reason"]
    assert [event["step"] for event in again.events("resumed")] == [3]
    _ends_as(again, unbroken)


def test_a_save_that_did_not_end_is_no_checkpoint(
    made: Path, kept: Path, unbroken: Ended, tmp_path: Path
) -> None:
    (kept / "step-00000006" / "checkpoint.json").unlink()
    again = run(arguments(made, tmp_path), tmp_path / "log", ranks=2)
    assert [event["step"] for event in again.events("resumed")] == [3]
    assert not again.events("damaged checkpoint")
    _ends_as(again, unbroken)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--learning-rate", "5e-3"), "learning_rate was 0.01, is 0.005"),
        (("--batch-size", "1"), "global_batch was 4, is 2"),
        (("--lora-rank", "4"), "lora_rank was 8, is 4"),
        (("--seed", "1"), "seed was 42, is 1"),
    ],
)
def test_a_run_with_other_options_is_refused(
    made: Path, kept: Path, tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    refused = run(arguments(made, tmp_path, *options), tmp_path / "log", ranks=2)
    assert refused.codes == (2, 2), refused.errors
    assert named in refused.errors[0]
    assert "--no-resume" in refused.errors[0]
    assert "Traceback" not in "".join(refused.errors)
    assert sorted(path.name for path in kept.iterdir()) == ["step-00000003", "step-00000006"]


def test_no_resume_begins_anew(made: Path, kept: Path, unbroken: Ended, tmp_path: Path) -> None:
    anew = run(arguments(made, tmp_path, "--no-resume"), tmp_path / "log", ranks=2)
    assert not anew.events("resumed")
    assert anew.losses() == pytest.approx(unbroken.losses(), abs=1e-5)


def test_sigterm_to_one_rank_stops_all_with_a_checkpoint(
    made: Path, unbroken: Ended, tmp_path: Path
) -> None:
    endless = arguments(made, tmp_path, "--max-steps", "100000", "--log-every", "1")
    going = Run([endless, endless], tmp_path / "log")
    _wait_for_step(tmp_path / "log" / "0.out", 2)
    pid = going.processes[1].pid
    assert pid
    os.kill(pid, signal.SIGTERM)
    stopped = going.ended()
    assert stopped.codes == (75, 75), stopped.errors
    saved = stopped.events("checkpoint")[-1]["step"]
    assert saved == max(stopped.losses())
    assert f"did {saved} steps" in stopped.errors[0]
    assert (tmp_path / "checkpoints" / f"step-{saved:08}" / "checkpoint.json").is_file()


def test_torchrun_killed_in_the_middle(made: Path, unbroken: Ended, tmp_path: Path) -> None:
    """kill -9 of a rank under torchrun; the same command goes on and ends at the same loss."""
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
        *("--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "--module", "recipes.sft"),
        *arguments(made, tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "jobs"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if '"checkpoint"' in line:
                break
        ranks = psutil.Process(process.pid).children()
        os.kill(ranks[-1].pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (tmp_path / "out").exists()
    again = run(arguments(made, tmp_path), tmp_path / "log", ranks=2)
    assert again.codes == (0, 0), again.errors
    assert again.events("resumed")
    _ends_as(again, unbroken)


def test_a_rank_that_fails_ends_the_others_with_its_reason(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    mine, broken = (
        arguments(made, tmp_path, "--checkpoints", str(tmp_path / place))
        for place in ("checkpoints", "file/checkpoints")
    )
    ended = Run([mine, broken], tmp_path / "log").ended()
    assert ended.codes == (1, 1)
    first, second = (text.strip().splitlines()[-1] for text in ended.errors)
    assert second.startswith("sft: rank 1 of 2 on ")
    assert "NotADirectoryError" in second
    assert first.startswith("sft: rank 0 ends: rank 1 failed: NotADirectoryError")


def test_ranks_that_read_other_data_are_refused(made: Path, tmp_path: Path) -> None:
    other = tiny.write_dialogues(tmp_path / "other", tiny.dialogues(40, 3), tiny.dialogues(8, 4))
    both = [arguments(made, tmp_path), arguments(made, tmp_path, "--data", str(other))]
    ended = Run(both, tmp_path / "log").ended()
    assert ended.codes == (2, 2)
    assert "rank 1 differs from rank 0 in data" in ended.errors[0]
    assert not ended.errors[1], "said twice"


def _ends_as(again: Ended, whole: Ended, within: float = 1e-4) -> None:
    for metric in ("train", "eval"):
        assert again.losses(metric)[STEPS] == pytest.approx(whole.losses(metric)[STEPS], abs=within)


def _forget(checkpoints: Path, step: int) -> None:
    (checkpoints / f"step-{step:08}" / "checkpoint.json").unlink()


def _wait_for_step(output: Path, step: int) -> None:
    for line in _follow(output):
        if line.startswith("{") and json.loads(line).get("step", 0) >= step:
            return


def _follow(path: Path) -> Iterator[str]:
    """The file's lines as they are written; ``tail`` waits, not a clock of ours."""
    command = ["tail", "-n", "+1", "-F", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as tail:
        assert tail.stdout
        try:
            yield from tail.stdout
        finally:
            tail.terminate()


def test_a_checkpoint_does_not_wait_for_the_node_s_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes there on its way to the store; a block volume would take minutes for it."""
    import torch

    from jobs.recipes.sft import parallel
    from jobs.recipes.sft.checkpoints import Checkpoints
    from jobs.recipes.sft.metrics import Journal
    from jobs.recipes.sft.stores import Folder

    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    journal = Journal(tmp_path / "metrics.jsonl", speaks=True)
    journal.event("start")
    module = torch.nn.Linear(2, 2)
    world = parallel.join()
    try:
        checkpoints = Checkpoints(Folder(tmp_path / "c"), tmp_path, world, {}, journal, keep=1)
        checkpoints.save(module, torch.optim.AdamW(module.parameters()), 1, {})
    finally:
        parallel.leave(world)
    assert (tmp_path / "c" / "step-00000001" / "checkpoint.json").is_file()
    assert synced == []
