"""Pre-authenticated requests: links that read or write without credentials until they expire.

A link does what its creator may do. Source: OCI documentation, "Object Storage Pre-Authenticated
Requests".
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from ...acts import refusal
from ...iam.principals import Principal
from ...resources import page
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, MissingParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from .acts import on_bucket
from .base import SERVICE, find_bucket
from .objects import get_object, head_object, put_object

REQUEST = "preauthenticatedrequest"
_SECRET_FIELDS = ("accessUri", "fullPath")


@SERVICE.operation("create_preauthenticated_request")
def _create(call: Call) -> Response:
    bucket = find_bucket(call)
    body = call.body()
    on_any = body["accessType"].startswith("Any")
    if not on_any and not body.get("objectName"):
        raise MissingParameter(f"objectName is required for accessType {body['accessType']}")
    if _seconds(body["timeExpires"]) <= call.cloud.clock.now():
        raise InvalidParameter(f"timeExpires {body['timeExpires']} has passed already")
    identifier, token = call.cloud.ids.token(44), call.cloud.ids.token(64)
    path = f"/p/{token}/n/{bucket.data['namespace']}/b/{bucket.data['name']}/o/"
    uri = path + ("" if on_any else body["objectName"])
    data = {
        "bucketListingAction": "Deny",
        **body,
        "id": identifier,
        "accessUri": uri,
        "fullPath": f"https://{call.request.host}{uri}",
        "timeCreated": call.cloud.clock.timestamp(),
    }
    private = {"bucket": bucket.id, "token": token, "creator": asdict(call.principal)}
    call.cloud.store.add(REQUEST, identifier, data, private=private)
    return Response.of_json(data)


@SERVICE.operation("list_preauthenticated_requests")
def _list(call: Call) -> Response:
    bucket = find_bucket(call)
    prefix = call.query("objectNamePrefix") or ""
    found = [
        _summary(request)
        for request in call.cloud.store.live(REQUEST)
        if request.private["bucket"] == bucket.id
        and str(request.data.get("objectName") or "").startswith(prefix)
    ]
    return page(call, found, collection=False)


@SERVICE.operation("get_preauthenticated_request")
def _get(call: Call) -> Response:
    return Response.of_json(_summary(_find(call)))


@SERVICE.operation("delete_preauthenticated_request")
def _delete(call: Call) -> Response:
    call.cloud.store.drop(REQUEST, _find(call).id)
    return Response(204)


_LINK = "/p/{token}/n/{namespaceName}/b/{bucketName}/o/{objectName}"


@SERVICE.extra_operation("get_by_link", "GET", _LINK)
def _get_by_link(call: Call) -> Response:
    _check_link(call, "Read", "get_object")
    return get_object(call)


@SERVICE.extra_operation("head_by_link", "HEAD", _LINK)
def _head_by_link(call: Call) -> Response:
    _check_link(call, "Read", "head_object")
    return head_object(call)


@SERVICE.extra_operation("put_by_link", "PUT", _LINK)
def _put_by_link(call: Call) -> Response:
    _check_link(call, "Write", "put_object")
    return put_object(call)


def _check_link(call: Call, action: str, operation: str) -> None:
    """:raises NotAuthorizedOrNotFound: no such link, expired, or not for this action or object.

    Or its creator may not do that *operation* itself, or not any more.
    """
    bucket = find_bucket(call)
    for request in call.cloud.store.live(REQUEST):
        if request.private["token"] != call.path["token"]:
            continue
        name = request.data.get("objectName") or ""
        any_of = request.data["accessType"].startswith("Any")
        wanted = call.path["objectName"]
        fits = wanted.startswith(name) if any_of else wanted == name
        alive = _seconds(request.data["timeExpires"]) > call.cloud.clock.now()
        if (
            fits
            and alive
            and action in request.data["accessType"]
            and request.private["bucket"] == bucket.id
            and _creator_may(call, request, operation)
        ):
            return
    raise NotAuthorizedOrNotFound("this pre-authenticated request does not exist or has expired")


def _creator_may(call: Call, request: Record, operation: str) -> bool:
    bucket, name = call.path["bucketName"], call.path["objectName"]
    who = Principal(**request.private["creator"])
    act = on_bucket(call.cloud, who, call.region, bucket, operation, "follow a link", name)
    return refusal(call.cloud, call.region, [act]) is None


def _find(call: Call) -> Record:
    bucket = find_bucket(call)
    found = call.cloud.store.find(REQUEST, call.path["parId"])
    if found is None or found.private["bucket"] != bucket.id:
        raise NotAuthorizedOrNotFound(f"no pre-authenticated request {call.path['parId']}")
    return found


def _summary(request: Record) -> dict[str, object]:
    return {wire: value for wire, value in request.data.items() if wire not in _SECRET_FIELDS}


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
