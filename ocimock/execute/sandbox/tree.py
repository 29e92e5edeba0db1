"""The file system as a node sees it: the host's, read-only, with the node's own on top.

It is put together below a folder while the host's is still in place, then becomes the root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from . import kernel

PRIVATE = ".node"
"""In a node's folder: what the machine itself keeps there. The node finds it empty."""

# Not the host's: made anew for each node. /run has the sockets of the host's daemons.
_OWN_FOLDERS = ("/tmp", "/var/tmp")
_ANEW = {"proc", "sys", "dev", "run", "tmp"}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCELERATORS = ("nvidia", "dri", "kfd")
_PROC_READ_ONLY = ("sys", "irq", "bus", "sysrq-trigger")


class Tree:
    """A node's file system in the making, below the folder *root*.

    :ivar notes: what the node can't have on this machine, for people.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._own = os.path.join(spec["folder"], PRIVATE)
        self._root = os.path.join(self._own, "root")
        self._covers: list[int] = []
        self.notes: list[str] = []

    def build(self) -> None:
        """In a mount namespace and a PID namespace of the caller's own.

        :raises OSError: the kernel does not let it.
        """
        kernel.make_private()
        with ExitStack() as stack:
            # All that is shown is taken before anything is covered: it may lie below a cover.
            host = self._taken_host(stack)
            shown = [(path, self._taken(stack, path)) for path in self._shown_paths()]
            binds = [
                (target, self._taken(stack, source), read_only)
                for source, target, read_only in sorted(
                    self._spec["binds"], key=lambda bind: bind[1].count("/")
                )
            ]
            folder = self._taken(stack, self._spec["folder"])
            self._make_root(host)
            self._make_own_folders()
            self._make_system()
            self._hide(self._spec["hidden"])
            for path, tree in shown:
                self._show(tree, path, read_only=True)
            self._overlay(self._spec["python"])
            self._show(folder, self._spec["folder"])
            for target, tree, read_only in binds:
                self._show(tree, target, read_only=read_only)
            self._show_again(self._spec["python"], self._spec["python_at"])
            self._cover(self._below(self._own), [], 0o700)
            self._name_it()
        for cover in self._covers:
            kernel.make_mount_read_only(cover)
            os.close(cover)
        kernel.pivot_root(self._root)

    # What there is, taken as it is.

    @staticmethod
    def _taken(stack: ExitStack, path: str) -> tuple[int, bool]:
        return stack.enter_context(kernel.cloned(path)), os.path.isdir(path)

    def _taken_host(self, stack: ExitStack) -> dict[str, tuple[int, bool] | str]:
        found: dict[str, tuple[int, bool] | str] = {}
        for entry in os.scandir("/"):
            if entry.name in _ANEW:
                continue
            if entry.is_symlink():
                found[entry.name] = os.readlink(entry.path)
                continue
            taken = self._taken(stack, entry.path)
            kernel.make_tree_read_only(taken[0])
            found[entry.name] = taken
        return found

    def _shown_paths(self) -> list[str]:
        """What stays in sight although it lies where the node has its own, or what is hidden."""
        covered = [*_OWN_FOLDERS, "/run", *self._spec["hidden"]]
        return [
            path
            for path in self._spec["shown"]
            if os.path.exists(path) and any(_is_below(path, cover) for cover in covered)
        ]

    # What the node gets.

    def _make_root(self, host: Mapping[str, tuple[int, bool] | str]) -> None:
        os.makedirs(self._root, exist_ok=True)
        kernel.mount("node", self._root, "tmpfs", kernel.MS_NOSUID, "mode=755")
        self._covers.append(os.open(self._root, os.O_PATH))
        for name, taken in host.items():
            path = os.path.join(self._root, name)
            if isinstance(taken, str):
                os.symlink(taken, path)
                continue
            _make_point(path, taken[1])
            kernel.attach(taken[0], path)
        for name in _ANEW:
            os.makedirs(os.path.join(self._root, name), exist_ok=True)

    def _make_own_folders(self) -> None:
        """On the disk, not in memory: what is written there counts as written."""
        for path in _OWN_FOLDERS:
            source = os.path.join(self._own, path.strip("/").replace("/", "-"))
            os.makedirs(source, exist_ok=True)
            os.chmod(source, 0o1777)
            if os.path.isdir(os.path.dirname(self._below(path))):
                with kernel.cloned(source) as tree:
                    self._show((tree, True), path)

    def _make_system(self) -> None:
        safe = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("run", self._below("/run"), "tmpfs", safe, "mode=755,size=16m")
        self._make_proc()
        self._make_sys()
        devices = self._below("/dev")
        kernel.mount("dev", devices, "tmpfs", kernel.MS_NOSUID, "mode=755")
        self._covers.append(os.open(devices, os.O_PATH))
        for name in sorted(os.listdir("/dev")):
            if name in _DEVICES or name.startswith(_ACCELERATORS):
                with kernel.cloned(f"/dev/{name}") as tree:
                    self._show((tree, os.path.isdir(f"/dev/{name}")), f"/dev/{name}")
        for name, text in (
            ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"),
            ("ptmx", "pts/ptmx"),
        ):  # fmt: skip
            os.symlink(text, os.path.join(devices, name))
        for name, kind, options in (
            ("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"),
            ("shm", "tmpfs", "mode=1777" + self._shared_memory()),
        ):
            os.mkdir(os.path.join(devices, name))
            kernel.mount(name, os.path.join(devices, name), kind, safe, options)

    def _shared_memory(self) -> str:
        return f",size={self._spec['memory']}" if self._spec["memory"] else ""

    def _make_proc(self) -> None:
        proc = self._below("/proc")
        kernel.mount("proc", proc, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        for name in _PROC_READ_ONLY:
            path = os.path.join(proc, name)
            if os.path.exists(path):
                with kernel.cloned(path) as tree:
                    kernel.make_tree_read_only(tree)
                    kernel.attach(tree, path)

    def _make_sys(self) -> None:
        """With the node's interfaces in /sys/class/net, where it may be made anew."""
        try:
            kernel.mount("sysfs", self._below("/sys"), "sysfs", kernel.MS_RDONLY | kernel.MS_NOSUID)
        except OSError:
            with kernel.cloned("/sys") as tree:
                kernel.make_tree_read_only(tree)
                kernel.attach(tree, self._below("/sys"))

    def _hide(self, paths: Iterable[str]) -> None:
        empty = os.path.join(self._own, "empty")
        with open(empty, "wb"):
            pass
        for path in paths:
            below = self._below(path)
            if os.path.isdir(below):
                self._cover(below, [], 0o755)
            elif os.path.lexists(below):
                with kernel.cloned(empty) as tree:
                    kernel.make_tree_read_only(tree)
                    kernel.attach(tree, below)

    def _overlay(self, python: str | None) -> None:
        if python is None:
            return
        self._make_point(python, directory=True)
        target = self._below(python)
        on_disk = os.path.join(self._own, "python")
        in_memory = os.path.join(self._root, "run", "python")
        for base in (on_disk, in_memory):
            # On what is an overlay itself, as a container's disk is, there can be no other.
            for name in ("upper", "work"):
                os.makedirs(os.path.join(base, name), exist_ok=True)
            words = {"lowerdir": python, "upperdir": base + "/upper", "workdir": base + "/work"}
            options = ",".join(f"{name}={_escaped(path)}" for name, path in words.items())
            # In a user namespace of its own it keeps its marks where a user may (Linux 5.11).
            more = ",userxattr" if self._spec["rootless"] else ""
            with suppress(OSError):
                kernel.mount("python", target, "overlay", kernel.MS_NODEV, options + more)
                return
        self.notes.append(f"no overlay file system here: {python} is read-only in this node")
        with kernel.cloned(python) as tree:
            self._show((tree, True), python, read_only=True)

    def _show_again(self, path: str | None, target: str | None) -> None:
        """What the node has at *path*, at *target* too."""
        if path is None or target is None:
            return
        with kernel.cloned(self._below(path)) as tree:
            self._show((tree, True), target)

    def _name_it(self) -> None:
        name, address = self._spec["name"], self._spec["address"]
        hosts = f"127.0.0.1 localhost\n::1 localhost\n{address} {name}\n"
        bound = {target for _, target, _ in self._spec["binds"]}
        for path, text in (("/etc/hosts", hosts), ("/etc/hostname", name + "\n")):
            if path in bound:
                continue
            source = os.path.join(self._own, os.path.basename(path))
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            with kernel.cloned(source) as tree:
                self._show((tree, False), path, read_only=True)

    # How it is put there.

    def _below(self, path: str) -> str:
        return self._root + path

    def _show(self, taken: tuple[int, bool], path: str, *, read_only: bool = False) -> None:
        tree, directory = taken
        if read_only:
            kernel.make_tree_read_only(tree)
        path = os.path.realpath(path)
        self._make_point(path, directory=directory)
        kernel.attach(tree, self._below(path))

    def _make_point(self, path: str, *, directory: bool) -> None:
        """Let there be something at *path* to mount on, covering what may not be written to."""
        target = self._below(path)
        if os.path.lexists(target):
            return
        parent = os.path.dirname(target)
        while not os.path.isdir(parent):
            parent = os.path.dirname(parent)
        if os.statvfs(parent).f_flag & os.ST_RDONLY:
            entries = [entry.name for entry in os.scandir(parent)]
            self._cover(parent, entries, stat.S_IMODE(os.stat(parent).st_mode))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _make_point(target, directory)

    def _cover(self, path: str, kept: Iterable[str], mode: int) -> None:
        """A folder of the node's own at *path*, with some of the entries that were there."""
        with ExitStack() as stack:
            links: list[tuple[str, str]] = []
            trees: list[tuple[str, tuple[int, bool]]] = []
            for name in kept:
                inner = os.path.join(path, name)
                if os.path.islink(inner):
                    links.append((inner, os.readlink(inner)))
                else:
                    trees.append((inner, self._taken(stack, inner)))
            kernel.mount("node", path, "tmpfs", kernel.MS_NOSUID, f"mode={mode:o}")
            self._covers.append(os.open(path, os.O_PATH))
            for inner, text in links:
                os.symlink(text, inner)
            for inner, (tree, directory) in trees:
                _make_point(inner, directory)
                kernel.attach(tree, inner)


def _make_point(path: str, directory: bool) -> None:
    if directory:
        os.mkdir(path)
        return
    with open(path, "xb"):
        pass


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _escaped(path: str) -> str:
    """For overlayfs, whose options part at commas and whose folders part at colons."""
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")
