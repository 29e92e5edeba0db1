"""What a step costs: list price of its shape, times replicas, times hours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .definitions import Definition

DATA = Path(__file__).parent / "data" / "shapes.yaml"


@dataclass(frozen=True)
class Rate:
    """The list price of some replicas of a shape, in US dollars per hour."""

    shape: str
    replicas: int
    per_hour: float

    def for_hours(self, hours: float) -> float:
        """US dollars for *hours* of all replicas."""
        return self.per_hour * self.replicas * hours

    def __str__(self) -> str:
        each = f"{self.replicas} x {self.shape} at ${self.per_hour:.2f}"
        return f"{each} = ${self.for_hours(1):.2f} per hour"


@dataclass(frozen=True)
class Duration:
    """How long a step takes, in hours, and who says so."""

    hours: float
    source: str


def rate(shape: str, replicas: int) -> Rate | None:
    """The price of *replicas* of *shape*; None where no list price is known."""
    known = _data()["shapes"].get(shape)
    return Rate(shape, replicas, float(known["price_per_hour"])) if known else None


def duration(definition: Definition) -> Duration | None:
    """The published duration of this very fine-tuning; None where there is none."""
    for known in _data()["durations"]:
        if _matches(definition, known):
            return Duration(float(known["hours"]), str(known["source"]))
    return None


def estimate(definition: Definition) -> str:
    """The expected cost of a definition in one line, with what it rests on."""
    if not definition.shape:
        return "no compute"
    price = rate(definition.shape, definition.replicas)
    if price is None:
        return f"{definition.replicas} x {definition.shape}, no list price known"
    known = duration(definition)
    if known is None:
        return f"{price}"
    total = price.for_hours(known.hours)
    return f"{price}, {known.hours:g} h ({known.source}) = ${total:.2f}"


def price_note() -> str:
    """Where the prices come from and of what day they are."""
    data = _data()
    return f"List prices in {data['currency']}, {data['source']}, {data['date']}."


def _matches(definition: Definition, known: dict[str, Any]) -> bool:
    return (
        definition.shape == known["shape"]
        and definition.replicas == known["replicas"]
        and definition.argument("--model_name") == known["model"]
        and definition.argument("--peft_method") == known["peft_method"]
        and definition.argument("--num_epochs") == str(known["epochs"])
    )


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return loaded
