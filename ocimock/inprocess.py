"""``mock_oci``: OCI inside this process.

The OCI SDK carries its own copy of requests; ADS and ocifs use both that copy and the real one. So
the send method of both HTTP adapters is replaced: every client built before or after it starts is
caught, and no call can leave for a real host.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload
from unittest import mock
from urllib.parse import urlsplit

from . import config_files, impersonation, signing, transport
from .capacity import Capacity
from .clock import Clock
from .cloud import CallRecord, Cloud, Settings
from .credentials import Credentials, write_credentials, write_private
from .decorating import within
from .dispatch import UnknownHostError, dispatch, shown_path
from .environment import credential_environment
from .faults import AnswerDropped, Faults
from .iam import enforcement
from .iam.decisions import Decision
from .images import Images
from .limits import Limits
from .sessions import LOOKUPS, without_lookup
from .tenancy import MockedTenancy, standing
from .wire.errors import ServiceError
from .wire.message import LOOPBACK, Headers, Request

P = ParamSpec("P")
T = TypeVar("T")

_ADAPTERS = (
    "oci._vendor.requests.adapters.HTTPAdapter.send",
    "requests.adapters.HTTPAdapter.send",
)


class BlockedCallError(RuntimeError):
    """A call to a host that is not OCI's was about to leave the process.

    It is no ConnectionError: those the SDK's clients try again, for a minute and a half.
    """


@overload
def mock_oci(settings: Callable[P, T], /) -> Callable[P, T]: ...


@overload
def mock_oci(
    settings: Settings | None = None, *, pace: float = 0.0, environment: bool = True
) -> Mock: ...


def mock_oci(
    settings: Any = None, *, pace: float = 0.0, environment: bool = True
) -> Mock | Callable[..., Any]:
    """A fresh mocked tenancy, as decorator (with or without parentheses) or context manager.

    >>> with mock_oci() as oci:  # doctest: +SKIP
    ...     client = ObjectStorageClient(oci.config)

    :param settings: the tenancy's identifiers, regions and timings.
    :param pace: 0 (default) lets lifecycle events happen at the next call; 1 is real time.
    :param environment: also point the variables that ADS, ocifs and oci-cli read for credentials
        at throwaway ones.
    """
    if settings is not None and not isinstance(settings, Settings):
        if not callable(settings):
            raise TypeError(f"mock_oci(Settings(...)) or @mock_oci, not mock_oci({settings!r})")
        return Mock()(cast(Callable[..., Any], settings))
    return Mock(settings, pace=pace, environment=environment)


@dataclass
class _Standing:
    """A mock that was entered, and what takes it away again."""

    exits: contextlib.ExitStack
    is_left: bool = False


# One lies over the other, and what one replaced only it can put back. So one that is left while
# there is another over it (two coroutines, two threads) goes when that one goes: until then no call
# must find its way to a real host.
_STANDING: list[_Standing] = []
_CHANGING = threading.RLock()


class Mock:
    """What :func:`mock_oci` gives: a new tenancy each time it is entered.

    It is there for the whole process: where several are entered, the last of them answers.
    """

    def __init__(
        self, settings: Settings | None = None, *, pace: float = 0.0, environment: bool = True
    ) -> None:
        self._settings = settings or Settings()
        self._pace = pace
        self._environment = environment
        self._entered: list[_Standing] = []

    def __enter__(self) -> MockedCloud:
        with _CHANGING, contextlib.ExitStack() as exits:
            mocked = self._replace(exits)
            entered = _Standing(exits.pop_all())
            _STANDING.append(entered)
            self._entered.append(entered)
        return mocked

    def _replace(self, exits: contextlib.ExitStack) -> MockedCloud:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="ocimock-")))
        credentials = _process_credentials(folder, self._settings)
        settings = replace(self._settings, public_key=credentials.public_key)
        cloud = Cloud(settings, clock=Clock(self._pace))
        mocked = MockedCloud(cloud, credentials)
        for adapter in _ADAPTERS:
            exits.enter_context(mock.patch(adapter, _sender(cloud, adapter)))
        for lookup in LOOKUPS:
            exits.enter_context(mock.patch(lookup, without_lookup(_resolve(lookup))))
        signs, notes, loads = _signing()
        # Also where a mock around this one looks at none.
        sign = signs if settings.verify_signatures else notes
        exits.enter_context(mock.patch(signing.SIGN, sign))
        exits.enter_context(mock.patch(signing.LOAD, loads))
        if self._environment:
            variables = credential_environment(self._settings, mocked.credentials)
            exits.enter_context(mock.patch.dict(os.environ, variables))
            exits.enter_context(mock.patch(config_files.PATH, config_files.ours_first()))
        return mocked

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _CHANGING:
            self._entered.pop().is_left = True
            while _STANDING and _STANDING[-1].is_left:
                _STANDING.pop().exits.close()

    def __call__(self, target: T) -> T:
        return within(
            target, lambda: Mock(self._settings, pace=self._pace, environment=self._environment)
        )


class MockedCloud(MockedTenancy):
    """What ``with mock_oci() as oci`` gives: the tenancy, and credentials for its clients."""

    def __init__(self, cloud: Cloud, credentials: Credentials) -> None:
        super().__init__(cloud.settings, credentials)
        self.cloud = cloud

    @property
    def calls(self) -> list[CallRecord]:
        return list(self.cloud.calls)

    @property
    def decisions(self) -> list[Decision]:
        return list(enforcement.decisions(self.cloud))

    def standing(self) -> dict[str, int]:
        return standing(self.cloud)

    def bodies(self) -> int:
        return self.cloud.blobs.count()

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand: ``oci.faults.add("429 on every 3rd POST /jobRuns")``."""
        return self.cloud.faults

    @property
    def limits(self) -> Limits:
        """Service limits: ``oci.limits.set("ds-gpu-a10-count", 4)``."""
        return self.cloud.limits

    @property
    def capacity(self) -> Capacity:
        """Hosts of the region: ``oci.capacity.exhaust("VM.GPU.A10.2")``."""
        return self.cloud.capacity

    @property
    def images(self) -> Images:
        """Images of the registry: ``oci.images.push("fra.ocir.io/…")``."""
        return self.cloud.images

    def user_config(self, user_id: str) -> dict[str, str]:
        with _as_value_error():
            return impersonation.user_config(self.cloud, user_id)

    def resource_principal(self, resource_id: str) -> dict[str, str]:
        with _as_value_error():
            return impersonation.resource_principal(self.cloud, resource_id)

    def advance(self, seconds: float) -> None:
        self.cloud.clock.advance(seconds)


