"""What OCI's clients spend on signatures, and what in the process nobody looks at.

An RSA signature is a third of what a call of the SDK costs, and to read the key for it thirty times
that, with each new client. Where no signature is verified, the key is read once and the signature
is a note that says so; all else of the header is as ever. Calls to this machine, which do leave the
process, are signed for real.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

SIGN = "oci._vendor.httpsig_cffi.sign.Signer._sign_rsa"
LOAD = "oci.signer.load_private_key"

NOTE = b"not signed: ocimock verifies no signatures here"
# Every signature of OCI's is over the host.
_TO_THIS_MACHINE = re.compile(rb"^host: (?:127\.|localhost|\[::1\])", re.MULTILINE)


def with_note(original: Callable[..., bytes]) -> Callable[..., bytes]:
    """The method *original* of a signer, which signs only calls to this machine."""

    def _sign_rsa(self: Any, data: str | bytes) -> bytes:
        message = data.encode("ascii") if isinstance(data, str) else data
        return original(self, message) if _TO_THIS_MACHINE.search(message) else NOTE

    return _sign_rsa


def read_once(original: Callable[..., Any]) -> Callable[..., Any]:
    """The function *original*, which reads private keys, and each key once only."""
    cached = functools.lru_cache(maxsize=16)(original)

    def load_private_key(secret: str | bytes, pass_phrase: str | bytes | None) -> Any:
        return cached(secret, pass_phrase)

    return load_private_key
