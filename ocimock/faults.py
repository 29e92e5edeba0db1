"""Faults on demand: answers that OCI gives on a bad day, by rules that tests write.

The language of the rules is in :mod:`ocimock.fault_rules`. What the rules have struck is no part
of the tenancy's state: a fresh mock begins to count anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .fault_matching import Rule
from .fault_rules import ERRORS, parse, parse_body
from .wire.errors import ServiceError
from .wire.message import Response

if TYPE_CHECKING:
    from .service import Call


class AnswerDropped(Exception):  # noqa: N818 - no error of the mock, but what a rule asks for
    """The operation happened, and its answer is not to reach the client."""


class Fault(ServiceError):  # noqa: N818 - as the other errors of OCI's
    """The error that a rule answers with, in place of the operation."""

    def __init__(self, rule: Rule) -> None:
        assert rule.status is not None
        self.status = rule.status
        self.code = rule.code
        super().__init__(f"{ERRORS[rule.status][rule.code]} (ocimock, by the rule: {rule})")
        self._retry_after = rule.retryAfter

    def response(self) -> Response:
        response = super().response()
        if self._retry_after:
            response.headers["retry-after"] = str(self._retry_after)
        return response


@dataclass
class StandingRule:
    """A rule, how many calls it matched so far, and how many of these it struck."""

    rule: Rule
    matched: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        """It will strike no more."""
        if self.rule.times and self.struck >= self.rule.times:
            return True
        return bool(self.rule.first) and self.matched >= self.rule.first

    def strikes(self, call: Call) -> bool:
        """Count *call* if it matches; whether it fails."""
        if self.spent or not self.rule.matches(call):
            return False
        self.matched += 1
        if not self.rule.strikes(self.matched):
            return False
        self.struck += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The rule as JSON: what it says in words, each field, and its counts."""
        counts = {"matched": self.matched, "struck": self.struck, "spent": self.spent}
        return {"rule": str(self.rule), **dataclasses.asdict(self.rule), **counts}


class Faults:
    """The rules of one mock; of several that match a call, the first that strikes it answers."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        self._rules = [StandingRule(parse(rule)) for rule in rules]
        self._dropping: Rule | None = None

    @property
    def rules(self) -> list[StandingRule]:
        """The rules that stand, in the order in which they came."""
        return list(self._rules)

    def add(self, rule: str | dict[str, Any] | Rule) -> StandingRule:
        """Let *rule* stand from now on.

        :raises InvalidParameter: it is not well-formed, or could never match.
        """
        standing = StandingRule(rule if isinstance(rule, Rule) else parse(rule))
        self._rules.append(standing)
        return standing

    def clear(self) -> None:
        """Take all rules away."""
        self._rules.clear()

    def strike(self, call: Call) -> None:
        """Fail *call* if a rule says so; a drop is only remembered for :meth:`drop`.

        :raises ServiceError: the rule's error.
        """
        # Of a call that ended in a fault of the mock itself it may still be there.
        self._dropping = None
        for standing in self._rules:
            if not standing.strikes(call):
                continue
            if standing.rule.drop:
                self._dropping = standing.rule
                return
            raise Fault(standing.rule)

    def drop(self) -> None:
        """To be called when the struck call is over and its effects are kept.

        :raises AnswerDropped: its answer is not to be sent.
        """
        rule, self._dropping = self._dropping, None
        if rule is not None:
            raise AnswerDropped(f"the connection ends without an answer, by the rule: {rule}")


def show(faults: Faults) -> list[dict[str, Any]]:
    """``GET /ocimock/faults``."""
    return [standing.shown() for standing in faults.rules]


def add(faults: Faults, body: bytes) -> dict[str, Any]:
    """``POST /ocimock/faults``: the new rule.

    :raises InvalidParameter: *body* is not a rule.
    """
    return faults.add(parse_body(body)).shown()


def clear(faults: Faults) -> None:
    """``DELETE /ocimock/faults``."""
    faults.clear()
