"""Run a user's command: its output into a log, its progress on the screen."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from .cases import Case
from .errors import StepFailedError, TerminatedError
from .places import FOLDER, ROOT, path_with_python
from .terminal import console

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERROR = re.compile(r"\bError: ")
_SCREEN = 25
_INTERRUPTED = 130


def run_quietly(
    title: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    note: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Run *command* under a spinner; *note* turns a line of output into the spinner's text.

    :raises StepFailedError: it failed; the message carries the lines that say why.
    """
    log = FOLDER / "logs" / f"{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with console.status(title) as status, log.open("w") as sink:
        # In a session of its own: Ctrl-C must not kill Terraform between creating something and
        # writing that down.
        process = _start(
            command, environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        lines = (_ANSI.sub("", line) for line in process.stdout or ())
        try:
            for line in lines:
                sink.write(line)
                if text := note(line.strip()):
                    status.update(f"{title}: {text}")
            code = process.wait()
        except KeyboardInterrupt:
            status.update(f"{title}: ends this step first; Ctrl-C again stops it half-way")
            _let_end(process, sink)
            raise
    if code:
        raise StepFailedError(title, code, _decisive(log.read_text().splitlines()), log)
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - started:.0f} s)[/]")


def run_openly(title: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run *command* on this terminal.

    :raises StepFailedError: it failed, and has said why.
    """
    process = _start(command, environment)
    try:
        code = process.wait()
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, TerminatedError):
            process.send_signal(signal.SIGINT)
        process.wait()  # it says what goes on, and gives the terminal back
        raise
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise StepFailedError(title, code)


def capture(title: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What *command* prints on its standard output.

    :raises StepFailedError: it failed.
    """
    process = _start(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed, said = process.communicate()
    if process.returncode:
        raise StepFailedError(title, process.returncode, said or printed)
    return printed


def jobs(case: Case, *arguments: str) -> list[str]:
    """The command line of ``python -m jobs``, for the tenancy of *case*."""
    return [sys.executable, "-m", "jobs", *arguments, "--tenancy", str(case.tenancy)]


def _let_end(process: subprocess.Popen[str], sink: TextIO) -> None:
    """Wait for a command that was not interrupted; a second Ctrl-C interrupts it."""
    try:
        sink.write(process.communicate()[0])
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()


def _start(
    command: Sequence[str], environment: Mapping[str, str], **streams: Any
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=ROOT, env=_environment(environment), stdin=subprocess.DEVNULL,
        text=True, errors="replace", **streams,
    )  # fmt: skip


def _decisive(lines: list[str]) -> str:
    """Terraform's first error, with the box around it; where there is none, the last lines."""
    first = next((n for n, line in enumerate(lines) if _ERROR.search(line)), None)
    if first is None:
        return "\n".join(lines[-_SCREEN:])
    box = list(itertools.takewhile(lambda line: "╵" not in line, lines[first:]))
    return textwrap.dedent("\n".join(box[:_SCREEN]))


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        **extra,
        "PATH": path_with_python(),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": str(console.width),  # what is captured is printed as wide as the rest
    }
