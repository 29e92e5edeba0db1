"""Tenancies broken in one way each: preflight names that cause and nothing else, and its remedy
mends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.auth import sign_in
from jobs.definitions import read_all, read_pipeline
from jobs.preflight.check import State
from jobs.preflight.checks import all_checks
from jobs.preflight.looking import Answer, look
from jobs.preflight.subject import Subject
from tests.jobs.preflight.broken_tenancies import BROKEN, BrokenTenancy
from tests.jobs.preflight.whole import Neighbours, Whole, neighbours, whole


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest.fixture
def tenancy(tmp_path: Path, around: Neighbours) -> Iterator[Whole]:
    with whole(tmp_path, around) as made:
        yield made


def answers(made: Whole) -> dict[str, Answer]:
    """What every check says now."""
    sign_in(read_pipeline(made.folder).region)
    subject = Subject(read_pipeline(made.folder), read_all(made.folder))
    return {answer.check.name: answer for answer in look(all_checks(), subject)}


def told(found: dict[str, Answer], *states: State) -> dict[str, str]:
    """What the checks in those states said, with their remedies."""
    return {
        name: "\n".join(
            f"{each.said}\n{each.remedy}" for each in answer.findings if each.state in states
        )
        for name, answer in found.items()
        if answer.state in states
    }


def test_there_are_thirty_of_them_and_each_check_has_one() -> None:
    assert len({broken.name for broken in BROKEN}) == len(BROKEN) >= 30


def test_nothing_is_wrong_with_a_whole_tenancy(tenancy: Whole) -> None:
    found = answers(tenancy)
    assert told(found, State.FAIL) == {}
    assert told(found, State.SKIPPED) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_one_cause_is_named_with_its_remedy(broken: BrokenTenancy, tenancy: Whole) -> None:
    mend = broken.breaks(tenancy)
    failed = told(answers(tenancy), State.FAIL)
    assert list(failed) == [broken.check], failed
    said = failed[broken.check]
    assert broken.cause in said
    assert broken.remedy in said
    mend(said)
    assert told(answers(tenancy), State.FAIL) == {}
