"""What a step costs: list price of its shape, times replicas, times hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sizing import shapes
from sizing.ranges import Range

from .definitions import Definition
from .errors import DefinitionError, JobsError
from .record import Entry

DATA = shapes.DATA


class PricesError(JobsError):
    """The file of one's own prices can't be read."""


@dataclass(frozen=True)
class Duration:
    """How long a step takes, in hours, and who says so."""

    hours: float
    source: str


@dataclass(frozen=True)
class Estimate:
    """What a definition would cost; *per_hour* is all its replicas', in US dollars.

    *per_hour* is None where no list price is known, *duration* where nobody published one; then
    *forecast* may have the hours that ``sizing`` makes of it. Without a *shape* there is nothing to
    pay for.
    """

    shape: str
    replicas: int
    per_hour: float | None
    duration: Duration | None
    forecast: Range | None = None

    @property
    def total(self) -> float | None:
        """US dollars, where the price and a published duration are known."""
        if self.per_hour is None or self.duration is None:
            return None
        return self.per_hour * self.duration.hours

    def __str__(self) -> str:
        if not self.shape:
            return "no compute"
        if self.per_hour is None:
            return f"{self.replicas} x {self.shape}, no list price known"
        if self.duration is None or self.total is None:
            hourly = f"${self.per_hour:.2f} an hour"
            return f"{hourly}, {_about(self.forecast, self.per_hour)}" if self.forecast else hourly
        return f"${self.per_hour:.2f} an hour, ${self.total:.2f} in {self.duration.hours:g} h"


def per_hour(shape: str, replicas: int, *, ocpus: float = 0, memory_gb: float = 0) -> float | None:
    """The list price of *replicas* of *shape* in US dollars an hour; None where none is known.

    A flexible shape's price is that of its OCPUs and its memory.
    """
    known = known_shapes().get(shape)
    price = known.dollars_per_hour(ocpus, memory_gb) if known else None
    return None if price is None else replicas * price


def estimate(
    definition: Definition, definitions: Mapping[str, Definition] | None = None
) -> Estimate:
    """The expected cost of a definition; with all *definitions* a fine-tuning of which nobody
    published a duration has a forecast."""
    machine, published = definition.machine, _duration(definition)
    expected = None
    if published is None and definitions is not None:
        expected = forecast(definition, definitions)
    return Estimate(definition.shape, definition.replicas, per_hour(**machine), published, expected)


def forecast(finetune: Definition, definitions: Mapping[str, Definition]) -> Range | None:
    """Hours that a fine-tuning takes, by ``sizing``; None of anything else, and where model, data
    or shape are not known to it."""
    from sizing.durations import training_time

    from .sized import sized

    if finetune.name.partition(".")[0] != "finetune" or "stage" not in definitions:
        return None
    try:
        found = sized(definitions, finetune)
    except DefinitionError:  # a number in its command is none: what checks it says so
        return None
    shape = known_shapes().get(finetune.shape)
    if found.model is None or found.data is None or shape is None or not shape.bf16:
        return None
    nodes = finetune.replicas
    return training_time(found.model, found.training, shape, nodes, found.data).hours


def spent(entry: Entry, now: datetime) -> float | None:
    """What a submission has cost until *now*, in US dollars by list price; None where no price is
    known. What did not run in OCI costs nothing; a deployment costs until it is deleted."""
    if entry.simulated or entry.local or entry.started is None or not entry.shape:
        return 0.0
    price = per_hour(entry.shape, entry.replicas, ocpus=entry.ocpus, memory_gb=entry.memory_gb)
    if price is None:
        return None
    return price * max(0.0, ((entry.finished or now) - entry.started).total_seconds()) / 3600


def total(entries: Iterable[Entry], now: datetime) -> float:
    """What the submissions whose price is known have cost until *now*, in US dollars."""
    return sum(spent(entry, now) or 0.0 for entry in entries)


def bill(so_far: float, limit: float | None) -> str:
    """What was spent so far against the spending limit, both in US dollars, for a reader; '' where
    there is nothing to say."""
    if limit is None:
        return f"Spent so far: ${so_far:,.2f}." if so_far else ""
    return f"Spent so far: ${so_far:,.2f} of ${limit:,.2f}."


def price_note() -> str:
    """Where the prices come from and of what day they are."""
    data = shapes.table()
    own = sorted(
        {
            f"{shape.source}, {shape.date}"
            for name, shape in known_shapes().items()
            if shape != shapes.listed()[name]
        }
    )
    note = f"List prices in {data['currency']}, {data['source']}, {data['date']}"
    return "; ".join([note, *(f"some by {shapes.PRICES}: {each}" for each in own)]) + "."


def known_shapes() -> Mapping[str, shapes.Shape]:
    """Every shape, by the prices that hold.

    Raises:
        PricesError: the file of one's own prices can't be read.
    """
    try:
        return shapes.shapes()
    except shapes.PricesError as error:
        raise PricesError(str(error)) from error


def _duration(definition: Definition) -> Duration | None:
    """The published duration of this very fine-tuning; None where there is none."""
    for known in shapes.table()["durations"]:
        if _matches(definition, known):
            return Duration(float(known["hours"]), str(known["source"]))
    return None


def _matches(definition: Definition, known: dict[str, Any]) -> bool:
    """The flags are those of llama-recipes: no other recipe's run is taken for its."""
    return (
        definition.shape == known["shape"]
        and definition.replicas == known["replicas"]
        and (definition.mount("base") or "").endswith(f"/{known['base']}/")
        and definition.argument("--peft_method") == known["peft_method"]
        and definition.argument("--num_epochs") == str(known["epochs"])
    )


def _about(hours: Range, per_hour: float) -> str:
    """A forecast and what it comes to, with its range."""
    dollars = hours.times(per_hour)
    return (
        f"about {hours.expected:.1f} h ({hours.low:.1f} to {hours.high:.1f}) by docs/sizing.md, "
        f"${dollars.expected:,.0f} (${dollars.low:,.0f} to ${dollars.high:,.0f})"
    )
