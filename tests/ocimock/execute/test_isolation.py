"""What nodes that are kept apart see of the host, and can do to it: nothing that hurts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ocimock.execute.specs import Bind
from tests.ocimock.execute.conftest import namespaced
from tests.ocimock.execute.launching import PYTHON, Launcher

_SECRET = "planted-7f3a9c"
_SERVE = """
import socket
server = socket.create_server(("", {port}))
print("up")
connection, _ = server.accept()
print(connection.recv(99).decode())
"""
_CALL = """
import socket
connection = socket.create_connection(("{address}", {port}), timeout=5)
connection.sendall(b"from {name}")
"""


def test_a_secret_of_the_hosts_environment_is_nowhere(
    apart: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", _SECRET)
    # The prefix and the rest apart: the search must not find its own words.
    end, lines = apart.run(
        *PYTHON,
        """
import glob, sys
wanted = "-".join(sys.argv[1:]).encode()
places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
found = []
for place in places:
    try:
        if wanted in open(place, "rb").read():
            found.append(place)
    except PermissionError:
        pass
print(len(places), found)
""",
        *_SECRET.split("-"),
    )
    assert end.exit_code == 0, lines
    # The node's first process, which it may not read, and its command: nobody else is to be seen.
    assert lines == ["4 []"]


def test_the_environment_of_the_plain_machines_first_process_is_empty(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", _SECRET)
    started = launcher.shell("echo up; sleep 1000")
    started.until("up")
    assert Path(f"/proc/{started.node.pid}/environ").read_bytes() == b""
    started.node.kill()
    started.end()


def test_files_of_the_host_cannot_be_changed(apart: Launcher) -> None:
    """Of a folder planted for it: were the sandbox broken, nothing else would be lost."""
    # Beside this file: what is below /tmp the node does not see at all.
    with TemporaryDirectory(prefix=".kept-", dir=Path(__file__).parent) as folder:
        kept = Path(folder, "kept")
        kept.write_text("kept")
        end, lines = apart.run(
            "sh",
            "-c",
            "cat kept; echo gone > kept; rm -rf kept; touch new",
            working_directory=folder,
        )
        assert end.exit_code != 0
        assert lines[0].startswith("kept")
        assert "".join(lines).count("Read-only file system") == 3
        assert [path.name for path in Path(folder).iterdir()] == ["kept"]
        assert kept.read_text() == "kept"


def test_what_is_in_tmp_of_the_host_is_not_there(apart: Launcher, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("of another")
    folder = tmp_path / "own"
    folder.mkdir()
    end, lines = apart.run(
        "sh", "-c", f"ls {tmp_path}; echo 1 > /tmp/{_SECRET};"
        f" echo 2 > /var/tmp/{_SECRET}; echo 3 > /dev/shm/{_SECRET}",
        folder=folder,
    )  # fmt: skip
    assert (end.exit_code, lines) == (0, ["own"])
    assert not (Path("/tmp") / _SECRET).exists()
    # On the disk, in the node's own folder.
    assert sorted(path.read_text() for path in folder.rglob(_SECRET)) == ["1\n", "2\n"]


def test_its_own_folder_is_its_own_to_write(apart: Launcher, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    end, lines = apart.run("sh", "-c", f"echo hello > {folder}/said; ls -A {folder}", folder=folder)
    assert (end.exit_code, lines) == (0, [".node", "said"])
    assert (folder / "said").read_text() == "hello\n"


def test_binds_are_where_nothing_is_on_the_host(apart: Launcher, tmp_path: Path) -> None:
    given, outputs = tmp_path / "given", tmp_path / "outputs"
    given.mkdir()
    outputs.mkdir()
    (given / "train.jsonl").write_text("data\n")
    file = tmp_path / "settings"
    file.write_text("a setting\n")
    end, lines = apart.run(
        "sh", "-c",
        "cat data/train.jsonl /mnt/of/ours/settings; cp data/train.jsonl /mnt/outputs/;"
        " touch data/x; test -w /mnt && echo writable; ls /opt/ds/model/deployed_model",
        working_directory="/home/datascience",
        binds=(
            Bind(tmp_path / "given", "/home/datascience/data", read_only=True),
            Bind(tmp_path, "/home/datascience"),
            Bind(outputs, "/mnt/outputs"),
            Bind(given, "/opt/ds/model/deployed_model"),
            Bind(file, "/mnt/of/ours/settings", read_only=True),
        ),
    )  # fmt: skip
    assert end.exit_code == 0
    assert lines[:2] == ["data", "a setting"]
    assert "data/x" in lines[2]
    assert "Read-only file system" in lines[2]
    assert lines[3:] == ["train.jsonl"]
    assert (outputs / "train.jsonl").read_text() == "data\n"


def test_a_bind_whose_source_is_not_there_is_named(apart: Launcher, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-folder"):
        apart.run("true", binds=(Bind(tmp_path / "no-such-folder", "/mnt/data"),))
    # The network and the address are free again.
    assert apart.run("true")[0].exit_code == 0


def test_hidden_places_are_empty_but_for_what_is_bound_below(tmp_path: Path) -> None:
    # Not in /tmp, of which a node sees nothing anyway; and where Git does not look.
    ignored = Path(__file__).parent / "__pycache__"
    if not os.access(ignored.parent, os.W_OK):
        pytest.skip(f"{ignored.parent} can't be written to")
    if ignored.is_relative_to("/tmp"):
        pytest.skip("this checkout is in /tmp, of which a node sees nothing")
    ignored.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(dir=ignored))
    keys, inner = home / ".oci", home / "mock" / "node"
    for folder in (keys, inner):
        folder.mkdir(parents=True)
    try:
        (keys / "key.pem").write_text(_SECRET)
        netrc = home / ".netrc"
        netrc.write_text(_SECRET)
        (home / "seen").write_text("seen\n")
        machine = namespaced(keys, netrc, home / "mock", home / "no-such")
        launcher = Launcher(machine, tmp_path)
        end, lines = launcher.run(
            "sh", "-c", f"cd '{home}'; cat seen .netrc; ls -A .oci mock; touch mock/node/x",
            folder=inner,
        )  # fmt: skip
        machine.close()
        assert end.exit_code == 0
        assert lines == ["seen", ".oci:", "", "mock:", "node"]
        assert (inner / "x").exists()
    finally:
        shutil.rmtree(home)


def test_a_python_environment_is_its_own_to_change(apart: Launcher, tmp_path: Path) -> None:
    python = tmp_path / "an env, of: ours"
    (python / "lib").mkdir(parents=True)
    (python / "lib" / "kept").write_text("kept\n")
    (tmp_path / "link").symlink_to(python)
    script = 'cat "$0/lib/kept"; echo changed > "$0/lib/kept"; echo new > "$0/lib/new"; ls "$0/lib"'
    for _ in range(2):
        end, lines = apart.run("sh", "-c", script, str(tmp_path / "link"), python=python)
        # The link itself is in the host's /tmp, which the node does not see.
        assert end.exit_code != 0
        end, lines = apart.run("sh", "-c", script, str(python), python=tmp_path / "link")
        assert (end.exit_code, lines) == (0, ["kept", "kept", "new"])
    assert [path.name for path in (python / "lib").iterdir()] == ["kept"]
    assert (python / "lib" / "kept").read_text() == "kept\n"


def test_a_virtual_environment_runs(apart: Launcher) -> None:
    python = Path(sys.prefix)
    end, lines = apart.run(
        str(python / "bin" / "python"), "-I", "-c",
        "import sys, os; print(sys.prefix); open(sys.prefix + '/ours', 'w')",
        python=python,
    )  # fmt: skip
    assert (end.exit_code, lines) == (0, [str(python)])
    assert not (python / "ours").exists()


def test_a_node_has_its_name_and_its_address(apart: Launcher) -> None:
    _, lines = apart.run(
        *PYTHON,
        "import socket; n = socket.gethostname(); print(n, socket.gethostbyname(n));"
        "print([name for _, name in socket.if_nameindex()], socket.gethostbyname('localhost'))",
        name="job-run-0", address="10.20.0.7", prefix_length=16,
    )  # fmt: skip
    assert lines == ["job-run-0 10.20.0.7", "['lo', 'eth0'] 127.0.0.1"]


def test_nodes_of_a_network_reach_each_other(apart: Launcher) -> None:
    server = apart.python(_SERVE.format(port=29400), address="10.0.1.11")
    server.until("up")
    client = apart.python(
        _CALL.format(address="10.0.1.11", port=29400, name="client"), address="10.0.1.12"
    )
    assert (client.end().exit_code, client.lines) == (0, [])
    server.end()
    assert server.lines == ["up", "from client"]


def test_an_address_that_another_had_before_answers_at_once(
    apart: Launcher, tmp_path: Path
) -> None:
    """What a neighbour remembers of the hardware there holds for the new one too."""
    shared = tmp_path / "shared"
    shared.mkdir()
    client = apart.python(
        """
