"""What people try who have few rights, and want more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import oci
import pytest
import requests

from ocimock import Settings, mock_oci
from tests.ocimock.iam.world import World
from tests.ocimock.support import refused

ids = oci.identity.models
oss = oci.object_storage.models
FAR = datetime(2100, 1, 1, tzinfo=UTC)

IDENTITY = "https://identity.us-ashburn-1.oraclecloud.com/20160918"
STORAGE = "https://objectstorage.eu-frankfurt-1.oraclecloud.com"


def signed(config: dict[str, str], url: str) -> requests.PreparedRequest:
    """A GET that the SDK's signer signed, ready to be tampered with."""
    signer = oci.signer.Signer(
        config["tenancy"], config["user"], config["fingerprint"], None, None, config["key_content"]
    )
    found: requests.PreparedRequest = signer(requests.Request("GET", url).prepare())
    return found


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(request, timeout=5)


@pytest.mark.parametrize(
    "decoy",
    ['x="keyId=",y=a/{admin}/b,z="",', 'x="keyId=",y={tenancy}/{admin}/b,z="a",'],
)
def test_the_caller_is_whose_signature_is_checked(decoy: str) -> None:
    with mock_oci(Settings(verify_signatures=True, enforce_iam=True)) as mocked:
        config = {**mocked.config, "region": "us-ashburn-1"}
        details = oci.identity.models.CreateUserDetails(
            compartment_id=mocked.tenancy_id, name="eve", description="d"
        )
        eve: Any = oci.identity.IdentityClient(config).create_user(details).data.id
        asked = signed(mocked.user_config(eve), f"{IDENTITY}/users/{mocked.user_id}")
        assert send(asked).status_code == 404
        header = str(asked.headers["authorization"])
        named = decoy.format(admin=mocked.user_id, tenancy=mocked.tenancy_id)
        asked.headers["authorization"] = header.replace("Signature ", f"Signature {named}")
        assert send(asked).status_code == 404


def call(world: World, method: str, url: str, **options: Any) -> requests.Response:
    """Ada's call, as no SDK client would make it."""
    config = world.mocked.user_config(world.ada)
    signer = oci.signer.Signer(
        config["tenancy"], config["user"], config["fingerprint"], None, None, config["key_content"]
    )
    return requests.request(method, url, auth=signer, timeout=5, **options)


def compartment(world: World, name: str = "other") -> str:
    details = ids.CreateCompartmentDetails(
        compartment_id=world.mocked.tenancy_id, name=name, description="d"
    )
    return str(world.identity().create_compartment(details).data.id)


def link(world: World, bucket: str, access: str, name: str | None = None) -> str:
    """Where ada's new pre-authenticated request leads to, up to the object's name."""
    details = oss.CreatePreauthenticatedRequestDetails(
        name="link", access_type=access, object_name=name, time_expires=FAR
    )
    made = world.storage().create_preauthenticated_request("ocimock", bucket, details)
    return f"{STORAGE}{made.data.access_uri}"


def test_a_second_compartment_is_not_slipped_in(world: World) -> None:
    mine, other = world.mocked.compartment_id, compartment(world)
    details = oci.core.models.CreateVcnDetails(compartment_id=other, cidr_block="10.0.0.0/16")
    world.network(as_ada=False).create_vcn(details)
    world.allow(f"Allow group people to inspect vcns in compartment id {mine}")
    url = "https://iaas.eu-frankfurt-1.oraclecloud.com/20160918/vcns"
    assert call(world, "GET", f"{url}?compartmentId={mine}").json() == []
    answer = call(world, "GET", f"{url}?compartmentId={mine}&compartmentId={other}")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")


def test_leaving_a_group_does_not_tell_who_is_in_it(world: World) -> None:
    members = world.identity().list_user_group_memberships
    (there,) = [m.id for m in members(world.mocked.tenancy_id, user_id=world.mocked.user_id).data]
    told = []
    for membership in (there, f"{there[:-4]}zzzz"):
        answer = call(world, "DELETE", f"{IDENTITY}/userGroupMemberships/{membership}")
        told.append((answer.status_code, answer.text.replace(membership, "…")))
    assert told[0] == told[1]
    assert told[0][0] == 404


