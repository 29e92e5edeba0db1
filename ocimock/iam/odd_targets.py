"""Targets that are found neither in the path nor in one field of the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .target import Target
from .targets import by_ocid, in_bucket, in_compartment, of_record, path_record, referred

if TYPE_CHECKING:
    from ..service import Call

Finder = Callable[["Call"], Iterable[Target]]

NAMED: dict[str, Finder] = {}
"""By the name that :mod:`ocimock.iam.operations` gives each."""


def _named(name: str) -> Callable[[Finder], Finder]:
    def register(finder: Finder) -> Finder:
        NAMED[name] = finder
        return finder

    return register


def _gateways(kind: str, *, left: bool = False) -> Finder:
    """The gateways of one kind that routes come to lead to, or no longer lead to (*left*)."""

    def find(call: Call) -> Iterator[Target]:
        record = path_record(call)
        before = _led_to(record.data, kind) if record else set()
        after = _led_to(call.body(), kind) if call.operation.body_model else set()
        if record and call.operation.body_model and "routeRules" not in call.body():
            after = before
        for identifier in sorted(before - after if left else after - before):
            yield referred(call.cloud, identifier)

    return find


def _led_to(data: Mapping[str, Any], kind: str) -> set[str]:
    entities = {str(rule.get("networkEntityId") or "") for rule in data.get("routeRules") or ()}
    return {identifier for identifier in entities if identifier.startswith(f"ocid1.{kind}.")}


for _name, _kind in (
    ("internet-gateways", "internetgateway"),
    ("nat-gateways", "natgateway"),
    ("service-gateways", "servicegateway"),
    ("drgs", "drg"),
    ("local-peering-gateways", "localpeeringgateway"),
):
    NAMED[_name] = _gateways(_kind)
    NAMED[f"left-{_name}"] = _gateways(_kind, left=True)


@_named("peer-groups")
def _peer_groups(call: Call) -> Iterator[Target]:
    """The network security groups that the body's rules have as a source or destination."""
    rules = call.body().get("securityRules") or ()
    ends = {str(rule.get(end) or "") for rule in rules for end in ("source", "destination")}
    for identifier in sorted(end for end in ends if end.startswith("ocid1.networksecuritygroup.")):
        yield referred(call.cloud, identifier)


@_named("subnets")
def _subnets(call: Call) -> Iterator[Target]:
    """Every subnet that the body names and that the resource does not use already."""
    record = path_record(call)
    before = set(_values_of(record.data, "subnetId")) if record else set()
    for identifier in sorted(set(_values_of(call.body(), "subnetId")) - before):
        yield referred(call.cloud, identifier)


@_named("members")
def _members(call: Call) -> Iterator[Target]:
    """The models that the body makes members of a group."""
    for identifier in sorted(set(_values_of(call.body().get("memberModelEntries"), "modelId"))):
        yield referred(call.cloud, identifier)


@_named("tenancy")
def _tenancy(call: Call) -> Iterator[Target]:
    yield Target(call.cloud.settings.tenancy_id)


@_named("address")
def _address(call: Call) -> Iterator[Target]:
    """The public IP with the body's address; the tenancy where there is none."""
    for record in call.cloud.store.having("publicip", "ipAddress", call.body()["ipAddress"]):
        yield of_record(call.cloud, record)
        return
    yield Target(call.cloud.settings.tenancy_id)


def _values_of(value: Any, name: str) -> Iterator[str]:
    """Every value of fields called *name*, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _values_of(item, name)
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name and item:
                yield str(item)
            else:
                yield from _values_of(item, name)


@_named("asked-subnet")
def _asked_subnet(call: Call) -> Iterator[Target]:
    """The subnet that the query names; the tenancy where it names none."""
    subnet = call.query("subnetId")
    yield referred(call.cloud, subnet) if subnet else Target(call.cloud.settings.tenancy_id)


@_named("asked-compartment")
def _asked_compartment(call: Call) -> Iterator[Target]:
    """The compartment that the query names, if it names one."""
    if call.query("compartmentId"):
        yield in_compartment(call)


@_named("objects")
def _objects(call: Call) -> Iterator[Target]:
    """The objects to delete without a version."""
    return (target for target, version in _deleted(call) if not version)


@_named("object-versions")
def _object_versions(call: Call) -> Iterator[Target]:
    """The objects of which one version is to be deleted."""
    return (target for target, version in _deleted(call) if version)


def _deleted(call: Call) -> Iterator[tuple[Target, str | None]]:
    bucket = call.path["bucketName"]
    if "objectName" in call.path:
        yield in_bucket(call, bucket, call.path["objectName"]), call.query("versionId")
        return
    for item in call.body()["objects"]:
        yield in_bucket(call, bucket, item["objectName"]), None


def _object(field: str) -> Finder:
    """The object in the path's bucket that a field of the body names."""

    def find(call: Call) -> Iterator[Target]:
        yield in_bucket(call, call.path["bucketName"], call.body()[field])

    return find


