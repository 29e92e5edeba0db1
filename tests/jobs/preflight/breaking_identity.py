"""What breaks who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import oci

from infra import identity
from tests.e2e.administrator import statements
from tests.jobs.preflight.whole import Whole

M = oci.identity.models
Mend = Callable[[str], None]


def delete_key(made: Whole) -> Mend:
    """The key that the person signs with; OCI shows them a new one is needed by 401."""
    client, person = _client(made), made.places["person"]
    for key in client.list_api_keys(person).data:
        client.delete_api_key(person, key.fingerprint)

    def mend(_remedy: str) -> None:
        made.cloud.user_config(person)  # uploads it anew

    return mend


def match_notebooks_only(made: Whole) -> Mend:
    """A rule without job runs; the remedy holds a rule, which is written as it is."""
    group = made.places["dynamic group"]
    rule = identity.matching_rule(made.cloud.compartment_id)
    _match(made, group, rule.replace("datasciencejobrun", "datasciencejob"))

    def mend(remedy: str) -> None:
        found = re.search(r"(any|all) \{.*\}", remedy, re.IGNORECASE)
        assert found is not None, remedy
        _match(made, group, found[0])

    return mend


def without(name: str) -> Callable[[Whole], Mend]:
    """One statement of the bundle is not there; the statements of the remedy are added."""

    def breaks(made: Whole) -> Mend:
        [lost] = [each.text for each in statements(made.tenancy, _scope(made)) if each.name == name]
        with _policy(made) as found:
            assert lost in found
            found.remove(lost)

        def mend(remedy: str) -> None:
            added = re.findall(r"^\s*(Allow .*?)\s*$", remedy, re.MULTILINE)
            assert added, remedy
            with _policy(made) as found:
                found += added

        return mend

    return breaks


def deny(statement: str) -> Callable[[Whole], Mend]:
    """A statement that takes a right away; the mend is to take it out."""

    def breaks(made: Whole) -> Mend:
        with _policy(made) as found:
            found.append(statement)

        def mend(remedy: str) -> None:
            assert statement in remedy
            with _policy(made) as found:
                found.remove(statement)

        return mend

    return breaks


def _client(made: Whole) -> Any:
    return made.admin(oci.identity.IdentityClient)


def _scope(made: Whole) -> identity.Scope:
    return made.administrator._scope()


def _match(made: Whole, group: str, rule: str) -> None:
    _client(made).update_dynamic_group(group, M.UpdateDynamicGroupDetails(matching_rule=rule))


@contextmanager
def _policy(made: Whole) -> Iterator[list[str]]:
    """The statements of the bundle's policy, written back."""
    client = _client(made)
    [policy] = [
        each for each in client.list_policies(made.cloud.tenancy_id).data if each.name == "bundle"
    ]
    found = list(policy.statements)
    yield found
    client.update_policy(policy.id, M.UpdatePolicyDetails(statements=found, version_date=None))
