"""What Object Storage refuses, in words for the reader of the job's log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class BucketError(Exception):
    """Object Storage refused, or what it holds is not what it should be; the message says which."""


class AbsentError(BucketError):
    """There is no such object."""


@contextmanager
def telling(doing: str) -> Iterator[None]:
    """Refusals as :class:`BucketError`, in words and with the id that Oracle's support asks for."""
    from oci._vendor.requests import RequestException
    from oci.exceptions import ServiceError

    try:
        yield
    except ServiceError as error:
        kind = AbsentError if _is_absent(error) else BucketError
        raise kind(_refused(doing, error)) from None
    except RequestException as error:
        raise BucketError(f"could not {doing}: Object Storage did not answer: {error}") from None


def _is_absent(error: Any) -> bool:
    """An answer to HEAD has no body, so that its code is not known."""
    return bool(error.status == 404 and error.code != "BucketNotFound")


def _refused(doing: str, error: Any) -> str:
    told = f"{error.status} {error.code}: {error.message} (opc-request-id {error.request_id})"
    if error.status not in (401, 403, 404):
        return f"could not {doing}: {told}"
    return (
        f"could not {doing}: {told}. Is the bucket there, and may the job runs' dynamic group "
        "'manage objects' in it? A new dynamic group or policy takes some minutes to work"
    )
