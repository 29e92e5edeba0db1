"""Retention and backup of models: archived and deleted after so many days, restored for hours.

Days are the calendar's: no pace shortens them, a test lets them pass by ``advance``.
"""

from __future__ import annotations

from ...clock import format_time
from ...cloud import Cloud, event
from ...places import regions
from ...resources import bury, check_etag, get_live
from ...service import Call
from ...store import Record
from ...wire.errors import IncorrectState, InvalidParameter
from ...wire.message import Response
from . import work_requests
from .base import MODEL, SERVICE
from .catalog import KIND, delete_artifacts, deployments_of, groups_of

_DAY = 86400.0
_HOUR = 3600.0
# How long a restoration and a backup take at real pace, in seconds.
_SECONDS = 1.0
# Hours. As Object Storage restores archived objects where the client names no time.
_USUAL_HOURS = 24


def settle_retention(call: Call, record: Record) -> None:
    """Check and put on the clock what a model's settings ask for.

    :raises InvalidParameter: a number of days is less than one, or the region is unknown.
    """
    _settle_retention(call, record)
    _settle_backup(call, record)


@SERVICE.operation("restore_archived_model_artifact")
def _restore(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    if not record.private.get("archived"):
        raise IncorrectState(f"the artifact of {record.id} is not archived")
    hours = call.int_query("restoreModelForHoursSpecified", _USUAL_HOURS)
    work = work_requests.start(
        call, "RESTORE_ARCHIVED_MODEL", record, entity="model", seconds=_SECONDS, hours=hours
    )
    return Response(202, {"opc-work-request-id": work})


@work_requests.at_end("RESTORE_ARCHIVED_MODEL")
def _end_restore(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        record.private["archived"] = False
        back = cloud.clock.now() + work.private["hours"] * _HOUR
        cloud.clock.schedule_at(back, "datascience.model.archive", f"{record.id}/again")


def _settle_retention(call: Call, record: Record) -> None:
    setting = record.data.get("retentionSetting")
    if not setting or setting == record.private.get("retention"):
        return
    archive, delete = setting["archiveAfterDays"], setting.get("deleteAfterDays")
    for name, days in (("archiveAfterDays", archive), ("deleteAfterDays", delete)):
        if days is not None and days < 1:
            raise InvalidParameter(f"retentionSetting.{name}: {days} is less than 1")
    clock = call.cloud.clock
    at = clock.now() + archive * _DAY
    details = {"archiveState": "PENDING", "timeArchivalScheduled": format_time(at)}
    clock.schedule_at(at, "datascience.model.archive", f"{record.id}/{format_time(at)}")
    if delete is not None:
        gone = at + delete * _DAY
        details |= {"deleteState": "PENDING", "timeDeletionScheduled": format_time(gone)}
        clock.schedule_at(gone, "datascience.model.delete", f"{record.id}/{format_time(gone)}")
    record.private["retention"] = dict(setting)
    record.data["retentionOperationDetails"] = details


def _settle_backup(call: Call, record: Record) -> None:
    setting = record.data.get("backupSetting")
    if not setting or setting == record.private.get("backup"):
        return
    region = setting["backupRegion"]
    if region not in [name for _, name in regions()]:
        raise InvalidParameter(f"backupSetting.backupRegion: '{region}' is no region")
    record.private["backup"] = dict(setting)
    if setting["isBackupEnabled"]:
        record.data["backupOperationDetails"] = {"backupState": "PENDING"}
        call.cloud.clock.schedule(_SECONDS, "datascience.model.backup", record.id)
    else:
        record.data.pop("backupOperationDetails", None)


@event("datascience.model.archive")
def _archive(cloud: Cloud, subject: str) -> None:
    record = _planned(cloud, subject, "timeArchivalScheduled")
    if record is not None:
        record.private["archived"] = True
        record.data["retentionOperationDetails"]["archiveState"] = "SUCCEEDED"


@event("datascience.model.delete")
def _delete(cloud: Cloud, subject: str) -> None:
    record = _planned(cloud, subject, "timeDeletionScheduled")
    if record is None:
        return
    details = record.data["retentionOperationDetails"]
    if used_by := [*deployments_of(cloud, record), *groups_of(cloud, record)]:
        details["deleteState"] = "FAILED"
        details["deleteStateDetails"] = f"The model is in use by {used_by[0].id}."
        return
    details["deleteState"] = "SUCCEEDED"
    delete_artifacts(cloud, record)
    bury(cloud, KIND, record)


@event("datascience.model.backup")
def _back_up(cloud: Cloud, identifier: str) -> None:
    record = cloud.store.find(MODEL, identifier)
    if record is not None and "backupOperationDetails" in record.data:
        now = cloud.clock.timestamp()
        done = {"backupState": "SUCCEEDED", "timeLastBackup": now}
        record.data["backupOperationDetails"] = done


def _planned(cloud: Cloud, subject: str, field: str) -> Record | None:
    """The model that an event is for, unless it is gone or its settings changed since."""
    identifier, when = subject.split("/")
    record = cloud.store.find(MODEL, identifier)
    if record is None or record.deleted:
        return None
    planned = record.data.get("retentionOperationDetails", {}).get(field)
    return record if when in ("again", planned) else None
