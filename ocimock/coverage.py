"""Which operations of the SDK's clients the mock answers: ``python -m ocimock coverage``."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from .registry import services

_TOTAL = "all"
_WIDTH = 100


class UnknownServiceError(ValueError):
    """The mock has no service of that name."""


@dataclass(frozen=True)
class Coverage:
    """One service: the operations that are answered, and those that are not written yet."""

    service: str
    clients: tuple[str, ...]
    implemented: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def known(self) -> int:
        """How many operations there are."""
        return len(self.implemented) + len(self.missing)


def coverage() -> list[Coverage]:
    """Every service, by name."""
    found = []
    for name, service in sorted(services().items()):
        known = sorted(service.known())
        found.append(
            Coverage(
                name,
                service.clients,
                tuple(each for each in known if each in service.handlers),
                tuple(each for each in known if each not in service.handlers),
            )
        )
    return found


def of_service(name: str) -> Coverage:
    """:raises UnknownServiceError: there is none of that name."""
    found = {each.service: each for each in coverage()}
    if name in found:
        return found[name]
    near = difflib.get_close_matches(name, found, 1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    raise UnknownServiceError(f"ocimock has no service '{name}'{hint} It has {', '.join(found)}.")


def table() -> Iterator[str]:
    """A line for each service, and one for all."""
    rows = coverage()
    for row in rows:
        yield f"{row.service:16} {len(row.implemented):4} of {row.known}"
    implemented = sum(len(row.implemented) for row in rows)
    yield f"{_TOTAL:16} {implemented:4} of {sum(row.known for row in rows)}"


def markdown() -> Iterator[str]:
    """The page for the documentation: the table, then each service's operations by name."""
    import oci

    rows = coverage()
    yield "# What ocimock answers"
    yield ""
    yield from textwrap.wrap(
        f"Operations by the names of the SDK's methods (`oci` {oci.__version__}). What is not "
        "listed answers 501 and names itself. This page is written by `make coverage-table`.",
        _WIDTH,
    )
    yield ""
    yield "| service | clients | answered | known |"
    yield "|---|---|---:|---:|"
    for row in rows:
        clients = ", ".join(f"`{client.rpartition('.')[2]}`" for client in row.clients)
        name = f"[{row.service}](#{row.service})"
        yield f"| {name} | {clients} | {len(row.implemented)} | {row.known} |"
    answered = sum(len(row.implemented) for row in rows)
    yield f"| {_TOTAL} | | {answered} | {sum(row.known for row in rows)} |"
    for row in rows:
        yield ""
        yield f"## {row.service}"
        yield ""
        names = ", ".join(f"`{name}`" for name in row.implemented)
        yield from textwrap.wrap(names, _WIDTH, break_long_words=False)
