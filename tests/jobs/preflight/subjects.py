"""Pipelines to look at, made of the sample definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import yaml

from jobs.definitions import Definition
from jobs.pipeline import pipeline_of
from jobs.preflight.check import Check, Finding, State
from jobs.preflight.subject import Subject
from tests.jobs.samples import OwnedClock, all_definitions, text
from tests.jobs.workbench import Workbench

Change = Callable[[dict[str, Any]], None]


def subject(changes: Mapping[str, Change] | None = None, **fields: Any) -> Subject:
    """The samples, each definition that is named in *changes* changed in place."""
    pipeline = pipeline_of(yaml.safe_load(text("pipeline")))
    found = Subject(pipeline, all_definitions(), clock=OwnedClock(), **fields)
    return _changed(found, changes or {})


def bench_subject(bench: Workbench, changes: Mapping[str, Change] | None = None) -> Subject:
    """The same on a tenancy of ocimock."""
    found = Subject(bench.pipeline(), bench.definitions(), clock=OwnedClock())
    return _changed(found, changes or {})


def _changed(found: Subject, changes: Mapping[str, Change]) -> Subject:
    definitions = dict(found.definitions)
    for name, change in changes.items():
        content = yaml.safe_load(definitions[name].text)
        change(content["spec"])
        new = yaml.safe_dump(content, sort_keys=False)
        definitions[name] = Definition(name, definitions[name].path, new)
    return replace(found, definitions=definitions)


def findings(check: Check, looked_at: Subject) -> list[Finding]:
    found = check.look(looked_at)
    return [found] if isinstance(found, Finding) else list(found)


def only(check: Check, looked_at: Subject) -> Finding:
    """What it found, where that is one thing."""
    [found] = findings(check, looked_at)
    return found


def states(check: Check, looked_at: Subject) -> list[State]:
    return [each.state for each in findings(check, looked_at)]


def runtime(**values: Any) -> Change:
    """Set fields of a job's or deployment's runtime."""

    def change(spec: dict[str, Any]) -> None:
        spec["runtime"]["spec"].update(values)

    return change


def infrastructure(**values: Any) -> Change:
    def change(spec: dict[str, Any]) -> None:
        spec["infrastructure"]["spec"].update(values)

    return change
