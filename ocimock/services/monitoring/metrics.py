"""Metrics: posting, listing and summarising them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...clock import format_time
from ...cloud import Cloud
from ...resources import page, require_compartment, subtree
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, ServiceError
from ...wire.message import Response
from .base import SERVICE
from .query import Query, parse, seconds

_METRIC = "metric"
# Points that a metric keeps, so that a mock that runs for days does not grow.
_KEPT_POINTS = 10_000
# Seconds. Source: OCI's API reference, SummarizeMetricsDataDetails: the last three hours.
_USUAL_WINDOW = 3 * 3600.0

Point = tuple[float, float]


@dataclass
class Series:
    """What a query makes of one or more metrics: a value for each interval that has some."""

    dimensions: dict[str, str]
    metrics: list[Record] = field(default_factory=list)

    def points(
        self, query: Query, start: float, end: float, *, step: float | None = None
    ) -> Iterator[Point]:
        """Time and value of each interval between *start* and *end* (seconds), oldest first.

        *step*: how far apart the intervals begin, by default as long as they are.
        """
        step = step or query.seconds
        kept = sorted(
            (at, value, count)
            for metric in self.metrics
            for at, value, count in metric.private["points"]
            if start <= at <= end
        )
        buckets: dict[float, list[float]] = {}
        for at, value, count in kept:
            begin = at - at % step
            while begin > at - query.seconds:
                buckets.setdefault(begin, []).extend([value] * count)
                begin -= step
        for at, values in sorted(buckets.items()):
            yield at, query.statistic(values)


def series(
    cloud: Cloud, query: Query, namespace: str, resource_group: str | None, within: set[str]
) -> list[Series]:
    """What *query* asks for among the metrics of the compartments *within*."""
    found: dict[tuple[tuple[str, str], ...], Series] = {}
    for metric in cloud.store.live(_METRIC):
        data = metric.data
        if (
            data["compartmentId"] not in within
            or data["name"] != query.name
            or data["namespace"] != namespace
            or resource_group not in (None, data.get("resourceGroup"))
            or not query.wants(data["dimensions"])
        ):
            continue
        kept: dict[str, str] = data["dimensions"]
        if query.group_by is not None:
            kept = {name: kept[name] for name in query.group_by if name in kept}
        key = tuple(sorted(kept.items()))
        found.setdefault(key, Series(kept)).metrics.append(metric)
    return list(found.values())


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
    shown = _shown_fields(body.get("groupBy") or [])
    within = compartments(call)
    found: list[dict[str, Any]] = []
    for metric in call.cloud.store.live(_METRIC):
        if (
            metric.data["compartmentId"] in within
            and all(value in (None, metric.data.get(name)) for name, value in wanted.items())
            and dimensions.items() <= metric.data["dimensions"].items()
        ):
            item = shown(metric.data)
            if item not in found:
                found.append(item)
    by = "name" if body.get("sortBy") == "NAME" else "namespace"
    found.sort(key=lambda item: str(item.get(by)), reverse=body.get("sortOrder") == "DESC")
    return page(call, found, collection=False)


@SERVICE.operation("summarize_metrics_data")
def _summarize(call: Call) -> Response:
    body = call.body()
    query = parse(body["query"])
    step = seconds(body["resolution"], "resolution") if body.get("resolution") else None
    now = call.cloud.clock.now()
    end = epoch(body["endTime"]) if "endTime" in body else now
    start = epoch(body["startTime"]) if "startTime" in body else end - _USUAL_WINDOW
    if end <= start:
        raise InvalidParameter("endTime must be later than startTime")
    compartment, group = call.query("compartmentId"), body.get("resourceGroup")
    answer = []
    for found in series(call.cloud, query, body["namespace"], group, compartments(call)):
        points = [
            {"timestamp": format_time(at), "value": value}
            for at, value in found.points(query, start, end, step=step)
            if query.breaches is None or query.breaches(value)
        ]
        answer.append(
            {
                "namespace": body["namespace"],
                "resourceGroup": found.metrics[0].data.get("resourceGroup"),
                "compartmentId": compartment,
                "name": query.name,
                "dimensions": found.dimensions,
                "metadata": found.metrics[0].data.get("metadata"),
                "resolution": body.get("resolution") or query.interval,
                "aggregatedDatapoints": points,
            }
        )
    return Response.of_json(answer)


def compartments(call: Call) -> set[str]:
    """Those that the query asks for: one, or with all below it."""
    compartment = call.query("compartmentId") or ""
    require_compartment(call.cloud, compartment)
    if call.query("compartmentIdInSubtree") == "true":
        return subtree(call.cloud, compartment)
    return {compartment}


def epoch(text: str) -> float:
    """A time of RFC 3339 as seconds since the epoch; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shown_fields(group_by: list[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What a list shows of a metric: all, or only the fields and dimensions to group by."""
    fields = ("name", "namespace", "resourceGroup", "compartmentId")
    if not group_by:
        return lambda data: {name: data.get(name) for name in (*fields, "dimensions")}

    def grouped(data: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = {name: data.get(name) for name in fields if name in group_by}
        kept = {name: text for name, text in data["dimensions"].items() if name in group_by}
        return {**item, "dimensions": kept, "compartmentId": data["compartmentId"]}

    return grouped


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
        [epoch(point["timestamp"]), float(point["value"]), int(point.get("count", 1))]
        for point in given["datapoints"]
    ]
    del points[:-_KEPT_POINTS]
