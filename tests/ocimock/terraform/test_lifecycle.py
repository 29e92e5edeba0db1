"""Each resource type through its life against a running ocimock, as Terraform would drive it.

The real Terraform binary does this in `tests/e2e`; here every type takes its turn in milliseconds.
"""

from __future__ import annotations

from typing import Any

import pytest

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE, TENANCY_ID
from ocimock.terraform.values import known
from tests.ocimock.terraform.tenant import (
    HERE,
    IN_PROJECT,
    IN_VCN,
    JOB,
    NOTEBOOK,
    SECRET,
    State,
    Tenant,
)

_TAGGED = {"freeform_tags": {"stage": "demo"}}
_INGRESS = {
    "protocol": "6",
    "source": "10.0.1.0/24",
    "tcp_options": [{"min": 29400, "max": 29400}],
}
_ICMP = {"protocol": "1", "source": "10.0.1.0/24", "icmp_options": [{"type": 3, "code": 4}]}
#: (type, configuration, what an update changes)
_LIVES: list[tuple[str, State, State]] = [
    ("oci_core_vcn", {**HERE, "cidr_blocks": ["10.1.0.0/16"], "dns_label": "net"}, _TAGGED),
    (
        "oci_core_subnet",
        {**IN_VCN, "cidr_block": "10.0.2.0/24", "prohibit_public_ip_on_vnic": True},
        {"display_name": "private"},
    ),
    (
        "oci_core_security_list",
        {
            **IN_VCN,
            "egress_security_rules": [{"destination": "0.0.0.0/0", "protocol": "all"}],
            "ingress_security_rules": [_INGRESS, _ICMP],
        },
        {"ingress_security_rules": [_ICMP]},
    ),
    (
        "oci_core_security_list",
        {**IN_VCN, "ingress_security_rules": [_INGRESS]},
        {"ingress_security_rules": []},
    ),
    ("oci_core_nat_gateway", {**IN_VCN}, {"block_traffic": True}),
    ("oci_core_internet_gateway", {**IN_VCN}, {"enabled": False}),
    ("oci_core_route_table", {**IN_VCN}, {"display_name": "routes"}),
    ("oci_core_network_security_group", {**IN_VCN}, {"display_name": "group"}),
    (
        "oci_core_dhcp_options",
        {
            **IN_VCN,
            "options": [
                {"type": "DomainNameServer", "server_type": "VcnLocalPlusInternet"},
                {"type": "SearchDomain", "search_domain_names": ["example.com"]},
            ],
        },
        {"display_name": "names"},
    ),
    (
        "oci_objectstorage_bucket",
        {**HERE, "namespace": NAMESPACE, "name": "{unique}"},
        {"versioning": "Enabled", "access_type": "ObjectRead"},
    ),
    (
        "oci_identity_dynamic_group",
        {
            "compartment_id": TENANCY_ID,
            "name": "{unique}",
            "description": "jobs",
            "matching_rule": "any {all {resource.type='datasciencejobrun'}}",
        },
        {"matching_rule": "any {all {resource.type='datasciencenotebooksession'}}"},
    ),
    (
        "oci_identity_policy",
        {
            **HERE,
            "name": "{unique}",
            "description": "network",
            "statements": [
                "allow service datascience to use virtual-network-family in compartment id "
                + COMPARTMENT_ID
            ],
        },
        {"description": "network for jobs"},
    ),
    (
        "oci_identity_compartment",
        {**HERE, "name": "{unique}", "description": "below", "enable_delete": True},
        {"description": "still below"},
    ),
    ("oci_logging_log_group", {**HERE, "display_name": "{unique}"}, {"description": "jobs"}),
    ("oci_artifacts_container_repository", {**HERE, "display_name": "{unique}"}, _TAGGED),
    (
        "oci_kms_vault",
        {**HERE, "display_name": "{unique}", "vault_type": "DEFAULT"},
        {"display_name": "renamed"},
    ),
    (
        "oci_kms_key",
        {
            **HERE,
            "display_name": "{unique}",
            "management_endpoint": "{vault.management_endpoint}",
            "key_shape": [{"algorithm": "AES", "length": 32}],
        },
        {"desired_state": "DISABLED"},
    ),
    ("oci_vault_secret", SECRET, {"description": "Hugging Face"}),
    ("oci_datascience_project", {**HERE, "display_name": "lab"}, {"description": "llamas"}),
    ("oci_datascience_notebook_session", NOTEBOOK, {"display_name": "bench 2"}),
    ("oci_datascience_notebook_session", NOTEBOOK, {"state": "INACTIVE"}),
    ("oci_datascience_job", JOB, {"description": "LoRA"}),
    (
        "oci_datascience_model_version_set",
        {**IN_PROJECT, "name": "{unique}"},
        {"description": "llamas"},
    ),
]


@pytest.mark.parametrize(
    ("type_name", "config", "change"), _LIVES, ids=[f"{n}-{'-'.join(c)}" for n, _, c in _LIVES]
)
def test_a_life(tenant: Tenant, resolve: Any, type_name: str, config: State, change: State) -> None:
    config = resolve(config)
    state = tenant.create(type_name, **config)
    assert known(state) == state
    state = tenant.assert_clean(type_name, state, **config)

    changed = {**config, **change}
    state = tenant.update(type_name, state, **changed)
    state = tenant.assert_clean(type_name, state, **changed)

    tenant.destroy(type_name, state)
    assert tenant.provider.read(type_name, state) is None
