"""How a node starts, what is heard of it, and how it ends: alike in both machines."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ocimock.execute import processes
from ocimock.execute.running import settle
from ocimock.execute.specs import Cause, End
from tests.ocimock.execute.launching import ENVIRONMENT, Launcher

_SLEEPERS = """
import os, signal, time
for _ in range({count}):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(1, b"up %d\\n" % os.getpid())
        time.sleep(1000)
"""


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def _below(pid: int) -> list[int]:
    """The processes below that one, by the kernel's own list."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_below(int(child))]
    return found


def test_a_command_runs_to_its_end(launcher: Launcher) -> None:
    end, lines = launcher.run("sh", "-c", "echo one; echo two >&2; exit 3")
    assert end == End(Cause.EXITED, 3, "exit code 3")
    assert lines == ["one", "two"]


def test_a_command_has_its_own_environment_alone(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of the host")
    _, lines = launcher.run("env", environment={"GREETING": "hello"})
    names = {line.partition("=")[0] for line in lines}
    assert "GREETING=hello" in lines
    assert names <= {"GREETING", "PATH", "PWD", "_", "SHLVL"}


def test_standard_input_is_at_its_end(launcher: Launcher) -> None:
    end, lines = launcher.run("sh", "-c", "cat; echo over")
    assert (end.exit_code, lines) == (0, ["over"])


def test_no_file_of_the_host_is_left_open(launcher: Launcher) -> None:
    with Path(os.devnull).open() as file:
        os.set_inheritable(file.fileno(), True)
        _, lines = launcher.run("ls", "/proc/self/fd")
    assert lines == ["0", "1", "2", "3"], "the last one is the folder that ls reads"


def test_the_last_line_needs_no_newline_and_bytes_need_be_no_text(launcher: Launcher) -> None:
    code = "import os; os.write(1, b'caf\\xc3\\xa9 \\xff\\nlast')"
    started = launcher.python(code)
    assert started.end().exit_code == 0
    assert started.lines == ["café �", "last"]


def test_wait_returns_when_all_was_heard(launcher: Launcher) -> None:
    started = launcher.shell("seq 20000")
    started.end()
    assert started.lines == [str(number) for number in range(1, 20001)]


def test_a_listener_that_fails_does_not_stop_the_output(
    launcher: Launcher, caplog: pytest.LogCaptureFixture
) -> None:
    heard = []

    def hear(line: str) -> None:
        heard.append(line)
        if line == "1":
            raise ValueError("no")

    before = launcher.shell("true")
    before.end()
    node = launcher.machine.start(replace(before.node.spec, command=("seq", "3")), hear)
    assert node.wait(20) == End(Cause.EXITED, 0)
    assert heard == ["1", "2", "3"]
    assert "hears the output" in caplog.text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program",), "no such program in PATH"),
        (("/etc/passwd",), "Permission denied"),
    ],
)
def test_what_cannot_be_executed_says_so(
    launcher: Launcher, command: tuple[str, ...], said: str
) -> None:
    end, _ = launcher.run(*command)
    assert (end.cause, end.exit_code) == (Cause.NOT_STARTED, 127)
    assert command[0] in end.message
    assert said in end.message


def test_a_working_directory_that_is_not_there_is_named(launcher: Launcher) -> None:
    end, _ = launcher.run("true", working_directory="/no/such/folder")
    assert end.cause is Cause.NOT_STARTED
    assert "/no/such/folder" in end.message


def test_a_signal_of_its_own_is_told(launcher: Launcher) -> None:
    end, _ = launcher.run("sh", "-c", "kill -SEGV $$")
    assert end == End(Cause.SIGNALED, 128 + signal.SIGSEGV, "signal SIGSEGV ended its command")


def test_stop_lets_a_program_finish(launcher: Launcher) -> None:
    started = launcher.python("""
import signal, sys
def save(*_):
    print("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("up")
signal.pause()
""")
    started.until("up")
    started.node.stop()
    assert started.end() == End(Cause.STOPPED, 0, "it was told to stop")
    assert started.lines == ["up", "saved"]


def test_stop_reaches_all_processes_and_waits_for_them(launcher: Launcher) -> None:
    """The command itself ends at once; its child, in a session of its own, still saves."""
    started = launcher.python("""
import os, signal, time
if os.fork() == 0:
    os.setsid()
    def save(*_):
        time.sleep(0.2)
        print("saved", flush=True)
        os._exit(0)
    signal.signal(signal.SIGTERM, save)
    print("up", flush=True)
time.sleep(1000)
""")
    started.until("up")
    started.node.stop()
    end = started.end()
    assert (end.cause, end.exit_code) == (Cause.STOPPED, 143)
    assert started.lines == ["up", "saved"]


