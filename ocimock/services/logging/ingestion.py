"""put_logs: lines that clients write themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ...resources import require
from ...service import Call
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from .base import SERVICE
from .records import LOG, write


@SERVICE.operation("put_logs")
def _put_logs(call: Call) -> Response:
    log = require(call.cloud, LOG, call.path["logId"])
    if log.data["logType"] != "CUSTOM":
        raise InvalidParameter(f"log {log.id} is a service log; only custom logs take lines")
    for batch in call.body()["logEntryBatches"]:
        for entry in batch["entries"]:
            write(
                call.cloud,
                log.id,
                batch["source"],
                _content(entry["data"]),
                type=batch["type"],
                subject=batch.get("subject", ""),
                at=epoch(entry.get("time", batch["defaultlogentrytime"])),
                identifier=entry["id"],
            )
    return Response.of_json({})


def epoch(text: str) -> float:
    """A time of RFC 3339 as seconds since the epoch; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _content(text: str) -> dict[str, Any]:
    """A JSON object as it is, any other text as the message."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"message": text}
    return value if isinstance(value, dict) else {"message": text}
