"""Create, get, list, update and delete, as nearly every OCI resource does them.

A service declares a :class:`Kind` and registers what is common with :func:`crud`; what is special
to a resource it writes as a hook or as an operation of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from .cloud import Cloud
from .finding import get as get
from .finding import get_live as get_live
from .finding import in_region as in_region
from .finding import place_of
from .finding import require as require
from .finding import require_compartment as require_compartment
from .finding import subtree as subtree
from .kinds import NETWORK_LIFECYCLE as NETWORK_LIFECYCLE
from .kinds import Hook as Hook
from .kinds import Kind as Kind
from .kinds import Lifecycle as Lifecycle
from .lifecycles import arrive, register
from .lifecycles import bury as bury
from .lifecycles import check_etag as check_etag
from .lifecycles import depart as depart
from .lifecycles import get_settled as get_settled
from .lifecycles import pass_update as pass_update
from .listing import View as View
from .listing import listed as listed
from .listing import page as page
from .listing import summaries as summaries
from .listing import whole as whole
from .service import Call, Service
from .store import Record
from .tagging import check_defined, with_defaults
from .wire import models
from .wire.errors import IncorrectState, NotImplementedByMock, ServiceError
from .wire.message import Response

# Query parameters of lists that choose order, page or depth, not resources.
_NO_FILTERS = frozenset(
    {"limit", "page", "sortBy", "sortOrder", "compartmentIdInSubtree", "isCompartmentIdInSubtree"}
)


def crud(
    service: Service,
    kind: Kind,
    *,
    on_create: Hook | None = None,
    on_update: Hook | None = None,
    on_delete: Hook | None = None,
    only: Iterable[str] = ("create", "get", "list", "update", "delete"),
) -> Kind:
    """Register the common operations of *kind* and return it.

    *only* names them; ``move`` (changeCompartment) is on request. A hook runs after the change is
    written and may refuse it with a ServiceError: then the resource stays as it was.
    """
    register(kind)
    wanted = set(only)
    if "create" in wanted:
        service.operation(f"create_{kind.noun}")(lambda call: create(call, kind, on_create))
    if "get" in wanted:
        service.operation(f"get_{kind.noun}")(lambda call: show(get(call, kind)))
    if "list" in wanted:
        service.operation(f"list_{kind.plural}")(lambda call: list_(call, kind))
    if "update" in wanted:
        service.operation(f"update_{kind.noun}")(lambda call: update(call, kind, on_update))
    if "move" in wanted:
        service.operation(f"change_{kind.noun}_compartment")(lambda call: move(call, kind))
    if "delete" in wanted:
        service.operation(f"delete_{kind.noun}")(lambda call: delete(call, kind, on_delete))
    return kind


def create(call: Call, kind: Kind, hook: Hook | None = None, **extra: Any) -> Response:
    """The create operation: check, add, answer the resource in its first state."""
    return show(add(call, kind, call.body(), hook, **extra))


def add(
    call: Call, kind: Kind, body: dict[str, Any], hook: Hook | None = None, **extra: Any
) -> Record:
    """Add a resource with the fields of *body* that its model has, and those of *extra*."""
    cloud = call.cloud
    spec = models.model(call.operation.models, kind.model).subtype(body)
    require_compartment(cloud, body.get("compartmentId"))
    for wire, parent in kind.parents:
        if body.get(wire) is not None:
            _refuse_departing(require(cloud, parent, body[wire]))
    data = {wire: copy.deepcopy(value) for wire, value in body.items() if wire in spec.fields}
    for wire, value in kind.defaults:
        data.setdefault(wire, copy.deepcopy(value))
    now = cloud.clock.timestamp()
    identifier = cloud.ids.new(kind.name, call.region if kind.regional else None)
    common = {
        "id": identifier,
        "lifecycleState": kind.lifecycle.creating,
        "timeCreated": now,
        "timeUpdated": now,
        "createdBy": call.principal.id or cloud.settings.user_id,
        "freeformTags": {},
        "definedTags": {},
        "systemTags": {},
    }
    for wire, value in common.items():
        if wire in spec.fields:
            data.setdefault(wire, value)
    if "displayName" in spec.fields and not data.get("displayName"):
        data["displayName"] = f"{kind.noun}{now.replace('-', '').replace(':', '')[:15]}"
    if "definedTags" in spec.fields:
        check_defined(cloud, data["definedTags"])
        where = body.get("compartmentId")
        data["definedTags"] = with_defaults(cloud, where, call.principal.id, data["definedTags"])
    data.update(extra)
    refuse_duplicate(cloud, kind, data)
    record = cloud.store.add(kind.name, identifier, data, etag=cloud.ids.token(16))
    if hook is not None:
        try:
            hook(call, record)
        except ServiceError:
            cloud.store.drop(kind.name, identifier)
            raise
    arrive(cloud, kind, record)
    return record


def _refuse_departing(parent: Record) -> None:
    """:raises IncorrectState: what a new resource is to stand in is being deleted."""
    state = parent.data.get("lifecycleState")
    if state in ("DELETING", "TERMINATING"):
        raise IncorrectState(f"{parent.kind} {parent.id} is {state}")


def refuse_duplicate(cloud: Cloud, kind: Kind, data: dict[str, Any]) -> None:
    """:raises AlreadyExists: another live resource shares all of the kind's unique fields."""
    if not kind.unique:
        return
    first, *others = kind.unique
    for other in cloud.store.having(kind.name, first, data.get(first)):
        if other.id == data["id"]:
            continue
        if kind.regional and place_of(other.id) != place_of(data["id"]):
            continue
        if all(other.data.get(wire) == data.get(wire) for wire in others):
            named = ", ".join(f"{wire} '{data.get(wire)}'" for wire in kind.unique)
            raise kind.duplicate(f"a {kind.noun} with {named} exists already: {other.id}")


