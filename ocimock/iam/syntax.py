"""What policies and matching rules say, as a tree: :mod:`ocimock.iam.policy` makes it of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SubjectKind = Literal["any-user", "any-group", "group", "dynamic-group", "service"]
OperandKind = Literal["text", "pattern", "variable"]


@dataclass(frozen=True)
class Subject:
    """Whom a statement is about: by *name*, with its *domain* if it was given one, or by *id*."""

    kind: SubjectKind
    name: str = ""
    domain: str = ""
    id: str = ""


@dataclass(frozen=True)
class Location:
    """Where a statement holds: the tenancy, or a compartment by OCID or by its path of names."""

    compartment_id: str = ""
    compartment_path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operand:
    """A value to compare with: quoted text, a ``/pattern*/``, or another variable."""

    kind: OperandKind
    value: str


@dataclass(frozen=True)
class Comparison:
    """``variable operator operands``. A tag without a value has the operator ``present``."""

    variable: str
    operator: str
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class Junction:
    """``all {…}`` or ``any {…}``."""

    every: bool
    members: tuple[Condition, ...]


Condition = Comparison | Junction


@dataclass(frozen=True)
class Statement:
    """An Allow or a Deny, as far as this tenancy is concerned.

    *verb* and *resource_type* are empty where *permissions* are listed, and the other way round.
    """

    text: str
    deny: bool
    subjects: tuple[Subject, ...]
    location: Location
    verb: str = ""
    resource_type: str = ""
    permissions: frozenset[str] = frozenset()
    condition: Condition | None = None
