"""Linux system calls that Python 3.11 has no function for (man 2 of each)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REC = 16384
MS_PRIVATE = 1 << 18
_MNT_DETACH = 2

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4
_MOUNT_ATTR_RDONLY = 1

# The numbers are the same on every architecture for calls younger than Linux 5.1; pivot_root isn't.
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

# What a node of a mock that runs as root may still do to what is its own: chown, dac_override,
# dac_read_search, fowner, fsetid, kill, setgid, setuid, net_bind_service, net_raw, sys_chroot
# (capabilities(7)); these are, but for one, among what Docker leaves to a container.
_KEPT_CAPABILITIES = {0, 1, 2, 3, 4, 5, 6, 7, 10, 13, 18}
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


def _failed(what: str, path: str = "") -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}", path or None)


def unshare(flags: int) -> None:
    if _libc.unshare(flags):
        raise _failed("unshare")


def enter(namespace: int) -> None:
    """setns(2): what is started from now on is in that namespace."""
    if _libc.setns(namespace, 0):
        raise _failed("setns")


def map_user(user: tuple[int, int], group: tuple[int, int]) -> None:
    """In the user namespace just entered: who is (number inside, number outside), alone.

    No encoding is named that Python would have to load: its files may be out of reach by now.
    """
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user[0]} {user[1]} 1"),
        ("gid_map", f"{group[0]} {group[1]} 1"),
    ):
        with open(f"/proc/self/{name}", "wb") as file:
            file.write(text.encode())


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    words = [os.fsencode(word) for word in (source, target, kind)]
    if _libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options) or None):
        raise _failed(f"mount {kind}", target)


def make_private() -> None:
    """Nothing that is mounted from now on shows outside."""
    if _libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None):
        raise _failed("mount --make-rprivate", "/")


@contextmanager
def cloned(path: str) -> Iterator[int]:
    """What is at *path*, with all that is mounted below, as a tree to attach elsewhere."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    tree = _libc.syscall(
        ctypes.c_long(_SYS_OPEN_TREE), ctypes.c_int(_AT_FDCWD), os.fsencode(path),
        ctypes.c_uint(flags),
    )  # fmt: skip
    if tree < 0:
        raise _failed("open_tree", path)
    try:
        yield tree
    finally:
        os.close(tree)


def attach(tree: int, target: str) -> None:
    if _libc.syscall(
        ctypes.c_long(_SYS_MOVE_MOUNT), ctypes.c_int(tree), b"", ctypes.c_int(_AT_FDCWD),
        os.fsencode(target), ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
    ):  # fmt: skip
        raise _failed("move_mount", target)


class _Attributes(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64), ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64), ("namespace", ctypes.c_uint64),
    ]  # fmt: skip


def _make_read_only(folder: int, path: bytes, flags: int) -> None:
    wanted = _Attributes(set=_MOUNT_ATTR_RDONLY)
    if _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR), ctypes.c_int(folder), path, ctypes.c_uint(flags),
        ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted)),
    ):  # fmt: skip
        raise _failed("mount_setattr", os.fsdecode(path))


def make_tree_read_only(tree: int) -> None:
    _make_read_only(tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE)


def make_mount_read_only(mounted: int) -> None:
    """That mount alone, not what is mounted below it; an open file of its root tells it."""
    _make_read_only(mounted, b"", _AT_EMPTY_PATH)


def pivot_root(root: str) -> None:
    """*root* becomes /; what was there is out of reach."""
    os.chdir(root)
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root: its number on {os.uname().machine} is not known here")
    # The old root comes to lie on the new one, which needs no folder for it (man 2 pivot_root).
    if _libc.syscall(ctypes.c_long(number), b".", b"."):
        raise _failed("pivot_root", root)
    if _libc.umount2(b".", _MNT_DETACH):
        raise _failed("umount2", "/")
    os.chdir("/")


def end_with_parent() -> None:
    """SIGKILL when the thread that started this process ends: on Linux."""
    with suppress(AttributeError):
        _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what descends from this process and lost its own: on Linux."""
    with suppress(AttributeError):
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def drop_privileges() -> None:
    """What is executed from now on gains none, and has few even where this process is root."""
    for number in range(_LAST_CAPABILITY + 1):
        if number not in _KEPT_CAPABILITIES:
            _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
