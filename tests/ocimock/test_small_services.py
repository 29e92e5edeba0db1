"""Limits, monitoring, resource search and OCI Registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from ocimock.wire.errors import InvalidParameter
from tests.ocimock.support import client, pages, refused

mm = oci.monitoring.models
am = oci.artifacts.models
NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)


# Limits


def test_limits_of_data_science(mocked: MockedTenancy) -> None:
    api = client(mocked, oci.limits.LimitsClient)
    names = [s.name for s in api.list_services(mocked.tenancy_id).data]
    assert names == ["compute", "data-science", "kms", "secrets", "vcn"]
    values = api.list_limit_values(mocked.tenancy_id, "data-science").data
    by_name = {value.name: value.value for value in values}
    available = api.get_resource_availability(
        "data-science", "ds-gpu-a10-count", mocked.compartment_id
    ).data
    assert available.available == by_name["ds-gpu-a10-count"] >= 12
    defined = api.list_limit_definitions(mocked.tenancy_id, name="ds-gpu4-count").data
    assert [item.service_name for item in defined] == ["data-science"]


def test_limits_that_the_mock_does_not_know(mocked: MockedTenancy) -> None:
    api = client(mocked, oci.limits.LimitsClient)
    with refused(404, "NotAuthorizedOrNotFound", "database"):
        api.list_limit_values(mocked.tenancy_id, "database")
    with refused(404, "NotAuthorizedOrNotFound", "ds-nothing"):
        api.get_resource_availability("data-science", "ds-nothing", mocked.compartment_id)
    with refused(400, "InvalidParameter", "compartmentId"):
        api.list_limit_values(mocked.compartment_id, "data-science")


# Monitoring


class Metrics:
    def __init__(self, mocked: MockedTenancy) -> None:
        self.compartment = mocked.compartment_id
        self.api = client(mocked, oci.monitoring.MonitoringClient)
        # Metrics are posted to a host of their own, as ADS's driver does.
        self.ingestion = client(
            mocked,
            oci.monitoring.MonitoringClient,
            service_endpoint="https://telemetry-ingestion.eu-frankfurt-1.oraclecloud.com",
        )

    def series(self, *values: float, name: str = "gpu", rank: str = "0", **fields: Any) -> Any:
        points = [
            mm.Datapoint(timestamp=NOW + timedelta(seconds=30 * number), value=value)
            for number, value in enumerate(values)
        ]
        fields = {"namespace": "finetune", "compartment_id": self.compartment, **fields}
        return mm.MetricDataDetails(
            name=name, dimensions={"rank": rank}, datapoints=points, **fields
        )

    def post(self, *series: Any, **options: Any) -> Any:
        details = mm.PostMetricDataDetails(metric_data=list(series), **options)
        return self.ingestion.post_metric_data(details).data

    def summary(self, query: str, **options: Any) -> list[Any]:
        details = mm.SummarizeMetricsDataDetails(namespace="finetune", query=query, **options)
        return list(self.api.summarize_metrics_data(self.compartment, details).data)


@pytest.fixture
def metrics(mocked: MockedTenancy) -> Metrics:
    return Metrics(mocked)


@pytest.mark.parametrize(
    ("statistic", "values"),
    [
        ("mean", [1.5, 3.0]),
        ("sum", [3.0, 3.0]),
        ("max", [2.0, 3.0]),
        ("min", [1.0, 3.0]),
        ("count", [2.0, 1.0]),
    ],
)
def test_a_metric_is_summarised(metrics: Metrics, statistic: str, values: list[float]) -> None:
    assert metrics.post(metrics.series(1, 2, 3)).failed_metrics_count == 0
    (found,) = metrics.summary(f"gpu[1m].{statistic}()")
    assert [point.value for point in found.aggregated_datapoints] == values
    assert found.aggregated_datapoints[0].timestamp == NOW


def test_series_are_told_apart_by_dimensions(metrics: Metrics) -> None:
    metrics.post(metrics.series(1, rank="0"), metrics.series(2, rank="1"))
    assert len(metrics.summary("gpu[1m].mean()")) == 2
    (found,) = metrics.summary('gpu[1m]{rank="1"}.mean()')
    assert found.dimensions == {"rank": "1"}
    listed = metrics.api.list_metrics(
        metrics.compartment, mm.ListMetricsDetails(dimension_filters={"rank": "0"})
    ).data
    assert [item.dimensions for item in listed] == [{"rank": "0"}]


def test_points_come_together_in_one_series(metrics: Metrics) -> None:
    metrics.post(metrics.series(1))
    metrics.post(metrics.series(3))
    (found,) = metrics.summary("gpu[1m].mean()")
    assert [point.value for point in found.aggregated_datapoints] == [2.0]


def test_the_asked_time_limits_the_points(metrics: Metrics) -> None:
    metrics.post(metrics.series(1, 2, 3))
    window = {"start_time": NOW + timedelta(seconds=45), "end_time": NOW + timedelta(hours=1)}
    (found,) = metrics.summary("gpu[1m].sum()", **window)
    assert [point.value for point in found.aggregated_datapoints] == [3.0]


@pytest.mark.parametrize(("atomicity", "recorded"), [("NON_ATOMIC", ["gpu"]), ("ATOMIC", [])])
def test_a_wrong_series_is_named(metrics: Metrics, atomicity: str, recorded: list[str]) -> None:
    wrong = metrics.series(1, name="x", namespace="oci_compute")
    answer = metrics.post(metrics.series(1), wrong, batch_atomicity=atomicity)
    assert answer.failed_metrics_count == 1
    assert "oci_compute" in answer.failed_metrics[0].message
    listed = metrics.api.list_metrics(metrics.compartment, mm.ListMetricsDetails()).data
    assert [item.name for item in listed] == recorded


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("gpu", 400, "InvalidParameter"),
        ("gpu[1m].p90()", 501, "NotImplemented"),
        ("gpu[1m].rate()", 501, "NotImplemented"),
        ("gpu[1m].mean() / 2", 501, "NotImplemented"),
        ("gpu[1m]{rank}.mean()", 400, "InvalidParameter"),
        ("gpu[1s].mean()", 400, "InvalidParameter"),
        ("gpu[1m].percentile(2)", 400, "InvalidParameter"),
        ("gpu[1m].groupBy().mean()", 400, "InvalidParameter"),
    ],
)
def test_a_query_that_is_wrong_or_too_much(
    metrics: Metrics, query: str, status: int, code: str
) -> None:
    with refused(status, code):
        metrics.summary(query)


# Resource search


def search(mocked: MockedTenancy, text: str, **options: Any) -> list[Any]:
    api = client(mocked, oci.resource_search.ResourceSearchClient)
    details = oci.resource_search.models.FreeTextSearchDetails(text=text)
    return list(api.search_resources(details, **options).data.items)


def test_search_finds_a_log_by_its_ocid(mocked: MockedTenancy) -> None:
    """As ADS does, to learn the compartment of a log."""
    api = client(mocked, oci.logging.LoggingManagementClient)
    lm = oci.logging.models
    group = lm.CreateLogGroupDetails(compartment_id=mocked.compartment_id, display_name="g")
    work = api.create_log_group(group).headers["opc-work-request-id"]
    group_id = api.get_work_request(work).data.resources[0].identifier
    details = lm.CreateLogDetails(display_name="l", log_type="CUSTOM", freeform_tags={"a": "b7"})
    work = api.create_log(group_id, details).headers["opc-work-request-id"]
    log = api.get_work_request(work).data.resources[0].identifier

    (found,) = search(mocked, log)
    assert (found.resource_type, found.identifier) == ("Log", log)
    assert found.compartment_id == mocked.compartment_id
    assert [item.identifier for item in search(mocked, "B7")] == [log]
    api.delete_log(group_id, log)
    assert search(mocked, log) == []


# OCI Registry


def repository(mocked: MockedTenancy, api: Any, name: str = "vllm", **fields: Any) -> Any:
    fields.setdefault("compartment_id", mocked.compartment_id)
    details = am.CreateContainerRepositoryDetails(display_name=name, **fields)
    return api.create_container_repository(details).data


@pytest.fixture
def registry(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.artifacts.ArtifactsClient)


def test_repository_create_list_update_delete_gone(mocked: MockedTenancy, registry: Any) -> None:
    made = repository(mocked, registry, is_public=False)
    assert (made.lifecycle_state, made.namespace) == ("AVAILABLE", mocked.namespace)
    # Without them Terraform's plan never becomes clean.
    assert made.system_tags == {}
    listed = registry.list_container_repositories(mocked.compartment_id).data
    assert [item.id for item in listed.items] == [made.id]
    assert (listed.repository_count, listed.image_count, listed.remaining_items_count) == (1, 0, 0)
    details = am.UpdateContainerRepositoryDetails(is_immutable=True)
    registry.update_container_repository(made.id, details)
    assert registry.get_container_repository(made.id).data.is_immutable
    registry.delete_container_repository(made.id)
    assert registry.get_container_repository(made.id).data.lifecycle_state == "DELETED"
    assert registry.list_container_repositories(mocked.compartment_id).data.items == []


def test_a_repositorys_name_is_taken_in_its_region(mocked: MockedTenancy, registry: Any) -> None:
    repository(mocked, registry)
    with refused(409, "ResourceAlreadyExists", "vllm"):
        repository(mocked, registry, compartment_id=mocked.tenancy_id)
    elsewhere = client(mocked, oci.artifacts.ArtifactsClient, region="us-ashburn-1")
    repository(mocked, elsewhere)


@pytest.mark.parametrize("name", ["VLLM", "a b", "a//b", "-a", "a/"])
def test_a_repositorys_name_is_docker_s(mocked: MockedTenancy, registry: Any, name: str) -> None:
    with refused(400, "InvalidParameter", "displayName", name):
        repository(mocked, registry, name)


def test_a_repository_has_no_images(mocked: MockedTenancy, registry: Any) -> None:
    made = repository(mocked, registry)
    images = registry.list_container_images(mocked.compartment_id, repository_id=made.id).data
    assert images.items == []
    with refused(404, "NotAuthorizedOrNotFound", "image"):
        registry.get_container_image("ocid1.containerimage.oc1.fra.missing")
    configuration = registry.get_container_configuration(mocked.compartment_id).data
    assert configuration.namespace == mocked.namespace


def test_a_repository_has_the_images_that_were_pushed(mocked: Any, registry: Any) -> None:
    made = repository(mocked, registry)
    for tag in ("1", "2", "1"):
        mocked.images.push(f"fra.ocir.io/{mocked.namespace}/{made.display_name}:{tag}")
    listing = registry.list_container_images
    named = {"repository_name": made.display_name}
    found = listing(mocked.compartment_id, **named, version="2").data.items
    assert [(each.version, each.repository_id) for each in found] == [("2", made.id)]
    assert registry.get_container_image(found[0].id).data.digest.startswith("sha256:")
    assert registry.get_container_repository(made.id).data.image_count == 2
    assert registry.list_container_repositories(mocked.compartment_id).data.image_count == 2
    assert len(listing(mocked.compartment_id, **named).data.items) == 2
    mocked.images.clear()
    assert listing(mocked.compartment_id, **named).data.items == []


def test_a_repository_takes_its_images_with_it(mocked: Any, registry: Any) -> None:
    made = repository(mocked, registry)
    mocked.images.push(f"fra.ocir.io/{mocked.namespace}/{made.display_name}:1")
    registry.delete_container_repository(made.id)
    assert registry.list_container_images(mocked.compartment_id).data.items == []


@pytest.mark.parametrize("image", ["docker.io/library/vllm:1", "fra.ocir.io/ocimock/other:1", ""])
def test_what_can_not_be_pushed(mocked: Any, image: str) -> None:
    with pytest.raises((ValueError, InvalidParameter), match="image"):
        mocked.images.push(image)


def test_repositories_come_in_pages(mocked: MockedTenancy, registry: Any) -> None:
    for number in range(3):
        repository(mocked, registry, f"r{number}")
    found = pages(registry.list_container_repositories, mocked.compartment_id, limit=2)
    assert [len(page) for page in found] == [2, 1]
