"""Problems of a tenancy file, each told with its place, what was found and what is allowed."""

from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Where in the file: keys and list indexes from the top."""

_MISSING = object()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``allowed`` and ``hint`` are sentences without a final stop."""

    path: Path
    found: Any
    allowed: str
    hint: str = ""

    @staticmethod
    def missing(path: Path, allowed: str, hint: str = "") -> "Problem":
        """A key that has no default and is not there."""
        return Problem(path, _MISSING, allowed, hint)

    def sentence(self) -> str:
        """``finetune.replicas: found 'six' (str); allowed: a whole number from 1 to 64.``"""
        found = "missing" if self.found is _MISSING else f"found {shown(self.found)}"
        text = f"{dotted(self.path)}: {found}; allowed: {self.allowed}."
        return f"{text} {_as_sentence(self.hint)}" if self.hint else text


class TenancyError(Exception):
    """The tenancy file can't be used; one line per problem, in the order of the file."""


def dotted(path: Path) -> str:
    """``('finetune', 'extra_args', 0)`` → ``finetune.extra_args[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "(the file)"


def _as_sentence(hint: str) -> str:
    """Capital first letter, and a stop unless it is a question."""
    return hint[0].upper() + hint[1:] + ("" if hint.endswith("?") else ".")


def shown(value: Any) -> str:
    """A value as the reader wrote it, with its type where that may be what is wrong."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return f"{str(value).lower()} (bool)"
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '…'} ({type(value).__name__})"
