"""The ``Authorization`` header of OCI's requests, taken apart."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from . import tokens

_SCHEME = re.compile(r"\s*signature\s+", re.IGNORECASE)
_PARAMETER = re.compile(r'\s*([A-Za-z]\w*)\s*=\s*(?:"([^"]*)"|([^\s",]+))\s*(?:,|$)')


class Malformed(Exception):  # noqa: N818 - never leaves the module that asks
    """The header is not of the form that OCI reads; the message says where."""


@dataclass(frozen=True)
class KeyId:
    """Whose key a request was signed with: a user's API key, or a resource principal's token."""

    tenancy_id: str = ""
    user_id: str = ""
    fingerprint: str = ""
    token: str = ""


@dataclass(frozen=True)
class Authorization:
    """A parsed header: names are in lower case, *headers* in the order in which they were signed.

    Source: OCI documentation, "Request Signatures".
    """

    key_id: str
    algorithm: str
    version: str
    headers: tuple[str, ...]
    signature: str


def parse(header: str) -> Authorization:
    """Take *header* apart; scheme and parameters in any case, parameters in any order.

    :raises Malformed: another scheme, a parameter twice, or one missing that there must be.
    """
    found = _parameters(header)
    for name in ("keyId", "algorithm", "signature"):
        if not found.get(name.lower()):
            raise Malformed(f"the Authorization header has no {name}")
    return Authorization(
        key_id=found["keyid"],
        algorithm=found["algorithm"].lower(),
        version=found.get("version", ""),
        # Without it, only the date is signed.
        headers=tuple(found.get("headers", "date").lower().split()),
        signature=found["signature"],
    )


def key_id_of(header: str) -> KeyId:
    """Whose key *header* says that it was signed with; empty of what can't be read.

    Read as :func:`parse` reads it: who a caller is taken for is whose signature is checked.
    """
    try:
        return key_id(_parameters(header).get("keyid", ""))
    except Malformed:
        return KeyId()


def _parameters(header: str) -> dict[str, str]:
    """The parameters by their names in lower case.

    :raises Malformed: another scheme, a parameter twice, or what is no parameter.
    """
    scheme = _SCHEME.match(header)
    if scheme is None:
        raise Malformed("the Authorization header's scheme is not Signature")
    found: dict[str, str] = {}
    at = scheme.end()
    while at < len(header):
        match = _PARAMETER.match(header, at)
        if match is None:
            raise Malformed('the Authorization header\'s parameters are not name="value", …')
        name = match[1].lower()
        if name in found:
            raise Malformed(f"the Authorization header has {match[1]} twice")
        found[name] = match[2] if match[2] is not None else match[3]
        at = match.end()
    return found


@functools.lru_cache(maxsize=1024)
def key_id(text: str) -> KeyId:
    """``tenancy/user/fingerprint``, or ``ST$`` and a token; empty of what is neither."""
    if text.startswith(tokens.PREFIX):
        return KeyId(token=text.removeprefix(tokens.PREFIX))
    parts = text.split("/")
    return KeyId(*parts) if len(parts) == 3 else KeyId()
