"""Clients of the OCI SDK, signed in as a job run is.

By default it is the run's resource principal. ``OCI_IAM_TYPE=api_key`` takes a config file
(``OCI_CONFIG_LOCATION``, ``OCI_CONFIG_PROFILE``), as ADS's driver does.
"""

from __future__ import annotations

import os
from typing import Any


class CredentialsError(Exception):
    """There is nothing to sign requests with; the message says what was looked for."""


def client(sdk_class: Any) -> Any:
    """A client of *sdk_class* that tries again what OCI throttled or failed to answer.

    Without the SDK's circuit breaker: after ten failures, of all uploads together, it would end
    them all at once, where each could have waited for ten minutes.

    Raises:
        CredentialsError: no resource principal, no such config file or profile.
    """
    import oci

    how = {
        "retry_strategy": oci.retry.DEFAULT_RETRY_STRATEGY,
        "circuit_breaker_strategy": oci.circuit_breaker.NoCircuitBreakerStrategy(),
    }
    if os.environ.get("OCI_IAM_TYPE") == "api_key":
        return sdk_class(_config(), **how)
    try:
        signer = oci.auth.signers.get_resource_principals_signer()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CredentialsError(
            f"this process has no resource principal ({_first_line(error)}). Job runs have one; "
            "elsewhere set OCI_IAM_TYPE=api_key to sign with a config file"
        ) from None
    return sdk_class({}, signer=signer, **how)


def _config() -> Any:
    import oci

    location = os.environ.get("OCI_CONFIG_LOCATION", oci.config.DEFAULT_LOCATION)
    profile = os.environ.get("OCI_CONFIG_PROFILE", oci.config.DEFAULT_PROFILE)
    try:
        return oci.config.from_file(location, profile)
    except oci.exceptions.ClientError as error:
        raise CredentialsError(
            f"profile {profile} of the config file {location}: {_first_line(error)}. "
            "OCI_CONFIG_LOCATION and OCI_CONFIG_PROFILE name others"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
