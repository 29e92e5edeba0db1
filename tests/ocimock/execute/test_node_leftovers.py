"""Of nodes nothing is left, however they and the mock end; and who may have them kept apart."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ocimock.execute import machines
from ocimock.execute.groups import find_parent
from ocimock.execute.machines import IsolationError, best_machine, secret_places
from ocimock.execute.specs import Limits
from tests.ocimock.execute.conftest import namespaced
from tests.ocimock.execute.launching import Launcher

_ROOT = Path(__file__).resolve().parents[3]
_PATIENCE_MS = 20_000
_PARENT = """
import sys
from pathlib import Path
from ocimock.execute.machines import best_machine
from ocimock.execute.specs import Limits, NodeSpec

machine = best_machine(sys.argv[1])
folder = Path(sys.argv[2])
script = "setsid sleep 1000 & trap '' TERM HUP INT; echo up; while :; do sleep 1000; done"
for number in (2, 3):
    own = folder / f"node{number}"
    own.mkdir()
    address = f"10.0.0.{number}" if machine.isolation == "namespaces" else "127.0.0.1"
    machine.start(
        NodeSpec(
            name=f"node{number}", folder=own, command=("sh", "-c", script),
            environment={"PATH": "/usr/bin:/bin"}, working_directory="/", network="subnet",
            address=address, limits=Limits(memory=10**8),
        ),
        lambda line: print(line, flush=True),
    )
sys.stdin.read()
"""


def _below(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found |= {child, *_below(child)}
    return found


@contextmanager
def _watched(pids: set[int]) -> Iterator[select.poll]:
    files = [os.pidfd_open(pid) for pid in pids]
    poll = select.poll()
    for file in files:
        poll.register(file, select.POLLIN)
    try:
        yield poll
    finally:
        for file in files:
            os.close(file)


def _wait_for_all(poll: select.poll, count: int) -> None:
    for _ in range(count):
        ready = poll.poll(_PATIENCE_MS)
        assert ready, "a process is left"
        poll.unregister(ready[0][0])


@pytest.mark.parametrize("isolation", ["namespaces", "none"])
def test_nothing_is_left_of_a_mock_that_is_killed(isolation: str, tmp_path: Path) -> None:
    if isolation == "namespaces":
        namespaced()
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), isolation, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, env={"PYTHONPATH": str(_ROOT)},
    )  # fmt: skip
    with parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(2)] == [b"up\n", b"up\n"]
        pids = _below(parent.pid)
        # Per node its first process, the shell and one that sleeps; a second may still come.
        assert len(pids) >= 6
        with _watched(pids) as poll:
            parent.kill()
            _wait_for_all(poll, len(pids))
    assert not _groups(parent.pid)


def _open_files() -> set[tuple[str, str]]:
    """Number and target of each; that of the folder which is read here is gone by then."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add((each.name, str(each.readlink())))
    return {(number, target) for number, target in found if not target.endswith("/fd")}


def test_many_nodes_in_a_row_leave_nothing(launcher: Launcher) -> None:
    def held() -> dict[str, object]:
        return {
            "mounts": Path("/proc/self/mountinfo").read_text(),
            "processes": _below(os.getpid()),
            "groups": _groups(os.getpid()),
        }

    stays = launcher.shell("echo up; exec sleep 1000")
    stays.until("up")
    threads, files = set(threading.enumerate()), _open_files()
    before = held()
    # Most join a network that is there; for some their own is made, and goes with them.
    for number in range(50 if launcher.kept_apart else 20):
        limits = Limits(memory=10**8, disk=10**8) if number % 2 else Limits()
        forwards = {9000: ("127.0.0.1", 1)} if launcher.kept_apart else {}
        network = "another" if number % 10 == 0 else "subnet"
        started = launcher.shell("exit 5", limits=limits, forwards=forwards, network=network)
        assert started.end().exit_code == 5
    for thread in set(threading.enumerate()) - threads:
        # Who waits for a node is told of its end a moment before what follows it ends.
        thread.join(20)
    # Those of other tests may end meanwhile: none is to be there that was not.
    assert not set(threading.enumerate()) - threads
    assert not _open_files() - files
    assert held() == before
    stays.node.kill()
    stays.end()


