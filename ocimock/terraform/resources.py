"""The resource types: which client serves each, and where it departs from the common way.

The common way (`driver.Driver`): create, get, update and delete are the SDK operations named
after the type (`create_vcn`), their bodies `CreateVcnDetails` and `UpdateVcnDetails`, and an
attribute that the update lacks forces a replacement. Facts that the SDK does not hold are from
the provider's documentation and from watching the real provider 8.28.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ocimock.terraform import clients
from ocimock.terraform.planning import Rules
from ocimock.terraform.resource import NONE, Resource, Strings, file_state, md5_of
from ocimock.terraform.values import Value


def _rules(
    plain_blocks: Strings = NONE,
    any_case: Strings = NONE,
    state_forms: Mapping[str, Callable[[Value], Value]] | None = None,
    **defaults: Value,
) -> Rules:
    return Rules(
        # Keyword arguments cannot hold dots: `a__b` stands for `a.b`.
        defaults={name.replace("__", "."): value for name, value in defaults.items()},
        plain_blocks=plain_blocks,
        any_case=any_case,
        state_forms=state_forms or {},
    )


_PORT_BLOCKS = (
    "icmp_options",
    "tcp_options",
    "tcp_options.source_port_range",
    "tcp_options.destination_port_range",
    "udp_options",
    "udp_options.source_port_range",
    "udp_options.destination_port_range",
)
_SECURITY_RULES = ("egress_security_rules", "ingress_security_rules")
_RESTORE = frozenset({"restore_from_file", "restore_from_object_store"})

RESOURCES: Final[Mapping[str, Resource]] = {
    "oci_artifacts_container_repository": Resource(
        clients.ARTIFACTS,
        "ContainerRepository",
        import_hint="container/repositories/{repositoryId} or the OCID",
        import_format=r"(?:container/repositories/)?(?P<id>[^/]+)",
    ),
    "oci_core_dhcp_options": Resource(
        clients.CORE,
        "DhcpOptions",
        create_details="CreateDhcpDetails",
        update_details="UpdateDhcpDetails",
    ),
    "oci_core_internet_gateway": Resource(
        clients.CORE, "InternetGateway", rules=_rules(enabled=True)
    ),
    "oci_core_nat_gateway": Resource(clients.CORE, "NatGateway"),
    "oci_core_network_security_group": Resource(clients.CORE, "NetworkSecurityGroup"),
    "oci_core_network_security_group_security_rule": Resource(
        clients.CORE,
        "SecurityRule",
        rules=_rules(plain_blocks=frozenset(_PORT_BLOCKS)),
        create_details="AddSecurityRuleDetails",
        update_details="UpdateSecurityRuleDetails",
        own=frozenset({"network_security_group_id"}),
        import_format=(
            r"networkSecurityGroups/(?P<network_security_group_id>[^/]+)"
            r"/securityRules/(?P<id>[^/]+)"
        ),
        import_hint="networkSecurityGroups/{networkSecurityGroupId}/securityRules/{securityRuleId}",
        driver="drivers:SecurityRuleDriver",
    ),
    "oci_core_route_table": Resource(
        clients.CORE, "RouteTable", rules=_rules(plain_blocks=frozenset({"route_rules"}))
    ),
    "oci_core_security_list": Resource(
        clients.CORE,
        "SecurityList",
        rules=_rules(
            plain_blocks=frozenset(
                [*_SECURITY_RULES, *(f"{d}.{b}" for d in _SECURITY_RULES for b in _PORT_BLOCKS)]
            ),
            ingress_security_rules__stateless=False,
        ),
    ),
    "oci_core_service_gateway": Resource(clients.CORE, "ServiceGateway"),
    "oci_core_subnet": Resource(
        clients.CORE,
        "Subnet",
        rules=_rules(any_case=frozenset({"availability_domain", "dns_label"})),
    ),
    "oci_core_vcn": Resource(
        clients.CORE,
        "Vcn",
        rules=_rules(
            plain_blocks=frozenset({"byoipv6cidr_details"}), any_case=frozenset({"dns_label"})
        ),
        in_place=frozenset({"cidr_blocks", "is_ipv6enabled", "ipv6private_cidr_blocks"}),
        driver="drivers:VcnDriver",
    ),
    "oci_datascience_job": Resource(
        clients.DATA_SCIENCE,
        "Job",
        rules=_rules(delete_related_job_runs=False),
        in_place=frozenset({"delete_related_job_runs"}),
        own=frozenset(
            {
                "artifact_content_disposition",
                "artifact_content_length",
                "delete_related_job_runs",
                "job_artifact",
            }
        ),
        driver="artifacts:JobDriver",
    ),
    "oci_datascience_job_run": Resource(
        clients.DATA_SCIENCE,
        "JobRun",
        own=frozenset({"asynchronous", "opc_parent_rpt_url"}),
        in_place=frozenset({"asynchronous"}),
        # A run that failed is a resource all the same; its state says what became of it.
        failed=NONE,
        driver="drivers:JobRunDriver",
    ),
    "oci_datascience_model": Resource(
        clients.DATA_SCIENCE,
        "Model",
        in_place=frozenset({"state"}),
        own=frozenset(
            {
                "artifact_content_disposition",
                "artifact_content_length",
                "model_artifact",
                "state",
            }
        ),
        driver="artifacts:ModelDriver",
    ),
    "oci_datascience_model_deployment": Resource(
        clients.DATA_SCIENCE,
        "ModelDeployment",
        in_place=frozenset({"state"}),
        own=frozenset({"opc_parent_rpt_url", "state"}),
        driver="drivers:SwitchableDriver",
    ),
    "oci_datascience_model_version_set": Resource(clients.DATA_SCIENCE, "ModelVersionSet"),
    "oci_datascience_notebook_session": Resource(
        clients.DATA_SCIENCE,
        "NotebookSession",
        in_place=frozenset({"state"}),
        own=frozenset({"state"}),
        driver="drivers:NotebookSessionDriver",
    ),
    "oci_datascience_project": Resource(clients.DATA_SCIENCE, "Project"),
    "oci_identity_compartment": Resource(
        clients.IDENTITY,
        "Compartment",
        rules=_rules(enable_delete=False),
        own=frozenset({"enable_delete"}),
        in_place=frozenset({"enable_delete"}),
        driver="drivers:CompartmentDriver",
    ),
    "oci_identity_dynamic_group": Resource(clients.IDENTITY, "DynamicGroup"),
    "oci_identity_policy": Resource(clients.IDENTITY, "Policy", driver="drivers:PolicyDriver"),
    "oci_kms_key": Resource(
        clients.KMS_MANAGEMENT,
        "Key",
        rules=_rules(plain_blocks=_RESTORE),
        endpoint="management_endpoint",
        schedule_deletion="ScheduleKeyDeletionDetails",
        own=frozenset({"desired_state", "management_endpoint", "time_of_deletion"}),
        in_place=frozenset({"desired_state", "restore_trigger", "time_of_deletion"}),
        import_format=r"managementEndpoint/(?P<management_endpoint>.+)/keys/(?P<id>[^/]+)",
        import_hint="managementEndpoint/{managementEndpoint}/keys/{keyId}",
        driver="drivers:KeyDriver",
    ),
    "oci_kms_vault": Resource(
        clients.KMS_VAULT,
        "Vault",
        rules=_rules(plain_blocks=_RESTORE),
        schedule_deletion="ScheduleVaultDeletionDetails",
        own=frozenset({"time_of_deletion"}),
        in_place=frozenset({"restore_trigger", "time_of_deletion"}),
    ),
    "oci_logging_log": Resource(
        clients.LOGGING,
        "Log",
        create_path=("log_group_id",),
        path=("log_group_id", "id"),
        own=frozenset({"log_group_id"}),
        in_place=frozenset({"log_group_id"}),
        import_format=r"logGroupId/(?P<log_group_id>[^/]+)/logId/(?P<id>[^/]+)",
        import_hint="logGroupId/{logGroupId}/logId/{logId}",
        driver="drivers:LogDriver",
    ),
    "oci_logging_log_group": Resource(clients.LOGGING, "LogGroup"),
    "oci_objectstorage_bucket": Resource(
        clients.OBJECT_STORAGE,
        "Bucket",
        rules=_rules(
            plain_blocks=frozenset({"retention_rules", "retention_rules.duration"}),
            access_type="NoPublicAccess",
        ),
        create_path=("namespace",),
        path=("namespace", "name"),
        id_format="n/{namespace}/b/{name}",
        import_format=r"n/(?P<namespace>[^/]+)/b/(?P<name>[^/]+)",
        import_hint="n/{namespaceName}/b/{bucketName}",
        own=frozenset({"namespace"}),
        force_new=frozenset({"name", "namespace"}),
        driver="objects:BucketDriver",
    ),
    "oci_objectstorage_object": Resource(
        clients.OBJECT_STORAGE,
        "Object",
        rules=_rules(
            plain_blocks=frozenset({"source_uri_details"}),
            any_case=frozenset({"content_language"}),
            state_forms={"content": md5_of, "source": file_state},
            delete_all_object_versions=False,
        ),
        path=("namespace", "bucket", "object"),
        id_format="n/{namespace}/b/{bucket}/o/{object}",
        import_format=r"n/(?P<namespace>[^/]+)/b/(?P<bucket>[^/]+)/o/(?P<object>[^/]+)",
        import_hint="n/{namespaceName}/b/{bucketName}/o/{objectName, / written as %2F}",
        in_place=frozenset(
            {"delete_all_object_versions", "object", "opc_sse_kms_key_id", "storage_tier"}
        ),
        driver="objects:ObjectDriver",
    ),
    "oci_vault_secret": Resource(
        clients.SECRETS,
        "Secret",
        schedule_deletion="ScheduleSecretDeletionDetails",
    ),
}
