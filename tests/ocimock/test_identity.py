"""Identity: who there is, what they may, and where it may be written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, pages, refused

m = oci.identity.models
RULE = "any {all {resource.type='datasciencejobrun', resource.compartment.id='ocid1.x'}}"
BORN_WITH = "Tenant Admin Policy"
STATEMENT = "Allow group admins to manage all-resources in tenancy"


@pytest.fixture
def api(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")


def compartment(mocked: MockedTenancy, api: Any, name: str = "team", parent: str = "") -> Any:
    parent = parent or mocked.tenancy_id
    details = m.CreateCompartmentDetails(compartment_id=parent, name=name, description="d")
    return api.create_compartment(details).data


def dynamic_group(mocked: MockedTenancy, api: Any, rule: str = RULE, name: str = "jobs") -> Any:
    details = m.CreateDynamicGroupDetails(
        compartment_id=mocked.tenancy_id, name=name, description="d", matching_rule=rule
    )
    return api.create_dynamic_group(details).data


def policy(
    mocked: MockedTenancy, api: Any, *statements: str, where: str = "", name: str = "p"
) -> Any:
    details = m.CreatePolicyDetails(
        compartment_id=where or mocked.tenancy_id,
        name=name,
        description="d",
        statements=list(statements or (STATEMENT,)),
    )
    return api.create_policy(details).data


def group(mocked: MockedTenancy, api: Any, name: str = "people") -> Any:
    details = m.CreateGroupDetails(compartment_id=mocked.tenancy_id, name=name, description="d")
    return api.create_group(details).data


KINDS = [
    ("compartment", compartment, "UpdateCompartmentDetails", "CompartmentAlreadyExists"),
    ("dynamic_group", dynamic_group, "UpdateDynamicGroupDetails", "DynamicGroupAlreadyExists"),
    ("policy", policy, "UpdatePolicyDetails", "PolicyAlreadyExists"),
    ("group", group, "UpdateGroupDetails", "GroupAlreadyExists"),
]
each_kind = pytest.mark.parametrize(
    ("noun", "make", "update", "taken"), KINDS, ids=[kind[0] for kind in KINDS]
)


@each_kind
def test_create_list_update_delete_gone(
    mocked: MockedTenancy, api: Any, noun: str, make: Any, update: str, taken: str
) -> None:
    before = mocked.standing()
    made = make(mocked, api)
    get = getattr(api, f"get_{noun}")
    listing = getattr(api, "list_" + (noun[:-1] + "ies" if noun == "policy" else noun + "s"))
    assert get(made.id).data.lifecycle_state == "ACTIVE"
    assert made.id in [item.id for item in listing(compartment_id=mocked.tenancy_id).data]

    getattr(api, f"update_{noun}")(made.id, getattr(m, update)(description="changed"))
    assert get(made.id).data.description == "changed"

    getattr(api, f"delete_{noun}")(made.id)
    assert mocked.standing() == before
    assert made.id not in [item.id for item in listing(compartment_id=mocked.tenancy_id).data]
    with refused(404, "NotAuthorizedOrNotFound", made.id):
        getattr(api, f"delete_{noun}")(made.id)


@each_kind
def test_a_name_is_taken_once(
    mocked: MockedTenancy, api: Any, noun: str, make: Any, update: str, taken: str
) -> None:
    made = make(mocked, api)
    with refused(409, taken, made.name):
        make(mocked, api)
    getattr(api, f"delete_{noun}")(made.id)
    make(mocked, api)


@each_kind
def test_iam_is_written_in_the_home_region_only(
    mocked: MockedTenancy, api: Any, noun: str, make: Any, update: str, taken: str
) -> None:
    made = make(mocked, api)
    abroad = client(mocked, oci.identity.IdentityClient, region="eu-frankfurt-1")
    words = ("home region IAD", "CREATE, UPDATE and DELETE")
    with refused(403, "NotAllowed", *words):
        make(mocked, abroad)
    with refused(403, "NotAllowed", *words):
        getattr(abroad, f"update_{noun}")(made.id, getattr(m, update)(description="changed"))
    with refused(403, "NotAllowed", *words):
        getattr(abroad, f"delete_{noun}")(made.id)
    assert getattr(abroad, f"get_{noun}")(made.id).data.description == "d"


@pytest.mark.parametrize("make", [dynamic_group, group], ids=["dynamic_group", "group"])
def test_groups_live_in_the_root_only(mocked: MockedTenancy, api: Any, make: Any) -> None:
    elsewhere = SimpleNamespace(tenancy_id=mocked.compartment_id)
    with refused(400, "InvalidParameter", "compartmentId", mocked.tenancy_id):
        make(elsewhere, api)


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        "resource.type = 'datasciencenotebooksession'",
        "ANY {instance.compartment.id = 'a', resource.id != 'b'}",
        "all {tag.operations.role.value = 'trainer', tag.operations.owner.value}",
    ],
)
def test_a_matching_rule(mocked: MockedTenancy, api: Any, rule: str) -> None:
    assert dynamic_group(mocked, api, rule).matching_rule == rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("all {resource.type='a'}\nall {resource.type='b'}", "one line"),
        ("all {\n  resource.type='a'}", "one line"),
        ("all {resource.type='a'} all {resource.type='b'}", "the end expected"),
        ("any {all {resource.type='a'}", "'}' expected"),
        ("all {}", "'}' found"),
        ("resource.type=datasciencejobrun", "single quotes"),
        ("type='datasciencejobrun'", "resource.type"),
        ("nonsense", "resource.type"),
        ("resource.type='a", "can't be read"),
    ],
)
def test_a_wrong_matching_rule(mocked: MockedTenancy, api: Any, rule: str, words: str) -> None:
    with refused(400, "InvalidParameter", "matchingRule", words):
        dynamic_group(mocked, api, rule)
    assert api.list_dynamic_groups(mocked.tenancy_id).data == []


def test_an_update_of_a_rule_is_read_too(mocked: MockedTenancy, api: Any) -> None:
    made = dynamic_group(mocked, api)
    with refused(400, "InvalidParameter", "matchingRule"):
        api.update_dynamic_group(made.id, m.UpdateDynamicGroupDetails(matching_rule="nonsense"))
    assert api.get_dynamic_group(made.id).data.matching_rule == RULE


@pytest.mark.parametrize(
    "statement",
    [
        STATEMENT,
        "allow service datascience to use virtual-network-family in tenancy",
        "Allow service objectstorage-eu-frankfurt-1 to manage object-family in tenancy",
        "Allow group 'Default'/'data scientists', group2 to read metrics in tenancy",
        "Allow group Default/people to {BUCKET_READ, OBJECT_READ} in tenancy",
        "Allow group id ocid1.group.oc1..a, id ocid1.group.oc1..b to use log-groups in tenancy",
        "Allow dynamic-group id ocid1.dynamicgroup.oc1..a to manage objects in compartment id "
        "ocid1.compartment.oc1..aaaaaaaaocimockcompartment where any {target.bucket.name='b'}",
        "Allow dynamic-group jobs to read repos in compartment sandbox where any "
        "{request.operation='ReadDockerRepositoryMetadata', 'PullDockerLayer'}",
        "Allow any-user to use log-content in tenancy where ALL "
        "{request.principal.type='datasciencemodeldeployment', target.log.id != 'x'}",
        "Allow group a to manage objects in tenancy where all "
        "{target.bucket.name=/logs*/, any {request.region='fra', request.region in ('a', 'b')}}",
        "Define tenancy partner as ocid1.tenancy.oc1..b",
        "Endorse group a to read buckets in tenancy partner",
    ],
)
def test_a_statement(mocked: MockedTenancy, api: Any, statement: str) -> None:
    assert policy(mocked, api, statement).statements == [statement]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "Allow"),
        ("Alow group a to manage buckets in tenancy", "'Alow' found"),
        ("Allow a to manage buckets in tenancy", "any-user"),
        ("Allow group a to mange buckets in tenancy", "inspect, read, use, manage"),
        ("Allow group a manage buckets in tenancy", "'to' expected"),
        ("Allow group a to manage buckets", "'in' expected"),
        ("Allow group a to manage buckets in the tenancy", "tenancy or compartment"),
        ("Allow group a to manage buckets in compartment", "compartment's name"),
        ("Allow group a to manage buckets in tenancy where", "condition"),
        ("Allow group a to manage buckets in tenancy where any {a='b'", "'}' expected"),
        ("Allow group a to manage buckets in tenancy where target.bucket.name=b", "quotes"),
        ("Allow group a to manage buckets in tenancy where a='b", "can't be read"),
        ("Allow group a to manage buckets in tenancy today", "the end expected"),
        ("Allow dynamic-group id jobs to manage buckets in tenancy", "an OCID expected"),
        ("Define partner", "as"),
        ("Endorse group a to read buckets", "in"),
    ],
)
def test_a_wrong_statement(mocked: MockedTenancy, api: Any, statement: str, words: str) -> None:
    with refused(400, "InvalidParameter", "statements[1]", words):
        policy(mocked, api, STATEMENT, statement)
    assert [item.name for item in api.list_policies(mocked.tenancy_id).data] == [BORN_WITH]


def test_a_policy_needs_a_statement(mocked: MockedTenancy, api: Any) -> None:
    details = m.CreatePolicyDetails(
        compartment_id=mocked.tenancy_id, name="p", description="d", statements=[]
    )
    with refused(400, "InvalidParameter", "statements"):
        api.create_policy(details)


@pytest.mark.parametrize(
    "where", ["compartment id ocid1.compartment.oc1..missing", "compartment missing", "tenancy"]
)
def test_a_policy_reaches_down_only(mocked: MockedTenancy, api: Any, where: str) -> None:
    statement = f"Allow group a to manage buckets in {where}"
    with refused(400, "InvalidParameter", "policy compartment subtree"):
        policy(mocked, api, statement, where=mocked.compartment_id)


@pytest.mark.parametrize("path", ["outer:inner", "OUTER:inner"])
def test_a_policy_names_compartments_by_path(mocked: MockedTenancy, api: Any, path: str) -> None:
    outer = compartment(mocked, api, "outer")
    compartment(mocked, api, "inner", outer.id)
    policy(mocked, api, f"Allow group a to manage buckets in compartment {path}")
    with refused(400, "InvalidParameter", "subtree"):
        statement = "Allow group a to manage buckets in compartment inner"
        policy(mocked, api, statement, name="q")


def test_compartments_nest(mocked: MockedTenancy, api: Any) -> None:
    outer = compartment(mocked, api, "outer")
    inner = compartment(mocked, api, "inner", outer.id)
    names = {c.name for c in api.list_compartments(mocked.tenancy_id).data}
    assert names == {"sandbox", "outer"}
    everything = api.list_compartments(mocked.tenancy_id, compartment_id_in_subtree=True).data
    assert {c.name for c in everything} == {"sandbox", "outer", "inner"}
    assert [c.id for c in api.list_compartments(outer.id).data] == [inner.id]
    with refused(409, "Conflict", inner.id):
        api.delete_compartment(outer.id)
    with refused(400, "InvalidParameter", "targetCompartmentId"):
        details = m.MoveCompartmentDetails(target_compartment_id=inner.id)
        api.move_compartment(outer.id, details)
    details = m.MoveCompartmentDetails(target_compartment_id=mocked.tenancy_id)
    api.move_compartment(inner.id, details)
    assert api.get_compartment(inner.id).data.compartment_id == mocked.tenancy_id


def test_deleting_a_compartment_is_a_work_request(mocked: MockedTenancy, api: Any) -> None:
    made = compartment(mocked, api)
    response = api.delete_compartment(made.id)
    assert response.status == 202
    work = api.get_work_request(response.headers["opc-work-request-id"]).data
    assert (work.status, work.resources[0].identifier) == ("SUCCEEDED", made.id)


def test_the_root_compartment_is_the_tenancy(mocked: MockedTenancy, api: Any) -> None:
    assert api.get_compartment(mocked.tenancy_id).data.id == mocked.tenancy_id
    tenancy = api.get_tenancy(mocked.tenancy_id).data
    assert (tenancy.id, tenancy.home_region_key) == (mocked.tenancy_id, "IAD")
    with refused(404, "NotAuthorizedOrNotFound"):
        api.get_tenancy("ocid1.tenancy.oc1..another")


def test_regions(mocked: MockedTenancy, api: Any) -> None:
    subscribed = api.list_region_subscriptions(mocked.tenancy_id).data
    assert [(s.region_name, s.region_key, s.is_home_region) for s in subscribed] == [
        ("us-ashburn-1", "IAD", True),
        ("eu-frankfurt-1", "FRA", False),
    ]
    assert ("FRA", "eu-frankfurt-1") in [(r.key, r.name) for r in api.list_regions().data]


@pytest.mark.parametrize(("region", "count"), [("eu-frankfurt-1", 3), ("us-ashburn-1", 3)])
def test_availability_domains(mocked: MockedTenancy, region: str, count: int) -> None:
    api = client(mocked, oci.identity.IdentityClient, region=region)
    domains = api.list_availability_domains(mocked.compartment_id).data
    assert [domain.name for domain in domains] == [
        f"oMck:{region.upper()}-AD-{number}" for number in range(1, count + 1)
    ]
    faults = api.list_fault_domains(mocked.compartment_id, domains[0].name).data
    assert faults[0].name == "FAULT-DOMAIN-1"
    with refused(404, "NotAuthorizedOrNotFound"):
        api.list_availability_domains("ocid1.compartment.oc1..missing")


def test_members_of_a_group(mocked: MockedTenancy, api: Any) -> None:
    people = group(mocked, api)
    (user,) = api.list_users(mocked.tenancy_id).data
    assert user.id == mocked.user_id
    details = m.AddUserToGroupDetails(user_id=user.id, group_id=people.id)
    member = api.add_user_to_group(details).data
    with refused(409, "ResourceAlreadyExists"):
        api.add_user_to_group(details)
    with refused(409, "Conflict", member.id):
        api.delete_group(people.id)
    found = api.list_user_group_memberships(mocked.tenancy_id, group_id=people.id).data
    assert [item.user_id for item in found] == [user.id]
    with refused(412, "NoEtagMatch"):
        api.remove_user_from_group(member.id, if_match="another")
    api.remove_user_from_group(member.id)
    api.delete_group(people.id)


def test_lists_come_in_pages(mocked: MockedTenancy, api: Any) -> None:
    names = {f"p{number}" for number in range(5)}
    for name in names:
        policy(mocked, api, name=name)
    found = pages(api.list_policies, mocked.tenancy_id, limit=2)
    assert [len(page) for page in found] == [2, 2, 2]
    assert {item.name for page in found for item in page} == names | {BORN_WITH}


def test_a_policy_needs_its_compartment(mocked: MockedTenancy, api: Any) -> None:
    with refused(404, "NotAuthorizedOrNotFound", "ocid1.compartment.oc1..missing"):
        policy(mocked, api, where="ocid1.compartment.oc1..missing")


MISSING = "ocid1.compartment.oc1..missing"


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.list_compartments(MISSING),
        lambda api: api.list_fault_domains(MISSING, "oMck:US-ASHBURN-1-AD-1"),
        lambda api: api.list_region_subscriptions("ocid1.tenancy.oc1..another"),
    ],
)
def test_a_list_needs_what_it_is_of(api: Any, ask: Any) -> None:
    with refused(404, "NotAuthorizedOrNotFound"):
        ask(api)


def test_fault_domains_need_their_availability_domain(mocked: MockedTenancy, api: Any) -> None:
    with refused(400, "InvalidParameter", "availabilityDomain"):
        api.list_fault_domains(mocked.compartment_id, "nowhere")


def test_only_the_tenancy_lists_its_whole_subtree(mocked: MockedTenancy, api: Any) -> None:
    with refused(400, "InvalidParameter", "compartmentIdInSubtree"):
        api.list_compartments(mocked.compartment_id, compartment_id_in_subtree=True)


def test_a_compartment_moves_to_where_it_can_be(mocked: MockedTenancy, api: Any) -> None:
    outer, moved = compartment(mocked, api, "outer"), compartment(mocked, api, "same")
    compartment(mocked, api, "same", outer.id)
    abroad = client(mocked, oci.identity.IdentityClient, region="eu-frankfurt-1")
    target = m.MoveCompartmentDetails(target_compartment_id=outer.id)
    with refused(403, "NotAllowed", "IAD"):
        abroad.move_compartment(moved.id, target)
    with refused(409, "CompartmentAlreadyExists", "same"):
        api.move_compartment(moved.id, target)
    with refused(404, "NotAuthorizedOrNotFound", MISSING):
        api.move_compartment(moved.id, m.MoveCompartmentDetails(target_compartment_id=MISSING))
    with refused(412, "NoEtagMatch"):
        api.delete_compartment(moved.id, if_match="old")


@pytest.mark.parametrize("missing", ["user", "group"])
def test_a_member_and_its_group_must_exist(mocked: MockedTenancy, api: Any, missing: str) -> None:
    known = {"user_id": mocked.user_id, "group_id": group(mocked, api).id}
    known[f"{missing}_id"] = f"ocid1.{missing}.oc1..missing"
    with refused(404, "NotAuthorizedOrNotFound", f"ocid1.{missing}.oc1..missing"):
        api.add_user_to_group(m.AddUserToGroupDetails(**known))


def test_a_policy_may_name_its_own_compartment(mocked: MockedTenancy, api: Any) -> None:
    outer = compartment(mocked, api, "outer")
    compartment(mocked, api, "inner", outer.id)
    for name in ("outer", "outer:inner", "inner"):
        statement = f"Allow group a to manage buckets in compartment {name}"
        policy(mocked, api, statement, where=outer.id, name=name.replace(":", "-"))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("target.bucket.name like 'b'", "=, != or in"),
        ("request.region in ('a', b)", "single quotes"),
        ("request.utc-timestamp between '2026-01-01T00:00Z' and later", "single quotes"),
    ],
)
def test_a_wrong_condition(mocked: MockedTenancy, api: Any, condition: str, words: str) -> None:
    with refused(400, "InvalidParameter", "statements[0]", words):
        policy(mocked, api, f"{STATEMENT} where {condition}")


@pytest.mark.parametrize(
    "condition",
    [
        "request.region in ('fra', 'iad')",
        "request.utc-timestamp between '2026-01-01T00:00Z' and '2026-02-01T00:00Z'",
    ],
)
def test_a_condition(mocked: MockedTenancy, api: Any, condition: str) -> None:
    policy(mocked, api, f"{STATEMENT} where {condition}")