def test_starts_that_fail_leave_nothing(apart: Launcher) -> None:
    files, processes = len(list(Path("/proc/self/fd").iterdir())), _below(os.getpid())
    for _ in range(5):
        with pytest.raises(OSError, match="can't be kept apart here"):
            apart.shell("true", address="10.0.0.10", prefix_length=77)
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert _below(os.getpid()) <= processes


def test_the_best_machine_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_machine("none").isolation == "none"
    monkeypatch.setattr(machines, "_why_no_namespaces", lambda: "")
    assert best_machine("auto").isolation == "namespaces"
    assert best_machine("namespaces").reason == ""


def test_why_nodes_are_not_kept_apart_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_why_no_namespaces", lambda: "not permitted")
    found = best_machine("auto")
    assert (found.isolation, found.reason) == ("none", "not permitted")
    with pytest.raises(IsolationError, match=r"on this machine: not permitted\.\nSet isolation"):
        best_machine("namespaces")


def test_what_a_kernel_refuses_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the first process can't even be started."""
    before = _groups(os.getpid())
    monkeypatch.setattr("ocimock.execute.processes._BOOT", "raise SystemExit('no such luck')")
    assert machines._why_no_namespaces() == "no such luck"
    assert _groups(os.getpid()) == before
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machines._why_no_namespaces() == "darwin has none"


def test_secrets_are_of_ones_home(tmp_path: Path) -> None:
    assert tmp_path / ".oci" in secret_places(tmp_path)
    assert tmp_path / ".ssh" in secret_places(tmp_path)


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A folder of another user's; pytest's own can't be reached by others."""
    with tempfile.TemporaryDirectory(prefix="ocimock-test-") as name:
        if os.geteuid() == 0:
            os.chown(name, 65534, 65534)
        yield Path(name)


def test_a_user_without_privileges_has_nodes_kept_apart(theirs: Path) -> None:
    """The core of it, as who may do nothing special: by a user namespace."""
    namespaced()
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root, to become somebody else with setpriv")
    # This user may read what root's home has, the interpreter say, but nothing more than that.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    said = subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", *reading,
         sys.executable, "-B", "-c", _ROOTLESS, str(theirs)],
        cwd=_ROOT, env={"PYTHONPATH": str(_ROOT), "TMPDIR": str(theirs)}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    if "no user namespaces" in said.stdout:
        pytest.skip(said.stdout)
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == [
        "65534", "node2", "kept", "changed", "exited 0", "killed 137",
    ]  # fmt: skip
    assert (theirs / "env" / "file").read_text() == "kept\n"


_ROOTLESS = """
import sys
from pathlib import Path
from ocimock.execute.machines import best_machine
from ocimock.execute.specs import Bind, NodeSpec

machine = best_machine("auto")
if machine.isolation != "namespaces":
    sys.exit(print("no user namespaces:", machine.reason))
folder = Path(sys.argv[1])
(folder / "env").mkdir()
(folder / "env" / "file").write_text("kept\\n")
own = folder / "node2"
(own / "home").mkdir(parents=True)
script = 'id -u; hostname; cat "$0"; echo changed > "$0"; cat "$0"; touch /home/datascience/x'
for number, command in (2, script), (3, "sleep 1000"):
    node = machine.start(
        NodeSpec(
            name=f"node{number}", folder=own, command=("sh", "-c", command,
            str(folder / "env" / "file")), environment={"PATH": "/usr/bin:/bin"},
            working_directory="/home/datascience", network="subnet", address=f"10.0.0.{number}",
            binds=(Bind(own / "home", "/home/datascience"),), python=folder / "env",
        ),
        lambda line: print(line, flush=True),
    )
    if number == 3:
        node.kill()
    end = node.wait()
    print(end.cause, end.exit_code)
machine.close()
"""


def _groups(pid: int) -> set[Path]:
    parent = find_parent()
    if parent is None:
        return set()
    return {path for path in parent.folder.glob(f"ocimock-{pid}-*/**") if path.is_dir()}
