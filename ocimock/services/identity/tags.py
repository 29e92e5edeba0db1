"""Tag namespaces and the tags (key definitions) in them."""

from __future__ import annotations

from ...resources import (
    Kind,
    Lifecycle,
    add,
    bury,
    change,
    check_etag,
    crud,
    get_live,
    list_,
    listed,
    require_compartment,
    show,
    subtree,
)
from ...service import Call
from ...store import Record
from ...tagging import NAMESPACE, TAG
from ...wire.errors import IncorrectState, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from ...work_requests import Touched, accept
from .base import SERVICE, TagDefinitionExists, TagNamespaceExists, at_home

NAMESPACE_KIND = Kind(
    name=NAMESPACE,
    model="TagNamespace",
    path_id="tagNamespaceId",
    noun="tag_namespace",
    plural="tag_namespaces",
    regional=False,
    lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
    # Unique in the tenancy, in whatever compartment.
    unique=("name",),
    defaults=(("isRetired", False),),
    duplicate=TagNamespaceExists,
)
TAG_KIND = Kind(
    name=TAG,
    model="Tag",
    path_id="tagName",
    noun="tag",
    plural="tags",
    regional=False,
    lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
    unique=("tagNamespaceId", "name"),
    defaults=(("isRetired", False), ("isCostTracking", False)),
    duplicate=TagDefinitionExists,
)


@SERVICE.operation("list_tag_namespaces")
def _list_namespaces(call: Call) -> Response:
    compartment = call.query("compartmentId") or ""
    require_compartment(call.cloud, compartment)
    deep = call.query("includeSubcompartments") == "true"
    within = subtree(call.cloud, compartment) if deep else {compartment}
    state = call.query("lifecycleState")
    found = [
        record
        for record in call.cloud.store.live(NAMESPACE)
        if record.data["compartmentId"] in within and state in (None, record.data["lifecycleState"])
    ]
    return listed(call, found)


@SERVICE.operation("update_tag_namespace")
@at_home
def _update_namespace(call: Call) -> Response:
    record = get_live(call, NAMESPACE_KIND)
    check_etag(call, record)
    _retire(call, NAMESPACE_KIND, record)
    for tag in _tags(call, record):
        # What is in a retired namespace is retired with it.
        if record.data["isRetired"]:
            tag.data |= {"isRetired": True, "lifecycleState": "INACTIVE"}
    return show(record)


@SERVICE.operation("delete_tag_namespace")
@at_home
def _delete_namespace(call: Call) -> Response:
    record = get_live(call, NAMESPACE_KIND)
    if tags := _tags(call, record):
        raise IncorrectState(f"tag namespace {record.id} has tags, the first is {tags[0].id}")
    _refuse_unretired(call, record)
    bury(call.cloud, NAMESPACE_KIND, record)
    return Response(204)


@SERVICE.operation("cascade_delete_tag_namespace")
@at_home
def _cascade(call: Call) -> Response:
    record = get_live(call, NAMESPACE_KIND)
    response = _delete(call, record, "DELETE_NON_EMPTY_TAG_NAMESPACE")
    for tag in _tags(call, record):
        bury(call.cloud, TAG_KIND, tag)
    return response


@SERVICE.operation("create_tag")
@at_home
def _create_tag(call: Call) -> Response:
    namespace = get_live(call, NAMESPACE_KIND)
    if namespace.data["isRetired"]:
        raise IncorrectState(f"tag namespace {namespace.id} is retired")
    body = call.body()
    _check_validator(body)
    fields = {
        "compartmentId": namespace.data["compartmentId"],
        "tagNamespaceId": namespace.id,
        "tagNamespaceName": namespace.data["name"],
    }
    return show(add(call, TAG_KIND, body, **fields))


@SERVICE.operation("get_tag")
def _get_tag(call: Call) -> Response:
    return show(_tag(call))


@SERVICE.operation("list_tags")
def _list_tags(call: Call) -> Response:
    return list_(call, TAG_KIND, within=_tags(call, get_live(call, NAMESPACE_KIND)))


@SERVICE.operation("list_cost_tracking_tags")
def _list_cost_tracking(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    return listed(call, [tag for tag in call.cloud.store.live(TAG) if tag.data["isCostTracking"]])


@SERVICE.operation("update_tag")
@at_home
def _update_tag(call: Call) -> Response:
    tag = _tag(call)
    check_etag(call, tag)
    _check_validator(call.body())
    _retire(call, TAG_KIND, tag)
    return show(tag)


@SERVICE.operation("delete_tag")
@at_home
def _delete_tag(call: Call) -> Response:
    return _delete(call, _tag(call), "DELETE_TAG_DEFINITION")


def _delete(call: Call, record: Record, operation: str) -> Response:
    _refuse_unretired(call, record)
    bury(call.cloud, TAG_KIND, record)
    touched = Touched("tag", "DELETED", record.id)
    return accept(call, operation, record.data["compartmentId"], touched)


def _refuse_unretired(call: Call, record: Record) -> None:
    """:raises IncorrectState: what is to be deleted is not retired yet."""
    check_etag(call, record)
    if not record.data["isRetired"]:
        raise IncorrectState(f"{record.id} must be retired before it is deleted")


def _retire(call: Call, kind: Kind, record: Record) -> None:
    """The update of a namespace or tag; a retired one is INACTIVE."""
    change(call, kind, record, call.body())
    record.data["lifecycleState"] = "INACTIVE" if record.data["isRetired"] else "ACTIVE"


def _tag(call: Call) -> Record:
    """The tag that the path names, in its namespace."""
    namespace = get_live(call, NAMESPACE_KIND)
    for tag in _tags(call, namespace):
        if tag.data["name"].lower() == call.path["tagName"].lower():
            return tag
    raise NotAuthorizedOrNotFound(f"tag namespace {namespace.id} has no {call.path['tagName']}")


def _tags(call: Call, namespace: Record) -> list[Record]:
    found = call.cloud.store.live_to_change(TAG)
    return [tag for tag in found if tag.data["tagNamespaceId"] == namespace.id]


def _check_validator(body: dict[str, object]) -> None:
    validator = body.get("validator")
    if isinstance(validator, dict) and validator["validatorType"] == "ENUM":
        values = validator.get("values") or []
        if not values or len(set(values)) < len(values):
            raise InvalidParameter("validator.values must hold at least one value, each once")


def _check_name(_call: Call, record: Record) -> None:
    if "." in record.data["name"] or " " in record.data["name"]:
        raise InvalidParameter(f"name: '{record.data['name']}' must have no periods or spaces")


crud(SERVICE, NAMESPACE_KIND, on_create=_check_name, only=("create", "get", "move"))
crud(SERVICE, TAG_KIND, only=())
for _name in ("create_tag_namespace", "change_tag_namespace_compartment"):
    SERVICE.handlers[_name] = at_home(SERVICE.handlers[_name])
