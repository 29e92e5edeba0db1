"""``--verify-signatures``: HTTP signatures as OCI checks them.

Source: OCI documentation, "Request Signatures" and "Required Keys and OCIDs".
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import importlib
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..wire.errors import NotAuthenticated
from . import enforcement, keys, tokens
from .authorization import Authorization, Malformed, key_id, parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from ..cloud import Cloud
    from ..service import Call
    from ..wire.message import Request
    from ..wire.routes import Operation

_INCORRECT = (
    "The required information to complete authentication was not provided or was incorrect."
)
# Seconds that a client's clock may be off.
_SKEW = 5 * 60.0
_TARGET = "(request-target)"
_ALWAYS = (_TARGET, "host")
_OF_BODY = ("content-length", "content-type", "x-content-sha256")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def verify(call: Call) -> None:
    """Check that *call* is signed by whom it says it comes from.

    Pre-authenticated requests are not signed: their path is the secret. Nor need a request be for
    what a public bucket lets anybody do. Time is the machine's own, since the mock's clock may run
    ahead of its clients'.

    :raises NotAuthenticated: the signature is missing, wrong, too old, by an unknown key, or of
        another tenancy. The message is OCI's own, with what the mock found wrong after it.
    """
    request = call.request
    if request.path.startswith("/p/"):
        return
    header = request.headers.get_lower("authorization")
    if not header and enforcement.is_public(call):
        return
    if not header:
        raise _incorrect("the request has no Authorization header")
    try:
        said = parse(header)
    except Malformed as fault:
        raise _incorrect(str(fault)) from None
    if said.algorithm != "rsa-sha256":
        raise _incorrect("the algorithm is not rsa-sha256")
    if said.version not in ("", "1"):
        raise _incorrect('the version is not "1"')
    _check_signed(said, request, body=_signs_body(call.operation) and _has_body(request))
    _check_date(said, request)
    _check_body(said, request)
    _check_signature(said, request, _key(call.cloud, said.key_id))
    _check_host(request)


def _check_signed(said: Authorization, request: Request, *, body: bool) -> None:
    """All that must be signed is, and is there."""
    wanted = _ALWAYS + (_OF_BODY if body else ())
    missing = [name for name in wanted if name not in said.headers]
    if not {"date", "x-date"} & set(said.headers):
        missing.append("date")
    if missing:
        raise _incorrect(f"not signed: {', '.join(missing)}")
    for name in said.headers:
        if name not in (_TARGET, "host", *request.headers):
            raise _incorrect(f"{name} is said to be signed, but is not in the request")


def _check_date(said: Authorization, request: Request) -> None:
    text = request.headers["x-date" if "x-date" in said.headers else "date"]
    try:
        sent = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        raise _incorrect("the date can't be read; it must be as in RFC 7231") from None
    now = time.time()
    if abs(now - sent) > _SKEW:
        shown = [_http_date(moment) for moment in (sent, now, now - _SKEW, now + _SKEW)]
        raise NotAuthenticated(
            f"Date '{shown[0]}' is not within allowed clock skew. Current '{shown[1]}', "
            f"valid datetime range: ['{shown[2]}', '{shown[3]}']"
        )


def _check_body(said: Authorization, request: Request) -> None:
    if "x-content-sha256" not in said.headers:
        return
    digest = base64.b64encode(request.content.digest("sha256")).decode()
    if not hmac.compare_digest(digest, request.headers["x-content-sha256"]):
        raise _incorrect("x-content-sha256 is not the body's")


def _check_host(request: Request) -> None:
    """The host that was signed is the one that was called; in process they come apart."""
    signed = urlsplit(f"//{request.headers.get('host', _authority(request))}").hostname
    if signed != request.host:
        raise _incorrect(f"the signature is for the host {signed}")


def _check_signature(said: Authorization, request: Request, key: RSAPublicKey) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        signature = base64.b64decode(said.signature, validate=True)
    except binascii.Error:
        raise _incorrect("the signature is not in Base64") from None
    try:
        key.verify(signature, _signing_string(said, request), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise NotAuthenticated(
            "Failed to verify the HTTP(S) Signature: it is not that of this request by this key."
        ) from None


def _signing_string(said: Authorization, request: Request) -> bytes:
    lines = []
    for name in said.headers:
        if name == _TARGET:
            lines.append(f"{name}: {request.method.lower()} {request.target}".encode())
        else:
            text = request.headers.get(name, _authority(request)).strip()
            lines.append(f"{name}: {text}".encode("latin-1", "replace"))
    return b"\n".join(lines)


def _authority(request: Request) -> str:
    """The host as the request's address has it, where no header says it (in process)."""
    return request.base_url.rpartition("/")[2]


def _key(cloud: Cloud, said: str) -> RSAPublicKey:
    """The public key that a keyId names."""
    named = key_id(said)
    if named.token:
        try:
            return tokens.session_key(cloud, named.token)
        except tokens.InvalidToken as fault:
            raise _incorrect(str(fault)) from None
    if not named.user_id:
        raise _incorrect("keyId is not tenancy/user/fingerprint")
    if named.tenancy_id != cloud.settings.tenancy_id:
        raise _incorrect("keyId names another tenancy")
    user = cloud.store.find("user", named.user_id)
    if user is None or user.deleted:
        raise _incorrect("keyId names a user that the tenancy does not have")
    key = cloud.store.find(keys.API_KEY, keys.record_id(named.user_id, named.fingerprint))
    if key is None or key.deleted:
        raise _incorrect("keyId names a fingerprint that none of the user's API keys has")
    return keys.public_key(key.data["keyValue"])


def _has_body(request: Request) -> bool:
    return request.method in _WITH_BODY and bool(request.content)


@functools.cache
def _signs_body(operation: Operation) -> bool:
    """Whether the SDK signs what *operation* sends; large uploads it sends unsigned."""
    if not operation.client:
        return True
    package, class_name = operation.client.rsplit(".", 1)
    function = getattr(getattr(importlib.import_module(package), class_name), operation.name)
    return not any(
        isinstance(names, tuple) and "enforce_content_headers" in names
        for names in function.__code__.co_consts
    )


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, tz=UTC), usegmt=True)


def _incorrect(reason: str) -> NotAuthenticated:
    return NotAuthenticated(f"{_INCORRECT} ({reason})")
