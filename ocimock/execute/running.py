"""A node that was started, seen from ocimock: its output, its limits, its end."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from .lines import Lines
from .meters import Excess, Meter
from .nodes import STOP_SECONDS, Heard
from .sandbox.frames import Channel
from .specs import Cause, End, NodeSpec

_log = logging.getLogger(__name__)
_READ = 1 << 16
# How often limits are looked at, in seconds: a disk takes some GB in one of these at most.
_LOOK_SECONDS = 0.1
_MEANINGS = {
    Cause.SIGNALED: "signal {} ended its command",
    Cause.STOPPED: "it was told to stop",
    Cause.KILLED: "it was killed",
}


class Keeper(Protocol):
    """What a machine does for a node of its own that runs."""

    def kill(self) -> None:
        """End all its processes now. Called any number of times, but never after :meth:`ended`."""

    def dial(self, node: RunningNode, port: int, timeout: float) -> socket.socket:
        """:raises OSError: nothing listens there."""

    def ended(self) -> None:
        """Nobody speaks for the node any more: wait until it is gone, give back what it held."""


class RunningNode:
    """Follows one node from its start on, in a thread of its own."""

    def __init__(
        self,
        spec: NodeSpec,
        heard: Heard,
        channel: Channel,
        output: int,
        keeper: Keeper,
        *,
        pid: int,
        meters: Sequence[Meter] = (),
        patience: float | None = None,
    ) -> None:
        """:param output: where its output is read.
        :param keeper: holds *channel* and *output* open until it hears of the end.
        :param patience: seconds that the output may stay open once the command ended, by
            processes that got away; None where none can.
        """
        self.spec = spec
        self.pid = pid
        self._heard = heard
        self._channel = channel
        self._output = output
        self._keeper = keeper
        self._meters = meters
        self._patience = patience
        self._lines = Lines()
        self._changing = threading.Lock()
        self._excess: Excess | None = None
        self._cause: Cause | None = None
        self._not_started: str | None = None
        self._status: int | None = None
        self._asking = threading.Lock()
        self._dialled = threading.Event()
        self._answer: int | None = None
        self._is_over = False
        self._end: End | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._follow, name=f"node {spec.name}", daemon=True).start()
        if meters:
            threading.Thread(target=self._watch, name=f"limits {spec.name}", daemon=True).start()

    def stop(self, grace: float = STOP_SECONDS) -> None:
        self._note(Cause.STOPPED)
        with suppress(OSError):
            self._channel.send({"do": "stop", "grace": grace})

    def kill(self) -> None:
        self._note(Cause.KILLED)
        self._kill()

    def wait(self, timeout: float | None = None) -> End | None:
        self._ended.wait(timeout)
        return self._end

    def connect(self, port: int, timeout: float) -> socket.socket:
        if self._ended.is_set():
            raise ConnectionRefusedError(f"{self.spec.name} has ended")
        return self._keeper.dial(self, port, timeout)

    def ask_for_socket(self, timeout: float) -> socket.socket:
        """A socket made in the node's own network.

        :raises OSError: the node has ended, or does not answer.
        """
        with self._asking:
            self._dialled.clear()
            self._channel.send({"do": "dial"})
            if not self._dialled.wait(timeout) or self._answer is None:
                raise ConnectionRefusedError(f"{self.spec.name} has ended")
            made, self._answer = self._answer, None
        return socket.socket(fileno=made)

    def _note(self, cause: Cause) -> None:
        """The first cause is the one."""
        with self._changing:
            if self._cause is None and self._status is None:
                self._cause = cause

    def _kill(self) -> None:
        with self._changing:
            if not self._is_over:
                self._keeper.kill()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            if self._exceeds():
                self._kill()
                return

    def _exceeds(self) -> bool:
        found = next(filter(None, (meter.excess() for meter in self._meters)), None)
        if found is None:
            return False
        with self._changing:
            if self._cause is None:
                self._cause, self._excess = found.cause, found
        return True

    def _follow(self) -> None:
        try:
            self._listen()
            # The kernel may have ended it just now, before the limits were looked at again.
            if self._cause is None and self._status != 0:
                self._exceeds()
        finally:
            with self._changing:
                self._is_over = True
            self._answer = None
            self._dialled.set()
            self._keeper.ended()
            self._end = self._ending()
            self._ended.set()

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._channel, select.POLLIN)
        open_ends = {self._output, self._channel.fileno()}
        while self._output in open_ends:
            alone = self._channel.fileno() not in open_ends
            wait = self._patience if alone else None
            ready = poll.poll(None if wait is None else wait * 1000)
            if not ready:
                break
            for number, _ in ready:
                goes_on = self._hear() if number == self._output else self._read_message()
                if not goes_on:
                    poll.unregister(number)
                    open_ends.discard(number)
        for line in self._lines.end():
            self._pass(line)
        if self._channel.fileno() in open_ends:
            while self._read_message():
                pass

    def _hear(self) -> bool:
        text = os.read(self._output, _READ)
        for line in self._lines.take(text):
            self._pass(line)
        return bool(text)

    def _pass(self, line: str) -> None:
        try:
            self._heard(line)
        except Exception:  # noqa: BLE001
            # A listener's fault must not leave the node with nobody to read its output.
            _log.exception("what hears the output of %s failed", self.spec.name)

    def _read_message(self) -> bool:
        while True:
            received = self._channel.receive()
            if received is None:
                return False
            self._take(*received)
            if not self._channel.pending:
                return True

    def _take(self, message: dict[str, Any], files: list[int]) -> None:
        match message["event"]:
            case "dialled":
                self._answer = files[0]
                self._dialled.set()
            case "not started":
                self._not_started = message["message"]
            case "exited":
                with self._changing:
                    self._status = message["status"]

    def _ending(self) -> End:
        if self._not_started is not None:
            return End(Cause.NOT_STARTED, 127, self._not_started)
        # None: it was ended as a whole, its first process too.
        status = -signal.SIGKILL if self._status is None else self._status
        code = 128 - status if status < 0 else status
        if self._excess is not None:
            return End(self._excess.cause, code, self._excess.message)
        cause = self._cause or (Cause.SIGNALED if status < 0 else Cause.EXITED)
        name = _signal_name(-status) if status < 0 else ""
        said = _MEANINGS.get(cause, "").format(name) or (f"exit code {code}" if code else "")
        return End(cause, code, said)


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return str(number)


def settle(channel: Channel, spec: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """Tell a node's first process what it is to be; what it answers when it is ready.

    :raises OSError: it can't be that.
    """
    try:
        channel.send(spec)
        received = channel.receive()
    except OSError:
        received = None
    if received is None:
        raise OSError(f"the first process of {spec['name']} ended before its command")
    if received[0]["event"] == "failed":
        raise OSError(f"{spec['name']} can't be kept apart here: {received[0]['message']}")
    return received