def test_deleting_no_objects_does_not_tell_which_buckets_there_are(
    world: World, bucket: str
) -> None:
    for name in (bucket, "missing"):
        with refused(404, "BucketNotFound"):
            details = oss.BatchDeleteObjectsDetails(objects=[])
            world.storage().batch_delete_objects("ocimock", name, details)


def test_an_object_is_not_taken_by_giving_it_a_name_of_ones_own(world: World, bucket: str) -> None:
    world.allow("Allow group people to manage objects in tenancy where target.object.name='mine/*'")
    storage = world.storage()
    details = oss.RenameObjectDetails(source_name="old", new_name="mine/old")
    with refused(404, "BucketNotFound"):
        storage.rename_object("ocimock", bucket, details)
    storage.put_object("ocimock", bucket, "mine/a", b"a")
    details = oss.RenameObjectDetails(source_name="mine/a", new_name="mine/b")
    assert storage.rename_object("ocimock", bucket, details).status == 200


@pytest.mark.parametrize(
    ("access", "name", "statement"),
    [
        ("ObjectRead", "old", "read objects in tenancy"),
        ("AnyObjectRead", None, "read objects in tenancy"),
        ("ObjectWrite", "old", "{OBJECT_CREATE, OBJECT_OVERWRITE} in tenancy"),
        ("AnyObjectReadWrite", None, "manage objects in tenancy"),
        ("AnyObjectRead", "mine/", "read objects in tenancy where target.object.name='mine/*'"),
    ],
)
def test_a_link_takes_the_rights_that_it_gives(
    world: World, bucket: str, access: str, name: str | None, statement: str
) -> None:
    world.allow("Allow group people to {PAR_MANAGE, BUCKET_READ} in tenancy")
    with refused(404, "BucketNotFound"):
        link(world, bucket, access, name)
    world.allow(f"Allow group people to {statement}")
    assert link(world, bucket, access, name)


def test_a_link_ends_with_its_creators_rights(world: World, bucket: str) -> None:
    world.allow("Allow group people to {PAR_MANAGE} in tenancy")
    rights = world.allow(
        "Allow group people to {OBJECT_READ, OBJECT_OVERWRITE, OBJECT_CREATE} in tenancy"
    )
    to = link(world, bucket, "ObjectReadWrite", "old")
    assert requests.get(to, timeout=5).content == b"old"
    assert requests.put(to, b"newer", timeout=5).status_code == 200
    details = ids.UpdatePolicyDetails(statements=["Allow group people to read objects in tenancy"])
    world.identity().update_policy(rights, details)
    assert requests.put(to, b"newest", timeout=5).status_code == 404
    assert requests.get(to, timeout=5).content == b"newer"
    world.identity().delete_policy(rights)
    assert requests.get(to, timeout=5).status_code == 404
    assert requests.head(to, timeout=5).status_code == 404


def test_a_compartment_is_not_moved_to_what_is_none(world: World) -> None:
    identity = world.identity()
    made = identity.create_auth_token(ids.CreateAuthTokenDetails(description="d"), world.ada)
    path = f"compartments/{compartment(world)}/actions/moveCompartment"
    body = {"targetCompartmentId": made.data.id}
    assert call(world, "POST", f"{IDENTITY}/{path}", json=body).status_code == 404


def test_a_compartment_does_not_take_anothers_name(world: World) -> None:
    """Or policies that name the one would be about the other."""
    first, second = compartment(world, "first"), compartment(world, "second")
    update = world.identity().update_compartment
    with refused(409, "CompartmentAlreadyExists"):
        update(first, ids.UpdateCompartmentDetails(name="second"))
    assert world.identity().get_compartment(first).data.name == "first"
    assert update(second, ids.UpdateCompartmentDetails(name="second")).status == 200


