"""What requests would look up for each call, and what in the process no call needs.

A session goes through the whole environment twice for each request, in search of proxies: with the
SDK's signature that is most of what a call costs. In the process no call goes by a proxy or shows a
certificate, so nothing is looked up; only calls to this machine, which do leave, get all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .wire.message import LOOPBACK

LOOKUPS = (
    "oci._vendor.requests.sessions.Session.merge_environment_settings",
    "requests.sessions.Session.merge_environment_settings",
)


def without_lookup(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The method *original* of a session, of which only calls to this machine are left."""

    def merge_environment_settings(
        self: Any, url: str, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> dict[str, Any]:
        if LOOPBACK.fullmatch(urlsplit(url).hostname or ""):
            return original(self, url, proxies, stream, verify, cert)
        streamed = self.stream if stream is None else stream
        return {"proxies": {}, "stream": streamed, "verify": verify, "cert": cert}

    return merge_environment_settings
