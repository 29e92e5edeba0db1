"""Why a run failed: what OCI says, and the lines of its log that count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import judging
from jobs.attempts import BEGUN, Attempted, begun_details
from jobs.errors import RefusedError, StepFailedError
from jobs.failure import decisive, explained
from jobs.judging import LOG_DELAY, Judge
from jobs.ledger import Ledger
from jobs.pipeline import Step
from jobs.record import Entry
from tests.jobs.samples import START, OwnedClock, Recorder, definition, entry

TORCHRUN = """\
W1122 12:00:09.1 17 torch/distributed/elastic/agent/server/api.py] Sending SIGTERM to others
Traceback (most recent call last):
  File "/opt/conda/bin/torchrun", line 7, in <module>
    sys.exit(main())
  File "run.py", line 9, in main
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError: 
============================================================
recipes.sft FAILED
------------------------------------------------------------
Root Cause (first observed failure):
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 123)
============================================================
driver_utils - ERROR - Command torchrun --module recipes.sft exited with code 1.""".splitlines()  # noqa: W291

NO_MODULE = """\
Traceback (most recent call last):
  File "/mnt/code/recipes/sft/__main__.py", line 3, in <module>
    import petf
ModuleNotFoundError: No module named 'petf'""".splitlines()


@dataclass(frozen=True)
class Case:
    """A run that ended badly, and what a reader should be told of it."""

    name: str
    details: str
    log: list[str]
    shown: list[str]


CASES = [
    Case(
        "import error",
        "Job run artifact execution failed with exit code 1.",
        ["pip install", *NO_MODULE, *TORCHRUN],
        NO_MODULE,
    ),
    Case(
        "exit code",
        "Job run artifact execution failed with exit code 3.",
        ["step one", "merge: there are no shards in /mnt/base"],
        ["step one", "merge: there are no shards in /mnt/base"],
    ),
    Case(
        "memory",
        "Job run artifact execution failed with exit code 137: node 1 used more memory than its "
        "4 GB.",
        [f"step {number}" for number in range(30)],
        [f"step {number}" for number in range(10, 30)],
    ),
    Case(
        "maximum runtime",
        "Job run exceeded its maximum runtime of 30 minutes.",
        ["waiting for the other node"],
        ["waiting for the other node"],
    ),
]


STEP = Step("finetune", "job", ("finetune.yaml",))
ATTEMPTED = Attempted("f", 0, 1, "k", 0, "finetune.yaml", definition("finetune").text)


def _judge(folder: Path) -> tuple[Judge, OwnedClock]:
    """Of a step that is submitted once, and has no capacity to wait for."""
    clock = OwnedClock()
    ledger = Ledger(folder / "ledger.db", clock)
    ledger.note(BEGUN, STEP.name, **begun_details(ATTEMPTED))
    return Judge(
        ledger, Recorder(), clock, 10.0, clock.sleep, lambda *_: "", lambda step: [0]
    ), clock


def _log(monkeypatch: pytest.MonkeyPatch, *logs: list[str]) -> None:
    """Each look at the log shows the next of *logs*, then the last."""
    coming = list(logs)
    monkeypatch.setattr(
        judging, "last_words", lambda seen: coming.pop(0) if len(coming) > 1 else coming[0]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reason_and_decisive_lines_are_told(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = entry("finetune", "FAILED", details=case.details, local=True, started=START)
    _log(monkeypatch, case.log)
    judge, clock = _judge(tmp_path)

    with pytest.raises(StepFailedError) as caught:
        judge.ended(STEP, failed)

    told = caught.value.what.splitlines()
    assert told[0] == f"finetune ended FAILED (on this machine). OCI says: {case.details}"
    assert told[1] == "ocid1.datasciencejobrun.x"
    assert told[2] == f"Its log says last ({len(case.shown)} lines):"
    assert told[3:-1] == [f"  | {line}" for line in case.shown]
    assert told[-1].startswith("It is not submitted again: ")
    assert "python -m jobs logs finetune" in caught.value.advice
    assert clock.slept == []


def test_in_oci_the_last_lines_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = entry("finetune", "FAILED", started=START)
    _log(monkeypatch, ["step 1"], ["step 1"], ["step 1", *NO_MODULE])
    judge, clock = _judge(tmp_path)
    with pytest.raises(StepFailedError, match="No module named 'petf'"):
        judge.ended(STEP, failed)
    assert clock.slept == [10.0, 10.0]


def test_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = entry("finetune", "FAILED", started=START)
    _log(monkeypatch, ["step 1"])
    judge, clock = _judge(tmp_path)
    with pytest.raises(StepFailedError, match=r"\| step 1"):
        judge.ended(STEP, failed)
    assert sum(clock.slept) == LOG_DELAY


def test_an_unreadable_log_hides_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = entry("finetune", "FAILED", details="exit code 1", started=START)

    def last_words(seen: Entry) -> list[str]:
        raise RefusedError("no policy", status=404)

    monkeypatch.setattr(judging, "last_words", last_words)
    with pytest.raises(StepFailedError, match="OCI says: exit code 1") as caught:
        _judge(tmp_path)[0].ended(STEP, failed)
    assert "Its log says" not in caught.value.what


def test_who_was_cancelled_is_not_asked_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _log(monkeypatch, NO_MODULE)
    with pytest.raises(StepFailedError) as caught:
        _judge(tmp_path)[0].ended(STEP, entry("finetune", "CANCELED", started=START))
    assert "petf" not in caught.value.what


LOST_PEER = "RuntimeError: [gloo] Connection closed by peer [10.0.1.3]:4711"


def test_a_lost_peer_is_not_believed_before_all_lines_can_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node that failed by itself may be heard last: its training would fail again."""
    failed = entry("finetune", "FAILED", started=START)
    peer = [NO_MODULE[0], LOST_PEER, "INFO:driver_utils:exited with code 1"]
    _log(monkeypatch, peer, peer, [*NO_MODULE, *peer])
    judge, clock = _judge(tmp_path)
    with pytest.raises(StepFailedError, match="No module named 'petf'"):
        judge.ended(replace(STEP, retries=2), failed)
    assert clock.slept == [10.0, 10.0]


