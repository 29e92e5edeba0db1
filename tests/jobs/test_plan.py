"""``jobs plan``: what it reads of a tenancy file, what it says, how it exits."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs import cli, plan_command
from jobs.plan_tenancy import PlanError, read
from jobs.planning import best_of_each, hours_of
from sizing import choices, models
from sizing.durations import known_data
from sizing.shapes import gpu_shapes
from sizing.training import Training
from tests.jobs.workbench import Workbench, storage

ROOT = Path(__file__).resolve().parents[2]
OCIDS = (
    "tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy\n"
    "compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment\n"
)
CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 320,
    "max_position_embeddings": 2048,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The tutorial's 13b case."""
    path = tmp_path / "demo.yaml"
    path.write_text(f"{OCIDS}model: 13b\nfinetune:\n  recipe: llama-recipes\n")
    return path


def _plan(capsys: pytest.CaptureFixture[str], file: Path, *words: str) -> str:
    assert cli.main(["plan", "--tenancy", str(file), *words]) == 0
    return capsys.readouterr().out


def _json(capsys: pytest.CaptureFixture[str], file: Path, *words: str) -> Any:
    return json.loads(_plan(capsys, file, "--json", *words))


def _refused(capsys: pytest.CaptureFixture[str], file: Path, *words: str) -> str:
    assert cli.main(["plan", "--tenancy", str(file), *words]) != 0
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return " ".join((printed.out + printed.err).replace("│", " ").split())


