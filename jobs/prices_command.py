"""The commands for list prices: Oracle's list read anew, and what holds now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from .console import clock, note, out, say
from .errors import JobsError, UnreachableError, no_answer

if TYPE_CHECKING:
    from sizing.prices import PriceList, Row
    from sizing.shapes import Shape

_SECONDS = (10, 60)  # to connect, and between bytes

_UNITS = {
    "price_per_hour": "an hour",
    "price_per_ocpu_hour": "an OCPU and hour",
    "price_per_gb_hour": "a GB and hour",
}


class PriceListError(JobsError):
    """The price list can't be read, or is none."""


def update(
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE|URL", help="Default: Oracle's public list.", show_default=False
        ),
    ] = None,
) -> None:
    """Read Oracle's public price list and go by it from now on."""
    from sizing import prices, shapes

    place = source or prices.URL
    try:
        found = prices.read(_text(place))
    except prices.PriceListError as error:
        raise PriceListError(
            f"{place} is not Oracle's price list: {error}.",
            f"Save {prices.URL} with a browser, and give the file with --from.",
        ) from None
    rows = prices.rows(_before().values(), found)
    known = [row for row in rows if row.found is not None]
    if not known:
        raise PriceListError(
            f"{place} has none of the parts that the shapes are priced by.",
            f"It may be a part of the list. The whole one is {prices.URL}",
        )
    _keep(place, found, known)
    _tell(rows)
    say(f"{len(known)} prices kept in {shapes.PRICES}; without that file the project's list holds.")


def show() -> None:
    """Print the prices that hold, with their source and their day."""
    from . import cost
    from .views import grid

    drawn = grid("shape", "list price", "date", "source")
    drawn.columns[-1].no_wrap = False  # a narrow terminal breaks it, and cuts nothing else
    for shape in cost.known_shapes().values():
        drawn.add_row(shape.name, _price(shape), shape.date, shape.source)
    out.print(drawn)
    note("US dollars an hour, no discount, no storage, no network.", style="dim")


def _before() -> dict[str, Shape]:
    """The shapes by the prices that hold; where one's own can't be read, they are made anew."""
    from sizing import shapes

    try:
        return dict(shapes.shapes())
    except shapes.PricesError:
        return dict(shapes.listed())


def _text(place: str) -> str:
    if _is_url(place):
        return _fetched(place)
    try:
        return Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PriceListError(f"{place} can't be read: {reason}.") from None


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _fetched(url: str) -> str:
    import requests

    try:
        answer = requests.get(url, timeout=_SECONDS)
        content: str = answer.content.decode("utf-8", "replace")
    except requests.RequestException as error:
        raise UnreachableError(
            f"{url} could not be read ({no_answer(error)}).",
            "Save it with a browser, and give the file with --from.",
        ) from None
    if answer.status_code != 200:
        raise UnreachableError(
            f"{url} answered {answer.status_code}.",
            "Save it with a browser, and give the file with --from.",
        )
    return content


def _keep(place: str, found: PriceList, rows: Sequence[Row]) -> None:
    import yaml

    from sizing import shapes

    from .files import write_atomically

    prices: dict[str, dict[str, Any]] = {}
    for row in rows:
        prices.setdefault(row.shape, {})[row.field] = row.found
    written = {
        "source": "Oracle's public price list",
        # Of an address no more than the host: the rest may be a key to it.
        "from": urlsplit(place).hostname if _is_url(place) else place,
        "date": found.updated or clock.now().date().isoformat(),
        "currency": "USD",
        "shapes": prices,
    }
    head = "# List prices of one's own; 'python -m jobs prices update' writes this file.\n"
    write_atomically(shapes.PRICES, head + yaml.safe_dump(written, sort_keys=False))


def _tell(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.changed:
            before = "not known" if row.before is None else f"${row.before:g}"
            say(f"{row.shape}: {before} → ${row.found:g} {_UNITS[row.field]}")
    same = sum(row.found is not None and not row.changed for row in rows)
    note(f"{same} prices are as they were.", style="dim")
    for row in rows:
        if row.found is None:
            kept = "no price is known" if row.before is None else f"${row.before:g} stays"
            say(f"{row.shape}: {row.why}; {kept}.", style="yellow")


def _price(shape: Shape) -> str:
    if shape.price_per_hour is not None:
        return f"${shape.price_per_hour:g}"
    if shape.price_per_ocpu_hour is None or shape.price_per_gb_hour is None:
        return "not known"
    return f"${shape.price_per_ocpu_hour:g} an OCPU, ${shape.price_per_gb_hour:g} a GB"
