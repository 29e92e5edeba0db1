"""How the demo runs a user's commands: what it shows, how they fail, how they are stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo import commands
from demo.deploy import _progress
from demo.errors import StepFailedError

TERRAFORM_FAILS = r"""
print("demo-data  Initializing the backend...")
print("demo-data  ╷")
print("           │ Error: OCI service error [/]")
print("           │ ")
print("           │ 409 Conflict: the bucket exists")
print("           ╵")
print("node.js: unhandled rejection")
raise SystemExit(7)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "FOLDER", tmp_path)


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_failure_shows_terraforms_own_error(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError) as caught:
        commands.run_quietly("cdktf deploy '*'", _python(TERRAFORM_FAILS), {})
    log = tmp_path / "logs" / "cdktf-deploy.log"
    assert str(caught.value).splitlines() == [
        "cdktf deploy '*' failed (exit code 7).",
        "│ Error: OCI service error [/]",
        "│ ",
        "│ 409 Conflict: the bucket exists",
        f"All that it printed: {log}",
    ]
    assert "unhandled rejection" in log.read_text()


def test_a_failure_without_such_an_error_shows_the_last_lines() -> None:
    with pytest.raises(StepFailedError, match="line 39\n") as caught:
        commands.run_quietly(
            "t", _python("for n in range(40): print('line', n)\nraise SystemExit(1)"), {}
        )
    assert "line 15\n" in str(caught.value)
    assert "line 14\n" not in str(caught.value)


def test_an_interrupted_step_ends_before_the_demo_does(tmp_path: Path) -> None:
    """Terraform killed between creating something and writing that down leaves an orphan."""

    def interrupt(line: str) -> str | None:
        raise KeyboardInterrupt

    alone = "os.getsid(0) == os.getpid()"  # the terminal's Ctrl-C does not reach it
    code = f"import os\nprint('begun', flush=True)\nprint('alone', {alone})"
    with pytest.raises(KeyboardInterrupt):
        commands.run_quietly("t", _python(code), {}, note=interrupt)
    assert (tmp_path / "logs" / "t.log").read_text() == "begun\nalone True\n"


def test_an_interrupted_command_on_the_terminal_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        commands.run_openly("t", _python("raise SystemExit(130)"), {})
    with pytest.raises(StepFailedError, match=r"t failed \(exit code 1\)\."):
        commands.run_openly("t", _python("raise SystemExit(1)"), {})


SLEEPER = """
import signal
print("waits", flush=True)
try:
    signal.pause()
except KeyboardInterrupt:
    raise SystemExit("was told")
"""
TERMINATED = f"""
import sys
from pathlib import Path
import typer
from demo import __main__, commands
commands.FOLDER = Path(sys.argv[1])
code = [sys.executable, "-c", {SLEEPER!r}]
try:
    __main__._guard(lambda: commands.run_openly("t", code, {{}}))
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


def test_sigterm_reaches_what_runs_on_the_terminal(tmp_path: Path) -> None:
    """make passes it on to the demo alone: what that started would run on unseen."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", TERMINATED, str(tmp_path)],
        cwd=Path(commands.__file__).parent.parent,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate()
    assert process.returncode == 130, said
    assert "was told" in said
    assert "Stopped; what stands, stands." in printed


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("demo-network  oci_core_vcn.vcn: Creating...", "oci_core_vcn.vcn creating"),
        ("oci_core_vcn.vcn (vcn): Creation complete after 1s [id=x]", "oci_core_vcn.vcn created"),
        ("oci_kms_key.key: Destruction complete after 0s", "oci_kms_key.key destroyed"),
        ("demo-data  Initializing the backend...", "terraform init"),
        ("Plan: 4 to add, 0 to change, 0 to destroy.", None),
    ],
)
def test_terraforms_lines_become_progress(line: str, shown: str | None) -> None:
    assert _progress(line) == shown
