"""Between requests and the mock: a prepared request in, an answer of its own class out.

There are two copies of requests in a process, the SDK's and the real one; what is built here is of
the copy whose adapter was asked.
"""

from __future__ import annotations

import functools
import importlib
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any

from .cloud import Cloud
from .wire.body import Body
from .wire.message import EMPTY, Relay, Response

_READ_BYTES = 64 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


def content(cloud: Cloud, request: Any) -> Body:
    """The body of a prepared request, whatever its client gave for one."""
    body = request.body
    if not body:
        return EMPTY
    if isinstance(body, bytes):
        return Body.of(body)
    if isinstance(body, str):
        return Body.of(body.encode())
    # In pieces, as http.client reads: the SDK's reader of a part knows no read to the end.
    chunks = iter(lambda: body.read(_READ_BYTES) or None, None) if hasattr(body, "read") else body
    spool = cloud.blobs.spool()
    for chunk in chunks:
        spool.write(chunk.encode() if isinstance(chunk, str) else bytes(chunk))
    return spool.finish()


def response(adapter: Any, request: Any, answer: Response, *, stream: bool) -> Any:
    """*answer* as *adapter*, an HTTPAdapter, would give it.

    What is not to be streamed and lies in memory needs no urllib3 to be read: a tenth of a call.
    """
    if isinstance(answer, Relay):
        answer = answer.fetched()
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    if stream or not isinstance(answer.body, bytes) or "content-encoding" in headers:
        return adapter.build_response(request, _urllib3_response(answer, headers, request.method))
    adapter_class: Any = type(adapter)
    models, structures = _copy_of(adapter_class)
    body = b"" if request.method == "HEAD" else answer.body
    found = models.Response()
    found.status_code = answer.status
    found.reason = _REASONS.get(answer.status, "")
    found.headers = structures.CaseInsensitiveDict(headers)
    found.encoding = "utf-8"
    found.url = request.url
    found.request = request
    found.connection = adapter
    found.raw = BytesIO(body)
    found._content = body
    found._content_consumed = True
    return found


@functools.cache
def _copy_of(adapter_class: Any) -> tuple[Any, Any]:
    """``models`` and ``structures`` of the copy of requests that the class is of, or inherits."""
    base = next(found for found in adapter_class.__mro__ if found.__name__ == "HTTPAdapter")
    package = base.__module__.removesuffix(".adapters")
    models = importlib.import_module(f"{package}.models")
    return models, importlib.import_module(f"{package}.structures")


def connection_error(adapter: str) -> Any:
    """The ConnectionError of that copy of requests to which the method *adapter* belongs."""
    package = adapter.removesuffix(".adapters.HTTPAdapter.send")
    return importlib.import_module(f"{package}.exceptions").ConnectionError


def _urllib3_response(answer: Response, headers: dict[str, str], method: str) -> Any:
    import urllib3

    body: IO[bytes]
    if method == "HEAD":
        body = BytesIO()
    elif isinstance(answer.body, bytes):
        body = BytesIO(answer.body)
    else:
        body = answer.body.open()
    return urllib3.HTTPResponse(
        body=body,
        headers=headers,
        status=answer.status,
        reason=_REASONS.get(answer.status, ""),
        preload_content=False,
        request_method=method,
    )
