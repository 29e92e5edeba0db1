"""Metrics: posting, listing and summarising them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ...clock import format_time
from ...resources import page, require_compartment
from ...service import Call, Service
from ...store import Record
from ...wire.errors import InvalidParameter, ServiceError
from ...wire.message import Response
from .query import Query, parse

SERVICE = Service(
    "monitoring",
    ("oci.monitoring.MonitoringClient",),
    labels=("telemetry", "telemetry-ingestion"),
)

_METRIC = "metric"
# Points that a metric keeps, so that a mock that runs for days does not grow.
_KEPT_POINTS = 10_000
# Seconds. Source: OCI's API reference, SummarizeMetricsDataDetails: the last three hours.
_USUAL_WINDOW = 3 * 3600.0


@SERVICE.operation("post_metric_data")
def _post(call: Call) -> Response:
    body = call.body()
    failed = []
    for given in body["metricData"]:
        try:
            _check(call, given)
        except ServiceError as fault:
            failed.append({"message": fault.message, "metricData": given})
    atomic = body.get("batchAtomicity") == "ATOMIC"
    refused = [item["metricData"] for item in failed]
    for given in body["metricData"]:
        if given not in refused and not (atomic and failed):
            _record(call, given)
    return Response.of_json({"failedMetricsCount": len(failed), "failedMetrics": failed})


@SERVICE.operation("list_metrics")
def _list(call: Call) -> Response:
    body = call.body()
    wanted = {name: body.get(name) for name in ("name", "namespace", "resourceGroup")}
    dimensions = body.get("dimensionFilters", {})
    shown = ("name", "namespace", "resourceGroup", "compartmentId", "dimensions")
    found = [
        {name: metric.data.get(name) for name in shown}
        for metric in _metrics(call)
        if all(value in (None, metric.data.get(name)) for name, value in wanted.items())
        and dimensions.items() <= metric.data["dimensions"].items()
    ]
    return page(call, found, collection=False)


@SERVICE.operation("summarize_metrics_data")
def _summarize(call: Call) -> Response:
    body = call.body()
    query = parse(body["query"])
    now = call.cloud.clock.now()
    end = _epoch(body["endTime"]) if "endTime" in body else now
    start = _epoch(body["startTime"]) if "startTime" in body else end - _USUAL_WINDOW
    if end <= start:
        raise InvalidParameter("endTime must be later than startTime")
    found = []
    for metric in _metrics(call):
        data = metric.data
        if (
            data["name"] == query.name
            and data["namespace"] == body["namespace"]
            and query.dimensions.items() <= data["dimensions"].items()
            and body.get("resourceGroup") in (None, data.get("resourceGroup"))
        ):
            points = _aggregate(metric, query, start, end)
            found.append({**data, "resolution": query.interval, "aggregatedDatapoints": points})
    return Response.of_json(found)


def _check(call: Call, given: dict[str, Any]) -> None:
    require_compartment(call.cloud, given["compartmentId"])
    if given["namespace"].startswith(("oci_", "oracle_")):
        raise InvalidParameter(f"namespace: '{given['namespace']}' begins with a reserved word")
    if not given["dimensions"]:
        raise InvalidParameter("dimensions must hold at least one")


def _record(call: Call, given: dict[str, Any]) -> None:
    data = {name: value for name, value in given.items() if name != "datapoints"}
    key = json.dumps({**data, "metadata": None}, sort_keys=True)
    metric = call.cloud.store.find(_METRIC, key)
    if metric is None:
        metric = call.cloud.store.add(_METRIC, key, data, history=True)
    points = metric.private.setdefault("points", [])
    points += [
        [_epoch(point["timestamp"]), float(point["value"]), int(point.get("count", 1))]
        for point in given["datapoints"]
    ]
    del points[:-_KEPT_POINTS]


def _metrics(call: Call) -> list[Record]:
    compartment = call.query("compartmentId")
    require_compartment(call.cloud, compartment)
    return [
        metric
        for metric in call.cloud.store.live(_METRIC)
        if metric.data["compartmentId"] == compartment
    ]


def _aggregate(metric: Record, query: Query, start: float, end: float) -> list[dict[str, Any]]:
    buckets: dict[float, list[float]] = {}
    for at, value, count in metric.private["points"]:
        if start <= at <= end:
            bucket = at - at % query.seconds
            buckets.setdefault(bucket, []).extend([value] * count)
    return [
        {"timestamp": format_time(at), "value": query.statistic(values)}
        for at, values in sorted(buckets.items())
    ]


def _epoch(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
