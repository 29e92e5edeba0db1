"""Node groups and GPUs of a run: what ADS's driver posts to Monitoring, as a reader gets it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import oci
import pytest

from jobs import gpu_metrics, machines
from jobs.auth import client, sign_in
from jobs.gpu_metrics import MEMORY, SERVICE_NAMESPACE, UTILISATION, GpuUse, Source
from jobs.machines import Heard, Machines, NodeGroup
from jobs.record import Entry
from jobs.run_log import LogLine
from ocimock import mock_oci
from tests.jobs.samples import entry
from tests.ocimock.workbench import SHAPE, Workbench, workbench

NOW = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the test, not of its import: Monitoring is asked for the last minutes."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    monkeypatch.setattr(sys.modules[__name__], "NOW", now)


NAMESPACE = "finetune_llama2_7b"
POSTED = {"gpu.gpu_utilization": (90.0, 10.0), "gpu.memory_usage": (80.0, 60.0)}


@pytest.fixture
def bench() -> Iterator[Workbench]:
    with mock_oci() as mocked:
        sign_in()
        yield workbench(mocked)


@pytest.fixture
def trained(bench: Workbench) -> Entry:
    """A run of two nodes whose job names a namespace for its metrics."""
    variables = {"OCI__METRICS_NAMESPACE": NAMESPACE}
    details = bench.nodes_details(
        2,
        job_configuration_details=oci.data_science.models.DefaultJobConfigurationDetails(
            environment_variables=variables
        ),
    )
    job = bench.science.create_job(details).data
    bench.science.create_job_artifact(job.id, b"artifact")
    run = bench.run(job)
    ids = {"job": job.id, "job_run": run.id}
    return entry("finetune").changed(ids=ids, shape=SHAPE)


def _post(bench: Workbench, run: str, at: datetime) -> None:
    """As ADS's driver does on two nodes: both have a GPU in the same slot."""
    models = oci.monitoring.models
    posting = oci.monitoring.MonitoringClient(
        bench.mocked.config,
        service_endpoint="https://telemetry-ingestion.eu-frankfurt-1.oraclecloud.com",
    )
    dimensions = {"pci_bus": "00000000:00:04.0", "job_run_ocid": run, "job_ocid": "ocid1.job"}
    for name, values in POSTED.items():
        for value in values:
            metric = models.MetricDataDetails(
                namespace=NAMESPACE,
                compartment_id=bench.compartment,
                name=name,
                dimensions=dimensions,
                datapoints=[models.Datapoint(timestamp=at, value=value, count=1)],
            )
            posting.post_metric_data(models.PostMetricDataDetails(metric_data=[metric]))


def test_groups_and_gpus_of_a_run(bench: Workbench, trained: Entry) -> None:
    _post(bench, trained.ids["job_run"], NOW - timedelta(minutes=2))
    _post(bench, "ocid1.datasciencejobrun.another", NOW - timedelta(minutes=1))

    found = machines.look(trained)

    assert [group.name for group in found.groups] == ["node-group"]
    assert found.gpu == GpuUse(NOW - timedelta(minutes=2), 50.0, 10.0, 70.0)
    assert found.words().endswith("GPU 50 % (lowest 10 %), memory 70 %")


def test_what_is_old_tells_nothing_of_now(bench: Workbench, trained: Entry) -> None:
    _post(bench, trained.ids["job_run"], NOW - timedelta(minutes=30))
    assert machines.look(trained).gpu is None


def test_a_shape_without_gpus_is_not_asked_for_them(
    trained: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "latest", lambda source: pytest.fail("asked"))
    assert machines.look(trained.changed(shape="VM.Standard.E4.Flex")).gpu is None


def test_curves_of_the_whole_run(bench: Workbench, trained: Entry) -> None:
    run = bench.science.get_job_run(trained.ids["job_run"]).data
    for minutes in (5, 4, 3):
        _post(bench, run.id, NOW - timedelta(minutes=minutes))

    found = gpu_metrics.curves(machines.source_of(run), NOW - timedelta(hours=1), NOW)

    assert [(each.quantity, each.gpu) for each in found] == [
        (UTILISATION, "00000000:00:04.0"),
        (MEMORY, "00000000:00:04.0"),
    ]
    assert [value for _, value in found[0].points] == [50.0] * 3


def test_a_job_that_names_no_namespace_is_looked_for_in_ocis_own(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OCI's documentation does not say how it calls them: it is asked."""
    source = Source(bench.compartment, "ocid1.datasciencejobrun.x", "")
    assert gpu_metrics.latest(source) is None

    monitoring = client(oci.monitoring.MonitoringClient)
    named = [
        oci.monitoring.models.Metric(name=name)
        for name in ("CpuUtilization", "GpuMemoryUtilization", "GpuUtilization")
    ]
    answer = oci.response.Response(200, {}, named, None)
    monkeypatch.setattr(monitoring, "list_metrics", lambda compartment, details: answer)
    asked: list[str] = []

    def summarize(compartment: str, details: oci.monitoring.models.SummarizeMetricsDataDetails):  # type: ignore[no-untyped-def]
        assert details.namespace == SERVICE_NAMESPACE
        asked.append(details.query)
        point = oci.monitoring.models.AggregatedDatapoint(timestamp=NOW, value=40.0)
        found = oci.monitoring.models.MetricData(aggregated_datapoints=[point], dimensions={})
        return oci.response.Response(200, {}, [found], None)

    monkeypatch.setattr(monitoring, "summarize_metrics_data", summarize)
    assert gpu_metrics.latest(source) == GpuUse(NOW, 40.0, 40.0, 40.0)
    assert asked[0] == 'GpuUtilization[1m]{resourceId = "ocid1.datasciencejobrun.x"}.mean()'


@pytest.mark.parametrize(("hours", "resolution"), [(1, "1m"), (23, "5m"), (48, "1h")])
def test_a_long_run_is_asked_for_in_larger_steps(
    hours: int, resolution: str, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitoring = client(oci.monitoring.MonitoringClient)
    asked: list[str] = []

    def summarize(compartment: str, details: oci.monitoring.models.SummarizeMetricsDataDetails):  # type: ignore[no-untyped-def]
        asked.append(details.resolution)
        return oci.response.Response(200, {}, [], None)

    monkeypatch.setattr(monitoring, "summarize_metrics_data", summarize)
    source = Source(bench.compartment, "ocid1.datasciencejobrun.x", NAMESPACE)
    assert gpu_metrics.curves(source, NOW - timedelta(hours=hours), NOW) == []
    assert asked == [resolution] * 2


def test_words() -> None:
    assert Machines().words() == ""
    assert Machines((NodeGroup("node-group", "ACTIVE"),)).words() == "node-group ACTIVE"


def test_when_each_node_was_last_heard() -> None:
    heard = Heard()
    for node, seconds in (("0", 0), ("10", 50), ("2", 30), ("0", 55), ("", 59)):
        at = (NOW + timedelta(seconds=seconds)).isoformat()
        heard.hear(LogLine("x", at, "x", node=node))
    told = heard.words(NOW + timedelta(minutes=1))
    assert told == "last lines: n0 0:00:05, n2 0:00:30, n10 0:00:10 ago"
    assert Heard().words(NOW) == ""
