"""Signing in: what the SDK and ADS sign requests with, taken from the environment.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import CredentialsError, RefusedError, UnreachableError, attempting, no_answer
from .signers import signer, token_time

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


@dataclass(frozen=True)
class Session:
    """Who this process is to OCI. *config* is empty for a principal, *read* when the session token
    that was read was written, in seconds, else 0; *own_region* is the one that the config file
    names, or the principal is in; *clients* are those made so far."""

    method: str
    region: str
    config: Mapping[str, Any]
    signer: Any
    read: float = 0
    own_region: str = ""
    clients: dict[tuple[Any, str], Any] = field(default_factory=dict)

    @property
    def outdated(self) -> bool:
        """Whether ``oci session refresh`` has left another token since."""
        return self.method == "security_token" and self.read != token_time(self.config)


_session: Session | None = None


def sign_in(region: str = "") -> None:
    """Sign in for this process. Does not import ADS.

    *region*, a name or a three-letter key, overrules the config file's: resources live where
    their OCIDs say, and asking elsewhere gets a 404 that looks like a missing policy.

    Raises:
        CredentialsError: an unknown method, no config file, no such profile, no usable key.
    """
    global _session
    method = _method()
    with _credentials(method):
        config = _config() if method in FROM_CONFIG else {}
        own_region = str(config.get("region", ""))
        if region and config:
            config["region"] = full_region(region)
        _quieten()
        read = token_time(config)
        _session = Session(method, region, config, signer(method, config), read, own_region)


def sign_in_ads() -> None:
    """Hand ADS what :func:`sign_in` made. For whoever submits: importing ADS takes seconds.

    ADS itself makes one signer a client, and a client an object; each reads the key anew: 44 ms a
    time, two seconds in a run. Its clients have no circuit breaker either, see :func:`client`.
    """
    session = _signed_in()
    import ads
    from oci.circuit_breaker import NoCircuitBreakerStrategy

    ads.set_auth(
        session.method,
        config=dict(session.config),
        signer=session.signer,
        client_kwargs={"circuit_breaker_strategy": NoCircuitBreakerStrategy()},
    )


def default_signer() -> dict[str, Any]:
    """Config and signer, as :func:`sign_in` made them, for clients that are not made here."""
    session = _signed_in()
    return {"config": dict(session.config), "signer": session.signer}


def session() -> Session:
    """Who this process is; signs in where it has not.

    Raises:
        CredentialsError: see :func:`sign_in`.
    """
    return _signed_in()


def tenancy_id() -> str:
    """The OCID of the tenancy that this process is signed in to; '' where nothing says so."""
    found = _signed_in()
    return str(found.config.get("tenancy") or getattr(found.signer, "tenancy_id", "") or "")


def client(sdk_class: Any, region: str = "") -> Any:
    """A client of the SDK, signed in; one a class, and *region* where that is another one.

    Without the SDK's circuit breaker, which opens for half a minute after ten failures: whoever
    follows something for hours has a patience of its own, and the SDK's retries back off.
    """
    from oci.circuit_breaker import NoCircuitBreakerStrategy

    session = _signed_in()
    found = session.clients.get((sdk_class, region))
    if found is None:
        found = sdk_class(
            dict(session.config),
            signer=session.signer,
            circuit_breaker_strategy=NoCircuitBreakerStrategy(),
        )
        if region:
            found.base_client.set_region(full_region(region))
        session.clients[sdk_class, region] = found
    return found


def storage(region: str = "") -> Any:
    """The Object Storage client."""
    from oci.object_storage import ObjectStorageClient

    return client(ObjectStorageClient, region)


def _signed_in() -> Session:
    """The session; a new one where there is none yet, or its token was refreshed."""
    if _session is None or _session.outdated:
        sign_in("" if _session is None else _session.region)
    assert _session is not None
    return _session


@contextmanager
def _credentials(method: str) -> Iterator[None]:
    """Whatever the SDK raises about credentials, as :class:`CredentialsError`."""
    from oci.exceptions import ClientError

    source = f" from {_location()}" if method in FROM_CONFIG else ""
    try:
        with attempting(f"sign in with {method}"):
            yield
    except (RefusedError, UnreachableError) as error:
        # Of a key or a token in a file, no answer says nothing.
        off = isinstance(error, UnreachableError) and method in FROM_CONFIG
        raise CredentialsError(error.what, error.advice if off else ADVICE[method]) from None
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


def _method() -> str:
    chosen = os.environ.get("OCI_IAM_TYPE")
    if chosen and chosen not in ADVICE:
        raise CredentialsError(
            f"OCI_IAM_TYPE is '{chosen}'.", f"It may be one of: {', '.join(ADVICE)}."
        )
    if chosen:
        return chosen
    return "resource_principal" if os.environ.get("OCI_RESOURCE_PRINCIPAL_VERSION") else "api_key"


def _config() -> dict[str, Any]:
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
    return config


def full_region(region: str) -> str:
    """The name of a region that may be a three-letter key."""
    from oci.regions import REGIONS_SHORT_NAMES

    return str(REGIONS_SHORT_NAMES.get(region, region))


def region_key(region: str) -> str:
    """The three-letter key of a region, in capitals; its name where the SDK knows none."""
    from oci.regions import REGIONS_SHORT_NAMES

    keys = (key.upper() for key, name in REGIONS_SHORT_NAMES.items() if name == region)
    return next(keys, region)


def _location() -> str:
    return (
        os.environ.get("OCI_CONFIG_LOCATION") or os.environ.get("OCI_CONFIG_FILE") or DEFAULT_CONFIG
    )


def _quieten() -> None:
    """Keep ADS's own progress bars, warnings and logged tracebacks from the reader.

    What it raises is told once, by us. Called before ADS is imported: it reads some of this then.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", module=r"ads(\.|$)")
    for name in ("ads", "ADS", "oci"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
