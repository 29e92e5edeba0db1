"""Which permissions a verb on a resource type stands for.

Sources: OCI documentation, Policy Reference: the tables "Details for Verb + Resource-Type
Combinations" of Core Services, Object Storage, IAM with Identity Domains, Vault, Logging,
Monitoring, Container Registry and Data Science ("Policies"). Only what the mock's services need.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from .policy import VERBS

ALL_RESOURCES = "all-resources"

# type | what inspect gives | read adds | use adds | manage adds
_TYPES = """
vcns | VCN_READ | | | VCN_ATTACH VCN_DETACH VCN_UPDATE VCN_CREATE VCN_DELETE VCN_MOVE
subnets | SUBNET_READ | | SUBNET_ATTACH SUBNET_DETACH \
| SUBNET_CREATE SUBNET_UPDATE SUBNET_DELETE SUBNET_MOVE
route-tables | ROUTE_TABLE_READ | | | ROUTE_TABLE_ATTACH ROUTE_TABLE_DETACH ROUTE_TABLE_UPDATE \
ROUTE_TABLE_CREATE ROUTE_TABLE_DELETE ROUTE_TABLE_MOVE
network-security-groups | NETWORK_SECURITY_GROUP_INSPECT | NETWORK_SECURITY_GROUP_READ \
| NETWORK_SECURITY_GROUP_LIST_SECURITY_RULES NETWORK_SECURITY_GROUP_LIST_MEMBERS \
NETWORK_SECURITY_GROUP_UPDATE_MEMBERS \
| NETWORK_SECURITY_GROUP_UPDATE NETWORK_SECURITY_GROUP_CREATE NETWORK_SECURITY_GROUP_DELETE \
NETWORK_SECURITY_GROUP_MOVE NETWORK_SECURITY_GROUP_UPDATE_SECURITY_RULES
security-lists | SECURITY_LIST_READ | | | SECURITY_LIST_ATTACH SECURITY_LIST_DETACH \
SECURITY_LIST_UPDATE SECURITY_LIST_CREATE SECURITY_LIST_DELETE SECURITY_LIST_MOVE
dhcp-options | DHCP_READ | | \
| DHCP_ATTACH DHCP_DETACH DHCP_UPDATE DHCP_CREATE DHCP_DELETE DHCP_MOVE
internet-gateways | INTERNET_GATEWAY_READ | | | INTERNET_GATEWAY_ATTACH INTERNET_GATEWAY_DETACH \
INTERNET_GATEWAY_UPDATE INTERNET_GATEWAY_CREATE INTERNET_GATEWAY_DELETE INTERNET_GATEWAY_MOVE
nat-gateways | | NAT_GATEWAY_READ | NAT_GATEWAY_ATTACH NAT_GATEWAY_DETACH \
| NAT_GATEWAY_UPDATE NAT_GATEWAY_CREATE NAT_GATEWAY_DELETE NAT_GATEWAY_MOVE
service-gateways | SERVICE_GATEWAY_READ | | SERVICE_GATEWAY_ATTACH SERVICE_GATEWAY_DETACH \
| SERVICE_GATEWAY_UPDATE SERVICE_GATEWAY_CREATE SERVICE_GATEWAY_DELETE \
SERVICE_GATEWAY_ADD_SERVICE SERVICE_GATEWAY_DELETE_SERVICE SERVICE_GATEWAY_MOVE
local-peering-gateways | LOCAL_PEERING_GATEWAY_READ | | \
| LOCAL_PEERING_GATEWAY_CREATE LOCAL_PEERING_GATEWAY_UPDATE LOCAL_PEERING_GATEWAY_DELETE \
LOCAL_PEERING_GATEWAY_ATTACH LOCAL_PEERING_GATEWAY_DETACH LOCAL_PEERING_GATEWAY_MOVE
local-peering-from | | | | LOCAL_PEERING_GATEWAY_CONNECT_FROM
local-peering-to | | | | LOCAL_PEERING_GATEWAY_CONNECT_TO
drgs | DRG_READ | | | DRG_ATTACH DRG_DETACH DRG_UPDATE DRG_CREATE DRG_DELETE DRG_MOVE
drg-attachments | DRG_ATTACHMENT_READ | | | DRG_ATTACHMENT_UPDATE
public-ips | | PUBLIC_IP_READ | PUBLIC_IP_ASSIGN_PRIVATE_IP PUBLIC_IP_UNASSIGN_PRIVATE_IP \
| PUBLIC_IP_UPDATE PUBLIC_IP_CREATE PUBLIC_IP_DELETE PUBLIC_IP_MOVE
vnics | VNIC_READ | | VNIC_ATTACH VNIC_DETACH VNIC_CREATE VNIC_DELETE VNIC_UPDATE \
VNIC_ASSOCIATE_NETWORK_SECURITY_GROUP VNIC_DISASSOCIATE_NETWORK_SECURITY_GROUP VNIC_ASSIGN \
VNIC_UNASSIGN |
private-ips | PRIVATE_IP_READ | | PRIVATE_IP_UPDATE PRIVATE_IP_ASSIGN PRIVATE_IP_UNASSIGN \
PRIVATE_IP_CREATE PRIVATE_IP_DELETE PRIVATE_IP_ASSIGN_PUBLIC_IP PRIVATE_IP_UNASSIGN_PUBLIC_IP \
| PRIVATE_IP_ROUTE_TABLE_ATTACH PRIVATE_IP_ROUTE_TABLE_DETACH
buckets | BUCKET_INSPECT | BUCKET_READ | BUCKET_UPDATE \
| BUCKET_CREATE BUCKET_DELETE PAR_MANAGE RETENTION_RULE_MANAGE RETENTION_RULE_LOCK
objects | OBJECT_INSPECT | OBJECT_READ | OBJECT_OVERWRITE \
| OBJECT_CREATE OBJECT_DELETE OBJECT_VERSION_DELETE OBJECT_RESTORE OBJECT_UPDATE_TIER
objectstorage-namespaces | | OBJECTSTORAGE_NAMESPACE_READ | | OBJECTSTORAGE_NAMESPACE_UPDATE
data-science-projects | DATA_SCIENCE_PROJECT_INSPECT | DATA_SCIENCE_PROJECT_READ \
| DATA_SCIENCE_PROJECT_UPDATE \
| DATA_SCIENCE_PROJECT_CREATE DATA_SCIENCE_PROJECT_DELETE DATA_SCIENCE_PROJECT_MOVE
data-science-notebook-sessions | DATA_SCIENCE_NOTEBOOK_SESSION_INSPECT \
| DATA_SCIENCE_NOTEBOOK_SESSION_READ \
| DATA_SCIENCE_NOTEBOOK_SESSION_UPDATE DATA_SCIENCE_NOTEBOOK_SESSION_OPEN \
| DATA_SCIENCE_NOTEBOOK_SESSION_CREATE DATA_SCIENCE_NOTEBOOK_SESSION_DELETE \
DATA_SCIENCE_NOTEBOOK_SESSION_MOVE DATA_SCIENCE_NOTEBOOK_SESSION_ACTIVATE \
DATA_SCIENCE_NOTEBOOK_SESSION_DEACTIVATE
data-science-models | DATA_SCIENCE_MODEL_INSPECT | DATA_SCIENCE_MODEL_READ \
| DATA_SCIENCE_MODEL_UPDATE | DATA_SCIENCE_MODEL_CREATE DATA_SCIENCE_MODEL_DELETE \
DATA_SCIENCE_MODEL_MOVE
data-science-modelversionsets | DATA_SCIENCE_MODEL_VERSION_SET_INSPECT \
| DATA_SCIENCE_MODEL_VERSION_SET_READ | DATA_SCIENCE_MODEL_VERSION_SET_UPDATE \
| DATA_SCIENCE_MODEL_VERSION_SET_CREATE DATA_SCIENCE_MODEL_VERSION_SET_DELETE \
DATA_SCIENCE_MODEL_VERSION_SET_MOVE
data-science-model-groups | DATA_SCIENCE_MODEL_GROUP_INSPECT | DATA_SCIENCE_MODEL_GROUP_READ \
| DATA_SCIENCE_MODEL_GROUP_UPDATE | DATA_SCIENCE_MODEL_GROUP_CREATE \
DATA_SCIENCE_MODEL_GROUP_DELETE DATA_SCIENCE_MODEL_GROUP_MOVE
data-science-private-endpoint | DATA_SCIENCE_PRIVATE_ENDPOINT_INSPECT \
| DATA_SCIENCE_PRIVATE_ENDPOINT_READ | DATA_SCIENCE_PRIVATE_ENDPOINT_UPDATE \
| DATA_SCIENCE_PRIVATE_ENDPOINT_CREATE DATA_SCIENCE_PRIVATE_ENDPOINT_DELETE \
DATA_SCIENCE_PRIVATE_ENDPOINT_MOVE
data-science-model-deployments | DATA_SCIENCE_MODEL_DEPLOYMENT_INSPECT \
| DATA_SCIENCE_MODEL_DEPLOYMENT_READ \
| DATA_SCIENCE_MODEL_DEPLOYMENT_UPDATE DATA_SCIENCE_MODEL_DEPLOYMENT_PREDICT \
| DATA_SCIENCE_MODEL_DEPLOYMENT_CREATE DATA_SCIENCE_MODEL_DEPLOYMENT_DELETE \
DATA_SCIENCE_MODEL_DEPLOYMENT_MOVE DATA_SCIENCE_MODEL_DEPLOYMENT_ACTIVATE \
DATA_SCIENCE_MODEL_DEPLOYMENT_DEACTIVATE
data-science-jobs | DATA_SCIENCE_JOB_INSPECT | DATA_SCIENCE_JOB_READ | DATA_SCIENCE_JOB_UPDATE \
| DATA_SCIENCE_JOB_CREATE DATA_SCIENCE_JOB_DELETE DATA_SCIENCE_JOB_MOVE
data-science-job-runs | DATA_SCIENCE_JOB_RUN_INSPECT | DATA_SCIENCE_JOB_RUN_READ \
| DATA_SCIENCE_JOB_RUN_UPDATE \
| DATA_SCIENCE_JOB_RUN_CREATE DATA_SCIENCE_JOB_RUN_DELETE DATA_SCIENCE_JOB_RUN_MOVE
data-science-work-requests | DATA_SCIENCE_WORK_REQUEST_INSPECT | DATA_SCIENCE_WORK_REQUEST_READ \
| | DATA_SCIENCE_WORK_REQUEST_DELETE
log-groups | LOG_GROUP_INSPECT | LOG_GROUP_READ | LOG_GROUP_UPDATE \
| LOG_GROUP_CREATE LOG_GROUP_DELETE
log-content | | LOG_CONTENT_READ | LOG_CONTENT_PUSH UNIFIED_AGENT_CONFIG_GENERATE |
unified-configuration | UNIFIED_AGENT_CONFIG_INSPECT | UNIFIED_AGENT_CONFIG_READ \
| UNIFIED_AGENT_CONFIG_UPDATE | UNIFIED_AGENT_CONFIG_CREATE UNIFIED_AGENT_CONFIG_DELETE
metrics | METRIC_INSPECT | METRIC_READ | METRIC_WRITE |
alarms | ALARM_INSPECT | ALARM_READ | | ALARM_CREATE ALARM_UPDATE ALARM_DELETE ALARM_MOVE
vaults | VAULT_INSPECT | VAULT_READ | VAULT_CREATE_KEY VAULT_IMPORT_KEY VAULT_CREATE_SECRET \
| VAULT_CREATE VAULT_UPDATE VAULT_DELETE VAULT_MOVE VAULT_BACKUP VAULT_RESTORE VAULT_REPLICATE
keys | KEY_INSPECT | KEY_READ | KEY_ENCRYPT KEY_DECRYPT KEY_EXPORT KEY_SIGN KEY_VERIFY \
| KEY_CREATE KEY_UPDATE KEY_ROTATE KEY_DELETE KEY_MOVE KEY_IMPORT KEY_BACKUP KEY_RESTORE
key-delegate | | | KEY_ASSOCIATE KEY_DISASSOCIATE |
secrets | SECRET_INSPECT | SECRET_READ | SECRET_UPDATE | SECRET_CREATE SECRET_DELETE SECRET_MOVE
secret-versions | SECRET_VERSION_INSPECT | SECRET_VERSION_READ | | SECRET_VERSION_DELETE
secret-bundles | SECRET_BUNDLE_INSPECT | SECRET_BUNDLE_READ | |
repos | REPOSITORY_INSPECT | REPOSITORY_READ | \
| REPOSITORY_CREATE REPOSITORY_DELETE REPOSITORY_UPDATE REPOSITORY_MANAGE
compartments | COMPARTMENT_INSPECT | | COMPARTMENT_UPDATE COMPARTMENT_READ \
| COMPARTMENT_CREATE COMPARTMENT_DELETE COMPARTMENT_RECOVER
tenancies | TENANCY_INSPECT | | TENANCY_UPDATE |
users | USER_INSPECT | USER_READ | USER_UPDATE \
| USER_CREATE USER_DELETE USER_UNBLOCK USER_APIKEY_ADD USER_APIKEY_REMOVE USER_UIPASS_SET \
USER_UIPASS_RESET USER_AUTHTOKEN_SET USER_AUTHTOKEN_RESET USER_AUTHTOKEN_REMOVE \
USER_SECRETKEY_ADD USER_SECRETKEY_UPDATE USER_SECRETKEY_REMOVE
groups | GROUP_INSPECT | | GROUP_UPDATE | GROUP_CREATE GROUP_DELETE
dynamic-groups | DYNAMIC_GROUP_INSPECT | | DYNAMIC_GROUP_UPDATE \
| DYNAMIC_GROUP_CREATE DYNAMIC_GROUP_DELETE
policies | POLICY_READ | | | POLICY_UPDATE POLICY_CREATE POLICY_DELETE
tag-namespaces | TAG_NAMESPACE_INSPECT | | TAG_NAMESPACE_USE \
| TAG_NAMESPACE_UPDATE TAG_NAMESPACE_CREATE TAG_NAMESPACE_MOVE TAG_NAMESPACE_DELETE
tag-defaults | TAG_DEFAULT_INSPECT TAG_NAMESPACE_READ | | \
| TAG_DEFAULT_CREATE TAG_DEFAULT_UPDATE TAG_DEFAULT_DELETE
iamworkrequest | IAM_WORKREQUEST_INSPECT | IAM_WORKREQUEST_READ | |
limits | LIMITS_VIEW_INSPECT | | |
resource-availability | RESOURCE_AVAILABILITY_INSPECT | | |
quotas | QUOTA_INSPECT | QUOTA_READ | | QUOTA_CREATE QUOTA_UPDATE QUOTA_DELETE
compute-capacity-reports | | | | COMPUTE_CAPACITY_REPORT_CREATE
"""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "virtual-network-family": (
        "vcns",
        "subnets",
        "route-tables",
        "network-security-groups",
        "security-lists",
        "dhcp-options",
        "internet-gateways",
        "nat-gateways",
        "service-gateways",
        "vnics",
        "private-ips",
        "public-ips",
        "local-peering-gateways",
        "local-peering-from",
        "local-peering-to",
        "drgs",
        "drg-attachments",
    ),
    "object-family": ("buckets", "objects", "objectstorage-namespaces"),
    "data-science-family": (
        "data-science-projects",
        "data-science-notebook-sessions",
        "data-science-models",
        "data-science-modelversionsets",
        "data-science-model-groups",
        "data-science-private-endpoint",
        "data-science-model-deployments",
        "data-science-jobs",
        "data-science-job-runs",
        "data-science-work-requests",
    ),
    "logging-family": ("log-groups", "log-content", "unified-configuration"),
    "secret-family": ("secrets", "secret-versions", "secret-bundles"),
    "key-family": ("vaults", "keys", "key-delegate"),
    # These two stand for more than themselves (Core Services, "Resource-Types").
    "drgs": ("drgs", "drg-attachments"),
    "local-peering-gateways": (
        "local-peering-gateways",
        "local-peering-from",
        "local-peering-to",
    ),
}
"""Aggregate resource types, with the individual ones that they stand for."""


@functools.cache
def resource_types() -> dict[str, tuple[frozenset[str], ...]]:
    """By resource type, what each verb from inspect to manage adds to the one before it."""
    found = {}
    for line in _TYPES.strip().splitlines():
        name, *levels = (part.strip() for part in line.split("|"))
        found[name] = tuple(frozenset(level.split()) for level in levels)
    return found


@functools.cache
def type_of(permission: str) -> str:
    """The resource type that *permission* is of; ``all-resources`` where it is of none."""
    for name, levels in resource_types().items():
        if any(permission in level for level in levels):
            return name
    return ALL_RESOURCES


@functools.cache
def verb_for(permission: str) -> str:
    """The least verb that gives *permission* on its resource type."""
    for verb, level in zip(VERBS, resource_types().get(type_of(permission), ()), strict=False):
        if permission in level:
            return verb
    return "manage"


@functools.cache
def allowed_by(verb: str, resource_type: str) -> frozenset[str] | None:
    """What ``Allow … to verb resource_type`` gives: the verb's permissions and the lesser ones'.

    None stands for every permission there is. A resource type that the mock knows nothing of
    gives none.
    """
    if (verb, resource_type) == ("manage", ALL_RESOURCES):
        return None
    return _levels(resource_type, 0, VERBS.index(verb) + 1)


@functools.cache
def denied_by(verb: str, resource_type: str) -> frozenset[str] | None:
    """What ``Deny … to verb resource_type`` takes: the verb's permissions and the greater ones'.

    Source: OCI documentation, "Deny Policies". None stands for every permission there is.
    """
    if (verb, resource_type) == ("inspect", ALL_RESOURCES):
        return None
    return _levels(resource_type, VERBS.index(verb), len(VERBS))


def _levels(resource_type: str, first: int, end: int) -> frozenset[str]:
    types = resource_types()
    if resource_type == ALL_RESOURCES:
        members = tuple(types)
    else:
        members = FAMILIES.get(resource_type, (resource_type,))
    levels = [level for name in members for level in types.get(name, ())[first:end]]
    return frozenset().union(*levels)
