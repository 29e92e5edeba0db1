"""Conditional requests, byte ranges and checksums of a body."""

from __future__ import annotations

import base64
import binascii
import re

from ...service import Call
from ...wire.body import Body
from ...wire.errors import (
    IfMatchFailed,
    IfNoneMatchFailed,
    InvalidParameter,
    InvalidRange,
    NotImplementedByMock,
    UnmatchedContentChecksum,
    UnmatchedContentMD5,
)
from ...wire.message import Response
from .versions import md5

# No object has a size of more digits.
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
# What a field of an HTTP header can't hold.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CHECKSUMS = ("SHA256", "SHA384")


def is_unchanged(call: Call, etag: str) -> bool:
    """For reads: whether the client has this version already (answer 304).

    :raises IfMatchFailed: the client wants another version.
    """
    check_match(call.header("if-match"), etag)
    return _names(call.header("if-none-match"), etag)


def check_change(call: Call, etag: str | None) -> None:
    """For writes: *etag* is the present one, None where nothing is there.

    :raises IfMatchFailed, IfNoneMatchFailed: the condition does not hold.
    """
    check_match(call.header("if-match"), etag)
    check_none_match(call.header("if-none-match"), etag)


def check_match(wanted: str, etag: str | None) -> None:
    if wanted and not _names(wanted, etag):
        raise IfMatchFailed(f"The If-Match header '{wanted}' is not the etag of what is there")


def check_none_match(unwanted: str, etag: str | None) -> None:
    if unwanted and _names(unwanted, etag):
        raise IfNoneMatchFailed(f"The If-None-Match header is '{unwanted}' and an entity exists")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that ``range`` asks for; None for the whole.

    A header that is not one range of bytes is ignored, as HTTP says.

    :raises InvalidRange: nothing of the object lies in the range.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start > end or start >= size:
        raise InvalidRange(f"range '{header}' is not within the {size} bytes of the object")
    return start, end


def ranged(call: Call, headers: dict[str, str], body: Body, *, checksum: str = "") -> Response:
    """*body*, or the part of it that ``range`` asks for, without the *checksum* of the whole."""
    asked = byte_range(call.header("range"), body.size)
    if asked is None:
        return Response(200, headers, body)
    first, last = asked
    headers.pop(checksum, None)
    headers["content-range"] = f"bytes {first}-{last}/{body.size}"
    headers["content-length"] = str(last - first + 1)
    return Response(206, headers, body.part(first, last))


def check_body(call: Call) -> dict[str, str]:
    """Compare the body with the checksums that the client sent with it.

    :return: the additional checksum to serve the object with, if the client named an algorithm.
    :raises UnmatchedContentMD5, UnmatchedContentChecksum: the body is another one.
    """
    if call.header("opc-sse-customer-key") or call.header("opc-sse-kms-key-id"):
        raise NotImplementedByMock("ocimock does not encrypt objects with keys of the customer")
    body = call.request.content
    if (sent := call.header("content-md5")) and _decoded(sent) != _decoded(md5(body)):
        raise UnmatchedContentMD5(
            f"The computed MD5 of the request body ({md5(body)}) "
            f"does not match the Content-MD5 header ({sent})"
        )
    algorithm = call.header("opc-checksum-algorithm").upper()
    if not algorithm:
        return {}
    if algorithm not in _CHECKSUMS:
        raise NotImplementedByMock(f"ocimock does not compute {algorithm} checksums")
    name = f"opc-content-{algorithm.lower()}"
    computed = base64.b64encode(body.digest(algorithm.lower())).decode()
    if call.header(name, computed) != computed:
        raise UnmatchedContentChecksum(
            f"The computed {algorithm} of the request body ({computed}) "
            f"does not match the {name} header ({call.header(name)})"
        )
    return {name: computed}


def check_field(text: str, where: str) -> str:
    """*text*, which is going to be a field of an answer's header.

    :raises InvalidParameter: it can't be one.
    """
    if _CONTROL.search(text):
        raise InvalidParameter(
            f"{where}: a header field can't hold line ends or control characters"
        )
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidParameter(f"Content-MD5 '{text}' is not base64") from None


def _names(header: str, etag: str | None) -> bool:
    """Whether a list of etags in *header* names *etag*; ``*`` names any that there is."""
    if etag is None:
        return False
    given = [part.strip().strip('"') for part in header.split(",")]
    return "*" in given or etag in given
