"""What holds for any set of statements."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ocimock.iam.tenancy import BUCKET, RUN, Tenancy

SUBJECTS = st.sampled_from(
    ["any-user", "any-group", "group people", "group strangers", "dynamic-group runs"]
)
ACCESS = st.sampled_from(
    [
        "inspect buckets",
        "read objects",
        "use object-family",
        "manage all-resources",
        "read secret-family",
        "{OBJECT_READ, OBJECT_CREATE}",
        "manage vcns",
    ]
)
PLACES = st.sampled_from(["tenancy", "compartment outer", "compartment outer:inner"])
CONDITIONS = st.sampled_from(
    [
        "",
        " where target.bucket.name='data'",
        " where target.bucket.name!='data'",
        " where target.secret.name!='x'",
        " where any {request.principal.type='user', request.operation='GetObject'}",
        " where all {request.region='fra', request.permission!='OBJECT_CREATE'}",
    ]
)
ALLOWS = st.builds(
    lambda *parts: "Allow {} to {} in {}{}".format(*parts), SUBJECTS, ACCESS, PLACES, CONDITIONS
)
DENIES = st.builds(lambda allow: allow.replace("Allow", "Deny"), ALLOWS)
OPERATIONS = st.sampled_from(
    [
        "objectstorage.get_object",
        "objectstorage.head_object",
        "objectstorage.commit_multipart_upload",
        "vault.create_secret",
        "core.create_subnet",
        "identity.move_compartment",
    ]
)
WHERE = st.sampled_from(["root", "outer", "inner", "other"])


def allowed(statements: list[str], operation: str, where: str, *, by_run: bool = False) -> bool:
    tenancy = Tenancy()
    if statements:
        tenancy.policy(*statements)
    principal = RUN if by_run else tenancy.ada
    decision = tenancy.ask(principal, operation, where, BUCKET)
    # Whatever the answer, it explains itself.
    assert decision.allowed != bool(decision.missing or decision.denied_by)
    return decision.allowed


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(st.one_of(ALLOWS, DENIES), max_size=4),
    more=ALLOWS,
    operation=OPERATIONS,
    where=WHERE,
    by_run=st.booleans(),
)
def test_one_more_allow_takes_nothing_away(
    before: list[str], more: str, operation: str, where: str, by_run: bool
) -> None:
    if allowed(before, operation, where, by_run=by_run):
        assert allowed([*before, more], operation, where, by_run=by_run)
        assert allowed([more, *before], operation, where, by_run=by_run)


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(ALLOWS, min_size=1, max_size=4),
    deny=DENIES,
    operation=OPERATIONS,
    where=WHERE,
)
def test_one_more_deny_gives_nothing(
    before: list[str], deny: str, operation: str, where: str
) -> None:
    if allowed([*before, deny], operation, where):
        assert allowed(before, operation, where)


@settings(max_examples=100, deadline=None)
@given(
    statements=st.lists(st.one_of(ALLOWS, DENIES), min_size=2, max_size=4),
    operation=OPERATIONS,
    where=WHERE,
)
def test_the_order_of_statements_does_not_matter(
    statements: list[str], operation: str, where: str
) -> None:
    one = allowed(statements, operation, where)
    assert allowed(statements[::-1], operation, where) is one
