"""A node that uses more than it may is ended, and told why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocimock.execute import groups
from ocimock.execute.affinity import Cores
from ocimock.execute.groups import Group, find_parent
from ocimock.execute.lines import MOST_BYTES, Lines
from ocimock.execute.meters import ResidentMemory, WrittenDisk, in_units
from ocimock.execute.specs import Bind, Cause, Limits
from tests.ocimock.execute.conftest import namespaced
from tests.ocimock.execute.launching import Launcher

_MB = 10**6
_ALLOCATE = """
import time
print("before", flush=True)
held = []
while True:
    held.append(bytearray(8_000_000))
    time.sleep(0.002)
"""
_BY_A_CHILD = """
import os, time
if os.fork() == 0:
    os.setsid()
    {body}
time.sleep(1000)
"""
_FILL = """
import sys, time
print("before", flush=True)
with open(sys.argv[1], "wb") as file:
    while True:
        file.write(bytes(2_000_000))
        file.flush()
        time.sleep(0.002)
"""


def test_memory_that_the_command_takes(launcher: Launcher) -> None:
    started = launcher.python(_ALLOCATE, limits=Limits(memory=100 * _MB))
    end = started.end()
    assert (end.cause, end.exit_code) == (Cause.MEMORY, 137)
    assert end.message.startswith("out of memory: it used ")
    assert end.message.endswith(", 100.0 MB are allowed")
    assert started.lines == ["before"]


def test_memory_that_a_child_takes_ends_all_of_the_node(launcher: Launcher) -> None:
    """The kernel alone would end the child, and let the rest wait for it."""
    body = "\n    ".join(_ALLOCATE.strip().splitlines())
    started = launcher.python(_BY_A_CHILD.format(body=body), limits=Limits(memory=100 * _MB))
    assert started.end().cause is Cause.MEMORY


def test_memory_is_watched_where_there_is_no_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "find_parent", lambda: None)
    machine = namespaced()
    launcher = Launcher(machine, tmp_path)
    body = "\n    ".join(_ALLOCATE.strip().splitlines())
    started = launcher.python(_BY_A_CHILD.format(body=body), limits=Limits(memory=100 * _MB))
    end = started.end()
    machine.close()
    assert end.cause is Cause.MEMORY
    assert "100.0 MB are allowed" in end.message


def test_memory_within_the_limit_is_no_matter(launcher: Launcher) -> None:
    started = launcher.python(
        "held = bytearray(30_000_000); import time; time.sleep(0.3)",
        limits=Limits(memory=100 * _MB, disk=100 * _MB),
    )
    assert started.end().cause is Cause.EXITED


def test_an_exit_code_like_the_kernels_is_no_excess(launcher: Launcher) -> None:
    started = launcher.shell("exit 137", limits=Limits(memory=100 * _MB))
    assert started.end().cause is Cause.EXITED


def test_disk_that_a_node_fills(launcher: Launcher, tmp_path: Path) -> None:
    home = tmp_path / "own" / "home"
    home.mkdir(parents=True)
    path = "/home/datascience/big" if launcher.kept_apart else str(home / "big")
    started = launcher.start(
        "python3", "-c", _FILL, path, environment={"PATH": os.environ["PATH"]},
        folder=tmp_path / "own", binds=(Bind(home, "/home/datascience"),),
        limits=Limits(disk=50 * _MB),
    )  # fmt: skip
    end = started.end()
    assert (end.cause, started.lines) == (Cause.DISK, ["before"])
    assert end.message.startswith("out of disk: it wrote ")
    assert end.message.endswith(", 50.0 MB are allowed")


def test_what_it_writes_to_its_tmp_counts(apart: Launcher) -> None:
    started = apart.shell(
        "head -c 60000000 /dev/zero > /tmp/big; sleep 1000", limits=Limits(disk=50 * _MB)
    )
    assert started.end().cause is Cause.DISK


def test_blocks_count_not_lengths_and_links_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(300_000))
    os.link(tmp_path / "file", tmp_path / "same")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "data").write_bytes(bytes(500_000))
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(10**12)
    assert WrittenDisk(tmp_path, 400_000, [tmp_path / "given"]).excess() is None
    found = WrittenDisk(tmp_path, 200_000, [tmp_path / "given"]).excess()
    assert found is not None
    assert found.message.endswith("200.0 KB are allowed")
    assert WrittenDisk(tmp_path, 400_000).excess() is not None


def test_a_slow_look_at_the_disk_is_taken_less_often(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    # A look of two seconds at 0, one at 10 that is none, one at 22.
    times = iter([0.0, 2.0, 2.0, 10.0, 22.0, 22.1, 22.1])
    meter = WrittenDisk(tmp_path, 0)
    found = [meter.excess(lambda: next(times)) is not None for _ in range(3)]
    assert found == [True, False, True]


def test_processors_are_handed_out_in_turn(launcher: Launcher) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        pytest.skip("one processor only")
    said = []
    for _ in range(len(allowed)):
        started = launcher.python(
            "import os; print(*os.sched_getaffinity(0))", limits=Limits(cpus=1)
        )
        started.end()
        said += [int(line) for line in started.lines]
    assert sorted(said) == allowed


def test_more_processors_than_there_are_is_all_of_them() -> None:
    assert Cores().take(1000) == []
    assert Cores().take(None) == []


@pytest.mark.parametrize(
    ("count", "said"),
    [(12, "12 bytes"), (1500, "1.5 KB"), (4_000_000, "4.0 MB"), (4_096_000_000, "4.1 GB")],
)
def test_bytes_for_people(count: int, said: str) -> None:
    assert in_units(count) == said


def test_shared_pages_count_once(launcher: Launcher) -> None:
    """Eight processes that share 20 MB hold 20 MB of them, not 160."""
    started = launcher.python("""