def list_(
    call: Call,
    kind: Kind,
    *,
    within: Iterable[Record] | None = None,
    view: View = whole,
    names: Mapping[str, str] | None = None,
) -> Response:
    """The list operation: filters by every query parameter that is a field, sorts and pages.

    :param within: what to choose from, if not all live resources of the kind.
    :param view: a record's fields for filters and order, where they are not those of its data.
    :param names: fields that go by another name in the query, such as ``{"name": "secretName"}``.
    :raises NotAuthorizedOrNotFound: there is no such compartment.
    :raises NotImplementedByMock: a parameter is none of these; it is not passed over in silence.
    """
    names = names or {}
    known = {*models.model(call.operation.models, kind.model).fields, *names.values()}
    records = call.cloud.store.live(kind.name) if within is None else within
    found = [record for record in records if in_region(call, kind, record)]
    require_compartment(call.cloud, call.query("compartmentId"))
    filters = dict(call.request.query)
    if "true" in (call.query("compartmentIdInSubtree"), call.query("isCompartmentIdInSubtree")):
        filters["compartmentId"] = tuple(subtree(call.cloud, call.query("compartmentId") or ""))
    for wire, values in filters.items():
        if wire in _NO_FILTERS:
            continue
        field = "id" if wire == kind.path_id and wire not in known else names.get(wire, wire)
        if field not in known:
            raise NotImplementedByMock(f"ocimock does not filter {kind.plural} by {wire}")
        found = [record for record in found if _matches(view(record).get(field), values)]
    return listed(call, found, view=view, names=names)


def update(call: Call, kind: Kind, hook: Hook | None = None) -> Response:
    """The update operation: the body's fields replace the resource's."""
    record = get_settled(call, kind)
    before, etag = copy.deepcopy(record.data), record.etag
    change(call, kind, record, call.body())
    try:
        refuse_duplicate(call.cloud, kind, record.data)
        if hook is not None:
            hook(call, record)
    except ServiceError:
        record.data, record.etag = before, etag
        raise
    pass_update(call.cloud, kind, record)
    return show(record)


def move(call: Call, kind: Kind) -> Response:
    """The changeCompartment action."""
    record = get_settled(call, kind)
    compartment = call.body()["compartmentId"]
    require_compartment(call.cloud, compartment)
    record.data["compartmentId"] = compartment
    record.etag = call.cloud.ids.token(16)
    return Response(204, {"etag": record.etag})


def change(call: Call, kind: Kind, record: Record, body: dict[str, Any]) -> None:
    """Write the fields of *body* that the model has into *record* and renew its etag."""
    spec = models.model(call.operation.models, kind.model).subtype(record.data)
    if body.get("definedTags") != record.data.get("definedTags"):
        check_defined(call.cloud, body.get("definedTags"))
    for wire, value in body.items():
        if wire in spec.fields:
            record.data[wire] = copy.deepcopy(value)
    if "timeUpdated" in spec.fields:
        record.data["timeUpdated"] = call.cloud.clock.timestamp()
    record.etag = call.cloud.ids.token(16)


def delete(call: Call, kind: Kind, hook: Hook | None = None) -> Response:
    """The delete operation: refuses what is in use, leaves a tombstone."""
    record = get_settled(call, kind)
    refuse_in_use(call.cloud, kind, record)
    if hook is not None:
        hook(call, record)
    depart(call.cloud, kind, record)
    return Response(204)


def refuse_in_use(cloud: Cloud, kind: Kind, record: Record) -> None:
    """:raises Conflict: a live child still refers to *record*."""
    for child, wire in kind.children:
        for other in cloud.store.live(child):
            if other.data.get(wire) == record.id:
                raise kind.in_use(f"{kind.noun} {record.id} is in use by {child} {other.id}")


def show(record: Record, status: int = 200) -> Response:
    """The resource as the API shows it, with its etag."""
    return Response.of_json(record.data, status, etag=record.etag)


def _matches(value: Any, wanted: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return str(value).lower() in wanted
    return str(value) in wanted or str(value).upper() in [w.upper() for w in wanted if w.isupper()]
