"""Run the server, and tell others where it is: ``server.json`` in its home folder."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import uvicorn

from ..clock import Clock
from ..cloud import Cloud, Settings
from ..credentials import Credentials, write_credentials
from ..environment import server_environment
from ..execute.executor import Address, Execution
from ..execute.machines import IsolationError, best_machine, secret_places
from ..execute.settings import ExecutionSettings
from ..services.identity.api_keys import trust
from ..store.state_file import StateFile
from .announcement import FILE, ServerFile
from .app import Application
from .proxy import Authority, protocol_class

_HOST = "127.0.0.1"


class CannotServeError(Exception):
    """The home or the port can't be had; the message says why, and what to do."""


def serve(
    home: Path,
    settings: Settings,
    *,
    port: int = 0,
    pace: float = 1.0,
    state_file: Path | None = None,
    execute: ExecutionSettings | None = None,
    told: Callable[[str], None] | None = None,
) -> None:
    """Serve until a signal ends it. Binds the loopback interface only.

    :param home: folder for the authority's certificate, the credentials and ``server.json``.
    :param port: 0 for any free one.
    :param pace: how fast lifecycle states move: 1 is real time, 0 at once.
    :param told: hears the URL, right before others can find the server.
    :param state_file: what the mock holds goes there, and is taken up again from there.
    :param execute: what job runs and deployments really run with; without, they are simulated.
    :raises StateFileError: it can't be used.
    :raises CannotServeError: the home or the port can't be had.
    """
    if state_file is None:
        _serve(home, settings, port, pace, None, execute, told)
        return
    with closing(StateFile(state_file)) as state:
        _serve(home, settings, port, pace, state, execute, told)


def _serve(
    home: Path,
    settings: Settings,
    port: int,
    pace: float,
    state: StateFile | None,
    execute: ExecutionSettings | None,
    told: Callable[[str], None] | None,
) -> None:
    credentials = _settle(home, settings)
    listeners = [_listen(port)]
    if execute is not None:
        # A door of their own for nodes: what runs there must not have the mock's own pages.
        listeners.append(_listen(0))
    address, *of_nodes = (Address(_HOST, each.getsockname()[1]) for each in listeners)
    settings = replace(settings, public_key=credentials.public_key)
    authority = Authority()
    authority.write(home / "ca.pem")
    hidden = (home, *state.files()) if state is not None else (home,)
    with _executing(home, execute, (of_nodes or [address])[0], hidden) as execution:
        cloud = Cloud(settings, clock=Clock(pace), state=state, execution=execution)
        # A state file may have been begun with the key of another home.
        with cloud.transaction():
            trust(cloud)
        hosts = execute.hosts if execute is not None else {}
        application = Application(cloud, state, node_ports=[each.port for each in of_nodes])
        server = _server(application, protocol_class(authority, hosts))
        # uvicorn raises the signal again once it has shut down; what is below must still be
        # reached.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # What is there now stays: collections need not look at it again.
        gc.freeze()
        try:
            if told is not None:
                told(address.url)
            _announce(home, address.url, settings, credentials)
            server.run(sockets=listeners)
        finally:
            _withdraw(home)


def _server(application: Application, protocol: type[asyncio.Protocol]) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=protocol,
            log_config=None,
            access_log=False,
            date_header=False,  # the mock's own clock says it
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
    )


@contextmanager
def _executing(
    home: Path, settings: ExecutionSettings | None, address: Address, hidden: Sequence[Path]
) -> Iterator[Execution | None]:
    """What executes for a mock; all that it runs has ended when the block has.

    :param address: where its nodes reach the mock.
    :param hidden: what no node is to see, beside what people keep secret in their home.
    """
    if settings is None:
        yield None
        return
    try:
        secrets = secret_places(Path.home())
        machine = best_machine(settings.isolation, hidden=(*hidden, *secrets))
    except IsolationError as fault:
        raise CannotServeError(f"{settings.file}: isolation: {fault}") from None
    execution = Execution(
        settings,
        machine,
        folder=home / "nodes",
        address=address,
        ca_file=home / "ca.pem",
    )
    with closing(execution):
        yield execution


def _settle(home: Path, settings: Settings) -> Credentials:
    """Make *home* ready; what a server that was killed left there is taken away or used again."""
    found = ServerFile.read(home)
    if found is not None and found.is_up():
        raise CannotServeError(
            f"a server (pid {found.pid}) has its home in {home}, at {found.url}; "
            "use that one, end it, or take another home with --home"
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / FILE).unlink(missing_ok=True)
        return write_credentials(home, settings)
    except OSError as fault:
        raise CannotServeError(
            f"{home} can't be the server's home ({fault.strerror}); "
            "name a folder that you can write to with --home"
        ) from None


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: without
    # it each answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError as fault:
        listener.close()
        raise CannotServeError(
            f"port {port} can't be had ({fault.strerror}); take another one, or any with --port 0"
        ) from None
    listener.listen(128)
    return listener


def _announce(home: Path, url: str, settings: Settings, credentials: Credentials) -> None:
    environment = server_environment(url, home / "ca.pem", settings, credentials)
    content = json.dumps(asdict(ServerFile(os.getpid(), url, environment)), indent=2)
    # Renamed into place: whoever waits for the file never reads half of it.
    draft = home / f"{FILE}.new"
    draft.write_text(content + "\n")
    draft.replace(home / FILE)


def _withdraw(home: Path) -> None:
    found = ServerFile.read(home)
    if found is not None and found.pid == os.getpid():
        (home / FILE).unlink(missing_ok=True)
