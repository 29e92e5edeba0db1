"""Where it is asked: region, compartment, project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ... import auth
from ...errors import RefusedError
from ..check import Finding, failed, passed
from ..patience import every_page
from ..subject import Subject

_NOT_FOUND = 404
_LIVE = "ACTIVE"
EMIT = "deploy the stacks (npx cdktf deploy '*'), then 'python -m jobs emit'"


class Region:
    """Whether the tenancy is subscribed to the regions of the definitions."""

    name = "region"
    question = "Is the tenancy subscribed to the pipeline's region?"
    right = "inspect tenancies in tenancy"
    offline = False
    after = ("credentials",)
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> list[Finding]:
        tenancy = subject.tenancy_id
        subscribed = {each.region_name: each for each in subject.subscriptions()}
        home = next((name for name, each in subscribed.items() if each.is_home_region), "")
        wanted = {auth.full_region(subject.pipeline.region)}
        wanted |= {
            auth.full_region(each.region) for each in subject.definitions.values() if each.region
        }
        return [
            _subscribed(name, subscribed.get(name), sorted(subscribed), home, tenancy)
            for name in sorted(wanted)
        ]


class Compartment:
    """Whether the compartment is there."""

    name = "compartment"
    question = "Is the compartment there, and active?"
    right = "inspect compartments in tenancy"
    offline = False
    after = ("region",)
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> Finding:
        from oci.identity import IdentityClient

        identity, ocid = subject.client(IdentityClient), subject.pipeline.compartment_id

        def every() -> Any:
            return every_page(
                identity.list_compartments,
                subject.tenancy_id,
                compartment_id_in_subtree=True,
                access_level="ANY",
            )

        found = there(
            subject, f"the compartment {ocid}", lambda: identity.get_compartment(ocid), every, ocid
        )
        if found is None or found.lifecycle_state != _LIVE:
            state = "not there" if found is None else found.lifecycle_state
            return failed(
                f"The compartment {ocid} is {state}.",
                "Write the OCID of an ACTIVE one as 'compartment_ocid' into the tenancy file "
                "(console: Identity & Security > Compartments), deploy, and run 'python -m jobs "
                "emit'. A deleted one comes back: 'oci iam compartment recover --compartment-id "
                f"{ocid}'.",
            )
        return passed(f"{found.name} is {_LIVE}.")


class Project:
    """Whether the Data Science project is there."""

    name = "project"
    question = "Is the Data Science project there, and active?"
    right = "read data-science-projects in compartment …"
    offline = False
    after = ("compartment",)
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> Finding:
        from oci.data_science import DataScienceClient

        science, ocid = subject.client(DataScienceClient), subject.pipeline.project_id
        found = there(
            subject,
            f"the project {ocid}",
            lambda: science.get_project(ocid),
            lambda: science.list_projects(subject.pipeline.compartment_id, id=ocid),
            ocid,
        )
        if found is None or found.lifecycle_state != _LIVE:
            state = "not there" if found is None else found.lifecycle_state
            return failed(
                f"The project {ocid} is {state} in {subject.pipeline.region}.",
                f"Make it anew: {EMIT}.",
            )
        return passed(f"{found.display_name} is {_LIVE}.")


def there(
    subject: Subject,
    what: str,
    get: Callable[[], Any],
    listed: Callable[[], Any],
    ocid: str,
    key: str = "id",
) -> Any | None:
    """What *get* answers, None where it is not there.

    OCI answers 404 both for "not there" and for "not allowed". So what is not found is looked for
    in the list of all: who may list, and does not see it, knows that it is not there.

    Raises:
        RefusedError: OCI does not tell, since nothing may be listed, or it may not be read.
        UnreachableError: it did not answer.
    """
    try:
        return subject.get(f"read {what}", get)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        unknown = error
    try:
        every: Iterable[Any] = subject.get(f"look for {what}", listed)
    except RefusedError:
        raise unknown from None
    if any(getattr(each, key) == ocid for each in every):
        raise unknown
    return None


def _subscribed(name: str, found: Any, others: list[str], home: str, tenancy: str) -> Finding:
    if found is None:
        key = auth.region_key(name)
        return failed(
            f"The tenancy is not subscribed to {name}; it is to {', '.join(others)}.",
            f"An administrator subscribes: 'oci iam region-subscription create --tenancy-id "
            f"{tenancy} --region-key {key}' (console: Governance > Region Management), which "
            "can't be undone; or write one of the others as 'region' into the tenancy file and "
            "deploy anew.",
        )
    if found.status != "READY":
        return failed(
            f"The subscription to {name} is {found.status}.",
            "Wait some minutes until it is READY, then look again.",
        )
    return passed(f"{name} is READY; the home region is {home}.")
