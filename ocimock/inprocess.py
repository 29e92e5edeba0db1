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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar
from unittest import mock

from .clock import Clock
from .cloud import Cloud, Settings
from .credentials import PROFILE, Credentials, write_credentials, write_private
from .dispatch import UnknownHostError, dispatch, shown_path
from .environment import credential_environment
from .faults import AnswerDropped, Faults
from .wire.message import Request

P = ParamSpec("P")
T = TypeVar("T")

_READ_BYTES = 64 * 1024
_ADAPTERS = (
    "oci._vendor.requests.adapters.HTTPAdapter.send",
    "requests.adapters.HTTPAdapter.send",
)


class BlockedCallError(ConnectionError):
    """A call to a host that is not OCI's was about to leave the process."""


class mock_oci:  # noqa: N801 - the name that users write, as moto's mock_aws
    """A fresh mocked tenancy: decorator, context manager, or both.

    >>> with mock_oci() as oci:  # doctest: +SKIP
    ...     client = ObjectStorageClient(oci.config)

    :param settings: the tenancy's identifiers, regions and timings.
    :param pace: 0 (default) lets lifecycle events happen at the next call; 1 is real time.
    :param environment: also point the variables that ADS, ocifs and oci-cli read for credentials
        at throwaway ones.
    """

    def __init__(
        self, settings: Settings | None = None, *, pace: float = 0.0, environment: bool = True
    ) -> None:
        self._settings = settings or Settings()
        self._pace = pace
        self._environment = environment
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> MockedCloud:
        self._exits = contextlib.ExitStack()
        folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="ocimock-")))
        cloud = Cloud(self._settings, clock=Clock(self._pace))
        mocked = MockedCloud(cloud, _process_credentials(folder, self._settings))
        for adapter in _ADAPTERS:
            self._exits.enter_context(mock.patch(adapter, _sender(cloud, adapter)))
        if self._environment:
            variables = credential_environment(self._settings, mocked.credentials)
            self._exits.enter_context(mock.patch.dict(os.environ, variables))
        return mocked

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            with mock_oci(self._settings, pace=self._pace, environment=self._environment):
                return function(*args, **kwargs)

        return wrapped


class MockedCloud:
    """What ``with mock_oci() as oci`` gives: the tenancy, and credentials for its clients."""

    def __init__(self, cloud: Cloud, credentials: Credentials) -> None:
        self.cloud = cloud
        self.credentials = credentials

    @property
    def config(self) -> dict[str, str]:
        """The dictionary that the constructors of OCI's SDK clients take."""
        settings = self.cloud.settings
        return {
            "user": settings.user_id,
            "tenancy": settings.tenancy_id,
            "fingerprint": self.credentials.fingerprint,
            "key_file": str(self.credentials.key_file),
            "region": settings.region,
        }

    @property
    def profile(self) -> str:
        return PROFILE

    @property
    def tenancy_id(self) -> str:
        return self.cloud.settings.tenancy_id

    @property
    def compartment_id(self) -> str:
        return self.cloud.settings.compartment_id

    @property
    def namespace(self) -> str:
        return self.cloud.settings.namespace

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand: ``oci.faults.add("429 on every 3rd POST /jobRuns")``."""
        return self.cloud.faults

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass on the mock's clock."""
        self.cloud.clock.advance(seconds)


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
    connection_error = _connection_error(adapter)

    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        asked = Request.from_url(request.method, request.url, request.headers)
        if asked.is_loopback:
            return original(self, request, *args, **kwargs)
        asked = replace(asked, body=_body(request))
        try:
            answer = dispatch(cloud, asked)
        except AnswerDropped as fault:
            raise connection_error(str(fault), request=request) from None
        except UnknownHostError as fault:
            # Without the query: links carry their signatures there.
            named = f"{asked.method} {asked.base_url}{shown_path(asked.path)}"
            raise BlockedCallError(f"{named} was blocked: {fault}") from None
        return self.build_response(
            request, _urllib3_response(answer.status, answer.headers, answer.body, asked.method)
        )

    return send


def _connection_error(adapter: str) -> Any:
    """The ConnectionError of that copy of requests to which *adapter* belongs."""
    package = adapter.removesuffix(".adapters.HTTPAdapter.send")
    return importlib.import_module(f"{package}.exceptions").ConnectionError


def _urllib3_response(status: int, headers: Mapping[str, str], body: bytes, method: str) -> Any:
    from http.client import responses as reasons

    import urllib3

    fields = {"content-length": str(len(body)), **headers}
    return urllib3.HTTPResponse(
        body=BytesIO(b"" if method == "HEAD" else body),
        headers=fields,
        status=status,
        reason=reasons.get(status, ""),
        preload_content=False,
        request_method=method,
    )


def _body(request: Any) -> bytes:
    body = request.body
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        # In pieces, as http.client reads: the SDK's reader of a part knows no read to the end.
        return b"".join(_chunks(iter(lambda: body.read(_READ_BYTES) or None, None)))
    return b"".join(_chunks(body))


def _chunks(body: Any) -> Iterator[bytes]:
    for chunk in body:
        yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)


def _resolve(dotted: str) -> Any:
    module, class_name, attribute = dotted.rsplit(".", 2)
    return getattr(getattr(importlib.import_module(module), class_name), attribute)
