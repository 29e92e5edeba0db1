"""``opc-retry-token``: a create that is sent again gets the answer that it got first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from .wire.errors import InvalidatedRetryToken
from .wire.message import Response

# Seconds. Source: the SDK's own docstrings ("expire after 24 hours").
_LIFETIME = 24 * 3600.0


@dataclass(frozen=True)
class FirstAnswer:
    """What was asked with a token (a digest), what came back, and when (seconds)."""

    digest: str
    status: int
    headers: dict[str, str]
    body: str
    at: float

    def text(self) -> str:
        """As JSON."""
        return json.dumps([self.digest, self.status, self.headers, self.body, self.at])

    @classmethod
    def parse(cls, text: str) -> FirstAnswer:
        return cls(*json.loads(text))

    def response(self) -> Response:
        return Response(self.status, dict(self.headers), self.body.encode())


class RetryTokens:
    """The tokens of the last day."""

    def __init__(self) -> None:
        self._answers: dict[str, FirstAnswer] = {}
        self.on_kept: Callable[[str, FirstAnswer], None] | None = None
        self.on_expired: Callable[[str], None] | None = None

    def find(self, key: str, digest: str, now: float) -> Response | None:
        """The first answer to *key*; None where there was none, or too long ago.

        :raises InvalidatedRetryToken: the request was another one.
        """
        self._expire(now)
        found = self._answers.get(key)
        if found is None:
            return None
        if found.digest != digest:
            token = key.rsplit("/", 1)[-1]
            raise InvalidatedRetryToken(f"opc-retry-token {token} came before with another request")
        return found.response()

    def keep(self, key: str, digest: str, response: Response, now: float) -> None:
        body = bytes(response.body).decode()
        answer = FirstAnswer(digest, response.status, dict(response.headers), body, now)
        self._answers[key] = answer
        if self.on_kept is not None:
            self.on_kept(key, answer)

    def restore(self, answers: dict[str, FirstAnswer]) -> None:
        """Put back what a state file held."""
        self._answers = dict(sorted(answers.items(), key=lambda item: item[1].at))

    def _expire(self, now: float) -> None:
        """Forget those whose day is over; they lie in the order of their time."""
        while self._answers:
            key = next(iter(self._answers))
            if self._answers[key].at + _LIFETIME > now:
                return
            del self._answers[key]
            if self.on_expired is not None:
                self.on_expired(key)
