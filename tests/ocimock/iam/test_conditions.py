"""Conditions: operators, patterns, time, and variables that do not apply."""

from __future__ import annotations

import pytest

from ocimock.iam.conditions import Values, holds
from ocimock.iam.policy import parse_statement

VARIABLES: dict[str, Values] = {
    "target.bucket.name": ("Data",),
    "target.object.name": ("runs/1/log.txt",),
    "request.groups.id": ("g1", "g2"),
    "request.principal.id": ("me",),
    "target.bucket.tag.ops.owner": ("ME",),
    "request.utc-timestamp": ("2026-11-22T15:30:00Z",),
    "request.utc-timestamp.time-of-day": ("15:30:00Z",),
    "request.utc-timestamp.day-of-week": ("Sunday",),
}


def check(text: str) -> bool:
    found = parse_statement(f"Allow group g to read buckets in tenancy where {text}")
    assert found is not None
    return holds(found.condition, VARIABLES.get)


@pytest.mark.parametrize(
    "text",
    [
        "target.bucket.name = 'data'",
        "TARGET.Bucket.Name = 'DATA'",
        "target.bucket.name != 'other'",
        "target.bucket.name in ('x', 'data')",
        "target.bucket.name = /da*/",
        "target.bucket.name = /*TA/",
        "target.bucket.name != /x*/",
        "target.object.name = 'runs/*'",
        "target.object.name = /runs/*.txt/",
        "request.principal.id = target.bucket.tag.ops.owner",
        "request.groups.id = 'g2'",
        "request.groups.id != 'g3'",
        "request.utc-timestamp before '2026-11-22T15:31Z'",
        "request.utc-timestamp after '2026-11-22Z'",
        "request.utc-timestamp.time-of-day between '15:00:00Z' and '16:00:00Z'",
        "request.utc-timestamp.time-of-day between '15:00Z' and '02:00Z'",
        "request.utc-timestamp.day-of-week in ('saturday', 'sunday')",
        "any {target.bucket.name = 'x', 'data'}",
        "any {target.absent = 'x', target.bucket.name = 'data'}",
        "all {target.bucket.name = 'data', any {request.groups.id = 'g1', 'g9'}}",
    ],
)
def test_holds(text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(
    "text",
    [
        "target.bucket.name = 'dat'",
        "target.bucket.name = 'da*'",
        "target.bucket.name = /dat/",
        "target.bucket.name != 'data'",
        "target.bucket.name in ('x', 'y')",
        "target.object.name = 'runs'",
        "request.groups.id != 'g2'",
        "request.principal.id = target.absent",
        "request.principal.id != target.absent",
        "target.absent = 'x'",
        "target.absent != 'x'",
        "all {target.bucket.name = 'data', target.absent != 'x'}",
        "any {target.absent = 'x', target.absent != 'x'}",
        "any {target.bucket.name = 'x', 'y'}",
        "request.utc-timestamp before '2026-11-22T15:30:00Z'",
        "request.utc-timestamp after '2027-01-01T00:00Z'",
        "request.utc-timestamp before 'tomorrow'",
        "request.utc-timestamp.time-of-day between '16:00:00Z' and '17:00:00Z'",
        "request.utc-timestamp.time-of-day between '16:00:00Z' and '15:00:00Z'",
        "target.bucket.name before '2026-11-22Z'",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not check(text)


def test_no_condition_holds() -> None:
    assert holds(None, VARIABLES.get)


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    assert not check("target.object.name = /runs.1.log.txt/")
