"""Run a user's command: its output into a log, its progress on the screen."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .errors import StepFailedError
from .places import FOLDER, ROOT, path_with_python
from .terminal import console

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL_LINES = 25


def run_quietly(
    title: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    note: Callable[[str], str | None] = lambda _: None,
) -> Path:
    """Run *command* under a spinner; *note* turns a line of output into the spinner's text.

    :returns: the log with everything that it printed.
    :raises StepFailedError: it failed; the message carries its last lines.
    """
    log = FOLDER / "logs" / f"{re.sub('[^a-z0-9]+', '-', title.lower())}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with console.status(title) as status, log.open("w") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sink.write(_ANSI.sub("", line))
                if text := note(_ANSI.sub("", line).strip()):
                    status.update(f"{title}: {text}")
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal sent the signal to the command too: let it end by itself.
            process.wait()
            raise
    if code:
        tail = "".join(log.read_text().splitlines(keepends=True)[-_TAIL_LINES:])
        raise StepFailedError(title, code, log, tail)
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.0f} s)[/]")
    return log


def run_openly(title: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run *command* on this terminal.

    :raises StepFailedError: it failed.
    """
    code = subprocess.run(command, cwd=ROOT, env=_environment(environment), check=False).returncode
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise StepFailedError(title, code, FOLDER, "(printed above)")


def capture(title: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What *command* prints on its standard output.

    :raises StepFailedError: it failed.
    """
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(environment), check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode:
        raise StepFailedError(title, done.returncode, FOLDER, done.stderr or done.stdout)
    return done.stdout


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **extra, "PATH": path_with_python(), "PYTHONUNBUFFERED": "1"}
