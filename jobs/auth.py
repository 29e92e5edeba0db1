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

import configparser
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import CredentialsError, RefusedError, UnreachableError, attempting, no_answer

# The methods, each with what to do when it fails.
ADVICE = {
    "api_key": "Mend the config file, or make one anew with 'oci setup config'.",
    "security_token": "Sign in anew with 'oci session authenticate'.",
    "resource_principal": "Only job runs and notebook sessions have one: elsewhere set "
    "OCI_IAM_TYPE to api_key.",
    "instance_principal": "Only compute instances have one: elsewhere set OCI_IAM_TYPE to api_key.",
}
FROM_CONFIG = ("api_key", "security_token")
DEFAULT_CONFIG = "~/.oci/config"


def sign_in(region: str = "") -> None:
    """Set ADS's authentication for this process.

    *region*, a name or a three-letter key, overrules the config file's: resources live where
    their OCIDs say, and asking elsewhere gets a 404 that looks like a missing policy.

    Raises:
        CredentialsError: an unknown method, no config file, no such profile, no usable key.
    """
    method = _method()
    with _credentials(method):
        config = _config(region) if method in FROM_CONFIG else {}
        _quieten()
        import ads

        ads.set_auth(method, config=config, signer=_signer(method, config))
        if method != "api_key":
            _try_out(method)


def default_signer() -> dict[str, Any]:
    """Config and signer, as :func:`sign_in` set them, for clients that ADS does not make."""
    from ads.common import auth

    with attempting("sign in"):
        signer: dict[str, Any] = auth.default_signer()
    return signer


def client(sdk_class: Any) -> Any:
    """A client of the SDK, signed in as ADS is."""
    signer = default_signer()
    return sdk_class(signer["config"], signer=signer["signer"])


def storage() -> Any:
    """The Object Storage client."""
    from oci.object_storage import ObjectStorageClient

    return client(ObjectStorageClient)


@contextmanager
def _credentials(method: str) -> Iterator[None]:
    """Whatever the SDK and ADS raise about credentials, as :class:`CredentialsError`."""
    from oci.exceptions import ClientError

    source = f" from {_location()}" if method in FROM_CONFIG else ""
    try:
        yield
    except (RefusedError, UnreachableError) as error:
        raise CredentialsError(error.what, ADVICE[method]) from None
    except (ClientError, configparser.Error, OSError, ValueError) as error:
        raise CredentialsError(
            f"Could not sign in with {method}{source}: {_said(error)}", ADVICE[method]
        ) from None


def _said(error: Exception) -> str:
    """The SDK's words without its links; a dict of faults as a sentence."""
    if isinstance(error, OSError):
        return no_answer(error)
    said = error.args[0] if error.args else ""
    if isinstance(said, dict):
        return ", ".join(f"{field} is {fault}" for field, fault in sorted(said.items())) + "."
    return " ".join(str(error).split(" For more info")[0].split())


def _try_out(method: str) -> None:
    """ADS makes these signers when it first needs one: what is wrong with them is told here."""
    from ads.common import auth

    with attempting(f"sign in with {method}"):
        auth.default_signer()


def _method() -> str:
    chosen = os.environ.get("OCI_IAM_TYPE")
    if chosen and chosen not in ADVICE:
        raise CredentialsError(
            f"OCI_IAM_TYPE is '{chosen}'.", f"It may be one of: {', '.join(ADVICE)}."
        )
    if chosen:
        return chosen
    return "resource_principal" if os.environ.get("OCI_RESOURCE_PRINCIPAL_VERSION") else "api_key"


def _config(region: str) -> dict[str, Any]:
    import oci

    location = _location()
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


def _location() -> str:
    return (
        os.environ.get("OCI_CONFIG_LOCATION") or os.environ.get("OCI_CONFIG_FILE") or DEFAULT_CONFIG
    )


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
