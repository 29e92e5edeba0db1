"""Tag defaults: what new resources of a compartment are tagged with."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, listed, require, require_compartment
from ...service import Call
from ...store import Record
from ...tagging import DEFAULT, TAG, check_defined, effective
from ...wire.errors import IncorrectState
from ...wire.message import Response
from .base import SERVICE, TagDefaultExists, iam

KIND = Kind(
    name=DEFAULT,
    model="TagDefault",
    path_id="tagDefaultId",
    noun="tag_default",
    plural="tag_defaults",
    regional=False,
    lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
    parents=(("tagDefinitionId", TAG),),
    unique=("compartmentId", "tagDefinitionId"),
    defaults=(("isRequired", False),),
    duplicate=TagDefaultExists,
)


def _settle(call: Call, record: Record) -> None:
    """:raises IncorrectState: the tag is retired.

    :raises InvalidParameter: the tag has a list of values, and this one is not in it.
    """
    tag = require(call.cloud, TAG, record.data["tagDefinitionId"])
    if tag.data["isRetired"]:
        raise IncorrectState(f"tag {tag.id} is retired")
    namespace, name = tag.data["tagNamespaceName"], tag.data["name"]
    if not record.data["isRequired"]:
        check_defined(call.cloud, {namespace: {name: record.data["value"]}})
    record.data["tagNamespaceId"] = tag.data["tagNamespaceId"]
    record.data["tagDefinitionName"] = name


@SERVICE.operation("assemble_effective_tag_set")
def _assemble(call: Call) -> Response:
    compartment = call.query("compartmentId") or ""
    require_compartment(call.cloud, compartment)
    state = call.query("lifecycleState")
    found = effective(call.cloud, compartment)
    return listed(call, [item for item in found if state in (None, item.data["lifecycleState"])])


iam(KIND, on_create=_settle, on_update=_settle)
