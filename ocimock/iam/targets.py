"""What a call is about: the compartment that policies are looked up for, and its variables.

Sources of the variables: OCI documentation, "General Variables for All Requests", and the tables
"Supported Variables" of each service's page in the Policy Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..services.objectstorage import versions
from ..services.objectstorage.base import BUCKET, bucket_key
from .conditions import Values
from .directory import tags_of
from .needs import Need, Place
from .target import Target

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..service import Call
    from ..store import Record

# Variables by the kind of the target, with the field that holds each.
_OF_KIND: Mapping[str, Mapping[str, str]] = {
    "bucket": {"target.bucket.name": "name"},
    "vault": {"target.vault.id": "id"},
    "key": {"target.key.id": "id"},
    "vaultsecret": {"target.secret.id": "id", "target.secret.name": "secretName"},
    "containerrepo": {"target.repo.name": "displayName"},
    "loggroup": {"target.loggroup.id": "id"},
    "user": {"target.user.id": "id", "target.user.name": "name"},
    "group": {"target.group.id": "id", "target.group.name": "name"},
    "dynamicgroup": {"target.dynamicgroup.id": "id", "target.dynamicgroup.name": "name"},
    "policy": {"target.policy.id": "id", "target.policy.name": "name"},
    "datasciencenotebooksession": {
        "target.notebook-session.id": "id",
        "target.notebook-session.createdby": "createdBy",
    },
}
# Variables of what a create operation is about to make.
_OF_NEW: Mapping[str, Mapping[str, str]] = {
    "create_bucket": {"target.bucket.name": "name"},
    "create_secret": {"target.secret.name": "secretName"},
    "create_container_repository": {"target.repo.name": "displayName"},
    "create_user": {"target.user.name": "name"},
    "create_group": {"target.group.name": "name"},
    "create_policy": {"target.policy.name": "name"},
}
# Fields that name another resource, whose variable then applies too.
_REFERENCES = {
    "vaultId": "target.vault.id",
    "keyId": "target.key.id",
    "logGroupId": "target.loggroup.id",
    "userId": "target.user.id",
    "groupId": "target.group.id",
}


def targets(call: Call, need: Need) -> list[Target]:
    """What *need* is about in *call*; nothing where the call does not have that need."""
    place = need.place
    if place.source == "own target":
        return [own_target(call)]
    if place.source == "named":
        from .odd_targets import NAMED

        return list(NAMED[place.fields[0]](call))
    if place.source == "record":
        record = path_record(call)
        return _referred(call.cloud, value_at(record.data, place.fields[0]) if record else None)
    return _from_body(call, place)


def own_target(call: Call) -> Target:
    """What the path names: a resource, a bucket or an object; else a compartment."""
    if "bucketName" in call.path:
        return in_bucket(call, call.path["bucketName"], call.path.get("objectName"))
    record = path_record(call)
    if record is not None:
        return of_record(call.cloud, record)
    if any(value.startswith("ocid1.") for value in call.path.values()):
        return Target(call.cloud.settings.tenancy_id)
    return in_compartment(call)


def in_compartment(call: Call) -> Target:
    """The compartment of a list, or of what is about to be made."""
    asked: Mapping[str, Any] = {name: values[0] for name, values in call.request.query.items()}
    compartment = asked.get("compartmentId")
    if call.request.method == "POST" and call.operation.body_model:
        body = call.body()
        asked = {**asked, **body}
        compartment = body.get("compartmentId") or compartment
    found: dict[str, Values] = {
        variable: (str(asked[name]),)
        for name, variable in _REFERENCES.items()
        if asked.get(name) is not None
    }
    for variable, name in _OF_NEW.get(call.operation.name, {}).items():
        found[variable] = (str(asked[name]),)
    if call.operation.name == "create_policy":
        found["target.policy.type"] = _policy_types(asked["statements"])
    return Target(compartment or call.cloud.settings.tenancy_id, found)


def in_bucket(call: Call, bucket_name: str, object_name: str | None, region: str = "") -> Target:
    """A bucket, or an object in it."""
    cloud = call.cloud
    bucket = cloud.store.find(BUCKET, bucket_key(region or call.region, bucket_name))
    if bucket is None or bucket.deleted:
        found = {"target.bucket.name": (bucket_name,)}
        if object_name is not None:
            found["target.object.name"] = (object_name,)
        return Target(cloud.settings.tenancy_id, found, is_new=True)
    target = of_record(cloud, bucket)
    if object_name is None:
        return target
    is_new = versions.latest(cloud, bucket, object_name) is None
    variables = {**target.variables, "target.object.name": (object_name,)}
    return Target(target.compartment, variables, is_new)


def of_record(cloud: Cloud, record: Record) -> Target:
    """A resource that is there, or was."""
    data = record.data
    compartment = record.id if record.kind == "compartment" else data.get("compartmentId")
    return Target(compartment or cloud.settings.tenancy_id, variables(record))


def variables(record: Record) -> dict[str, Values]:
    """The variables that conditions may ask of a resource, by name in lower case."""
    data = record.data
    found: dict[str, Values] = {
        variable: (str(data[name]),)
        for name, variable in _REFERENCES.items()
        if data.get(name) is not None
    }
    for variable, name in _OF_KIND.get(record.kind, {}).items():
        if data.get(name) is not None:
            found[variable] = (str(data[name]),)
    if record.kind == "policy":
        found["target.policy.type"] = _policy_types(data["statements"])
    for name, value in tags_of(data.get("definedTags")).items():
        found[f"target.resource.tag.{name}"] = (value,)
        if record.kind == BUCKET:
            found[f"target.bucket.tag.{name}"] = (value,)
    return found


def path_record(call: Call) -> Record | None:
    """The record of the last OCID in the path, a tombstone too."""
    for value in reversed(list(call.path.values())):
        found = by_ocid(call.cloud, value)
        if found is not None:
            return found
    work = call.path.get("workRequestId")
    if work is not None:
        return call.cloud.store.find(f"{call.operation.service}workrequest", work)
    return None


def path_ocid(call: Call) -> str:
    """The last OCID in the path; nothing where there is none."""
    found = [value for value in call.path.values() if value.startswith("ocid1.")]
    return found[-1] if found else ""


def bucket_of(call: Call) -> Record | None:
    """The bucket that the path names, if it is there."""
    name = call.path.get("bucketName")
    return call.cloud.store.find(BUCKET, bucket_key(call.region, name)) if name else None


def object_is_new(cloud: Cloud, region: str, context: Mapping[str, str]) -> bool:
    """Whether the object that *context* names, in the bucket that it names, is not there yet."""
    bucket = cloud.store.find(BUCKET, bucket_key(region, context.get("target.bucket.name", "")))
    name = context.get("target.object.name", "")
    return bucket is None or versions.latest(cloud, bucket, name) is None


def by_ocid(cloud: Cloud, identifier: str) -> Record | None:
    """The record with that OCID, a tombstone too; None for any other text."""
    parts = identifier.split(".", 2)
    if parts[0] != "ocid1" or len(parts) < 3:
        return None
    return cloud.store.find(parts[1], identifier)


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """A field of nested JSON objects by its dotted path; None where it is absent."""
    found: Any = data
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def referred(cloud: Cloud, identifier: str) -> Target:
    """What an OCID in a body names: a resource, or a compartment itself."""
    if identifier.startswith(("ocid1.compartment.", "ocid1.tenancy.")):
        return Target(identifier)
    record = by_ocid(cloud, identifier)
    return of_record(cloud, record) if record else Target(cloud.settings.tenancy_id)


def _from_body(call: Call, place: Place) -> list[Target]:
    body = call.body()
    value = next((v for v in (value_at(body, name) for name in place.fields) if v), None)
    if value is None and place.absent != "refuse":
        return []
    if place.absent == "unchanged":
        record = path_record(call) or bucket_of(call)
        if record is not None and value_at(record.data, place.fields[0]) == value:
            return []
    return _referred(call.cloud, value)


def _referred(cloud: Cloud, value: Any) -> list[Target]:
    identifiers = value if isinstance(value, list) else [value] if value else []
    return [referred(cloud, str(identifier)) for identifier in identifiers]


def _policy_types(statements: list[str]) -> Values:
    """What a policy that is written holds: allow, deny or both."""
    denies = {statement.lstrip().lower().startswith("deny") for statement in statements}
    return tuple("deny" if deny else "allow" for deny in sorted(denies))
