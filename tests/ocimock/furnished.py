"""One way to every kind of resource that the mock creates, for tests that hold for all of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import oci

from ocimock import MockedTenancy
from tests.ocimock.support import client

POLICY = "Allow group people to read buckets in tenancy"


@dataclass(frozen=True)
class Kind:
    """A kind of resource as the SDK's methods name it.

    :param client: the SDK's client, of which *service* is the module.
    :param fields: what its details need, beside a name, from what is furnished already.
    :param path: what comes before its OCID in paths.
    :param name: the field that a create sets to the name it is given.
    :param states: created, at rest, updating, deleting; None where the API has no such state.
    """

    noun: str
    plural: str
    service: Any
    client: str
    fields: Callable[[Furnished], dict[str, Any]]
    path: Callable[[Furnished], list[str]] = lambda _furnished: []
    name: str = "display_name"
    root: bool = False
    model: str = ""
    change: dict[str, Any] = field(default_factory=lambda: {"freeform_tags": {"a": "b"}})
    states: tuple[str, str, str | None, str | None] = ("CREATING", "ACTIVE", None, "DELETING")
    gone: str = "DELETED"

    def title(self) -> str:
        return self.model or "".join(word.title() for word in self.noun.split("_"))


class Furnished:
    """A tenancy in which resources of all kinds are made on demand, and once each."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        self.compartment = mocked.compartment_id
        self.tenancy = mocked.tenancy_id
        self._ids: dict[str, str] = {}
        self._apis: dict[str, Any] = {}
        self._subnets = 0

    def __getitem__(self, noun: str) -> str:
        """The OCID of the one resource of that kind that others are made in."""
        if noun not in self._ids:
            made = self.create(BY_NOUN[noun], f"the-{noun.replace('_', '-')}")
            if noun == "model":
                self.call(BY_NOUN[noun], "create_model_artifact", made, b"PK")
            self._ids[noun] = made
            self.settle()
        return self._ids[noun]

    def free_cidr(self) -> str:
        """A CIDR block that no subnet has yet."""
        self._subnets += 1
        return f"10.0.{self._subnets}.0/24"

    def settle(self) -> None:
        """Let everything happen that is under way."""
        self.mocked.advance(60)

    def api(self, kind: Kind) -> Any:
        """The SDK's client for *kind*, at the vault's own endpoint where it has one."""
        if kind.client not in self._apis:
            home = self.mocked.settings.home_region
            options: dict[str, Any] = {"region": home} if kind.root else {}
            if kind.client == "KmsManagementClient":
                vault = self.get(BY_NOUN["vault"], self["vault"]).data
                options = {"service_endpoint": vault.management_endpoint}
            sdk_class = getattr(kind.service, kind.client)
            self._apis[kind.client] = client(self.mocked, sdk_class, **options)
        return self._apis[kind.client]

    def details(self, kind: Kind, name: str) -> Any:
        fields = {kind.name: name, **kind.fields(self)}
        if "compartment_id" not in fields and kind.noun not in ("log",):
            fields["compartment_id"] = self.tenancy if kind.root else self.compartment
        return getattr(kind.service.models, f"Create{kind.title()}Details")(**fields)

    def create(self, kind: Kind, name: str, **headers: Any) -> str:
        """The OCID of a new resource, whose state is its first one."""
        details = self.details(kind, name)
        response = self.call(kind, f"create_{kind.noun}", *kind.path(self), details, **headers)
        if response.data is not None:
            return str(response.data.id)
        found = [item for item in self.find_all(kind) if getattr(item, kind.name) == name]
        return str(found[0].id)

    def get(self, kind: Kind, identifier: str) -> Any:
        return self.call(kind, f"get_{kind.noun}", *kind.path(self), identifier)

    def find_all(self, kind: Kind, **query: Any) -> list[Any]:
        return self.items(self.listing(kind, **query))

    def listing(self, kind: Kind, **query: Any) -> Any:
        where = kind.path(self)
        if not where:
            compartment = self.tenancy if kind.root else self.compartment
            query = {"compartment_id": compartment, **query}
        if kind.noun == "key":
            query = {"compartment_id": self.compartment, **query}
        return self.call(kind, f"list_{kind.plural}", *where, **query)

    def items(self, response: Any) -> list[Any]:
        return list(getattr(response.data, "items", response.data))

    def update(self, kind: Kind, identifier: str, **headers: Any) -> Any:
        details = getattr(kind.service.models, f"Update{kind.title()}Details")(**kind.change)
        if kind.noun == "log":
            details.display_name = "the-log"
        if kind.noun == "log_group":
            details.display_name = "the-log-group"
        return self.call(
            kind, f"update_{kind.noun}", *kind.path(self), identifier, details, **headers
        )

    def delete(self, kind: Kind, identifier: str, **headers: Any) -> Any:
        return self.call(kind, f"delete_{kind.noun}", *kind.path(self), identifier, **headers)

    def call(self, kind: Kind, operation: str, *args: Any, **more: Any) -> Any:
        return getattr(self.api(kind), operation)(*args, **more)


