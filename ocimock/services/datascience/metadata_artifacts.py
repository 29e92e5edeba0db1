"""Artifacts of a model's metadata: a file for an entry of its custom or defined metadata."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...resources import check_etag, get_live
from ...service import Call
from ...store import Record
from ...wire.errors import IncorrectState, NotAuthorizedOrNotFound, ServiceError
from ...wire.message import Response
from . import artifacts
from .base import METADATA_ARTIFACT, SERVICE
from .catalog import KIND

# The two lists of a model that have such entries, by the word in the SDK's operations.
_LISTS = {"custom": "customMetadataList", "defined": "definedMetadataList"}


def _create(call: Call, which: str) -> Response:
    """The entry must be in the model's list; its first artifact is created, not updated."""
    model, entry = _entry(call, which)
    store, identifier = call.cloud.store, _identifier(call, model, which)
    if store.find(METADATA_ARTIFACT, identifier) is not None:
        raise IncorrectState(f"{identifier} has its artifact already; update it")
    record = store.add(METADATA_ARTIFACT, identifier, {"modelId": model.id}, history=True)
    try:
        response = _upload(call, record)
    except ServiceError:
        store.drop(METADATA_ARTIFACT, identifier)
        raise
    entry["hasArtifact"] = True
    return response


def _update(call: Call, which: str) -> Response:
    model, _ = _entry(call, which)
    record = _existing(call, model, which)
    artifacts.drop(call.cloud, record)
    return _upload(call, record)


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


def _existing(call: Call, model: Record, which: str) -> Record:
    """What holds the artifact of the path.

    :raises NotAuthorizedOrNotFound: there is none.
    :raises NoEtagMatch: see :func:`ocimock.resources.check_etag`.
    """
    found = call.cloud.store.find(METADATA_ARTIFACT, _identifier(call, model, which))
    if found is None:
        raise NotAuthorizedOrNotFound(f"{_identifier(call, model, which)} has no artifact")
    check_etag(call, found)
    return found


def _upload(call: Call, record: Record) -> Response:
    response = artifacts.upload(call, record)
    record.etag = record.private["artifact"]["etag"]
    return response


def _identifier(call: Call, model: Record, which: str) -> str:
    return f"{model.id}/{which}/{call.path['metadatumKeyName']}"


for _which in _LISTS:
    _noun = f"model_{_which}_metadatum_artifact"
    SERVICE.operation(f"create_{_noun}")(partial(_create, which=_which))
    SERVICE.operation(f"update_{_noun}")(partial(_update, which=_which))
    SERVICE.operation(f"delete_{_noun}")(partial(_delete, which=_which))
    SERVICE.operation(f"head_{_noun}")(partial(_head, which=_which))
    SERVICE.operation(f"get_{_noun}_content")(partial(_content, which=_which))