NAMED["to-rename"] = _object("sourceName")
NAMED["renamed"] = _object("newName")
NAMED["uploaded"] = _object("object")
NAMED["copied"] = _object("sourceObjectName")


def _linked(action: str) -> Finder:
    """What a pre-authenticated request is to let anybody read, or write."""

    def find(call: Call) -> Iterator[Target]:
        body = call.body()
        if action in body["accessType"]:
            yield in_bucket(call, call.path["bucketName"], body.get("objectName"))

    return find


NAMED["link-read"] = _linked("Read")
NAMED["link-written"] = _linked("Write")


@_named("copy")
def _copy(call: Call) -> Iterator[Target]:
    body = call.body()
    yield in_bucket(
        call,
        body["destinationBucket"],
        body["destinationObjectName"],
        body["destinationRegion"],
    )


@_named("shared-parent")
def _shared_parent(call: Call) -> Iterator[Target]:
    """The lowest compartment that holds both the moved compartment and its new parent."""
    above = _line(call, call.path["compartmentId"])[1:]
    for compartment in _line(call, call.body()["targetCompartmentId"]):
        if compartment in above:
            yield Target(compartment)
            return
    yield Target(call.cloud.settings.tenancy_id)


def _line(call: Call, compartment: str) -> list[str]:
    """A compartment and those above it, up to the tenancy."""
    found = [compartment]
    while (record := call.cloud.store.find("compartment", found[-1])) is not None:
        found.append(record.data["compartmentId"])
    return found


@_named("key-in-vault")
def _key_in_vault(call: Call) -> Iterator[Target]:
    """The compartment of a key in the vault whose own host was called."""
    target = in_compartment(call)
    for vault in _vault_host(call):
        yield Target(target.compartment, {**vault.variables, **target.variables})


@_named("vault-host")
def _vault_host(call: Call) -> Iterator[Target]:
    from ..services.kms.vaults import vault_of

    yield of_record(call.cloud, vault_of(call))


@_named("named-secret")
def _named_secret(call: Call) -> Iterator[Target]:
    name, vault = call.query("secretName"), call.query("vaultId")
    for secret in call.cloud.store.live("vaultsecret"):
        if (secret.data["secretName"], secret.data["vaultId"]) == (name, vault):
            yield of_record(call.cloud, secret)
            return
    yield Target(call.cloud.settings.tenancy_id)


@_named("searched-logs")
def _searched_logs(call: Call) -> Iterator[Target]:
    """The log groups, or whole compartments, that the query's streams name."""
    from ..services.logging.query import parse

    for stream in parse(call.body()["searchQuery"]).streams:
        compartment, *rest = stream.split("/")
        group = by_ocid(call.cloud, rest[0]) if rest else None
        yield of_record(call.cloud, group) if group else Target(compartment)


@_named("asked-metrics")
def _asked_metrics(call: Call) -> Iterator[Target]:
    """The compartment in the query; the body names the namespace, if it does."""
    namespace = call.body().get("namespace")
    variables = {"target.metrics.namespace": (namespace,)} if namespace else {}
    compartment = call.query("compartmentId") or call.cloud.settings.tenancy_id
    yield Target(compartment, variables)


@_named("posted-metrics")
def _posted_metrics(call: Call) -> Iterator[Target]:
    pairs = {(item["compartmentId"], item["namespace"]) for item in call.body()["metricData"]}
    for compartment, namespace in sorted(pairs):
        yield Target(compartment, {"target.metrics.namespace": (namespace,)})
