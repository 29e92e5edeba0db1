"""The first process of a node: starts the command, reaps, passes signals on, tells how it ended.

Told by messages on a channel: ``stop`` (with seconds of grace), ``kill``, ``dial``. A channel that
nobody holds any more means that ocimock is gone: so is the node, then.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from .frames import Channel

Killer = Callable[[int], None]
"""Sends a signal to every process of the node but the first."""
Prepare = Callable[[], None]

# Python ignores these; a program counts on what they do.
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)


class First:
    """The loop of a node's first process."""

    def __init__(
        self,
        channel: Channel,
        output: int,
        signal_all: Killer,
        *,
        dial: Callable[[], int] | None = None,
        before_command: Prepare = lambda: None,
    ) -> None:
        """:param dial: makes a socket where the node's own can be reached.
        :param before_command: what the command's process does before it becomes the command.
        """
        self._channel = channel
        self._output = output
        self._signal_all = signal_all
        self._dial = dial
        self._before_command = before_command
        self._deadline: float | None = None
        self._status: int | None = None
        self._child = 0

    def run(self, spec: Mapping[str, Any]) -> None:
        """Start the command and stay until the node is at its end."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        try:
            self._child = start(spec, self._output, self._before_command)
        except OSError as error:
            self._channel.send({"event": "not started", "message": _why_not(spec, error)})
            return
        try:
            # The output is the command's alone: it ends with the last process that writes to it.
            os.close(self._output)
            self._stay(wake)
        finally:
            self._end_all()
        with suppress(OSError):
            self._channel.send({"event": "exited", "status": self._status})

    def _stay(self, wake: int) -> None:
        ends: list[int | Channel] = [wake, self._channel]
        # What came together with the word to begin was read with it.
        if self._channel.pending and not self._obey():
            return
        while not self._over():
            ready, _, _ = select.select(ends, [], [], self._seconds_left())
            if wake in ready:
                with suppress(BlockingIOError):
                    os.read(wake, 4096)
            if self._channel in ready and not self._obey():
                return
            if self._seconds_left() == 0:
                self._signal_all(signal.SIGKILL)
                self._deadline = None

    def _seconds_left(self) -> float | None:
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def _over(self) -> bool:
        """The command ended; and so did all of the node, where it was asked to."""
        alone = self._reap()
        return self._status is not None and (alone or self._deadline is None)

    def _reap(self) -> bool:
        """True when this process has no child any more."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._child:
                self._status = os.waitstatus_to_exitcode(status)

    def _obey(self) -> bool:
        """False when it is time to go."""
        while True:
            received = self._channel.receive()
            if received is None:
                return False
            word = received[0]
            if word["do"] == "kill":
                return False
            if word["do"] == "stop":
                self._stop(word["grace"])
            if word["do"] == "dial" and self._dial is not None:
                dialled = self._dial()
                self._channel.send({"event": "dialled"}, [dialled])
                os.close(dialled)
            if not self._channel.pending:
                return True

    def _stop(self, grace: float) -> None:
        """The first time: SIGTERM. A second may only shorten what is left."""
        latest = time.monotonic() + grace
        if self._deadline is None:
            self._deadline = latest
            self._signal_all(signal.SIGTERM)
        self._deadline = min(self._deadline, latest)

    def _end_all(self) -> None:
        """Again and again: one that forks while it is killed leaves a child."""
        while not self._reap():
            self._signal_all(signal.SIGKILL)
            time.sleep(0.001)


def start(spec: Mapping[str, Any], output: int, prepare: Prepare = lambda: None) -> int:
    """The process that runs the command, in a session of its own.

    :raises OSError: it can't be executed; nothing is left of it.
    """
    path = found(spec["command"][0], spec["environment"].get("PATH", os.defpath))
    read, write = os.pipe()  # closes when the command runs, or says why it does not
    pid = os.fork()
    if pid:
        os.close(write)
        with os.fdopen(read, "rb") as file:
            text = file.read()
        if text:
            os.waitpid(pid, 0)
            number, _, name = text.decode().partition(" ")
            raise OSError(int(number), os.strerror(int(number)), name or None)
        return pid
    try:
        _become(spec, path, output, prepare)
    except OSError as error:
        os.write(write, f"{error.errno or 0} {error.filename or ''}".encode())
    finally:
        os._exit(127)


def _become(spec: Mapping[str, Any], path: str, output: int, prepare: Prepare) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (*_RESTORED, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.chdir(spec["working_directory"])
    if spec["cpus"]:
        os.sched_setaffinity(0, spec["cpus"])
    prepare()
    os.execve(path, spec["command"], spec["environment"])


def found(command: str, path: str) -> str:
    """The program of that name, by the node's own PATH.

    :raises FileNotFoundError: there is none.
    """
    if "/" in command:
        return command
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder or ".", command)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(errno.ENOENT, f"no such program in PATH={path}", command)


def _why_not(spec: Mapping[str, Any], error: OSError) -> str:
    return f"{spec['command'][0]} could not be started: {error.strerror}: {error.filename}"
