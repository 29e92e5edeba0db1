"""Artifacts of a model's metadata: a file for an entry of its custom or defined metadata."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...resources import check_etag, get_live
from ...service import Call
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound
from ...wire.message import Response
from . import artifacts
from .base import METADATA_ARTIFACT, SERVICE
from .catalog import KIND

# The two lists of a model that have such entries, by the word in the SDK's operations.
_LISTS = {"custom": "customMetadataList", "defined": "definedMetadataList"}


def _create(call: Call, which: str) -> Response:
    """The entry must be in the model's list; its first artifact is created, not updated."""
    model, entry = _entry(call, which)
    response = artifacts.upload(call, _record(call, model, which))
    entry["hasArtifact"] = True
    return response


def _update(call: Call, which: str) -> Response:
    model, _ = _entry(call, which)
    record = _existing(call, model, which)
    artifacts.drop(call.cloud, record)
    return artifacts.upload(call, record)


def _delete(call: Call, which: str) -> Response:
    model, entry = _entry(call, which)
    record = _existing(call, model, which)
    artifacts.drop(call.cloud, record)
    call.cloud.store.drop(METADATA_ARTIFACT, record.id)
    entry["hasArtifact"] = False
    return Response(204)


def _head(call: Call, which: str) -> Response:
    return artifacts.head(_existing(call, _entry(call, which)[0], which))


def _content(call: Call, which: str) -> Response:
    return artifacts.content(call, _existing(call, _entry(call, which)[0], which))


def _entry(call: Call, which: str) -> tuple[Record, dict[str, Any]]:
    """The model of the path, and the entry of its metadata.

    :raises NotAuthorizedOrNotFound: the model's list has no such key.
    """
    model = get_live(call, KIND)
    key = call.path["metadatumKeyName"]
    for entry in model.data.get(_LISTS[which]) or []:
        if entry.get("key") == key:
            return model, entry
    raise NotAuthorizedOrNotFound(f"{_LISTS[which]} of model {model.id} has no key '{key}'")


def _record(call: Call, model: Record, which: str) -> Record:
    """What holds the artifact, made where there is none yet."""
    identifier = f"{model.id}/{which}/{call.path['metadatumKeyName']}"
    found = call.cloud.store.find(METADATA_ARTIFACT, identifier)
    if found is not None:
        return found
    data = {"modelId": model.id}
    return call.cloud.store.add(METADATA_ARTIFACT, identifier, data, history=True)


def _existing(call: Call, model: Record, which: str) -> Record:
    found = _record(call, model, which)
    artifact = found.private.get("artifact")
    if artifact is None:
        raise NotAuthorizedOrNotFound(f"{found.id} has no artifact")
    found.etag = artifact["etag"]
    check_etag(call, found)
    return found


for _which in _LISTS:
    _noun = f"model_{_which}_metadatum_artifact"
    SERVICE.operation(f"create_{_noun}")(partial(_create, which=_which))
    SERVICE.operation(f"update_{_noun}")(partial(_update, which=_which))
    SERVICE.operation(f"delete_{_noun}")(partial(_delete, which=_which))
    SERVICE.operation(f"head_{_noun}")(partial(_head, which=_which))
    SERVICE.operation(f"get_{_noun}_content")(partial(_content, which=_which))
