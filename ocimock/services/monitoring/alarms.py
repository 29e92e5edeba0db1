"""Alarms. Their state is worked out from the metrics whenever somebody asks; no message is sent,
so the topics that they name need not exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...clock import format_time
from ...cloud import Cloud
from ...resources import Kind, Lifecycle, crud, get_live, listed, page, subtree
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotImplementedByMock
from ...wire.message import Response
from .base import SERVICE
from .metrics import compartments, epoch, series
from .query import parse

KIND = Kind(
    name="alarm",
    model="Alarm",
    path_id="alarmId",
    noun="alarm",
    plural="alarms",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
    defaults=(
        ("pendingDuration", "PT1M"),
        ("resolution", "1m"),
        ("messageFormat", "RAW"),
        ("isNotificationsPerMetricDimensionEnabled", False),
        ("metricCompartmentIdInSubtree", False),
        ("ruleName", "BASE"),
    ),
)
_DURATION = re.compile(r"PT?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?")
# Seconds. How far back a state is looked for. Source: OCI keeps alarm history for 90 days.
_LOOK_BACK = 90 * 86400.0
_FIRING, _OK, _SUSPENDED = "FIRING", "OK", "SUSPENDED"

# When an alarm went into a state, and into which one.
Transition = tuple[float, str]


@SERVICE.operation("list_alarms_status")
def _statuses(call: Call) -> Response:
    for name in ("resourceId", "serviceName", "entityId"):
        if call.query(name):
            raise NotImplementedByMock(f"ocimock does not filter states of alarms by {name}")
    wanted, within = call.query("displayName"), compartments(call)
    alarms = [
        alarm
        for alarm in call.cloud.store.live(KIND.name)
        if alarm.data["compartmentId"] in within
        and alarm.data["isEnabled"]
        and wanted in (None, alarm.data["displayName"])
    ]
    states = {alarm.id: _state(call.cloud, alarm) for alarm in alarms}
    status = call.query("status")

    def view(alarm: Record) -> dict[str, Any]:
        at, state = states[alarm.id]
        shown = {"timestampTriggered": format_time(at), "status": state}
        return {"alarmSummary": "", **alarm.data, **shown}

    found = [alarm for alarm in alarms if status in (None, states[alarm.id][1])]
    return listed(call, found, view=view, usual="severity")


@SERVICE.operation("get_alarm_history")
def _history(call: Call) -> Response:
    """When the alarm began and ceased to fire, newest first."""
    alarm = get_live(call, KIND)
    kind = call.query("alarmHistorytype") or "STATE_TRANSITION_HISTORY"
    if kind != "STATE_TRANSITION_HISTORY":
        raise NotImplementedByMock(f"ocimock keeps no {kind} of alarms")
    since, until = call.query("timestampGreaterThanOrEqualTo"), call.query("timestampLessThan")
    entries = [
        {
            "summary": f"State transitioned to {state}",
            "alarmSummary": alarm.data.get("alarmSummary", ""),
            "timestamp": format_time(at),
            "timestampTriggered": format_time(at),
        }
        for at, state in reversed(list(_transitions(call.cloud, alarm)))
        if (since is None or at >= epoch(since)) and (until is None or at < epoch(until))
    ]
    paged = page(call, entries, collection=True)
    shown = json.loads(bytes(paged.body))["items"]
    answer = {"alarmId": alarm.id, "isEnabled": alarm.data["isEnabled"], "entries": shown}
    return replace(paged, body=Response.of_json(answer).body)


def _check(call: Call, alarm: Record) -> None:
    """:raises InvalidParameter: a query without a condition, or a duration that is none."""
    data = alarm.data
    if parse(data["query"]).breaches is None:
        raise InvalidParameter("query: an alarm's query ends in a comparison, such as > 80")
    if not 60 <= _seconds(data["pendingDuration"], "pendingDuration") <= 3600:
        raise InvalidParameter("pendingDuration must be from PT1M to PT1H")
    if data.get("repeatNotificationDuration"):
        _seconds(data["repeatNotificationDuration"], "repeatNotificationDuration")
    if not data["destinations"]:
        raise InvalidParameter("destinations must name at least one topic or stream")
    if data.get("overrides"):
        raise NotImplementedByMock("ocimock has no overrides of alarms")
    subtree(call.cloud, data["metricCompartmentId"])


def _state(cloud: Cloud, alarm: Record) -> Transition:
    """The alarm's state now, and since when it is in it."""
    now = cloud.clock.now()
    suppression = alarm.data.get("suppression")
    if suppression:
        since, until = (epoch(suppression[f"timeSuppress{end}"]) for end in ("From", "Until"))
        if since <= now < until:
            return since, _SUSPENDED
    latest = (epoch(alarm.data["timeCreated"]), _OK)
    for latest in _transitions(cloud, alarm):  # noqa: B007 - the last one is wanted
        pass
    return latest


def _transitions(cloud: Cloud, alarm: Record) -> Iterator[Transition]:
    """When the alarm's condition had held for its pending duration, and when it did no more.

    An interval without values ends a breach, as in OCI, whose alarms go back to OK without data.
    """
    data = alarm.data
    query = parse(data["query"])
    assert query.breaches is not None
    within = {data["metricCompartmentId"]}
    if data["metricCompartmentIdInSubtree"]:
        within = subtree(cloud, data["metricCompartmentId"])
    now = cloud.clock.now()
    found = series(cloud, query, data["namespace"], data.get("resourceGroup"), within)
    breached = sorted(
        {
            at
            for one in found
            for at, value in one.points(query, now - _LOOK_BACK, now)
            if query.breaches(value)
        }
    )
    pending = _seconds(data["pendingDuration"], "pendingDuration")
    for begin, end in _runs(breached, query.seconds):
        if end - begin < pending:
            continue
        yield begin + pending, _FIRING
        if end + query.seconds <= now:
            yield end, _OK


def _runs(intervals: list[float], length: float) -> Iterator[tuple[float, float]]:
    """Begin and end of each run of intervals that follow one another without a gap."""
    begin: float | None = None
    end = 0.0
    for at in intervals:
        if begin is not None and at <= end:
            end = at + length
            continue
        if begin is not None:
            yield begin, end
        begin, end = at, at + length
    if begin is not None:
        yield begin, end


def _seconds(duration: str, where: str) -> int:
    """An ISO 8601 duration of days, hours and minutes in seconds.

    :raises InvalidParameter: it is none.
    """
    found = _DURATION.fullmatch(duration)
    parts = [int(part or 0) for part in found.groups()] if found else [0]
    if not any(parts):
        raise InvalidParameter(f"{where}: '{duration}' is not a duration such as PT5M")
    days, hours, minutes = parts
    return (days * 24 + hours) * 3600 + minutes * 60


crud(
    SERVICE,
    KIND,
    on_create=_check,
    on_update=_check,
    only=("create", "get", "list", "update", "move", "delete"),
)
