"""A job's pip list, taken apart: what a resolver can look at, and what it can't."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_INDEX = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
}
# They name files of the node, or what only matters to pip itself.
_FILES = frozenset({"-r", "--requirement", "-c", "--constraint", "-e", "--editable"})
_WITH_VALUE = frozenset({"--trusted-host", "--timeout", "--retries", "--cert", "--proxy", "-t"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class PipList:
    """*requirements* as pip spells them; *indexes* are lines of a requirements file
    (``--extra-index-url …``); *unread* is what only the node can look at: a repository, an
    archive's address, a file. *flags* are pip's own that change what is chosen."""

    requirements: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


def read(text: str) -> PipList:
    """The words of ``pipPackages``.

    Raises:
        ValueError: a quotation mark is not closed.
    """
    requirements, indexes, unread, flags = list[str](), list[str](), list[str](), set[str]()
    words = _split(shlex.split(text))
    for word in words:
        if word in _INDEX:
            indexes.append(f"{_INDEX[word]} {next(words, '')}")
        elif word in _FILES:
            unread.append(f"{word} {next(words, '')}".strip())
        elif word in _WITH_VALUE:
            next(words, "")
        elif word.startswith("-"):
            flags.add(word)
        elif is_address(word):
            unread.append(word)
        else:
            requirements.append(word)
    return PipList(tuple(requirements), tuple(indexes), tuple(unread), frozenset(flags))


def is_address(requirement: str) -> bool:
    """Whether it names a place (``git+https://…``, ``NAME @ https://…``, ``./folder``) rather
    than a package of an index."""
    return "://" in requirement or requirement.startswith((".", "/"))


def name_of(requirement: str) -> str:
    """The package's name, as indexes spell it: ``Black[jupyter]>=23`` is ``black``."""
    found = _NAME.match(requirement)
    return normal(found[0]) if found else ""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _split(words: Sequence[str]) -> Iterator[str]:
    """``--option=value`` as two words."""
    for word in words:
        option, equals, value = word.partition("=")
        if equals and option in {*_INDEX, *_FILES, *_WITH_VALUE}:
            yield from (option, value)
        else:
            yield word
