"""Conda environments of OCI Data Science: which there are, and what is in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..definitions import Definition

DATA = Path(__file__).parent / "data" / "environments.yaml"

_PYTHON = re.compile(r"(?:^|_)p3(\d+)(?:_|$)")
_NEAR = 0.6


@dataclass(frozen=True)
class Environment:
    """One of Oracle's. *torch* is None where that is not known."""

    slug: str
    state: str
    python: str
    gpu: bool
    torch: str | None = None


@dataclass(frozen=True)
class Conda:
    """What a job definition names: *kind* is ``service`` or ``published``, *name* the slug or the
    ``oci://`` address; both '' where it names none. *region* is that of the bucket, '' where it is
    the pipeline's own."""

    kind: str = ""
    name: str = ""
    region: str = ""

    @property
    def known(self) -> Environment | None:
        return environments().get(self.slug)

    @property
    def slug(self) -> str:
        return self.name.rstrip("/").rpartition("/")[2]

    @property
    def python(self) -> str | None:
        """Its Python, as ``3.12``: by the table, else by its name; None where neither says it."""
        if self.known is not None:
            return self.known.python
        found = _PYTHON.search(self.slug)
        return f"3.{found[1]}" if found else None


def conda_of(job: Definition) -> Conda:
    """The environment of a job."""
    spec = job.runtime.get("conda") or {}
    kind = str(spec.get("type", ""))
    if kind == "published":
        return Conda(kind, str(spec.get("uri") or ""), str(spec.get("region") or ""))
    return Conda(kind, str(spec.get("slug") or ""))


@cache
def environments() -> Mapping[str, Environment]:
    """Slug → environment, of ``data/environments.yaml``."""
    return {
        slug: Environment(slug=slug, **facts) for slug, facts in _data()["environments"].items()
    }


def dated() -> str:
    """The day that the table is of."""
    return str(_data()["date"])


def active(*, gpu: bool) -> str:
    """The first of Oracle's active environments with a GPU's libraries, or without."""
    return next(
        each.slug for each in environments().values() if each.state == "active" and each.gpu is gpu
    )


def nearest(slug: str) -> str:
    """The known slug that is most like *slug*; '' where none is."""
    found = difflib.get_close_matches(slug, environments(), n=1, cutoff=_NEAR)
    return found[0] if found else ""


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return loaded
