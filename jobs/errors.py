"""What can go wrong, one class per meaning; every message says what, where and what next."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXY_SECONDS = 2.0


class JobsError(Exception):
    """The base: *what* happened, and *advice* on what to do next. Shown without a traceback."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.what}\n{self.advice}" if self.advice else self.what


class TenancyError(JobsError):
    """The tenancy file that was named is not there, or its name cannot name a tenancy."""


class OutputsError(JobsError):
    """The stack's outputs cannot be read, or hold no definitions."""


class DefinitionError(JobsError):
    """An emitted definition is missing, or ADS would not do what it says."""


class DriftError(JobsError):
    """The definitions' files are not what the deployed stacks emit."""


class CredentialsError(JobsError):
    """There is nothing to sign requests with, or it does not fit together."""


class SecretError(JobsError):
    """What should be the token is none. The message never shows it."""


class RefusedError(JobsError):
    """OCI answered with an error; the message holds its code, its message and its request id.

    *status* is the HTTP status.
    """

    def __init__(self, what: str, advice: str = "", *, status: int = 0) -> None:
        super().__init__(what, advice)
        self.status = status

    @property
    def passing(self) -> bool:
        """Whether trying again later may help: throttling, or a fault on OCI's side."""
        return self.status == 429 or self.status >= 500


class UnreachableError(JobsError):
    """OCI could not be reached at all."""


class StepFailedError(JobsError):
    """A step ended in another state than it should have."""


class DialogueError(JobsError):
    """What the model should be asked cannot be read."""


class WriteError(JobsError):
    """A file could not be written here."""


class StaleWriteError(JobsError):
    """What was to be replaced in the bucket is not what lies there: somebody else wrote it."""


class LeadError(JobsError):
    """Another process leads the tenancy's pipeline, so this one must not submit anything."""


class LostLeadError(LeadError):
    """Another machine took over the lead while this process thought that it had it."""


class BudgetError(JobsError):
    """A submission could pass the tenancy file's spending limit, so it was not made."""


class PreflightError(JobsError):
    """Something would fail for a reason that is known already, so nothing was submitted."""


class RecordError(JobsError):
    """The record of a run cannot be read, or lacks what a command needs."""


class PredictionError(JobsError):
    """The endpoint answered, but not with a prediction; or it did not answer in time."""


# OCI's own words for its codes are terse. Keyed by code where the code says more than the status.
ADVICE_BY_CODE = {
    "NotAuthenticated": "Check the key, its fingerprint and this machine's clock; a session "
    "token may have run out, or the tenancy may not be subscribed to the region.",
    "NotAuthorizedOrNotFound": "OCI says the same for 'not there' and 'not allowed': check the "
    "OCID and its region, then the policies. A new policy takes some minutes to work.",
    "NotAuthorized": "Check the policies. A new policy takes some minutes to work.",
    "LimitExceeded": "A service limit is used up: see 'Limits, quotas and usage' in the console, "
    "or choose another shape or fewer replicas in the tenancy file.",
    "QuotaExceeded": "A compartment quota is used up: ask its administrator, or choose a smaller "
    "shape in the tenancy file.",
    "TooManyRequests": "OCI is throttling; the SDK has tried again already. Wait a minute.",
    "InvalidParameter": "The definition says something that OCI does not take: see the message.",
    "IncorrectState": "Something else is changing the same resource: wait, then try again.",
    "NotImplemented": "What answers at this address cannot do that.",
    "Conflict": "Something else is changing the same resource: wait, then try again.",
}
OUT_OF_CAPACITY = (
    "The region has no such machines free just now. Try again later, or take another availability "
    "domain, shape or region in the tenancy file."
)


def refused(attempt: str, error: Any) -> RefusedError:
    """An SDK ``ServiceError`` for the reader; *attempt* says what was tried ("create job x")."""
    lines = [
        f"Could not {attempt}: OCI answered {error.status} {error.code}.",
        f"OCI's message: {_one_line(error.message)}",
        f"opc-request-id: {error.request_id or 'none'}",
    ]
    return RefusedError("\n".join(lines), _advice(error), status=error.status)


@contextmanager
def attempting(attempt: str) -> Iterator[None]:
    """Turn what the SDK and ADS raise while *attempt* goes on into errors for the reader.

    The SDK tries for minutes, without a word, to reach an embedded OCI that has ended: whether one
    is there is asked first.
    """
    from oci import exceptions
    from oci._vendor.requests.exceptions import RequestException  # of a body that breaks off

    _need_proxy(attempt)
    try:
        yield
    except exceptions.ServiceError as error:
        raise refused(attempt, error) from None
    except (RequestException, ConnectionError) as error:
        raise UnreachableError(
            f"Could not {attempt}: OCI did not answer ({no_answer(error)}).",
            "Check the network, and HTTPS_PROXY and REQUESTS_CA_BUNDLE if they are set.",
        ) from None


def no_answer(error: BaseException) -> str:
    """The host and the first cause: the SDK wraps it four times and adds a paragraph."""
    host = re.search(r"host='([^']+)'|https?://([^/:\s]+)", str(error))
    cause = error
    while cause.__context__ is not None:
        cause = cause.__context__
    said = _one_line(cause)
    return f"{host.group(1) or host.group(2)}: {said}" if host and cause is not error else said


def _need_proxy(attempt: str) -> None:
    """Raises :class:`UnreachableError` where the proxy is to be on this machine, and is not."""
    named = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    proxy = urlsplit(named)
    if proxy.hostname not in _LOOPBACK or proxy.port is None:
        return
    try:
        socket.create_connection((proxy.hostname, proxy.port), _PROXY_SECONDS).close()
    except ConnectionRefusedError:
        raise UnreachableError(
            f"Could not {attempt}: nothing listens at {proxy.hostname}:{proxy.port}, which "
            "HTTPS_PROXY names.",
            "If that was the embedded OCI, it has ended: start it anew ('make demo', 'python -m "
            "ocimock serve') and take its 'python -m ocimock env'; else mend HTTPS_PROXY.",
        ) from None
    except OSError:
        return  # the SDK will tell


def _advice(error: Any) -> str:
    if "out of host capacity" in str(error.message).lower():
        return OUT_OF_CAPACITY
    known = ADVICE_BY_CODE.get(str(error.code), "")
    if known or error.status < 500:
        return known
    return "The fault is OCI's: try again, and give the request id to its support if it stays."


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
