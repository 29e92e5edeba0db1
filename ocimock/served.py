"""A running server as tests see it: the tenancy behind a port."""

from __future__ import annotations

import configparser
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .cloud import CallRecord, Settings
from .credentials import PROFILE, Credentials
from .iam.decisions import Decision, Grant
from .server.announcement import ServerFile
from .tenancy import MockedTenancy

_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class ServedFault:
    """A fault rule of a server, as it stood when it was asked for."""

    rule: str
    matched: int
    struck: int
    spent: bool


@dataclass(frozen=True)
class ServedNode:
    """A node of a job run or a deployment that really runs, or did a moment ago.

    :param run: the OCID of what it runs for.
    :param node: its rank there.
    :param state: ``running``, or why it is no more: ``exited``, ``killed``, ``memory``, …
    :param isolation: ``namespaces``, or ``none``.
    """

    run: str
    node: int
    name: str
    pid: int
    address: str
    network: str
    state: str
    isolation: str


class ServedFaults:
    """The fault rules of a server, by its page ``/ocimock/faults``."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    @property
    def rules(self) -> list[ServedFault]:
        return [_fault(shown) for shown in self._ask("GET", "faults")]

    def add(self, rule: str | dict[str, Any]) -> ServedFault:
        """Let *rule* stand from now on.

        :raises ValueError: it is not well-formed, or could never match.
        """
        return _fault(
            self._ask("POST", "faults", {"rule": rule} if isinstance(rule, str) else rule)
        )

    def clear(self) -> None:
        """Take all rules away."""
        self._ask("DELETE", "faults")


class ServedLimits:
    """The service limits of a server, by its page ``/ocimock/limits``."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def set(self, name: str, value: int) -> None:
        """Let limit *name* be *value* from now on. :raises ValueError: no such limit or value."""
        self._ask("POST", "limits", {"name": name, "value": value})

    def clear(self) -> None:
        """Let every limit be what it is in a fresh mock."""
        self._ask("DELETE", "limits")


class ServedCapacity:
    """The hosts of a server's region, by its page ``/ocimock/capacity``."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def exhaust(
        self,
        shape: str,
        *,
        availability_domain: str | None = None,
        hosts: int = 0,
        seconds: float | None = None,
    ) -> None:
        """Let there be only *hosts* more hosts of *shape*, for *seconds* if given.

        :raises ValueError: no such shape or domain, or a number below 0.
        """
        rule = {
            "shape": shape,
            "availabilityDomain": availability_domain,
            "hosts": hosts,
            "seconds": seconds,
        }
        self._ask("POST", "capacity", rule)

    def restore(self) -> None:
        """Let there be any number of hosts again."""
        self._ask("DELETE", "capacity")


class ServedImages:
    """The images of a server's registry, by its page ``/ocimock/images``."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def push(self, image: str) -> None:
        """Let *image* be there. :raises ValueError: no image of this tenancy, or no repository."""
        self._ask("POST", "images", {"image": image})

    def clear(self) -> None:
        """Forget all images."""
        self._ask("DELETE", "images")


def _fault(shown: dict[str, Any]) -> ServedFault:
    return ServedFault(**{name: shown[name] for name in ("rule", "matched", "struck", "spent")})


def _decision(shown: dict[str, Any]) -> Decision:
    grants = tuple(Grant(**grant) for grant in shown["grants"])
    return Decision(**{**shown, "grants": grants})


class ServedCloud(MockedTenancy):
    """The tenancy of a running ``python -m ocimock serve``.

    :param server: what the server says of itself (``ServerFile.read(home)``).

    Clients reach it by configuration only: :attr:`environment` is what they must find in theirs.
    """

    def __init__(self, server: ServerFile) -> None:
        self.url = server.url
        self.environment = dict(server.environment)
        config = configparser.ConfigParser(interpolation=None)
        config_file = Path(server.environment["OCI_CONFIG_FILE"])
        config.read_string(config_file.read_text())
        profile = config[PROFILE]
        super().__init__(
            replace(Settings(), region=profile["region"]),
            Credentials(config_file, Path(profile["key_file"]), profile["fingerprint"]),
        )

    @classmethod
    def at(cls, home: str | Path = ".ocimock") -> ServedCloud:
        """The server that has its home in folder *home*.

        :raises ValueError: none runs there.
        """
        found = ServerFile.read(Path(home).resolve())
        if found is None or not found.is_up():
            raise ValueError(f"no server has its home in {home}: python -m ocimock serve")
        return cls(found)

    @property
    def limits(self) -> ServedLimits:
        return ServedLimits(self._ask)

    @property
    def images(self) -> ServedImages:
        return ServedImages(self._ask)

    @property
    def capacity(self) -> ServedCapacity:
        return ServedCapacity(self._ask)

    @property
    def calls(self) -> list[CallRecord]:
        return [CallRecord(**call) for call in self._ask("GET", "calls")]

    @property
    def decisions(self) -> list[Decision]:
        return [_decision(shown) for shown in self._ask("GET", "decisions")]

    def standing(self) -> dict[str, int]:
        found: dict[str, int] = self._ask("GET", "state")["standing"]
        return found

    @property
    def executes(self) -> dict[str, str] | None:
        """How job runs and deployments really run: ``isolation``; None where they are simulated."""
        found: dict[str, str] | None = self._ask("GET", "health")["executes"]
        return found

    @property
    def nodes(self) -> list[ServedNode]:
        """The nodes of what runs now."""
        return [ServedNode(**shown) for shown in self._ask("GET", "nodes")]

    def kill_node(self, run: str, node: int) -> None:
        """Let the host of a node fail.

        :raises ValueError: nothing of that OCID runs, or it has no such node.
        """
        self._ask("POST", "nodes", {"kill": {"run": run, "node": node}})

    def bodies(self) -> int:
        found: int = self._ask("GET", "state")["bodies"]
        return found

    def user_config(self, user_id: str) -> dict[str, str]:
        found: dict[str, str] = self._ask("POST", "principals", {"user": user_id})
        return found

    def resource_principal(self, resource_id: str) -> dict[str, str]:
        found: dict[str, str] = self._ask("POST", "principals", {"resource": resource_id})
        return found

    @property
    def faults(self) -> ServedFaults:
        return ServedFaults(self._ask)

    def advance(self, seconds: float) -> None:
        self._ask("POST", "clock", {"advance": seconds})

    def reset(self) -> None:
        """A fresh tenancy: nothing stands, no time has passed, no call has come."""
        self._ask("POST", "reset")

    def _ask(self, method: str, page: str, body: Any = None) -> Any:
        # Neither the proxy of the environment nor a mock in this process stands in between.
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/ocimock/{page}", sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        answer: Any = json.loads(text) if text else None
        if response.status >= 400:
            raise ValueError(f"ocimock refused {method} /ocimock/{page}: {answer['message']}")
        return answer