import os, time
held = bytearray(20_000_000)
for _ in range(8):
    if os.fork() == 0:
        time.sleep(1000)
print("up", flush=True)
time.sleep(1000)
""")
    started.until("up")
    assert ResidentMemory(started.node.pid, 120 * _MB).excess() is None
    assert ResidentMemory(started.node.pid, 20 * _MB).excess() is not None
    started.node.kill()
    started.end()


class TestControlGroups:
    def _own(self, tmp_path: Path, text: str) -> Path:
        own = tmp_path / "own"
        own.write_text(text)
        return own

    def test_of_version_1_lie_below_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "memory" / "session").mkdir(parents=True)
        own = self._own(tmp_path, "9:name=systemd:/\n4:memory:/session\n0::/\n")
        found = find_parent(tmp_path, own)
        assert found is not None
        assert found.folder == tmp_path / "memory" / "session"

    @pytest.mark.parametrize(("controllers", "usable"), [("cpu memory", True), ("cpu", False)])
    def test_of_version_2_lie_beside_ones_own(
        self, tmp_path: Path, controllers: str, usable: bool
    ) -> None:
        above = tmp_path / "user.slice"
        (above / "session.scope").mkdir(parents=True)
        (above / "cgroup.subtree_control").write_text(controllers)
        own = self._own(tmp_path, "0::/user.slice/session.scope\n")
        found = find_parent(tmp_path, own)
        assert (found is not None) == usable
        assert found is None or found.folder == above

    def test_none_where_the_host_has_none(self, tmp_path: Path) -> None:
        assert find_parent(tmp_path, tmp_path / "no such file") is None
        assert find_parent(tmp_path, self._own(tmp_path, "4:memory:/gone\n")) is None

    def test_an_excess_is_what_the_kernel_counted(self, tmp_path: Path) -> None:
        (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 0\n")
        (tmp_path / "memory.peak").write_text("5000000\n")
        group = Group(tmp_path, groups._V2, 4_000_000)
        assert group.excess() is None
        (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 1\n")
        found = group.excess()
        assert found is not None
        assert found.message == "out of memory: it used 5.0 MB, 4.0 MB are allowed"

    def test_nothing_of_them_is_left(self, apart: Launcher) -> None:
        parent = find_parent()
        if parent is None:
            pytest.skip("no memory control groups here that this user may make")
        before = set(parent.folder.glob(f"ocimock-{os.getpid()}-*"))
        apart.shell("true", limits=Limits(memory=100 * _MB)).end()
        assert set(parent.folder.glob(f"ocimock-{os.getpid()}-*")) <= before


class TestLines:
    @staticmethod
    def _of(*parts: bytes) -> list[str]:
        lines = Lines()
        return [*(line for part in parts for line in lines.take(part)), *lines.end()]

    def test_parts_make_lines(self) -> None:
        assert self._of(b"a", b"b\nc\n\n", b"d") == ["ab", "c", "", "d"]

    def test_of_a_progress_bar_the_last_state_is_heard(self) -> None:
        assert self._of(b"10%\r20%\r", b"100%\r\n", b"next\n") == ["100%", "next"]
        assert self._of(b"10%", b"\r", b"\n", b"\r\n", b"x\r") == ["10%", "", "x"]
        assert self._of(b"10%\r", b"20%", b"\r30%") == ["30%"]

    def test_a_progress_bar_keeps_no_more_than_its_last_state(self) -> None:
        lines = Lines()
        for number in range(10_000):
            assert not list(lines.take(b"\r%d of many" % number))
        assert len(lines._line) < 100
        assert list(lines.end()) == ["9999 of many"]

    def test_a_very_long_line_is_cut(self) -> None:
        lines = Lines()
        for _ in range(100):
            assert not list(lines.take(b"x" * 10_000))
        [line] = lines.take(b"\nnext")
        assert line == "x" * MOST_BYTES + f" … ({1_000_000 - MOST_BYTES} more bytes were cut)"
        assert list(lines.end()) == ["next"]

    def test_bytes_that_are_no_text_are_replaced(self) -> None:
        assert self._of(b"caf\xc3", b"\xa9 \xff\n") == ["café �"]