import os, socket, time
for port in (5001, 5002):
    while not os.path.exists(f"/mnt/shared/{port}"):
        time.sleep(0.01)
    with socket.create_connection(("10.0.1.11", port), timeout=2) as connection:
        connection.sendall(b"hello")
""",
        address="10.0.1.12",
        binds=(Bind(shared, "/mnt/shared"),),
    )
    for port in (5001, 5002):
        server = apart.python(_SERVE.format(port=port), address="10.0.1.11")
        server.until("up")
        (shared / str(port)).touch()
        # Where the second one is not found, the client ends first.
        assert server.node.wait(5) is not None, client.lines
        assert server.lines == ["up", "hello"]
    assert client.end().exit_code == 0


def test_two_networks_of_the_same_addresses_are_two(apart: Launcher) -> None:
    servers = [
        apart.python(_SERVE.format(port=8080), network=network, address="10.0.0.10")
        for network in ("red", "blue")
    ]
    for server in servers:
        server.until("up")
    call = _CALL.format(address="10.0.0.10", port=8080, name="blue")
    assert apart.python(call, network="blue", address="10.0.0.11").end().exit_code == 0
    servers[1].end()
    assert servers[1].lines == ["up", "from blue"]
    assert servers[0].lines == ["up"]
    servers[0].node.kill()
    servers[0].end()


def test_an_address_that_is_taken_is_refused(apart: Launcher) -> None:
    first = apart.shell("sleep 1000", address="10.0.0.10")
    with pytest.raises(OSError, match=r"another node of its network has 10\.0\.0\.10"):
        apart.shell("true", address="10.0.0.10")
    first.node.kill()
    first.end()
    assert apart.run("true", address="10.0.0.10")[0].exit_code == 0


def test_the_host_itself_cannot_be_reached(apart: Launcher) -> None:
    with socket.create_server(("", 0)) as host:
        port = host.getsockname()[1]
        own = os.uname().nodename
        code = f"""
