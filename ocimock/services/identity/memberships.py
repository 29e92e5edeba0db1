"""Who is in which group."""

from __future__ import annotations

from ...resources import add, bury, get_settled, require, show
from ...service import Call
from ...wire.errors import AlreadyExists
from ...wire.message import Response
from .base import SERVICE, at_home
from .principals import MEMBERSHIP


@SERVICE.operation("add_user_to_group")
@at_home
def _add(call: Call) -> Response:
    body = call.body()
    require(call.cloud, "user", body["userId"])
    require(call.cloud, "group", body["groupId"])
    for other in call.cloud.store.live(MEMBERSHIP.name):
        if all(other.data[wire] == body[wire] for wire in ("userId", "groupId")):
            raise AlreadyExists(f"user {body['userId']} is in group {body['groupId']} already")
    body["compartmentId"] = call.cloud.settings.tenancy_id
    return show(add(call, MEMBERSHIP, body))


@SERVICE.operation("remove_user_from_group")
@at_home
def _remove(call: Call) -> Response:
    bury(call.cloud, MEMBERSHIP, get_settled(call, MEMBERSHIP))
    return Response(204)