def test_the_tutorials_case(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = _plan(capsys, file)
    assert "meta-llama/Llama-2-13b-hf, 13.02 billion parameters" in printed
    assert "14,732 rows of 216 tokens" in printed
    assert "As the tenancy file says: 6 x VM.GPU.A10.2, 12 GPUs of 24 GB" in printed
    assert "4 x 52.1 = 208 GB) asks for 5 x VM.GPU.A10.2" in printed
    rows = [line for line in printed.splitlines() if line.startswith((" *", ">*"))]
    assert [row.split()[1:4] for row in rows if " x " in row] == [["6", "x", "VM.GPU.A10.2"]]


def test_it_is_what_sizing_computes(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = models.known()["meta-llama/Llama-2-13b-hf"]
    training = Training(recipe="llama-recipes", lora_targets=("q_proj", "v_proj"))
    expected = choices.choices(model, training, known_data()["knkarthick/samsum"])
    found = _json(capsys, file)
    told = [(one["shape"], one["replicas"], one["refused"]) for one in found["ranking"]]
    assert told == [(one.shape.name, one.replicas, one.refused) for one in expected]
    assert found["best"]["shape"] == expected[0].shape.name
    present = found["present"]
    assert (present["shape"], present["replicas"]) == ("VM.GPU.A10.2", 6)
    assert present["hours"]["low"] < 2.5 < present["hours"]["high"]
    assert sum(term["bytes"] for term in present["terms"]) == pytest.approx(
        present["memory"]["expected"]
    )


def test_every_term_and_every_number_of_nodes(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short, long = _plan(capsys, file), _plan(capsys, file, "--all", "--terms")
    assert "The best: " in long
    assert "nodes provisioned, conda unpacked" in long
    assert "nodes provisioned" not in short
    for shape in gpu_shapes().values():
        told = f" x {shape.name} "
        assert not shape.jobs or long.count(told) >= len(choices.REPLICAS) > short.count(told)


def test_each_estimate_has_its_range(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = " ".join(_plan(capsys, file).split())
    assert "17.8 (12.9-24.3) of 21.6 tight 2.5 (0.9-3.8) $59 ($21-$92)" in printed
    assert "2 of 2 12.1 4,096 4.5 (3.8-4.7) 4.00 fits" in printed


def test_options_are_planned_in_the_files_place(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--recipe", "sft", "--method", "full", "--seq", "512", "--batch", "2"]
    words += ["--accumulation", "3", "--steps", "40", "--no-checkpointing"]
    found = _json(capsys, file, *words, "--shape", "BM.GPU.H200.8", "--replicas", "7")
    training = found["training"]
    assert (training["method"], training["recipe"]) == ("full", "sft")
    assert (training["max_length"], training["batch_size"], training["accumulation"]) == (512, 2, 3)
    assert (training["max_steps"], training["epochs"]) == (40, None)
    assert training["checkpointing"] is False
    assert [(one["shape"], one["replicas"]) for one in found["ranking"]] == [("BM.GPU.H200.8", 7)]


def test_a_narrow_terminal_cuts_no_figure(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = Console(force_terminal=True, width=40, highlight=False)
    monkeypatch.setattr(plan_command, "out", narrow)
    printed = _plan(capsys, file)
    assert "…" not in printed.replace("oci://…", "")
    assert "2.5 (0.9-3.8)" in printed


def test_another_model_has_its_own_defaults(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, file, "--model", "7b")
    assert (found["training"]["method"], found["training"]["batch_size"]) == ("full", 1)
    assert found["present"]["replicas"] == 3


def test_prices_that_can_not_be_read_are_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".tunestack").mkdir()
    (tmp_path / ".tunestack" / "prices.yaml").write_text("shapes: 3\n")
    monkeypatch.chdir(tmp_path)
    assert "prices.yaml does not hold prices. Delete it" in _refused(capsys, file)


def test_ranked_by_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, file, "--by", "time")
    hours = [one["hours"]["expected"] for one in found["ranking"]
             if not one["refused"] and one["fit"]["verdict"] == "fits"]  # fmt: skip
    assert hours == sorted(hours)


def test_a_config_of_ones_own(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    for name in (str(tmp_path), str(tmp_path / "config.json")):
        assert _json(capsys, file, "--model", name)["model"]["parameters"] == 123_200


def test_a_config_in_the_bucket(
    bench: Workbench, cloud: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage(cloud).put_object(
        cloud.namespace, "demo-bucket", "base/tiny/config.json", json.dumps(CONFIG).encode()
    )
    uri = f"oci://demo-bucket@{cloud.namespace}/base/tiny"
    assert _json(capsys, file, "--model", uri)["model"]["parameters"] == 123_200
    assert "Could not read" in _refused(capsys, file, "--model", f"{uri}/none/config.json")


def test_what_nothing_meets(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _refused(capsys, file, "--deadline", "15m", "--budget", "1")
    assert "Nothing stays within 0.25 h and $1.00. The nearest is " in said
    assert cli.main(["plan", "--tenancy", str(file), "--budget", "1", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["best"] is None
    assert found["nearest"]["dollars"]["high"] > 1


def test_the_upper_end_counts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tutorial's choice is expected to cost $60, and may cost more."""
    found = _json(capsys, file, "--budget", "70")
    same = [one for one in found["ranking"] if one["shape"] == "VM.GPU.A10.2"
            and one["replicas"] == 6]  # fmt: skip
    assert same[0]["dollars"]["expected"] < 70 < same[0]["dollars"]["high"]
    assert "over the budget of $70.00" in same[0]["refused"]


def test_unknown_data_has_no_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"{OCIDS}dataset: somebody/dialogues\n")
    printed = _plan(capsys, file)
    assert "unknown until --rows and --tokens-per-row say" in printed
    assert "$24.00/h" in printed
    known = _json(capsys, file, "--rows", "1000", "--tokens-per-row", "100")
    assert known["present"]["hours"]["expected"] > 0
    assert "--rows and --tokens-per-row" in _refused(capsys, file, "--deadline", "4h")
    assert "go together" in _refused(capsys, file, "--rows", "1000")


def test_a_file_that_is_too_small_is_planned_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loader refuses it; to say what would do is what a plan is for."""
    file = tmp_path / "small.yaml"
    file.write_text(
        f"{OCIDS}model: meta-llama/Llama-2-70b-hf\n"
        "finetune: {shape: VM.GPU.A10.1, replicas: 1}\nserving: {shape: BM.GPU.H100.8}\n"
    )
    assert cli.main(["plan", "--tenancy", str(file)]) == 0
    printed = capsys.readouterr()
    assert "does not fit: " in printed.out
    assert "Best by cost: " in printed.out
    assert "As it is, the file is refused: " in printed.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "meta-llama/Llama-2-13b"], "Did you mean meta-llama/Llama-2-13b-"),
        (["--model", "nowhere/config.json"], "nowhere/config.json can't be read"),
        (["--shape", "VM.GPU.A10.3"], "VM.GPU.A10.3 is no GPU shape that is known here. There"),
        (["--deadline", "soon"], "'soon' is no duration. Write 4h, 90m or 1d."),
        (["--seq", "1024"], "llama-recipes has no max_length"),
        (["--replicas", "2"], "--replicas goes with --shape"),
        (["--epochs", "1", "--steps", "5"], "--epochs and --steps do not go together"),
        (["--apply", "--json"], "does not go with --apply"),
        (["--rows", "10", "--tokens-per-row", "inf"], "Invalid value for '--tokens-per-row'"),
        (["--rows", f"{10**30}", "--tokens-per-row", "9"], "Invalid value for '--rows'"),
        (["--model", " "], "--model is empty"),
        (["--model", "Qwen/Qwen3-8B"], "llama-recipes loads Llamas alone, and Qwen/Qwen3-8B is"),
        (["--shape", "BM.GPU.GB200.4"], "Nothing can be had. 1 x BM.GPU.GB200.4: no job run"),
        (["--shape", "VM.GPU.A10.2", "--replicas", "1"], "had. 1 x VM.GPU.A10.2: does not fit"),
    ],
)
def test_a_mistake_is_told(
    words: list[str], said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in _refused(capsys, file, *words)


def test_a_bad_file_is_told_with_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(f"{OCIDS}modle: 13b\nfinetune: {{replicas: 0}}\n")
    said = _refused(capsys, file)
    assert "bad.yaml:3: modle: unknown key" in said
    assert "bad.yaml:4: finetune.replicas: found 0" in said


def test_words_for_the_command_count(tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text(f"{OCIDS}finetune: {{extra_args: [--lora-rank=64, --batch-size=2]}}\n")
    found = read(file)
    assert (found.training.lora_rank, found.training.batch_size) == (64, 2)
    file.write_text(f"{OCIDS}finetune: {{extra_args: [--lora-rank=many]}}\n")
    with pytest.raises(PlanError, match="--lora-rank is 'many'"):
        read(file)


def test_an_option_that_the_files_words_outvote_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "words.yaml"
    file.write_text(f"{OCIDS}finetune: {{extra_args: [--batch-size=1]}}\n")
    said = _refused(capsys, file, "--batch", "2")
    assert "extra_args says otherwise than finetune.batch_size, and wins: --batch-size=1." in said
    assert cli.main(["plan", "--tenancy", str(file), "--batch", "1"]) == 0


@pytest.mark.parametrize(
    ("text", "hours"), [("4h", 4), ("90m", 1.5), ("1d", 24), ("1.5H", 1.5), (" 30m ", 0.5)]
)
def test_durations(text: str, hours: float) -> None:
    assert hours_of(text) == hours


@pytest.mark.parametrize("text", ["4", "h", "-1h", "0h", "4 hours", ""])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(PlanError):
        hours_of(text)


def test_one_of_each_shape(file: Path) -> None:
    written = read(file)
    ranking = choices.choices(models.known()[written.model_id], written.training)
    best = best_of_each(ranking)
    names = [one.shape.name for one in best]
    assert len(names) == len(set(names)) == len({one.shape.name for one in ranking})
    assert best[0] == ranking[0]


def test_it_imports_nothing_that_takes_seconds(file: Path) -> None:
    """benchmarks/looking_first.py has the seconds."""
    code = (
        "import sys\nfrom jobs.cli import main\n"
        f"code = main(['plan', '--tenancy', {str(file)!r}])\n"
        "heavy = {'ads', 'oci', 'pandas', 'requests', 'cdktf', 'constructs'} & set(sys.modules)\n"
        "print('heavy', sorted(heavy), code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "heavy [] 0", done.stderr


_DOCUMENTED = [
    line.removeprefix("$ ")
    for line in (ROOT / "docs" / "sizing.md").read_text().splitlines()
    if line.startswith("$ python -m jobs plan ")
]


@pytest.mark.parametrize("command", _DOCUMENTED)
def test_what_the_page_has_one_type(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.main(shlex.split(command)[3:]) == 0
    assert "meta-llama" in capsys.readouterr().out
    assert len(_DOCUMENTED) >= 5


def test_the_pages_figures_are_todays(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = " ".join((ROOT / "docs" / "sizing.md").read_text().split())
    large, small = _json(capsys, file), _json(capsys, file, "--model", "7b")
    hours, dollars = large["present"]["hours"], large["present"]["dollars"]
    assert (
        f"{hours['expected']:.1f} h, ${dollars['expected']:.0f}, "
        f"from {hours['low']:.1f} h and ${dollars['low']:.0f} "
        f"to {hours['high']:.1f} h and ${dollars['high']:.0f}"
    ) in page
    rules = [each["rule_of_thumb"] for each in (small, large)]
    assert [(rule["nodes"], rule["fits"], rule["tight"]) for rule in rules] == [
        (3, 2, 2),
        (5, None, 3),
    ]
    assert "2 nodes fit: with `--pure_bf16`" in page
    assert "3 nodes can do, and are tight on any number of them" in page
    ours = _json(capsys, file, "--recipe", "sft")["rule_of_thumb"]["fits"]
    assert f"13b with LoRA fits {ours} nodes" in page
