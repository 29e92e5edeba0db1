"""Who asks, and where: credentials, region, compartment, project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ... import auth
from ...errors import CredentialsError, RefusedError, UnreachableError, attempting
from ..check import Finding, failed, passed, warned
from ..subject import Subject

# OCI takes a request that was signed within five minutes of its own time.
# Source: OCI documentation, "Request Signatures".
SKEW_SECONDS = 300.0
_NEARLY_SKEWED = 120.0
_NEARLY_OVER = 600.0
_NOT_AUTHENTICATED, _NOT_FOUND, _TOO_MANY, _THEIR_FAULT = 401, 404, 429, 500
_LIVE = "ACTIVE"
EMIT = "deploy the stacks (npx cdktf deploy '*'), then 'python -m jobs emit'"


class Credentials:
    """Whether requests can be signed, and OCI takes the signature: by the cheapest GET there is."""

    name = "credentials"
    question = "Does OCI take what requests are signed with?"
    offline = False
    after: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> Finding:
        from oci.object_storage import ObjectStorageClient

        try:
            auth.sign_in(subject.pipeline.region)
        except CredentialsError as error:
            return failed(error.what, error.advice)
        session = auth.session()
        # In the region that the credentials name themselves: whether the tenancy is subscribed to
        # the pipeline's is the next question, and OCI answers 401 to that too.
        storage = subject.client(ObjectStorageClient, session.own_region)
        try:
            with attempting("ask OCI who signs"):
                headers = _headers(storage)
        except UnreachableError as error:
            return failed(error.what, error.advice)
        except _NotTakenError as error:
            return _not_taken(session, error.answer, subject.clock.now())
        return _taken(session, _skew(headers, subject.clock.now()), subject.clock.now())


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
            from oci.pagination import list_call_get_all_results

            return list_call_get_all_results(
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


def _headers(storage: Any) -> Any:
    """Of the answer to the cheapest GET there is.

    Raises:
        _NotTakenError: OCI does not know the signature.
        ServiceError: OCI is at fault.
    """
    from oci.exceptions import ServiceError

    try:
        return storage.get_namespace().headers
    except ServiceError as error:
        if error.status == _NOT_AUTHENTICATED:
            raise _NotTakenError(error) from None
        if error.status == _TOO_MANY or error.status >= _THEIR_FAULT:
            raise
        return error.headers or {}  # it knows who asks, and refuses the question


class _NotTakenError(Exception):
    """A 401. *answer* is the SDK's error."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


def _taken(session: auth.Session, skew: float, now: datetime) -> Finding:
    who = _who(session)
    if _NEARLY_SKEWED < abs(skew) <= SKEW_SECONDS:
        return warned(f"{who}; {_clock(skew)}: OCI refuses from 5 min on.", _SET_CLOCK)
    ends = _token_ends(session)
    if ends is None:
        return passed(f"{who}.")
    left = (ends - now).total_seconds()
    until = f"{who}; the session token runs out at {ends:%H:%M} UTC"
    if left < _NEARLY_OVER:
        return warned(f"{until}, in {max(left, 0) / 60:.0f} min.", _REFRESH)
    return passed(f"{until} ('oci session refresh' renews it).")


def _not_taken(session: auth.Session, error: Any, now: datetime) -> Finding:
    skew = _skew(error.headers or {}, now)
    if abs(skew) > SKEW_SECONDS:
        return failed(f"OCI refuses the signature: {_clock(skew)}.", _SET_CLOCK)
    return failed(
        f"OCI does not know what requests are signed with (401; {_who(session)}): "
        f"{' '.join(str(error.message).split())}",
        _ADVICE.get(session.method, auth.ADVICE[session.method]),
    )


_SET_CLOCK = "Set the clock of this machine: 'sudo timedatectl set-ntp true'."
_REFRESH = "Renew it with 'oci session refresh', or sign in anew: 'oci session authenticate'."
_ADVICE = {
    "api_key": "The key's fingerprint, the user and the tenancy of the config file must be those "
    "under which the public key was uploaded (console: your profile > API keys; a key may have "
    "been deleted). 'oci setup config' makes a new one.",
    "security_token": _REFRESH,
}


def _who(session: auth.Session) -> str:
    if session.method not in auth.FROM_CONFIG:
        return f"signed in as a {session.method.replace('_', ' ')}"
    profile = os.environ.get("OCI_CONFIG_PROFILE") or os.environ.get("OCI_CLI_PROFILE")
    return f"signed in by {session.method}, profile {profile or 'DEFAULT'}"


def _skew(headers: Any, now: datetime) -> float:
    """Seconds that this machine is ahead of OCI; 0 where the answer has no date."""
    said = headers.get("date")
    try:
        return (now - parsedate_to_datetime(said)).total_seconds() if said else 0.0
    except ValueError:
        return 0.0


def _clock(skew: float) -> str:
    minutes, way = abs(skew) / 60, "ahead of" if skew > 0 else "behind"
    return f"this machine's clock is {minutes:.0f} min {way} OCI's"


def _token_ends(session: auth.Session) -> datetime | None:
    """When the session token runs out, by its own word; None for what does not run out."""
    named = session.config.get("security_token_file")
    if session.method != "security_token" or not named:
        return None
    import jwt

    token = Path(named).expanduser().read_text(encoding="utf-8").strip()
    ends = jwt.decode(token, options={"verify_signature": False}).get("exp")
    return None if ends is None else datetime.fromtimestamp(float(ends), UTC)


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