def test_a_log_that_oci_does_not_give_just_now_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[RefusedError | list[str]] = iter(
        [RefusedError("later", status=503), NO_MODULE]
    )

    def last_words(seen: Entry) -> list[str]:
        answer = next(answers)
        if isinstance(answer, RefusedError):
            raise answer
        return answer

    monkeypatch.setattr(judging, "last_words", last_words)
    judge, clock = _judge(tmp_path)
    with pytest.raises(StepFailedError, match="No module named 'petf'"):
        judge.ended(STEP, entry("finetune", "FAILED", started=START))
    assert clock.slept == [10.0]


@pytest.mark.parametrize(
    ("state", "details", "minutes", "why"),
    [
        ("CANCELED", "Job run canceled.", 720, "it reached its maximum runtime"),
        ("CANCELED", "Job run canceled.", 719, "somebody ended it"),
        ("FAILED", "exit code 143", 721, "it reached its maximum runtime"),
        ("FAILED", "exit code 143", 719, "it was lost 1 times"),
    ],
)
def test_who_reached_the_maximum_runtime_is_not_submitted_again(
    state: str, details: str, minutes: int, why: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whatever OCI's words are, and also where it was the runner that canceled it."""
    _log(monkeypatch, ["step 1"])
    ended = entry(
        "finetune", state, details=details, started=START,
        finished=START + timedelta(minutes=minutes),
    )  # fmt: skip
    with pytest.raises(StepFailedError, match=f"It is not submitted again: {why}"):
        _judge(tmp_path)[0].ended(STEP, ended)


def _mixed(*logs: list[str]) -> list[str]:
    """As nodes write them into one log: a line of each in turn."""
    return [line for lines in zip(*logs, strict=True) for line in lines]


def test_of_several_ranks_the_last_traceback_is_told_whole() -> None:
    first = [f"[rank0]: {line}" for line in NO_MODULE]
    other = [f"[rank1]: {line}" for line in NO_MODULE]
    assert decisive([*_mixed(first, other), *TORCHRUN]) == other


def test_what_two_nodes_write_alike_is_told_once() -> None:
    assert decisive(_mixed([*NO_MODULE, *TORCHRUN], [*NO_MODULE, *TORCHRUN])) == NO_MODULE


def test_a_rank_that_lost_the_others_is_not_the_cause() -> None:
    lost = [
        "[rank0]: Traceback (most recent call last):",
        '[rank0]:   File "parallel.py", line 3, in sum',
        "[rank0]: RuntimeError: [gloo] Connection closed by peer [10.0.1.3]:4711",
    ]
    told = decisive([*NO_MODULE, "sft: rank 1 of 2 failed", *lost, *TORCHRUN])
    assert told[:5] == [*NO_MODULE, "sft: rank 1 of 2 failed"]
    assert decisive([*lost, *TORCHRUN]) == lost


def test_without_a_traceback_of_its_own_torchruns_is_noise() -> None:
    words = "sft: --max-steps is -1; it must be 1 or more"
    mark = "[node 0] [run by ocimock on this machine] ended with exit code 2"
    both = [words, *TORCHRUN, mark]
    start = "INFO:driver_utils:>>> torchrun --module recipes.sft"
    assert decisive(["pip", start, "started", *_mixed(both, both)]) == ["started", words]


def test_a_log_of_noise_alone_is_shown() -> None:
    assert decisive(TORCHRUN) == TORCHRUN


def test_a_long_line_is_cut() -> None:
    [line] = decisive(["x" * 1000])
    assert len(line) == 300


def test_a_long_traceback_keeps_its_ends() -> None:
    deep = [NO_MODULE[0], *(f"  File {number}" for number in range(50)), NO_MODULE[-1]]
    shown = decisive(deep)
    assert len(shown) == 20
    assert shown[:2] == deep[:2]
    assert shown[-1] == deep[-1]


def test_an_empty_log_says_nothing() -> None:
    assert decisive([]) == []
    assert not explained([])


def test_half_a_traceback_of_the_launcher_is_left_out() -> None:
    """A node that is stopped because another failed has no time to tell of it to the end."""
    lines = [
        "Traceback (most recent call last):",
        '  File "/mnt/code/recipes/sft/run.py", line 68, in run',
        "    work.wait()",
        "RuntimeError: Read error [10.0.1.3]:32457: Connection reset by peer",
        "sft: rank 0 of 2 on 10.0.1.2 failed",
        "Traceback (most recent call last):",
        '  File "/opt/ocimock/conda/bin/torchrun", line 10, in <module>',
        "    sys.exit(main())",
        "    elastic_launch(",
    ]
    assert decisive(lines) == lines[:5]
