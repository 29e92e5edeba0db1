"""Faults on demand: answers that OCI gives on a bad day, by rules that tests write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import Call


class Faults:
    """The rules of one mock; none at first."""

    def strike(self, call: Call) -> None:
        """Fail *call* if a rule says so.

        :raises ServiceError: the rule's error.
        """
        del call
