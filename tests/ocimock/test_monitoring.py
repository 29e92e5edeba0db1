"""The query language over several series, and alarms that fire by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import pages, refused
from tests.ocimock.test_small_services import NOW, Metrics

mm = oci.monitoring.models
TOPIC = "ocid1.onstopic.oc1.fra.aaaaaaaatopic"


@pytest.fixture
def metrics(mocked: MockedTenancy) -> Metrics:
    """A series for each of three ranks: two values in the first minute, one in the second."""
    found = Metrics(mocked)
    for rank, values in {"0": (10, 20, 30), "1": (50, 60, 70), "10": (90, 100, 95)}.items():
        found.post(found.series(*values, rank=rank))
    return found


def values(found: Any) -> list[float]:
    return [point.value for point in found.aggregated_datapoints]


@pytest.mark.parametrize(
    ("dimensions", "ranks"),
    [
        ('{rank = "1"}', ["1"]),
        ('{rank != "1"}', ["0", "10"]),
        ('{rank =~ "1*"}', ["1", "10"]),
        ('{rank =~ "0|10"}', ["0", "10"]),
        ('{host = "x"}', []),
    ],
)
def test_dimensions_choose_series(metrics: Metrics, dimensions: str, ranks: list[str]) -> None:
    found = metrics.summary(f"gpu[1m]{dimensions}.mean()")
    assert sorted(item.dimensions["rank"] for item in found) == ranks


def test_series_are_grouped(metrics: Metrics) -> None:
    (one,) = metrics.summary("gpu[1m].grouping().max()")
    assert (values(one), one.dimensions) == ([100.0, 95.0], {})
    by_rank = metrics.summary("gpu[1m].groupBy(rank).max()")
    assert {item.dimensions["rank"]: values(item) for item in by_rank} == {
        "0": [20.0, 30.0],
        "1": [60.0, 70.0],
        "10": [100.0, 95.0],
    }


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("percentile(0.5)", [15.0, 30.0]),
        ("percentile(0.9)", [19.0, 30.0]),
        ("first()", [10.0, 30.0]),
        ("last()", [20.0, 30.0]),
        ("mean() >= 20", [30.0]),
        ("mean() < 20", [15.0]),
    ],
)
def test_statistics_and_conditions(metrics: Metrics, statistic: str, expected: list[float]) -> None:
    (found,) = metrics.summary(f'gpu[1m]{{rank = "0"}}.{statistic}')
    assert values(found) == expected


def test_a_resolution_slides_the_interval(metrics: Metrics) -> None:
    (found,) = metrics.summary('gpu[2m]{rank = "0"}.sum()', resolution="1m")
    assert found.resolution == "1m"
    assert values(found) == [30.0, 60.0, 30.0]


def test_metrics_are_listed_by_group(metrics: Metrics) -> None:
    details = mm.ListMetricsDetails(group_by=["namespace"])
    (found,) = metrics.api.list_metrics(metrics.compartment, details).data
    assert (found.namespace, found.name) == ("finetune", None)


def alarm(metrics: Metrics, query: str = "gpu[1m].grouping().max() > 80", **fields: Any) -> Any:
    fields = {
        "display_name": "hot",
        "compartment_id": metrics.compartment,
        "metric_compartment_id": metrics.compartment,
        "namespace": "finetune",
        "query": query,
        "severity": "CRITICAL",
        "destinations": [TOPIC],
        "is_enabled": True,
        **fields,
    }
    return metrics.api.create_alarm(mm.CreateAlarmDetails(**fields)).data


def status(metrics: Metrics, **query: Any) -> dict[str, str]:
    found = metrics.api.list_alarms_status(metrics.compartment, **query).data
    return {item.display_name: item.status for item in found}


def test_an_alarm_is_created_listed_updated_deleted(metrics: Metrics) -> None:
    made = alarm(metrics)
    assert (made.lifecycle_state, made.pending_duration) == ("ACTIVE", "PT1M")
    alarm(metrics, display_name="cold", severity="INFO")
    listed = metrics.api.list_alarms(metrics.compartment, sort_by="severity").data
    assert [item.display_name for item in listed] == ["hot", "cold"]
    update = mm.UpdateAlarmDetails(severity="WARNING")
    assert metrics.api.update_alarm(made.id, update).data.severity == "WARNING"
    with refused(400, "InvalidParameter", "comparison"):
        metrics.api.update_alarm(made.id, mm.UpdateAlarmDetails(query="gpu[1m].max()"))
    metrics.api.delete_alarm(made.id)
    assert metrics.api.get_alarm(made.id).data.lifecycle_state == "DELETED"
    (left,) = metrics.api.list_alarms(metrics.compartment).data
    assert left.display_name == "cold"


def test_an_alarm_fires_while_its_condition_holds(metrics: Metrics) -> None:
    alarm(metrics, display_name="quiet", query="gpu[1m].grouping().max() > 200")
    # NOW is ten minutes ago: a breach of two minutes is over, and seen in the history.
    over = alarm(metrics, display_name="over")
    # By the time of this test, not of its collection, which may be minutes ago.
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    recent = [
        mm.Datapoint(timestamp=now + timedelta(minutes=minute), value=99.0)
        for minute in range(-5, 4)
    ]
    series = metrics.series(name="gpu-now")
    series.datapoints = recent
    metrics.post(series)
    alarm(metrics, display_name="now", query="gpu-now[1m].max() > 80", pending_duration="PT3M")
    alarm(metrics, display_name="slow", query="gpu-now[1m].max() > 80", pending_duration="PT30M")
    alarm(metrics, display_name="off", query="gpu-now[1m].max() > 80", is_enabled=False)
    assert status(metrics) == {"quiet": "OK", "over": "OK", "now": "FIRING", "slow": "OK"}
    assert status(metrics, status="FIRING") == {"now": "FIRING"}
    entries = metrics.api.get_alarm_history(over.id).data.entries
    assert [entry.summary.rsplit(" ", 1)[-1] for entry in entries] == ["OK", "FIRING"]
    assert entries[1].timestamp == NOW + timedelta(minutes=1)
    first = metrics.api.get_alarm_history(over.id, limit=1)
    assert len(first.data.entries) == 1
    assert first.next_page is not None


def test_a_suppressed_alarm_is_suspended(metrics: Metrics) -> None:
    window = mm.Suppression(
        time_suppress_from=NOW, time_suppress_until=NOW + timedelta(days=1), description="d"
    )
    alarm(metrics, suppression=window)
    assert status(metrics) == {"hot": "SUSPENDED"}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"query": "gpu[1m].max()"}, "comparison"),
        ({"pending_duration": "PT2H"}, "pendingDuration"),
        ({"pending_duration": "soon"}, "pendingDuration"),
        ({"destinations": []}, "destinations"),
    ],
)
def test_an_alarm_that_cannot_be(metrics: Metrics, fields: dict[str, Any], word: str) -> None:
    with refused(400, "InvalidParameter", word):
        alarm(metrics, **fields)


def test_alarms_come_in_pages(metrics: Metrics) -> None:
    for number in range(3):
        alarm(metrics, display_name=f"a{number}")
    found = pages(metrics.api.list_alarms, metrics.compartment, limit=2)
    assert [len(page) for page in found] == [2, 1]
