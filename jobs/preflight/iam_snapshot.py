"""What OCI's identity service tells of the policies that hold where the pipeline works.

Read in the pipeline's own region: OCI copies its identity data to every region that a tenancy is
subscribed to, and decides there. Users and groups are those of the default identity domain, which
is all that this API knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .. import auth
from ..errors import RefusedError
from .patience import every_page
from .policies import (
    Compartment,
    Directory,
    DynamicGroup,
    Group,
    Policy,
    Principal,
    tags_of,
)
from .subject import Subject

_ROOT = "ocid1.tenancy."
_AT_ONCE = 8
# What is read, with the resource type that a statement to read it names.
POLICIES, DYNAMIC_GROUPS, GROUPS, COMPARTMENTS = (
    "policies", "dynamic-groups", "groups", "compartments",
)  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """*caller* is whoever is signed in; None where that can't be told. *blind* is what could not be
    read, by resource type, with OCI's words."""

    directory: Directory
    caller: Principal | None
    blind: Mapping[str, str]


def snapshot(subject: Subject, compartments: tuple[str, ...]) -> Snapshot:
    """What holds in *compartments* and above them, and who is asking.

    Raises UnreachableError where OCI does not answer, and CredentialsError.
    """
    from oci.identity import IdentityClient

    client = subject.client(IdentityClient)
    blind: dict[str, str] = {}
    caller = caller_of()
    root = subject.tenancy_id or (caller.claims.get("res_tenant", "") if caller else "")
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="iam") as pool:
        dynamic = pool.submit(_dynamic_groups, subject, client, root, blind)
        groups = pool.submit(_groups, subject, client, root, caller, blind)
        names = pool.submit(_name, subject, client, caller)
        above = _lines(subject, client, compartments, blind)
        policies = [pool.submit(_policies, subject, client, each, blind) for each in (root, *above)]
        directory = Directory(
            tenancy=root,
            compartments=above,
            policies=tuple(policy for each in policies for policy in each.result()),
            dynamic_groups=dynamic.result(),
        )
        own, users = groups.result(), names.result()
    if caller is not None and caller.kind == "user":
        members = {caller.id: frozenset(group.id for group in own)}
        directory = replace(directory, groups=own, members=members, users=users)
    return Snapshot(directory, caller, blind)


def caller_of() -> Principal | None:
    """Whoever is signed in: a user, a resource such as a notebook session, or an instance."""
    signed = auth.default_signer()
    config, signer = signed["config"], signed["signer"]
    if config.get("user"):
        return Principal("user", str(config["user"]))
    claims = _claims(signer)
    if claims.get("res_id"):
        return Principal("resource", claims["res_id"], claims)
    if claims.get("opc-instance"):
        instance = {
            "res_type": "instance",
            "res_tenant": claims.get("opc-tenant", ""),
            "res_id": claims["opc-instance"],
            "res_compartment": claims.get("opc-compartment", ""),
        }
        return Principal("resource", claims["opc-instance"], instance)
    who = claims.get("sub", "")
    return Principal("user", who) if who.startswith("ocid1.user.") else None


def _claims(signer: Any) -> dict[str, str]:
    """What the session token says of its bearer; nothing where the signer has none."""
    import jwt

    key = str(getattr(signer, "api_key", ""))
    if not key.startswith("ST$"):
        return {}
    try:
        found = jwt.decode(key.removeprefix("ST$"), options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return {name: str(value) for name, value in found.items() if isinstance(value, str)}


def _lines(
    subject: Subject, client: Any, compartments: tuple[str, ...], blind: dict[str, str]
) -> dict[str, Compartment]:
    """The compartments, and those above them, without the tenancy's root."""
    found: dict[str, Compartment] = {}
    left = list(dict.fromkeys(compartments))
    while left:
        ocid = left.pop()
        if ocid in found or ocid.startswith(_ROOT):
            continue
        data = _read(
            blind, COMPARTMENTS,
            partial(subject.get, f"read the compartment {ocid}", client.get_compartment, ocid),
        )  # fmt: skip
        if data is None:
            continue
        found[ocid] = Compartment(
            ocid, str(data.name), str(data.compartment_id), tags_of(data.defined_tags)
        )
        left.append(found[ocid].parent)
    return found


def _policies(
    subject: Subject, client: Any, compartment: str, blind: dict[str, str]
) -> list[Policy]:
    data = _read(blind, POLICIES, lambda: _all(subject, client.list_policies, compartment))
    found = [each for each in data or () if each.lifecycle_state == "ACTIVE"]
    return [Policy(compartment, tuple(each.statements)) for each in found]


def _dynamic_groups(
    subject: Subject, client: Any, root: str, blind: dict[str, str]
) -> tuple[DynamicGroup, ...]:
    data = _read(blind, DYNAMIC_GROUPS, lambda: _all(subject, client.list_dynamic_groups, root))
    return tuple(
        DynamicGroup(str(each.id), str(each.name), str(each.matching_rule)) for each in data or ()
    )


def _name(subject: Subject, client: Any, caller: Principal | None) -> dict[str, str]:
    """The user's name, which everybody may read of themselves."""
    if caller is None or caller.kind != "user":
        return {}
    found = _read({}, "users", lambda: subject.get("read oneself", client.get_user, caller.id))
    return {caller.id: str(found.name)} if found else {}


def _groups(
    subject: Subject, client: Any, root: str, caller: Principal | None, blind: dict[str, str]
) -> tuple[Group, ...]:
    """Those that the user is in."""
    if caller is None or caller.kind != "user":
        return ()
    data = _read(
        blind, GROUPS,
        lambda: _all(subject, client.list_user_group_memberships, root, user_id=caller.id),
    )  # fmt: skip
    if not data:
        return ()
    every = _read(blind, GROUPS, lambda: _all(subject, client.list_groups, root))
    own = {each.group_id for each in data}
    return tuple(
        Group(str(each.id), str(each.name), tags_of(each.defined_tags))
        for each in every or ()
        if each.id in own
    )


def _all(subject: Subject, listing: Callable[..., Any], where: str, **options: Any) -> list[Any]:
    what = f"{listing.__name__.replace('_', ' ')} of {where}"
    return list(subject.get(what, every_page, listing, where, **options))


def _read(blind: dict[str, str], what: str, ask: Callable[[], Any]) -> Any | None:
    """What *ask* answers; None, with a note in *blind*, where OCI refuses.

    Raises UnreachableError.
    """
    try:
        return ask()
    except RefusedError as error:
        blind[what] = error.what.splitlines()[0]
        return None