import socket
for address in ("127.0.0.1", "{own}", "198.51.100.1"):
    try:
        socket.create_connection((address, {port}), timeout=5)
        print("reached", address)
    except OSError as error:
        print(type(error).__name__)
"""
        started = apart.python(code)
        started.end()
    assert len(started.lines) == 3
    assert not [line for line in started.lines if line.startswith("reached")]


def test_processes_of_the_host_cannot_be_ended(apart: Launcher) -> None:
    """One planted for it, by its number, and by all that there is of its name."""
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as planted:
        end, lines = apart.run(
            "sh", "-c", f"kill -9 {planted.pid}; cat /proc/[0-9]*/comm | grep -c sleep"
        )
        assert planted.poll() is None
        planted.kill()
    assert "No such process" in lines[0]
    assert (end.exit_code, lines[-1]) == (1, "0")


def test_what_would_undo_it_is_not_allowed(apart: Launcher) -> None:
    """Asked for by what would do no harm, were it allowed: never try what does."""
    end, lines = apart.run(
        "sh", "-c",
        "mkdir /tmp/own; for each in 'mount -t tmpfs own /tmp/own' 'mount --bind /tmp/own /tmp/own'"
        " 'mknod /tmp/null c 1 3' 'ip link add own type dummy' 'chroot --help'"
        " 'tee /proc/sys/kernel/domainname' 'tee /proc/sysrq-trigger'; do"
        " $each > /dev/null 2>&1 < /dev/null && echo $each; done; ls /dev",
    )  # fmt: skip
    # That the programs are there at all.
    assert lines.pop(0) == "chroot --help"
    assert end.exit_code == 0
    accelerators = ("nvidia", "dri", "kfd")
    assert {line for line in lines if not line.startswith(accelerators)} <= {
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
        "urandom", "zero",
    }  # fmt: skip
