"""Model version sets."""

from __future__ import annotations

from ...cloud import Cloud
from ...resources import Kind, Lifecycle, bury, check_etag, crud, get_live
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict
from ...wire.message import Response
from . import work_requests
from .base import MODEL, PROJECT, SERVICE, VERSION_SET
from .models import delete_model

# How long a deletion takes at real pace, in seconds.
_SECONDS = 1.0

KIND = Kind(
    name=VERSION_SET,
    model="ModelVersionSet",
    path_id="modelVersionSetId",
    noun="model_version_set",
    plural="model_version_sets",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETING", "DELETED"),
    parents=(("projectId", PROJECT),),
    unique=("compartmentId", "name"),
    defaults=(("category", "USER"),),
)


@SERVICE.operation("delete_model_version_set")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    models = [
        model
        for model in call.cloud.store.live_to_change(MODEL)
        if model.data.get("modelVersionSetId") == record.id
    ]
    if models and call.query("isDeleteRelatedModels") != "true":
        raise Conflict(
            f"model version set {record.id} has {len(models)} model(s), the first is "
            f"{models[0].id}; delete them first or set isDeleteRelatedModels"
        )
    for model in models:
        delete_model(call, model)
    record.data["lifecycleState"] = "DELETING"
    work = work_requests.start(
        call, "MODELVERSIONSET_DELETE", record, entity="modelversionset", seconds=_SECONDS
    )
    return Response(202, {"opc-work-request-id": work})


@work_requests.at_end("MODELVERSIONSET_DELETE")
def _end(cloud: Cloud, work: Record) -> None:
    if record := work_requests.subject(cloud, work):
        bury(cloud, KIND, record)


crud(SERVICE, KIND, only=("create", "get", "list", "update", "move"))
