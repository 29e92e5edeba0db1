"""Tag namespaces, tags, tag defaults, and what they mean to resources; compartments recovered."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, refused

m = oci.identity.models


class Tags:
    """A tag namespace *Finance* in the root compartment."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        home = mocked.settings.home_region
        self.api = client(mocked, oci.identity.IdentityClient, region=home)
        self.network = client(mocked, oci.core.VirtualNetworkClient)
        self.namespace = self.make_namespace("Finance")

    def make_namespace(self, name: str) -> str:
        details = m.CreateTagNamespaceDetails(
            compartment_id=self.mocked.tenancy_id, name=name, description="d"
        )
        return str(self.api.create_tag_namespace(details).data.id)

    def tag(self, name: str = "CostCenter", **fields: Any) -> Any:
        details = m.CreateTagDetails(name=name, description="d", **fields)
        return self.api.create_tag(self.namespace, details).data

    def retire(self, name: str = "CostCenter") -> None:
        self.api.update_tag(self.namespace, name, m.UpdateTagDetails(is_retired=True))

    def default(self, tag: str, value: str, **fields: Any) -> Any:
        details = m.CreateTagDefaultDetails(
            compartment_id=self.mocked.tenancy_id, tag_definition_id=tag, value=value, **fields
        )
        return self.api.create_tag_default(details).data

    def vcn(self, **fields: Any) -> Any:
        details = oci.core.models.CreateVcnDetails(
            compartment_id=self.mocked.compartment_id, cidr_blocks=["10.0.0.0/16"], **fields
        )
        return self.network.create_vcn(details).data


@pytest.fixture
def tags(mocked: MockedTenancy) -> Tags:
    return Tags(mocked)


def test_a_namespace_is_retired_before_it_goes(tags: Tags) -> None:
    tags.tag()
    assert [tag.name for tag in tags.api.list_tags(tags.namespace).data] == ["CostCenter"]
    with refused(409, "IncorrectState", "has tags"):
        tags.api.delete_tag_namespace(tags.namespace)
    with refused(409, "IncorrectState", "retired"):
        tags.api.delete_tag(tags.namespace, "costcenter")
    update = m.UpdateTagNamespaceDetails(is_retired=True)
    assert tags.api.update_tag_namespace(tags.namespace, update).data.lifecycle_state == "INACTIVE"
    assert tags.api.get_tag(tags.namespace, "costcenter").data.is_retired
    with refused(409, "IncorrectState", "retired"):
        tags.tag("Other")
    work = tags.api.delete_tag(tags.namespace, "CostCenter").headers["opc-work-request-id"]
    assert tags.api.get_tagging_work_request(work).data.status == "SUCCEEDED"
    tags.api.delete_tag_namespace(tags.namespace)
    assert tags.api.list_tag_namespaces(tags.mocked.tenancy_id).data == []
    tenancy = tags.mocked.tenancy_id
    types = [w.operation_type for w in tags.api.list_tagging_work_requests(tenancy).data]
    assert types == ["DELETE_TAG_DEFINITION"]


def test_a_namespace_goes_with_all_its_tags(tags: Tags) -> None:
    tags.tag()
    tags.api.update_tag_namespace(tags.namespace, m.UpdateTagNamespaceDetails(is_retired=True))
    tags.api.cascade_delete_tag_namespace(tags.namespace)
    tags.make_namespace("Finance")


@pytest.mark.parametrize("name", ["a.b", "a b"])
def test_a_namespace_has_a_plain_name(tags: Tags, name: str) -> None:
    with refused(400, "InvalidParameter", "name", name):
        tags.make_namespace(name)


def test_names_are_taken_once(tags: Tags) -> None:
    tags.tag()
    with refused(409, "TagNamespaceAlreadyExists"):
        tags.make_namespace("Finance")
    with refused(409, "TagDefinitionAlreadyExists"):
        tags.tag()


def test_only_defined_tags_are_taken(tags: Tags) -> None:
    for unknown in ({"Finance": {"CostCenter": "42"}}, {"Nothing": {"CostCenter": "42"}}):
        with refused(400, "InvalidParameter", "not authorized or not found", "CostCenter"):
            tags.vcn(defined_tags=unknown)
    tags.tag()
    made = tags.vcn(defined_tags={"Finance": {"CostCenter": "42"}})
    assert made.defined_tags == {"Finance": {"CostCenter": "42"}}
    tags.retire()
    details = oci.core.models.UpdateVcnDetails(defined_tags={"Finance": {"CostCenter": "43"}})
    with refused(400, "InvalidParameter", "CostCenter"):
        tags.network.update_vcn(made.id, details)
    # What it has already stays as it is.
    details.defined_tags = {"Finance": {"CostCenter": "42"}}
    details.display_name = "renamed"
    assert tags.network.update_vcn(made.id, details).data.display_name == "renamed"


def test_a_tag_may_have_a_list_of_values(tags: Tags) -> None:
    tags.tag(validator=m.EnumTagDefinitionValidator(values=["a", "b"]))
    tags.vcn(defined_tags={"Finance": {"CostCenter": "a"}})
    with refused(400, "InvalidParameter", "'c' is not one of a, b"):
        tags.vcn(defined_tags={"Finance": {"CostCenter": "c"}})
    with refused(400, "InvalidParameter", "validator.values"):
        tags.tag("Other", validator=m.EnumTagDefinitionValidator(values=["a", "a"]))


def test_a_tag_default_tags_what_is_new_below(tags: Tags) -> None:
    made = tags.default(tags.tag("CreatedBy").id, "${iam.principal.name}, really")
    assert tags.vcn().defined_tags == {"Finance": {"CreatedBy": "ocimock, really"}}
    assert tags.vcn(defined_tags={"Finance": {"CreatedBy": "me"}}).defined_tags == {
        "Finance": {"CreatedBy": "me"}
    }
    found = tags.api.assemble_effective_tag_set(tags.mocked.compartment_id).data
    assert [item.id for item in found] == [made.id]
    tags.api.delete_tag_default(made.id)
    assert tags.vcn().defined_tags == {}


def test_a_tag_default_may_ask_for_a_value(tags: Tags) -> None:
    tags.default(tags.tag().id, "", is_required=True)
    with refused(400, "InvalidParameter", "CostCenter is required"):
        tags.vcn()
    tags.vcn(defined_tags={"Finance": {"CostCenter": "1"}})


def test_a_deleted_compartment_leaves_its_name_and_comes_back(mocked: MockedTenancy) -> None:
    api = client(mocked, oci.identity.IdentityClient, region=mocked.settings.home_region)
    details = m.CreateCompartmentDetails(
        compartment_id=mocked.tenancy_id, name="team", description="d"
    )
    first = api.create_compartment(details).data.id
    work = api.delete_compartment(first).headers["opc-work-request-id"]
    assert api.get_work_request(work).data.status == "SUCCEEDED"
    gone = api.get_compartment(first).data
    assert (gone.lifecycle_state, gone.name.startswith("team.")) == ("DELETED", True)
    second = api.create_compartment(details).data.id
    back = api.recover_compartment(first).data
    assert (back.lifecycle_state, back.name) == ("ACTIVE", gone.name)
    found = [item.id for item in api.list_compartments(mocked.tenancy_id).data]
    assert {first, second} <= set(found)
    with refused(409, "IncorrectState", "ACTIVE"):
        api.recover_compartment(first)
