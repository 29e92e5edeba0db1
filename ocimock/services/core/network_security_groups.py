"""Network security groups and their rules."""

from __future__ import annotations

import copy
from typing import Any

from ...resources import NETWORK_LIFECYCLE, Kind, crud, get_live, page
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter
from ...wire.message import Response
from .base import CRUD, SECONDS, SERVICE
from .oracle_services import service_labels
from .rules import check_rule
from .vnics import refuse_grouped

GROUP = Kind(
    name="networksecuritygroup",
    model="NetworkSecurityGroup",
    path_id="networkSecurityGroupId",
    noun="network_security_group",
    plural="network_security_groups",
    lifecycle=NETWORK_LIFECYCLE,
    create_seconds=SECONDS,
    delete_seconds=SECONDS,
    parents=(("vcnId", "vcn"),),
)


@SERVICE.operation("list_network_security_group_security_rules")
def _list(call: Call) -> Response:
    direction = call.query("direction")
    found = [rule for rule in _rules(call) if direction in (None, rule["direction"])]
    return page(call, found, collection=False)


@SERVICE.operation("add_network_security_group_security_rules")
def _add(call: Call) -> Response:
    added = []
    for number, given in enumerate(call.body().get("securityRules", [])):
        rule = _checked(call, given, f"securityRules[{number}]")
        rule |= {
            "id": call.cloud.ids.token(6).upper(),
            "isValid": True,
            "timeCreated": call.cloud.clock.timestamp(),
        }
        added.append(rule)
    _rules(call).extend(added)
    return Response.of_json({"securityRules": added})


@SERVICE.operation("update_network_security_group_security_rules")
def _update(call: Call) -> Response:
    standing = {rule["id"]: rule for rule in _rules(call)}
    changed = []
    for number, given in enumerate(call.body().get("securityRules", [])):
        where = f"securityRules[{number}]"
        before = _standing(standing, given["id"], f"{where}.id")
        kept = {name: before[name] for name in ("isValid", "timeCreated")}
        changed.append(_checked(call, given, where) | kept)
    for rule in changed:
        standing[rule["id"]] = rule
    _rules(call)[:] = list(standing.values())
    return Response.of_json({"securityRules": changed})


@SERVICE.operation("remove_network_security_group_security_rules")
def _remove(call: Call) -> Response:
    standing = {rule["id"]: rule for rule in _rules(call)}
    for number, identifier in enumerate(call.body().get("securityRuleIds", [])):
        _standing(standing, identifier, f"securityRuleIds[{number}]")
        del standing[identifier]
    _rules(call)[:] = list(standing.values())
    return Response(204)


def _checked(call: Call, given: dict[str, Any], where: str) -> dict[str, Any]:
    rule = copy.deepcopy(given)
    end = "source" if rule["direction"] == "INGRESS" else "destination"
    groups = frozenset(record.id for record in call.cloud.store.live(GROUP.name))
    check_rule(rule, end, where, labels=service_labels(call.region), groups=groups)
    return rule


def _standing(standing: dict[str, dict[str, Any]], identifier: str, where: str) -> dict[str, Any]:
    if identifier not in standing:
        raise InvalidParameter(f"{where}: the group has no rule '{identifier}'")
    return standing[identifier]


def _rules(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_live(call, GROUP).private.setdefault("rules", [])
    return found


def _refuse_named(call: Call, record: Record) -> None:
    """:raises Conflict: a rule of another group still names this one, or an interface is in it."""
    refuse_grouped(call.cloud, record)
    for other in call.cloud.store.live(GROUP.name):
        for rule in other.private.get("rules", []):
            if other is not record and record.id in (rule.get("source"), rule.get("destination")):
                raise Conflict(f"{record.id} is in use by a rule of {other.id}")


crud(SERVICE, GROUP, on_delete=_refuse_named, only=CRUD)
