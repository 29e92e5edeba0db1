"""Log search beyond the choice of lines: columns, groups, and searches kept under a name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import refused
from tests.ocimock.test_logging import Logs

m = oci.logging.models
LINES = [
    {"kind": "loss", "step": 1, "value": 2.0},
    {"kind": "loss", "step": 2, "value": 1.0},
    {"kind": "eval", "step": 2, "value": 4.0},
    {"kind": "loss", "step": 2, "value": 1.0},
]


@pytest.fixture
def logs(mocked: MockedTenancy) -> Logs:
    return Logs(mocked)


@pytest.fixture
def stream(logs: Logs) -> str:
    group = logs.group()
    log = logs.log(group)
    logs.put(log, *(json.dumps(line) for line in LINES))
    return f'search "{logs.compartment}/{group}/{log}"'


def rows(logs: Logs, query: str) -> list[dict[str, Any]]:
    return [result.data for result in logs.search(query).data.results]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (" | count", [{"count": 4}]),
        (" | where data.kind = 'none' | count", [{"count": 0}]),
        (
            " | summarize count(), avg(data.value) as mean, max(data.step) as last by data.kind"
            " as kind | sort by kind",
            [
                {"count": 1, "mean": 4.0, "last": 2, "kind": "eval"},
                {"count": 3, "mean": 4 / 3, "last": 2, "kind": "loss"},
            ],
        ),
        (
            " | summarize sum(data.value) as total by data.kind as kind | where total > 4",
            [],
        ),
        (
            " | where data.kind = 'loss' | sort by data.step | head 1 | select data.step as step, "
            "data.nothing",
            [{"step": 1, "data.nothing": None}],
        ),
        (
            " | dedup data.kind, data.step | summarize count() as kinds",
            [{"kinds": 3}],
        ),
    ],
)
def test_stages(logs: Logs, stream: str, rest: str, expected: list[dict[str, Any]]) -> None:
    assert rows(logs, stream + rest) == expected


def test_times_are_rounded_down(logs: Logs, stream: str) -> None:
    asked = stream + " | summarize count() by rounddown(datetime, '1d') as day"
    found = rows(logs, asked)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert [row["day"] for row in found if row["count"]][-1] <= today.timestamp() * 1000
    assert all(row["day"] % 86_400_000 == 0 for row in found)
    assert sum(row["count"] for row in found) == 4


def test_a_limit_before_a_condition_is_one(logs: Logs, stream: str) -> None:
    """Stages work one after the other, not all at the end."""
    few = stream + " | sort by data.value desc | limit 1 | where data.kind = 'loss'"
    assert rows(logs, few) == []


@pytest.mark.parametrize(
    ("rest", "status", "word"),
    [
        (" | summarize median(data.value)", 501, "median"),
        (" | summarize sum()", 400, "a field"),
        (" | select upper(data.kind)", 501, "upper"),
        (" | summarize count() by rounddown(datetime, 'often')", 400, "often"),
    ],
)
def test_what_cannot_be_asked(logs: Logs, stream: str, rest: str, status: int, word: str) -> None:
    with refused(status, "NotImplemented" if status == 501 else "InvalidParameter", word):
        rows(logs, stream + rest)


def saved(logs: Logs, name: str = "errors", query: str = 'search "x"') -> Any:
    details = m.CreateLogSavedSearchDetails(compartment_id=logs.compartment, name=name, query=query)
    return logs.api.create_log_saved_search(details).data


def test_a_saved_search_is_created_listed_updated_deleted(logs: Logs, stream: str) -> None:
    made = saved(logs, query=stream)
    assert logs.api.get_log_saved_search(made.id).data.lifecycle_state == "ACTIVE"
    saved(logs, "other")
    found = logs.api.list_log_saved_searches(logs.compartment, name="errors").data.items
    assert [item.id for item in found] == [made.id]
    assert len(rows(logs, found[0].query)) == 4
    with refused(409, "ResourceAlreadyExists", "errors"):
        saved(logs)
    update = m.UpdateLogSavedSearchDetails(query="find everything")
    with refused(400, "InvalidParameter", "searchQuery"):
        logs.api.update_log_saved_search(made.id, update)
    update.query = stream + " | count"
    assert logs.api.update_log_saved_search(made.id, update).data.query.endswith("count")
    logs.api.delete_log_saved_search(made.id)
    left = logs.api.list_log_saved_searches(logs.compartment).data.items
    assert [item.name for item in left] == ["other"]
