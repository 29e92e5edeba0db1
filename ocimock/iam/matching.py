"""Which dynamic groups a resource is in.

Source: OCI documentation, "Writing Matching Rules to Define Dynamic Groups".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .conditions import Lookup, Values, holds
from .directory import Directory
from .policy import parse_matching_rule

if TYPE_CHECKING:
    from .principals import Principal

INSTANCE = "instance"


def matches(rule: str, facts: dict[str, Values]) -> bool:
    """Whether a resource with *facts* is a member of the group with that matching rule."""
    lookup: Lookup = facts.get
    return holds(parse_matching_rule(rule), lookup)


def facts_of(directory: Directory, principal: Principal) -> dict[str, Values]:
    """What rules may ask of a resource principal, by name in lower case.

    What its token says comes first, then what is known of the resource.
    """
    resource = directory.resource(principal.id)
    parts = principal.id.split(".")
    kind = principal.claims.get("res_type") or (parts[1] if len(parts) > 1 else "")
    compartment = principal.claims.get("res_compartment") or ""
    if resource and not compartment:
        compartment = resource.compartment
    facts: dict[str, Values] = {
        "resource.id": (principal.id,),
        "resource.type": (kind,),
        "resource.compartment.id": (compartment,),
    }
    if kind == INSTANCE:
        facts["instance.id"] = (principal.id,)
        facts["instance.compartment.id"] = (compartment,)
    for name, value in (resource.tags if resource else {}).items():
        facts[f"tag.{name}"] = facts[f"tag.{name}.value"] = (value,)
    return facts
