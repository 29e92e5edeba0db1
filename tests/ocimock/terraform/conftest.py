"""A tenant on a running ocimock, and what most of its resources need to stand on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE
from ocimock.server.announcement import ServerFile
from ocimock.terraform.provider import Provider
from tests.ocimock.terraform.tenant import State, Tenant

_NUMBERS = itertools.count()


@pytest.fixture
def tenant(server: ServerFile) -> Iterator[Tenant]:
    provider = Provider(server.environment)
    provider.configure({"region": "eu-frankfurt-1"})
    tenant = Tenant(provider)
    yield tenant
    tenant.destroy_all()


@pytest.fixture
def unique() -> str:
    return f"t{next(_NUMBERS)}"


@pytest.fixture
def vcn(tenant: Tenant) -> State:
    return tenant.create("oci_core_vcn", compartment_id=COMPARTMENT_ID, cidr_blocks=["10.0.0.0/16"])


@pytest.fixture
def bucket(tenant: Tenant, unique: str) -> State:
    return tenant.create(
        "oci_objectstorage_bucket",
        compartment_id=COMPARTMENT_ID,
        namespace=NAMESPACE,
        name=unique,
        versioning="Enabled",
    )


@pytest.fixture
def project(tenant: Tenant) -> State:
    return tenant.create("oci_datascience_project", compartment_id=COMPARTMENT_ID)


@pytest.fixture
def subnet(tenant: Tenant, vcn: State) -> State:
    return tenant.create(
        "oci_core_subnet",
        compartment_id=COMPARTMENT_ID,
        vcn_id=vcn["id"],
        cidr_block="10.0.1.0/24",
        prohibit_public_ip_on_vnic=True,
    )


@pytest.fixture
def vault(tenant: Tenant, unique: str) -> State:
    return tenant.create(
        "oci_kms_vault", compartment_id=COMPARTMENT_ID, display_name=unique, vault_type="DEFAULT"
    )


@pytest.fixture
def key(tenant: Tenant, vault: State, unique: str) -> State:
    return tenant.create(
        "oci_kms_key",
        compartment_id=COMPARTMENT_ID,
        display_name=unique,
        management_endpoint=vault["management_endpoint"],
        key_shape=[{"algorithm": "AES", "length": 32}],
    )


@pytest.fixture
def resolve(request: pytest.FixtureRequest) -> Any:
    """Put fixtures in the place of their "{name.attribute}"."""

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: resolved(item) for name, item in value.items()}
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if isinstance(value, str) and value.startswith("{"):
            fixture, _, attribute = value.strip("{}").partition(".")
            found = request.getfixturevalue(fixture)
            return found[attribute] if attribute else found
        return value

    return resolved
