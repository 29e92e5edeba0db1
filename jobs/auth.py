"""Signing in: what ADS and the SDK sign requests with, taken from the environment.

============================  ===========================================================
``OCI_IAM_TYPE``              api_key, security_token, resource_principal or
                              instance_principal; without it, a resource principal where
                              there is one (in a notebook session or a job run), else api_key
``OCI_CONFIG_LOCATION``       the config file (also ``OCI_CONFIG_FILE``, ``~/.oci/config``)
``OCI_CONFIG_PROFILE``        the profile in it (also ``OCI_CLI_PROFILE``, ``DEFAULT``)
============================  ===========================================================
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

from .errors import CredentialsError, attempting

METHODS = ("api_key", "security_token", "resource_principal", "instance_principal")


def sign_in(region: str = "") -> None:
    """Set ADS's authentication for this process.

    *region*, a name or a three-letter key, overrules the config file's: resources live where
    their OCIDs say, and asking elsewhere gets a 404 that looks like a missing policy.

    Raises:
        CredentialsError: an unknown method, no config file, no such profile, no usable key.
    """
    method = _method()
    with attempting(f"sign in with {method}"):
        config = _config(region) if method in {"api_key", "security_token"} else {}
        _quieten()
        import ads

        ads.set_auth(method, config=config, signer=_signer(method, config))


def default_signer() -> dict[str, Any]:
    """Config and signer, as :func:`sign_in` set them, for clients that ADS does not make."""
    from ads.common import auth

    with attempting("sign in"):
        signer: dict[str, Any] = auth.default_signer()
    return signer


def _method() -> str:
    chosen = os.environ.get("OCI_IAM_TYPE")
    if chosen and chosen not in METHODS:
        raise CredentialsError(
            f"OCI_IAM_TYPE is '{chosen}'.", f"It may be one of: {', '.join(METHODS)}."
        )
    if chosen:
        return chosen
    return "resource_principal" if os.environ.get("OCI_RESOURCE_PRINCIPAL_VERSION") else "api_key"


def _config(region: str) -> dict[str, Any]:
    import oci

    location = (
        os.environ.get("OCI_CONFIG_LOCATION")
        or os.environ.get("OCI_CONFIG_FILE")
        or oci.config.DEFAULT_LOCATION
    )
    profile = os.environ.get("OCI_CONFIG_PROFILE") or os.environ.get("OCI_CLI_PROFILE") or "DEFAULT"
    if not Path(location).expanduser().is_file():
        raise CredentialsError(
            f"There is no OCI config file {location}.",
            "Make one with 'oci setup config', or name yours in OCI_CONFIG_LOCATION.",
        )
    try:
        config: dict[str, Any] = oci.config.from_file(location, profile)
        oci.config.validate_config(config)
    except oci.exceptions.ProfileNotFound:
        raise CredentialsError(
            f"{location} has no profile '{profile}'.", "Name one of its own in OCI_CONFIG_PROFILE."
        ) from None
    if region:
        config["region"] = oci.regions.REGIONS_SHORT_NAMES.get(region, region)
    return config


def _signer(method: str, config: dict[str, Any]) -> Any:
    """The signer of an API key, made once; None leaves it to ADS.

    ADS makes one a client, and a client an object; each reads the key anew: 44 ms a time, two
    seconds in a run.
    """
    if method != "api_key":
        return None
    import oci

    return oci.signer.Signer.from_config(config)


def _quieten() -> None:
    """Keep ADS's own progress bars, warnings and logged tracebacks from the reader.

    What it raises is told once, by us. Called before ADS is imported: it reads some of this then.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", module=r"ads(\.|$)")
    for name in ("ads", "ADS", "oci"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