def test_nobody_gets_the_answer_to_somebody_elses_call(world: World) -> None:
    world.allow("Allow group people to manage vcns in tenancy")
    here = world.mocked.compartment_id
    details = oci.core.models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    made = [
        client.create_vcn(details, opc_retry_token="once").data.id
        for client in (
            world.network(),
            world.network(),
            world.network(as_ada=False),
            world.client(oci.core.VirtualNetworkClient, region="us-ashburn-1"),
        )
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 3


def test_tags_take_the_right_to_use_their_namespace(world: World) -> None:
    """Or whoever may tag a resource could put it into a dynamic group, or under a condition."""
    root = world.mocked.tenancy_id
    namespace = ids.CreateTagNamespaceDetails(compartment_id=root, name="Ops", description="d")
    made = world.identity().create_tag_namespace(namespace).data.id
    world.identity().create_tag(made, ids.CreateTagDetails(name="Env", description="d"))
    world.allow("Allow group people to manage vcns in tenancy")
    network, models = world.network(), oci.core.models

    def create(client: Any, **more: Any) -> str:
        details = models.CreateVcnDetails(
            compartment_id=world.mocked.compartment_id, cidr_block="10.0.0.0/16", **more
        )
        return str(client.create_vcn(details).data.id)

    tags = {"Ops": {"Env": "prod"}}
    with refused(404, "NotAuthorizedOrNotFound"):
        create(network, defined_tags=tags)
    tagged, plain = create(world.network(as_ada=False), defined_tags=tags), create(network)
    # What stays as it is takes no right.
    kept = models.UpdateVcnDetails(display_name="n", defined_tags=tags)
    assert network.update_vcn(tagged, kept).data.display_name == "n"
    for vcn, changed in ((tagged, {}), (tagged, {"ops": {"Env": "dev"}}), (plain, tags)):
        with refused(404, "NotAuthorizedOrNotFound"):
            network.update_vcn(vcn, models.UpdateVcnDetails(defined_tags=changed))
    world.allow("Allow group people to use tag-namespaces in tenancy")
    assert network.update_vcn(plain, models.UpdateVcnDetails(defined_tags=tags)).status == 200


def test_a_group_of_models_takes_the_right_to_read_them(world: World) -> None:
    here, there = world.mocked.compartment_id, compartment(world)
    models = oci.data_science.models
    admin = world.client(oci.data_science.DataScienceClient, as_ada=False)
    projects = [
        admin.create_project(models.CreateProjectDetails(compartment_id=where)).data.id
        for where in (here, there)
    ]
    model = admin.create_model(
        models.CreateModelDetails(compartment_id=there, project_id=projects[1])
    ).data.id
    admin.create_model_artifact(model, b"PK", content_disposition="filename=a.zip")
    world.allow(f"Allow group people to manage data-science-family in compartment id {here}")
    details = models.CreateModelGroupDetails(
        compartment_id=here,
        project_id=projects[0],
        model_group_details=models.HomogeneousModelGroupDetails(),
        member_model_entries=models.MemberModelEntries(
            member_model_details=[models.MemberModelDetails(model_id=model)]
        ),
    )
    ada = world.client(oci.data_science.DataScienceClient)
    with refused(404, "NotAuthorizedOrNotFound"):
        ada.create_model_group(details)
    world.allow(f"Allow group people to read data-science-models in compartment id {there}")
    assert ada.create_model_group(details).status == 200


def test_a_public_ip_is_found_by_its_address_where_it_may_be_read(world: World) -> None:
    here, models = world.mocked.compartment_id, oci.core.models
    admin, ada = world.network(as_ada=False), world.network()
    details = models.CreatePublicIpDetails(compartment_id=here, lifetime="RESERVED")
    address = admin.create_public_ip(details).data.ip_address
    for asked in (address, "192.0.2.1"):
        with refused(404, "NotAuthorizedOrNotFound"):
            ada.get_public_ip_by_ip_address(models.GetPublicIpByIpAddressDetails(ip_address=asked))
    world.allow(f"Allow group people to read public-ips in compartment id {here}")
    found = ada.get_public_ip_by_ip_address(
        models.GetPublicIpByIpAddressDetails(ip_address=address)
    )
    assert found.data.ip_address == address


def test_tags_of_all_compartments_take_a_right_in_the_tenancy(world: World) -> None:
    here = world.mocked.compartment_id
    world.allow(f"Allow group people to inspect tag-namespaces in compartment id {here}")
    with refused(404, "NotAuthorizedOrNotFound"):
        world.identity(as_ada=True).list_cost_tracking_tags(here)
    world.allow("Allow group people to inspect tag-namespaces in tenancy")
    assert world.identity(as_ada=True).list_cost_tracking_tags(here).data == []


def test_routes_and_rules_take_rights_on_what_they_name(world: World) -> None:
    here, there, models = world.mocked.compartment_id, compartment(world), oci.core.models
    admin, ada = world.network(as_ada=False), world.network()
    vcn = admin.create_vcn(
        models.CreateVcnDetails(compartment_id=here, cidr_block="10.0.0.0/16")
    ).data.id
    gateway = admin.create_internet_gateway(
        models.CreateInternetGatewayDetails(compartment_id=there, vcn_id=vcn, is_enabled=True)
    ).data.id
    route = models.RouteRule(destination="0.0.0.0/0", network_entity_id=gateway)
    made = {"compartment_id": here, "vcn_id": vcn}
    table = admin.create_route_table(
        models.CreateRouteTableDetails(**made, route_rules=[route])
    ).data.id
    groups = [
        admin.create_network_security_group(
            models.CreateNetworkSecurityGroupDetails(compartment_id=where, vcn_id=vcn)
        ).data.id
        for where in (here, there)
    ]
    world.allow(f"Allow group people to manage virtual-network-family in compartment id {here}")
    rule = models.AddSecurityRuleDetails(
        direction="INGRESS", protocol="all", source=groups[1], source_type="NETWORK_SECURITY_GROUP"
    )
    calls: list[Callable[[], Any]] = [
        lambda: ada.update_route_table(table, models.UpdateRouteTableDetails(route_rules=[])),
        lambda: ada.create_route_table(models.CreateRouteTableDetails(**made, route_rules=[route])),
        lambda: ada.delete_route_table(table),
        lambda: ada.add_network_security_group_security_rules(
            groups[0],
            models.AddNetworkSecurityGroupSecurityRulesDetails(security_rules=[rule]),
        ),
    ]
    for refused_call in calls:
        with refused(404, "NotAuthorizedOrNotFound"):
            refused_call()
    for kept in (
        models.UpdateRouteTableDetails(display_name="n"),
        models.UpdateRouteTableDetails(route_rules=[route]),
    ):
        assert ada.update_route_table(table, kept).status == 200
    world.allow(
        f"Allow group people to manage internet-gateways in compartment id {there}",
        f"Allow group people to inspect network-security-groups in compartment id {there}",
    )
    for allowed_call in calls:
        assert allowed_call().status < 300


def test_a_copy_takes_all_that_the_policy_reference_lists(world: World, bucket: str) -> None:
    copy = oss.CopyObjectDetails(
        source_object_name="old",
        destination_region="eu-frankfurt-1",
        destination_namespace="ocimock",
        destination_bucket=bucket,
        destination_object_name="new",
    )
    rights = ("OBJECT_READ", "OBJECT_CREATE", "OBJECT_OVERWRITE", "OBJECT_INSPECT")
    for right in rights:
        with refused(404, "BucketNotFound"):
            world.storage().copy_object("ocimock", bucket, copy)
        world.allow(f"Allow group people to {{{right}}} in tenancy")
    assert world.storage().copy_object("ocimock", bucket, copy).status == 202
