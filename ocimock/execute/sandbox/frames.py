"""Messages between ocimock and the processes that it starts: JSON lines, and open files."""

from __future__ import annotations

import array
import json
import socket
from typing import Any

_READ = 1 << 16
_MOST_FILES = 64
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
_CREDENTIALS = getattr(socket, "SCM_CREDENTIALS", None)


class Channel:
    """One end of a pair of connected Unix sockets."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._text = b""
        self._files: list[int] = []
        self.sender: int | None = None
        """The process that sent last, as this one numbers it: after :meth:`ask_sender`."""

    def fileno(self) -> int:
        return self._connection.fileno()

    def ask_sender(self) -> None:
        """Let the kernel say who sends: Linux, where it can. It numbers across PID namespaces."""
        option = getattr(socket, "SO_PASSCRED", None)
        if option is not None:
            self._connection.setsockopt(socket.SOL_SOCKET, option, 1)

    def send(self, message: dict[str, Any], files: list[int] | None = None) -> None:
        """:raises OSError: nobody is at the other end."""
        files = files or []
        text = json.dumps({**message, "files": len(files)}).encode() + b"\n"
        if not files:
            self._connection.sendall(text)
            return
        sent = socket.send_fds(self._connection, [text], files)
        self._connection.sendall(text[sent:])

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message and its files; None when the other end is no more."""
        while b"\n" not in self._text:
            if not self._read():
                return None
        line, _, self._text = self._text.partition(b"\n")
        message = json.loads(line)
        count = message.pop("files")
        files, self._files = self._files[:count], self._files[count:]
        return message, files

    @property
    def pending(self) -> bool:
        """A whole message was read already: nothing will say so at the socket."""
        return b"\n" in self._text

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> bool:
        space = socket.CMSG_SPACE(_MOST_FILES * array.array("i").itemsize) + socket.CMSG_SPACE(12)
        try:
            text, ancillary, _, _ = self._connection.recvmsg(_READ, space, _CLOSE_ON_EXEC)
        except ConnectionError:
            return False
        for level, kind, body in ancillary:
            if level != socket.SOL_SOCKET:
                continue
            numbers = array.array("i")
            numbers.frombytes(body[: len(body) - len(body) % numbers.itemsize])
            if kind == socket.SCM_RIGHTS:
                self._files.extend(numbers)
            elif kind == _CREDENTIALS:
                self.sender = numbers[0]
        self._text += text
        return bool(text)
