"""The command line: what it imports, what it prints, how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import cli, watch_commands
from jobs.clock import SystemClock
from jobs.errors import StepFailedError
from jobs.ledger import Ledger
from jobs.pipeline_watch import PipelineWatch
from tests.jobs.samples import START, entry, write_all

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "emit", "check", "submit", "run", "watch", "status", "predict", "logs", "metrics", "cancel",
    "delete", "history",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tenancy file and its definitions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("model: 13b\n")
    write_all(tmp_path / "definitions" / "demo")
    return tmp_path


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # the code may go to another folder
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["check"]])
def test_light_commands_import_nothing_heavy(arguments: list[str], home: Path) -> None:
    """ADS takes seconds to import; whoever only asks for help should not wait for it."""
    printed = _python(
        "import os, sys\n"
        "from jobs.cli import main\n"
        f"os.chdir({str(home)!r})\n"
        f"code = main({arguments!r})\n"
        "heavy = {'ads', 'oci', 'pandas', 'requests', 'ocifs'} & set(sys.modules)\n"
        "print('heavy', sorted(heavy), code)\n"
    )
    assert printed.splitlines()[-1] == "heavy [] 0"


def test_help_imports_no_command(home: Path) -> None:
    """Each has a second's worth of imports of its own; a command takes only its own."""
    printed = _python(
        "import sys\nfrom jobs.cli import main\nmain(['--help'])\n"
        "found = [each for each in sys.modules if each.endswith(('_commands', 'yaml'))]\n"
        "print('found', found)"
    )
    assert "Print the loss and the speed that a training has told" in printed
    assert printed.splitlines()[-1] == "found []"


def test_every_command_is_where_it_is_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for words in cli.PLACES:
        assert cli.main([*words.split(), "--help"]) == 0
        assert f" {words} [OPTIONS]" in capsys.readouterr().out
    assert cli.main(["statu"]) == 2
    assert "Did you mean 'status'?" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in COMMANDS)


def test_check_says_what_each_would_cost(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 0
    printed = capsys.readouterr().out
    squeezed = " ".join(printed.split())
    assert "stage.yaml 1 x VM.Standard.E4.Flex $0.20/h finetune.yaml" in squeezed
    assert "finetune.yaml 6 x VM.GPU.A10.2 $24.00/h 2.5 h $60.00" in squeezed
    assert "finetune.yaml takes 2.5 h by Oracle's tutorial" in printed
    assert "All definitions in definitions/demo are in order." in printed
    assert "List prices in USD" in printed


def test_check_says_what_a_training_would_cost_that_nobody_measured(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "definitions" / "demo" / "finetune.yaml"
    file.write_text(file.read_text().replace("replicas: 6", "replicas: 5"))
    assert cli.main(["check"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "finetune.yaml: $20.00 an hour, about " in printed
    assert "by docs/sizing.md" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "--nope"], 2, "No such option"),
        (["submit", "fine"], 2, "'stage', 'finetune', 'merge', 'register', 'deploy'"),
        (["check", "--tenancy", "tenancies/dem.yaml"], 1, "There are: tenancies/demo.yaml"),
        (["check", "--definitions", "nowhere"], 1, "nowhere has no pipeline.yaml"),
        (["predict"], 1, "There is no record of 'deploy'"),
        (["predict", "--file", "binary"], 1, "Cannot read the dialogue from binary"),
        (["watch"], 1, "Nothing was run yet"),
        (["delete", "--staged"], 1, "--staged goes with --weights"),
        (["metrics", "finetune"], 1, "There is no record of 'finetune'"),
        (["logs", "deploy"], 1, "There is no record of 'deploy'"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(
    arguments: list[str], code: int, said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "binary").write_bytes(b"\xff")
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert said in " ".join(printed.err.replace("│", " ").split())
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    ("option", "advised"),
    [
        (["--tenancy", "tenancies/prod.yaml"], " --tenancy tenancies/prod.yaml"),
        (["--tenancy=tenancies/prod.yaml"], " --tenancy tenancies/prod.yaml"),
        ([], ""),
    ],
)
def test_an_advised_command_is_for_the_same_tenancy(
    option: list[str], advised: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "tenancies" / "prod.yaml").touch()
    assert cli.main(["logs", *option, "finetune"]) == 1
    assert f"Run 'python -m jobs run{advised}', or 'submit' it." in capsys.readouterr().err


def test_the_tenancy_of_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "tenancies" / "prod.yaml").write_text("")
    monkeypatch.setenv("TUNESTACK_TENANCY", "tenancies/prod.yaml")
    assert cli.main(["check"]) == 1
    assert "definitions/prod has no pipeline.yaml" in capsys.readouterr().err


def test_status_of_the_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = Ledger(Path(".tunestack/demo/ledger.db"), SystemClock())
    records.put(
        entry(
            "finetune",
            details="simulated by ocimock",
            simulated=True,
            shape="VM.GPU.A10.2",
            replicas=6,
            submitted=START,
            started=START,
            finished=START,
        )
    )
    assert cli.main(["status", "--offline"]) == 0
    printed = capsys.readouterr().out
    assert "SUCCEEDED (simulated)" in printed
    assert "6 x VM.GPU.A10.2" in printed
    assert "ocid1.datasciencejobrun.x" in printed
    assert "not run" in printed

    assert cli.main(["status", "--offline", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["steps"]["finetune"]
    assert found["simulated"] is True
    assert found["submitted"] == START.isoformat()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (None, 0, ""),
        (StepFailedError("finetune ended FAILED.", "Read its log."), 1, "finetune ended FAILED."),
        (KeyboardInterrupt(), 130, "runs on"),
    ],
)
def test_exit_codes_of_watch(
    raised: BaseException | None,
    code: int,
    said: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Ledger(Path(".tunestack/demo/ledger.db"), SystemClock()).put(entry("finetune", "IN_PROGRESS"))

    def watch(self: PipelineWatch) -> None:
        if raised:
            raise raised

    monkeypatch.setattr(PipelineWatch, "watch", watch)
    monkeypatch.setattr(watch_commands, "sign_in_to", lambda region: None)
    assert cli.main(["watch"]) == code
    assert said in capsys.readouterr().err


def test_delete_with_nothing_to_delete(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["delete"]) == 0
    assert "nothing to delete" in capsys.readouterr().out
