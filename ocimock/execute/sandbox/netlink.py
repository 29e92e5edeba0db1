"""Network interfaces by rtnetlink (man 7 rtnetlink): no program of iproute2 is needed."""

from __future__ import annotations

import os
import socket
import struct

_NEWLINK = 16
_NEWADDR = 20
_REQUEST_ACK = 1 | 4
_CREATE_EXCLUSIVE = 0x400 | 0x200
_UP = 1
_ERROR = 2

_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_NET_NS_FD = 28
_INFO_KIND = 1
_INFO_DATA = 2
_VETH_INFO_PEER = 1
_IFA_ADDRESS = 1
_IFA_LOCAL = 2

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")


def _attribute(kind: int, body: bytes) -> bytes:
    padding = b"\0" * (-len(body) % 4)
    return struct.pack("=HH", 4 + len(body), kind) + body + padding


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _number(kind: int, number: int) -> bytes:
    return _attribute(kind, struct.pack("=I", number))


class Links:
    """The interfaces of the network namespace that this process is in when it makes this."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, 0))
        self._last = 0

    def close(self) -> None:
        self._socket.close()

    def up(self, index: int) -> None:
        self._ask(_NEWLINK, 0, _LINK.pack(0, 0, index, _UP, _UP))

    def add_bridge(self, name: str) -> None:
        body = _LINK.pack(0, 0, 0, _UP, _UP) + _text(_IFLA_IFNAME, name)
        body += _attribute(_IFLA_LINKINFO, _text(_INFO_KIND, "bridge"))
        self._ask(_NEWLINK, _CREATE_EXCLUSIVE, body)

    def add_cable(self, name: str, bridge: int, peer: str, mac: bytes, namespace: int) -> None:
        """A veth pair: *name*, plugged into a bridge, and *peer* with *mac* in that namespace."""
        other = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, peer)
        other += _attribute(_IFLA_ADDRESS, mac) + _number(_IFLA_NET_NS_FD, namespace)
        info = _text(_INFO_KIND, "veth") + _attribute(
            _INFO_DATA, _attribute(_VETH_INFO_PEER, other)
        )
        body = _LINK.pack(0, 0, 0, _UP, _UP) + _text(_IFLA_IFNAME, name)
        body += _number(_IFLA_MASTER, bridge) + _attribute(_IFLA_LINKINFO, info)
        self._ask(_NEWLINK, _CREATE_EXCLUSIVE, body)

    def add_address(self, index: int, address: str, prefix_length: int) -> None:
        packed = socket.inet_aton(address)
        body = _ADDRESS.pack(socket.AF_INET, prefix_length, 0, 0, index)
        body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
        self._ask(_NEWADDR, _CREATE_EXCLUSIVE, body)

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._last += 1
        length = _HEADER.size + len(body)
        header = _HEADER.pack(length, kind, flags | _REQUEST_ACK, self._last, 0)
        self._socket.send(header + body)
        answer = self._socket.recv(1 << 16)
        if struct.unpack_from("=H", answer, 4)[0] != _ERROR:
            raise OSError("rtnetlink: an answer that is no acknowledgement")
        number = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        if number:
            raise OSError(number, f"rtnetlink: {os.strerror(number)}")
