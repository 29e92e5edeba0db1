"""Clients of a fresh mock, and what they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy


def client(mocked: MockedTenancy, sdk_class: Any, *, region: str = "", **options: Any) -> Any:
    """A real SDK client, which does not try again what is refused."""
    config = dict(mocked.config)
    if region:
        config["region"] = region
    options.setdefault("retry_strategy", oci.retry.NoneRetryStrategy())
    return sdk_class(config, signer=_signer(mocked), **options)


_SIGNERS: dict[str, Any] = {}


def _signer(mocked: MockedTenancy) -> Any:
    """One signer for each key: reading a key takes longer than most tests."""
    config = mocked.config
    if config["fingerprint"] not in _SIGNERS:
        _SIGNERS[config["fingerprint"]] = oci.signer.Signer.from_config(config)
    return _SIGNERS[config["fingerprint"]]


@contextmanager
def refused(status: int, code: str, *words: str) -> Iterator[pytest.ExceptionInfo[Any]]:
    """The block ends in OCI's error with this status and code, whose message has all *words*."""
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        yield caught
    fault = caught.value
    assert (fault.status, fault.code) == (status, code), fault.message
    for word in words:
        assert word in fault.message


def pages(operation: Any, *args: Any, limit: int, **options: Any) -> list[list[Any]]:
    """Every page of a list operation."""
    found: list[list[Any]] = []
    page = None
    while True:
        more: dict[str, Any] = {"page": page} if page else {}
        response = operation(*args, limit=limit, **options, **more)
        data = response.data
        found.append(list(data if isinstance(data, list) else data.items))
        page = response.next_page
        if page is None:
            return found
