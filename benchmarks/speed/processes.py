"""The processes of a benchmark: workers that measure, servers that are measured."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0  # seconds that a server may take to its first answer


class BenchmarkError(RuntimeError):
    """A worker or a server failed; the message has what it said."""


def environment() -> dict[str, str]:
    """This process's, less what would slow Python's second start or send calls elsewhere."""
    unwanted = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE")
    return {name: text for name, text in os.environ.items() if name.upper() not in unwanted}


class Worker:
    """A process that answers one question after the other."""

    def __init__(self, name: str, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._name = name
        self._process = process
        self._errors = errors

    def ask(self, do: str, **arguments: Any) -> Any:
        """The worker's answer.

        :raises BenchmarkError: it failed, or ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise BenchmarkError(f"{self._name} ended: {_said(self._errors)}")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchmarkError(f"{self._name}: {do}: {answer['error']}")
        return answer["answer"]

    def rate(self, call: str, seconds: float) -> float:
        """Calls a second."""
        return float(self.ask("measure", call=call, seconds=seconds))


@contextlib.contextmanager
def worker(module: str, *arguments: str, python: str = sys.executable) -> Iterator[Worker]:
    """A module of this package as a :class:`Worker` that ends with the block."""
    command = [python, "-m", f"benchmarks.speed.{module}", *arguments]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Worker(module, process, errors)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Server:
    """A server that answers.

    :param home: ocimock's, where its configuration lies; empty for moto.
    :param seconds: from its start to its first answer.
    """

    url: str
    pid: int
    home: str
    seconds: float


@contextlib.contextmanager
def ocimock_server(*options: str, port: int = 0) -> Iterator[Server]:
    """``python -m ocimock serve``, from its start to its end; states move at once."""
    with tempfile.TemporaryDirectory(prefix="ocimock-speed-") as home:
        port = port or free_port()
        common = ["--home", home, "--port", str(port), "--pace", "0", "--region", "us-ashburn-1"]
        command = [sys.executable, "-m", "ocimock", "serve", *common, *options]
        with _server(command, f"http://127.0.0.1:{port}", "/ocimock/health", home) as running:
            yield running


@contextlib.contextmanager
def moto_server(python: str) -> Iterator[Server]:
    """``moto_server`` of the environment that *python* belongs to."""
    port = free_port()
    command = [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _server(command, f"http://127.0.0.1:{port}", "/moto-api/data.json", "") as running:
        yield running


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(command: Sequence[str], url: str, health: str, home: str) -> Iterator[Server]:
    """:raises BenchmarkError: the server ends, or does not answer in time."""
    with tempfile.TemporaryFile("w+") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            while not _answers(url + health):
                if process.poll() is not None or time.monotonic() - started > _PATIENCE:
                    said = _said(errors)
                    raise BenchmarkError(f"{' '.join(command)} does not answer: {said}")
                time.sleep(0.005)
            yield Server(url, process.pid, home, time.monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _said(errors: IO[str]) -> str:
    """The end of what a process wrote to its standard error."""
    errors.seek(0)
    return errors.read()[-2000:].strip()
