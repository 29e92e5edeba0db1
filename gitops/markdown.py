"""Markdown that stays whole: what a cell holds can't end it, and a page fits its limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LIMIT = 65_536
"""Characters of a comment or an issue on GitHub; it refuses a longer one."""

_CUT = "\n_Cut here: it would not fit into a comment. The whole of it is in the run's `{file}`._\n"


@dataclass(frozen=True)
class Section:
    """A part of a page. Where there is too little room it loses lines from its end.

    :param head: what comes before the lines, such as a table's head.
    :param tail: what ends it, whatever was cut.
    """

    lines: tuple[str, ...]
    head: str = ""
    tail: str = ""


def page(sections: Iterable[Section], file: str) -> str:
    """The sections one below the other, cut where the page is full."""
    room = LIMIT - len(_CUT.format(file=file))
    parts: list[str] = []
    for section in sections:
        room -= len(section.head) + len(section.tail) + 3
        kept: list[str] = []
        for line in section.lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        parts.append("\n".join(filter(None, [section.head, *kept, section.tail])))
        if len(kept) < len(section.lines) or room < 0:
            # A section of nothing but its head and its tail would not help anybody.
            parts = parts if kept else parts[:-1]
            return "\n\n".join(parts) + "\n" + _CUT.format(file=file)
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """*text* in a cell of a table, as code: no character of it means anything else."""
    if not text:
        return "``"
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def details(title: str, lines: Iterable[str], *, head: str = "") -> Section:
    """A part that is folded up until somebody clicks on its title."""
    return Section(
        tuple(lines), f"<details><summary>{title}</summary>\n\n{head}".rstrip(), "\n</details>"
    )


def fenced(title: str, language: str, lines: Sequence[str]) -> Section:
    """Folded-up lines that are shown as they are."""
    fence = "`" * max(3, max(map(_longest_run, lines), default=0) + 1)
    return Section(
        tuple(lines),
        f"<details><summary>{title}</summary>\n\n{fence}{language}",
        f"{fence}\n\n</details>",
    )


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
