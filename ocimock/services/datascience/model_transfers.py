"""Model artifacts by way of Object Storage: large ones in and out, and references."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ... import acts
from ...acts import Act
from ...cloud import Cloud
from ...resources import check_etag, get_live
from ...service import Call
from ...store import Record
from ...wire.body import Body
from ...wire.errors import IncorrectState, NotAuthorizedOrNotFound
from ...wire.message import Response
from ..objectstorage import versions
from ..objectstorage.acts import on_bucket
from ..objectstorage.acts import service as object_storage
from ..objectstorage.base import BUCKET, bucket_key
from . import artifacts, work_requests
from .acting import read_objects, service
from .base import SERVICE
from .catalog import KIND, readable
from .models import REFERENCE_TYPE

# How long a transfer takes at real pace, in seconds.
_SECONDS = 1.0
_ENTITY = "model"
# What a transfer does to the bucket, by direction.
_READ = ("get_object",)
_WRITE = ("put_object",)


@SERVICE.operation("export_model_artifact")
def _export(call: Call) -> Response:
    """From Object Storage into the catalog (the API's name for this is export)."""
    record = get_live(call, KIND)
    check_etag(call, record)
    if "artifact" in record.private:
        raise IncorrectState(f"{record.id} has its artifact already; it can't be changed")
    return _start(call, "EXPORT_MODEL_ARTIFACT", record, call.body()["artifactExportDetails"])


@SERVICE.operation("import_model_artifact")
def _import(call: Call) -> Response:
    """From the catalog into Object Storage (the API's name for this is import)."""
    record = get_live(call, KIND)
    check_etag(call, record)
    if "artifact" not in record.private:
        raise NotAuthorizedOrNotFound(f"{record.id} has no artifact")
    return _start(call, "IMPORT_MODEL_ARTIFACT", record, call.body()["artifactImportDetails"])


@SERVICE.operation("register_model_artifact_reference")
def _register(call: Call) -> Response:
    record = get_live(call, KIND)
    check_etag(call, record)
    if "artifact" in record.private:
        raise IncorrectState(f"{record.id} has its artifact already; it can't be changed")
    references = call.body()["modelArtifactReferences"]
    for reference in references:
        _bucket(call.cloud, call.region, reference["namespace"], reference["bucketName"])
    return _start(call, "REGISTER_MODEL_ARTIFACT", record, {"references": references})


def _start(call: Call, operation: str, record: Record, details: dict[str, Any]) -> Response:
    work = work_requests.start(
        call,
        operation,
        record,
        entity=_ENTITY,
        seconds=_SECONDS,
        details=details,
        region=call.region,
    )
    return Response(202, {"opc-work-request-id": work})


@work_requests.at_end("EXPORT_MODEL_ARTIFACT")
def _end_export(cloud: Cloud, work: Record) -> None:
    details = work.private["details"]
    region = details.get("sourceRegion") or work.private["region"]
    path = str(details["sourceObjectName"])
    acts.require(cloud, region, _transfer(cloud, region, details["sourceBucket"], path, _READ))
    bucket = _bucket(cloud, region, details["namespace"], details["sourceBucket"])
    source = versions.find(cloud, bucket, details["sourceObjectName"])
    name = str(details["sourceObjectName"]).rsplit("/", 1)[-1]
    artifacts.keep(cloud, _model(cloud, work), cloud.blobs.get(source.private["blob"]), name)


@work_requests.at_end("IMPORT_MODEL_ARTIFACT")
def _end_import(cloud: Cloud, work: Record) -> None:
    details = work.private["details"]
    region = details.get("destinationRegion") or work.private["region"]
    path = str(details["destinationObjectName"])
    wanted = _transfer(cloud, region, details["destinationBucket"], path, _WRITE)
    acts.require(cloud, region, wanted)
    bucket = _bucket(cloud, region, details["namespace"], details["destinationBucket"])
    body = cloud.blobs.get(readable(_model(cloud, work)).private["artifact"]["blob"])
    headers = {"content-type": "application/octet-stream"}
    content = versions.Content(body, headers=headers)
    versions.write(cloud, bucket, details["destinationObjectName"], content)


@work_requests.at_end("REGISTER_MODEL_ARTIFACT")
def _end_register(cloud: Cloud, work: Record) -> None:
    """Write down which objects the references name now, as ADS's own description does."""
    described = []
    given = work.private["details"]["references"]
    region = work.private["region"]
    acts.require(cloud, region, read_objects(cloud, service(), region, given))
    for reference in given:
        region, prefix = work.private["region"], reference.get("prefix") or ""
        bucket = _bucket(cloud, region, reference["namespace"], reference["bucketName"])
        found = [
            version
            for name in versions.names(cloud, bucket)
            if name.startswith(prefix) and (version := versions.latest(cloud, bucket, name))
        ]
        if not found:
            raise NotAuthorizedOrNotFound(
                f"bucket '{reference['bucketName']}' has no object under '{prefix}'"
            )
        objects = [
            {
                "name": version.data["name"],
                "version": version.id,
                "sizeInBytes": version.data["size"],
            }
            for version in found
        ]
        described.append(
            {
                "namespace": reference["namespace"],
                "bucketName": reference["bucketName"],
                "prefix": prefix,
                "objects": objects,
            }
        )
    model = _model(cloud, work)
    content = {"version": "1.0", "type": REFERENCE_TYPE, "models": described}
    artifacts.keep(cloud, model, Body.of(json.dumps(content).encode()), "model_description.json")
    model.data["isModelByReference"] = True


def _transfer(
    cloud: Cloud, region: str, bucket: str, path: str, operations: tuple[str, ...]
) -> Iterator[Act]:
    """Both services take part: Data Science asks, Object Storage copies.

    Source: OCI documentation, "Large Model Artifacts".
    """
    for who in (service(), object_storage(region)):
        for operation in operations:
            purpose = f"{operation.replace('_', ' ')} '{path}' in bucket '{bucket}' as {who.id}"
            yield on_bucket(cloud, who, region, bucket, operation, purpose, path)


def _model(cloud: Cloud, work: Record) -> Record:
    found = work_requests.subject(cloud, work)
    if found is None:
        raise NotAuthorizedOrNotFound(f"model {work.private['subject']} is gone")
    return found


def _bucket(cloud: Cloud, region: str, namespace: str, name: str) -> Record:
    found = cloud.store.find(BUCKET, bucket_key(region, name))
    if found is None or namespace != cloud.settings.namespace:
        raise NotAuthorizedOrNotFound(
            f"bucket '{name}' in namespace '{namespace}' does not exist in {region}"
        )
    return found