def test_what_does_not_stop_is_killed_after_its_grace(launcher: Launcher) -> None:
    started = launcher.shell("trap '' TERM; echo up; while :; do sleep 0.01; done")
    started.until("up")
    started.node.stop(grace=1000)
    started.node.stop(grace=0.05)
    assert started.end() == End(Cause.STOPPED, 137, "it was told to stop")


def test_stop_and_kill_after_the_end_change_nothing(launcher: Launcher) -> None:
    started = launcher.shell("exit 4")
    end = started.end()
    started.node.stop()
    started.node.kill()
    started.node.stop()
    assert started.node.wait() == end == End(Cause.EXITED, 4, "exit code 4")


def test_stop_at_once_after_the_start(launcher: Launcher) -> None:
    started = launcher.shell("exec sleep 1000")
    started.node.stop(grace=1)
    assert started.end().cause is Cause.STOPPED


def test_words_that_come_together_are_all_heard() -> None:
    """To begin, and to stop, read at once by the first process."""
    output, write = os.pipe()
    channel, process = processes.start("plain", str(write), files=[write])
    os.close(write)
    settle(
        channel,
        {
            "name": "node", "command": ["sleep", "1000"], "environment": ENVIRONMENT,
            "working_directory": "/", "cpus": [],
        },
    )  # fmt: skip
    words = ({"do": "go", "files": 0}, {"do": "stop", "grace": 5, "files": 0})
    channel._connection.sendall(b"".join(json.dumps(word).encode() + b"\n" for word in words))
    with os.fdopen(output, "rb") as file:
        assert select.select([file], [], [], 20)[0], "the command goes on"
        assert file.read() == b""
    assert channel.receive() == ({"event": "exited", "status": -signal.SIGTERM}, [])
    channel.close()
    processes.wait(process)


def test_kill_from_many_threads(launcher: Launcher) -> None:
    started = launcher.shell("echo up; sleep 1000")
    started.until("up")
    threads = [threading.Thread(target=started.node.kill) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert started.end() == End(Cause.KILLED, 137, "it was killed")


def test_wait_gives_up_after_its_seconds(launcher: Launcher) -> None:
    started = launcher.shell("sleep 1000")
    assert started.node.wait(0.01) is None
    started.node.kill()


def test_daemons_go_with_the_command(launcher: Launcher) -> None:
    """They hold the output open, and nothing hangs for that."""
    started = launcher.python(_SLEEPERS.format(count=20) + "\nos.read(0, 1)\n")
    end = started.end()
    assert end.cause is Cause.EXITED
    if not launcher.kept_apart:
        assert not [line for line in started.lines if _is_alive(int(line.split()[1]))]


def test_a_kill_leaves_no_process(launcher: Launcher) -> None:
    code = _SLEEPERS.format(count=30) + "\nprint('all', flush=True)\ntime.sleep(1000)\n"
    started = launcher.python(code)
    started.until_there_are(31)
    pids = [started.node.pid, *_below(started.node.pid)]
    assert len(pids) >= 32
    started.node.kill()
    started.end()
    assert not [pid for pid in pids if _is_alive(pid)]


def test_a_closed_machine_has_no_node_and_takes_none(launcher: Launcher) -> None:
    started = [launcher.shell("sleep 1000") for _ in range(3)]
    launcher.machine.close()
    assert [each.node.wait(0) for each in started] == [End(Cause.KILLED, 137, "it was killed")] * 3
    with pytest.raises(OSError, match="being ended"):
        launcher.shell("true")


def test_connect_reaches_what_the_node_listens_on(launcher: Launcher) -> None:
    started = launcher.python("""
import socket
server = socket.create_server(("", 0))
print(server.getsockname()[1])
connection, _ = server.accept()
connection.sendall(b"hello ")
while part := connection.recv(9):
    connection.sendall(part)
""")
    started.until_there_are(1)
    with started.node.connect(int(started.lines[0]), timeout=5) as connection:
        connection.sendall(b"you")
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while part := connection.recv(99):
            said += part
    assert said == b"hello you"
    started.end()


def test_connect_to_a_port_where_nothing_listens(launcher: Launcher) -> None:
    started = launcher.shell("echo up; sleep 1000")
    started.until("up")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            started.node.connect(held.getsockname()[1], timeout=5)
    started.node.kill()
    started.end()
    with pytest.raises(ConnectionRefusedError):
        started.node.connect(1, timeout=5)


def test_a_forward_leads_to_the_host(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as host, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        started = launcher.python(
            f"""
import socket
connection = socket.create_connection(("127.0.0.1", {port}))
connection.sendall(b"x" * 300_000)
connection.shutdown(socket.SHUT_WR)
print(connection.recv(99).decode())
""",
            forwards={port: host.getsockname()},
        )
        connection, _ = host.accept()
        with connection:
            received = 0
            while part := connection.recv(1 << 16):
                received += len(part)
            connection.sendall(b"thanks")
        assert received == 300_000
        assert started.end().exit_code == 0
        assert started.lines == ["thanks"]
