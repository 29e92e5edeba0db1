"""What tests of policies share."""

from __future__ import annotations

from collections.abc import Iterator

import oci
import pytest

from ocimock import Settings, mock_oci
from tests.ocimock.iam.tenancy import Tenancy
from tests.ocimock.iam.world import World

ids = oci.identity.models


@pytest.fixture
def tenancy() -> Tenancy:
    return Tenancy()


@pytest.fixture
def world() -> Iterator[World]:
    with mock_oci(Settings(enforce_iam=True)) as mocked:
        config = {**mocked.config, "region": "us-ashburn-1"}
        admin = oci.identity.IdentityClient(config)
        root = mocked.tenancy_id
        user = admin.create_user(
            ids.CreateUserDetails(compartment_id=root, name="ada", description="d")
        ).data.id
        group = admin.create_group(
            ids.CreateGroupDetails(compartment_id=root, name="people", description="d")
        ).data.id
        admin.add_user_to_group(ids.AddUserToGroupDetails(user_id=user, group_id=group))
        yield World(mocked, user, group)


@pytest.fixture
def bucket(world: World) -> str:
    details = oci.object_storage.models.CreateBucketDetails(
        name="data", compartment_id=world.mocked.compartment_id
    )
    storage = world.storage(as_ada=False)
    storage.create_bucket("ocimock", details)
    storage.put_object("ocimock", "data", "old", b"old")
    return "data"
