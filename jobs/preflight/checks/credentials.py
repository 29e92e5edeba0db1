"""Who asks: whether OCI takes what requests are signed with."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ... import auth
from ...errors import CredentialsError, UnreachableError, attempting
from ..check import Finding, failed, passed, warned
from ..subject import Subject

# OCI takes a request that was signed within five minutes of its own time.
# Source: OCI documentation, "Request Signatures".
SKEW_SECONDS = 300.0
_NEARLY_SKEWED = 120.0
_NEARLY_OVER = 600.0
_NOT_AUTHENTICATED, _TOO_MANY, _THEIR_FAULT = 401, 429, 500


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
