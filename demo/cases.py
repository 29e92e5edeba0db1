"""What can be shown: the tutorial's case, played; and a tiny one, whose jobs really run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .places import FOLDER

_NOTE = "case"


@dataclass(frozen=True)
class Case:
    """One tenancy file, and what its deployed model is asked.

    :param name: of the tenancy file, and so of the stacks.
    :param runs: whether its jobs really run.
    """

    name: str
    dialogue: str
    runs: bool

    @property
    def tenancy(self) -> Path:
        return Path("tenancies") / f"{self.name}.yaml"


DEMO = Case(
    "demo",
    "Ana: Are the GPUs up?\n"
    "Ben: Six nodes, all green. Training starts at noon.\n"
    "Ana: Then I book the meeting for three.",
    runs=False,
)

REHEARSAL = Case(
    "rehearsal",
    "Ines: Could you bring the spare key?\nHugo: Yes. Where to?\nInes: To the market, at six.",
    runs=True,
)

CASES = (DEMO, REHEARSAL)


def write_down(case: Case) -> None:
    """Remember which case stands, for those who come later."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / _NOTE).write_text(case.name + "\n")


def standing_case() -> Case:
    """The case that stands; the tutorial's where nothing says which."""
    try:
        name = (FOLDER / _NOTE).read_text().strip()
    except OSError:
        return DEMO
    return next((case for case in CASES if case.name == name), DEMO)