def _in_vcn(**more: Any) -> Callable[[Furnished], dict[str, Any]]:
    return lambda found: {"vcn_id": found["vcn"], **more}


def _in_project(**more: Any) -> Callable[[Furnished], dict[str, Any]]:
    return lambda found: {"project_id": found["project"], **more}


def _described(**more: Any) -> Callable[[Furnished], dict[str, Any]]:
    return lambda _found: {"description": "d", **more}


def _network(
    noun: str, plural: str, fields: Callable[[Furnished], dict[str, Any]], **more: Any
) -> Kind:
    states = ("PROVISIONING", "AVAILABLE", None, "TERMINATING")
    return Kind(
        noun,
        plural,
        oci.core,
        "VirtualNetworkClient",
        fields,
        states=states,
        gone="TERMINATED",
        **more,
    )


def _science(
    noun: str, plural: str, fields: Callable[[Furnished], dict[str, Any]], **more: Any
) -> Kind:
    more = {"states": ("ACTIVE", "ACTIVE", None, "DELETING"), **more}
    return Kind(noun, plural, oci.data_science, "DataScienceClient", fields, **more)


def _identity(noun: str, plural: str, *, at_once: bool = True, **more: Any) -> Kind:
    states = ("ACTIVE" if at_once else "CREATING", "ACTIVE", None, None if at_once else "DELETING")
    fields = more.pop("fields", _described())
    return Kind(
        noun,
        plural,
        oci.identity,
        "IdentityClient",
        fields,
        name="name",
        root=True,
        states=states,
        **more,
    )


_M = oci.data_science.models
_SHAPE = "VM.GPU.A10.1"
_STATEFUL = ("CREATING", "ACTIVE", "UPDATING", "DELETING")


def _deployment(found: Furnished) -> dict[str, Any]:
    configuration = _M.ModelConfigurationDetails(
        model_id=found["model"],
        instance_configuration=_M.InstanceConfiguration(instance_shape_name=_SHAPE),
    )
    details = _M.SingleModelDeploymentConfigurationDetails(
        model_configuration_details=configuration
    )
    return {
        "project_id": found["project"],
        "model_deployment_configuration_details": details,
    }


def _group(found: Furnished) -> dict[str, Any]:
    members = [_M.MemberModelDetails(model_id=found["model"])]
    return {
        "project_id": found["project"],
        "model_group_details": _M.HomogeneousModelGroupDetails(),
        "member_model_entries": _M.MemberModelEntries(member_model_details=members),
    }


_JOB = {
    "job_configuration_details": _M.DefaultJobConfigurationDetails(),
    "job_infrastructure_configuration_details": (
        _M.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
            shape_name="VM.Standard.E4.Flex",
            block_storage_size_in_gbs=50,
            job_shape_config_details=_M.JobShapeConfigDetails(ocpus=1, memory_in_gbs=16),
        )
    ),
}
_SESSION = {
    "notebook_session_config_details": _M.NotebookSessionConfigDetails(shape="VM.Standard2.1")
}
_CONTENT = oci.vault.models.Base64SecretContentDetails(content=base64.b64encode(b"x").decode())

