"""The lines of a log. Other services write theirs through :func:`append`."""

from __future__ import annotations

from typing import Any

from ...clock import format_time
from ...cloud import Cloud
from ...store import Record

LOG = "log"
LOG_GROUP = "loggroup"

# CloudEvents type of lines that come from no service of OCI's own.
CUSTOM_TYPE = "com.oraclecloud.logging.custom"

# A log keeps its newest lines only, so that a mock that runs for days does not grow.
KEPT_LINES = 20_000


def append(
    cloud: Cloud,
    log_id: str,
    source: str,
    message: str,
    *,
    type: str = CUSTOM_TYPE,
    subject: str = "",
    at: float | None = None,
) -> None:
    """Write one line into the log *log_id*, as *source* (the OCID of a job run, say).

    *at* is the line's time in seconds since the epoch, now by default. Lines to a log that is not
    there (any more) or is disabled are lost, as in OCI.
    """
    write(cloud, log_id, source, {"message": message}, type=type, subject=subject, at=at)


def write(
    cloud: Cloud,
    log_id: str,
    source: str,
    data: dict[str, Any],
    *,
    type: str,
    subject: str = "",
    at: float | None = None,
    identifier: str | None = None,
) -> None:
    """Like :func:`append`, for a line that is any JSON object."""
    log = cloud.store.find(LOG, log_id)
    if log is None or log.deleted or not log.data.get("isEnabled", True):
        return
    now = cloud.clock.now()
    lines = log.private.setdefault("lines", [])
    moment = int((now if at is None else at) * 1000)
    if at is None and lines:
        # Clients sort by time: lines of one millisecond would lose their order.
        moment = max(moment, lines[-1]["datetime"] + 1)
    entry = {
        # In this order OCI shows them: an envelope of CloudEvents around the line's data.
        "data": data,
        "id": identifier or cloud.ids.uuid(),
        "oracle": {
            "compartmentid": log.data["compartmentId"],
            "ingestedtime": format_time(now),
            "loggroupid": log.data["logGroupId"],
            "logid": log.id,
            "tenantid": cloud.settings.tenancy_id,
        },
        "source": source,
        "specversion": "1.0",
        "subject": subject,
        "time": format_time(moment / 1000),
        "type": type,
    }
    lines.append({"datetime": moment, "logContent": entry})
    del lines[:-KEPT_LINES]


def lines(log: Record) -> list[dict[str, Any]]:
    """The lines of *log* as log search returns them, in the order in which they came."""
    found: list[dict[str, Any]] = log.private.get("lines", [])
    return found