@contextlib.contextmanager
def _as_value_error() -> Iterator[None]:
    """What OCI would answer is a mistake of the test's here."""
    try:
        yield
    except ServiceError as fault:
        raise ValueError(fault.message) from None


@functools.cache
def _signing() -> tuple[Any, Any, Any]:
    """The SDK's own way to sign, the one without, and a reader of keys that remembers them."""
    signs = _resolve(signing.SIGN)
    return signs, signing.with_note(signs), signing.read_once(_resolve(signing.LOAD))


_KEY: dict[str, bytes] = {}


def _process_credentials(folder: Path, settings: Settings) -> Credentials:
    """Credentials with one key for the whole process: making an RSA key takes its time."""
    if "key" in _KEY:
        write_private(folder / "key.pem", _KEY["key"])
    credentials = write_credentials(folder, settings)
    _KEY["key"] = credentials.key_file.read_bytes()
    return credentials


def _sender(cloud: Cloud, adapter: str) -> Callable[..., Any]:
    """A send method for an HTTPAdapter, which answers from *cloud*."""
    original = _resolve(adapter)
    connection_error = transport.connection_error(adapter)

    def send(self: Any, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url)
        if LOOPBACK.fullmatch(parts.hostname or ""):
            return original(self, request, stream, *args, **kwargs)
        asked = Request.received(
            request.method,
            parts.scheme,
            parts.netloc,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            Headers(request.headers),
            transport.content(cloud, request),
        )
        try:
            answer = dispatch(cloud, asked)
        except AnswerDropped as fault:
            raise connection_error(str(fault), request=request) from None
        except UnknownHostError as fault:
            # Without the query: links carry their signatures there.
            named = f"{asked.method} {asked.base_url}{shown_path(asked.path)}"
            raise BlockedCallError(f"{named} was blocked: {fault}") from None
        return transport.response(self, request, answer, stream=stream)

    return send


def _resolve(dotted: str) -> Any:
    module, class_name, attribute = dotted.rsplit(".", 2)
    return getattr(getattr(importlib.import_module(module), class_name), attribute)