KINDS = (
    _network("vcn", "vcns", lambda _found: {"cidr_blocks": ["10.0.0.0/16"]}),
    _network("subnet", "subnets", lambda f: {"vcn_id": f["vcn"], "cidr_block": f.free_cidr()}),
    _network("nat_gateway", "nat_gateways", _in_vcn()),
    _network("internet_gateway", "internet_gateways", _in_vcn(is_enabled=True)),
    _network("service_gateway", "service_gateways", _in_vcn(services=[])),
    _network("route_table", "route_tables", _in_vcn(route_rules=[])),
    _network(
        "security_list",
        "security_lists",
        _in_vcn(ingress_security_rules=[], egress_security_rules=[]),
    ),
    _network(
        "dhcp_options",
        "dhcp_options",
        _in_vcn(
            options=[oci.core.models.DhcpDnsOption(server_type="VcnLocalPlusInternet")],
        ),
        model="Dhcp",
    ),
    _network("network_security_group", "network_security_groups", _in_vcn()),
    _network("drg", "drgs", lambda _found: {}),
    _network("local_peering_gateway", "local_peering_gateways", _in_vcn()),
    _identity("compartment", "compartments", at_once=False),
    _identity("group", "groups"),
    _identity("user", "users"),
    _identity(
        "dynamic_group",
        "dynamic_groups",
        fields=_described(matching_rule="any {resource.type = 'datasciencejobrun'}"),
    ),
    _identity("policy", "policies", fields=_described(statements=[POLICY])),
    Kind(
        "log_group",
        "log_groups",
        oci.logging,
        "LoggingManagementClient",
        lambda _found: {},
        states=_STATEFUL,
    ),
    Kind(
        "log",
        "logs",
        oci.logging,
        "LoggingManagementClient",
        lambda _found: {"log_type": "CUSTOM"},
        path=lambda found: [found["log_group"]],
        states=_STATEFUL,
    ),
    _science("project", "projects", lambda _found: {}),
    _science("job", "jobs", _in_project(**_JOB)),
    _science("model", "models", _in_project(), states=("ACTIVE", "ACTIVE", None, None)),
    _science("model_version_set", "model_version_sets", _in_project(), name="name"),
    _science(
        "model_group", "model_groups", _group, states=("CREATING", "ACTIVE", None, "DELETING")
    ),
    _science(
        "notebook_session",
        "notebook_sessions",
        _in_project(**_SESSION),
        states=("CREATING", "ACTIVE", None, "DELETING"),
    ),
    _science("model_deployment", "model_deployments", _deployment, states=_STATEFUL),
    _science(
        "data_science_private_endpoint",
        "data_science_private_endpoints",
        lambda found: {
            "subnet_id": found["subnet"],
            "data_science_resource_type": "NOTEBOOK_SESSION",
        },
        states=_STATEFUL,
    ),
    Kind(
        "vault",
        "vaults",
        oci.key_management,
        "KmsVaultClient",
        lambda _found: {"vault_type": "DEFAULT"},
        states=("CREATING", "ACTIVE", "UPDATING", None),
    ),
    Kind(
        "key",
        "keys",
        oci.key_management,
        "KmsManagementClient",
        lambda _found: {
            "key_shape": oci.key_management.models.KeyShape(algorithm="AES", length=32)
        },
        states=("CREATING", "ENABLED", "UPDATING", None),
    ),
    Kind(
        "secret",
        "secrets",
        oci.vault,
        "VaultsClient",
        lambda found: {
            "vault_id": found["vault"],
            "key_id": found["key"],
            "secret_content": _CONTENT,
        },
        name="secret_name",
        states=("CREATING", "ACTIVE", "UPDATING", None),
    ),
    Kind(
        "log_saved_search",
        "log_saved_searches",
        oci.logging,
        "LoggingManagementClient",
        lambda found: {"query": f'search "{found.compartment}"'},
        name="name",
        states=("ACTIVE", "ACTIVE", None, None),
    ),
    Kind(
        "alarm",
        "alarms",
        oci.monitoring,
        "MonitoringClient",
        lambda found: {
            "metric_compartment_id": found.compartment,
            "namespace": "mine",
            "query": "loss[1m].max() > 9",
            "severity": "INFO",
            "destinations": ["ocid1.onstopic.oc1.fra.any"],
            "is_enabled": True,
        },
        states=("ACTIVE", "ACTIVE", None, None),
    ),
    Kind(
        "container_repository",
        "container_repositories",
        oci.artifacts,
        "ArtifactsClient",
        lambda _found: {},
        states=("AVAILABLE", "AVAILABLE", None, "DELETING"),
    ),
)
BY_NOUN = {kind.noun: kind for kind in KINDS}
