"""Defined tags on resources of all services: only those that the tenancy has defined.

Tag namespaces, their tags and tag defaults are identity's; here is what they mean to the rest.
A fresh mock has none: not the Oracle-Tags that the console sets up in new tenancies either.
"""

from __future__ import annotations

import re
from typing import Any

from .cloud import Cloud
from .finding import require_compartment
from .store import Record
from .wire.errors import InvalidParameter

NAMESPACE = "tagnamespace"
TAG = "tagdefinition"
DEFAULT = "tagdefault"

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def check_defined(cloud: Cloud, tags: dict[str, dict[str, Any]] | None) -> None:
    """:raises InvalidParameter: a tag that is not defined or is retired, or a value that the
    tag's list of values lacks.
    """
    for namespace, values in (tags or {}).items():
        for name, value in values.items():
            tag = _find(cloud, namespace, name)
            if tag is None:
                raise InvalidParameter(
                    "The following tag namespaces / keys are not authorized or not found: "
                    f"'{namespace}.{name}'"
                )
            validator = tag.data.get("validator") or {}
            if validator.get("validatorType") == "ENUM" and value not in validator["values"]:
                raise InvalidParameter(
                    f"definedTags.{namespace}.{name}: '{value}' is not one of "
                    f"{', '.join(validator['values'])}"
                )


def with_defaults(
    cloud: Cloud, compartment_id: str | None, principal_id: str, tags: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """*tags* of a new resource, and the tag defaults of its compartment and those above it.

    :raises InvalidParameter: a default asks its user for a value, and there is none.
    """
    merged = {namespace: dict(values) for namespace, values in tags.items()}
    for default in _defaults(cloud, compartment_id):
        tag = cloud.store.find(TAG, default.data["tagDefinitionId"])
        if tag is None or tag.deleted or tag.data["isRetired"]:
            continue
        values = merged.setdefault(tag.data["tagNamespaceName"], {})
        if tag.data["name"] in values:
            continue
        if default.data["isRequired"]:
            raise InvalidParameter(
                f"definedTags.{tag.data['tagNamespaceName']}.{tag.data['name']} is required in "
                f"compartment {default.data['compartmentId']}"
            )
        values[tag.data["name"]] = _expanded(cloud, default.data["value"], principal_id)
    return merged


def effective(cloud: Cloud, compartment_id: str) -> list[Record]:
    """The tag defaults that hold in a compartment: its own before those above it."""
    return _defaults(cloud, compartment_id)


def _defaults(cloud: Cloud, compartment_id: str | None) -> list[Record]:
    found: dict[str, Record] = {}
    above = compartment_id
    while above is not None:
        require_compartment(cloud, above)
        for default in cloud.store.live(DEFAULT):
            if default.data["compartmentId"] == above:
                found.setdefault(default.data["tagDefinitionId"], default)
        compartment = cloud.store.find("compartment", above)
        above = compartment.data["compartmentId"] if compartment else None
    return list(found.values())


def _find(cloud: Cloud, namespace: str, name: str) -> Record | None:
    """The tag that is not retired; names are the same in any case."""
    for tag in cloud.store.live(TAG):
        data = tag.data
        if (
            data["tagNamespaceName"].lower() == namespace.lower()
            and data["name"].lower() == name.lower()
            and not data["isRetired"]
        ):
            return tag
    return None


def _expanded(cloud: Cloud, value: str, principal_id: str) -> str:
    """*value* with the variables of tag defaults.

    Source: OCI documentation, "Using Tag Variables".
    """
    known = {
        "iam.principal.name": _name_of(cloud, principal_id),
        "iam.principal.type": "user",
        "oci.datetime": cloud.clock.timestamp(),
    }
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), value)


def _name_of(cloud: Cloud, principal_id: str) -> str:
    user = cloud.store.find("user", principal_id)
    return str(user.data["name"]) if user else principal_id
