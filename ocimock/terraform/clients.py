"""Where the services are and how to sign for them: the provider's configuration."""

from __future__ import annotations

import importlib
import ipaddress
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ocimock.terraform.exceptions import CredentialsError, EndpointError
from ocimock.terraform.values import Value

#: The real provider's variable: `client=url;client=url`. The second spelling comes first there.
_OVERRIDES = ("TF_VAR_CLIENT_HOST_OVERRIDES", "CLIENT_HOST_OVERRIDES")
_HOW_TO_SET = (
    "CLIENT_HOST_OVERRIDES must give every client an http URL on loopback; "
    '`eval "$(python -m ocimock env --home DIR)"` sets it for a running ocimock.'
)
_TIMEOUT_SECONDS = (5, 60)
#: Nothing but scheme, host and port: where two readers of URLs could differ (a user name, a
#: backslash), one of them would see another host.
_ENDPOINT = re.compile(r"(?i:http)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?")


@dataclass(frozen=True)
class Service:
    """An SDK client and the name under which CLIENT_HOST_OVERRIDES knows it."""

    module: str
    client: str
    override: str


CORE = Service("core", "VirtualNetworkClient", "oci_core.VirtualNetworkClient")
IDENTITY = Service("identity", "IdentityClient", "oci_identity.IdentityClient")
OBJECT_STORAGE = Service(
    "object_storage", "ObjectStorageClient", "oci_object_storage.ObjectStorageClient"
)
LOGGING = Service("logging", "LoggingManagementClient", "oci_logging.LoggingManagementClient")
DATA_SCIENCE = Service("data_science", "DataScienceClient", "oci_datascience.DataScienceClient")
ARTIFACTS = Service("artifacts", "ArtifactsClient", "oci_artifacts.ArtifactsClient")
SECRETS = Service("vault", "VaultsClient", "oci_vault.VaultsClient")
KMS_VAULT = Service("key_management", "KmsVaultClient", "oci_kms.KmsVaultClient")
#: Its endpoint is the vault's own, an attribute of the key; so it needs no override.
KMS_MANAGEMENT = Service("key_management", "KmsManagementClient", "oci_kms.KmsManagementClient")

#: Every service that needs an override before anything is sent anywhere.
REQUIRED = (CORE, IDENTITY, OBJECT_STORAGE, LOGGING, DATA_SCIENCE, ARTIFACTS, SECRETS, KMS_VAULT)


@dataclass(frozen=True)
class Credentials:
    """An API key. Its private half stays out of the object's `repr`."""

    tenancy: str
    user: str
    fingerprint: str
    region: str
    private_key: str = field(repr=False)
    passphrase: str | None = field(repr=False, default=None)


def read_endpoints(environment: Mapping[str, str]) -> dict[str, str]:
    """The URL of each client. EndpointError names what is missing, malformed or elsewhere."""
    text = next((environment[name] for name in _OVERRIDES if environment.get(name)), "")
    endpoints = {}
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        name, separator, url = pair.partition("=")
        if not separator:
            raise EndpointError(f'CLIENT_HOST_OVERRIDES: "{pair}" is not client=url. {_HOW_TO_SET}')
        endpoints[name.strip()] = require_loopback(url.strip(), name.strip())
    missing = [service.override for service in REQUIRED if service.override not in endpoints]
    if missing:
        raise EndpointError(f"No endpoint for {', '.join(missing)}. {_HOW_TO_SET}")
    return endpoints


def require_loopback(url: str, name: str) -> str:
    """The URL without a trailing slash; EndpointError unless it is http on loopback."""
    if not url.lower().startswith("http://"):
        raise EndpointError(
            f'{name}: "{url}" is not an http:// URL. The stand-in never speaks to OCI itself, '
            f"which is https only. {_HOW_TO_SET}"
        )
    found = _ENDPOINT.fullmatch(url)
    if found is None:
        raise EndpointError(f'{name}: "{url}" is more than http://host:port. {_HOW_TO_SET}')
    if not _is_loopback(found[1].strip("[]")):
        raise EndpointError(
            f'{name}: "{url}" is not on this machine. Allowed are 127.0.0.1, ::1 and localhost. '
            "For a real tenancy install the real provider: remove the stand-in's "
            "TF_CLI_CONFIG_FILE from the environment."
        )
    return url.rstrip("/")


def read_credentials(config: Mapping[str, Value], environment: Mapping[str, str]) -> Credentials:
    """An API key from the provider's block or from the variables that the real one reads."""

    def setting(name: str) -> str | None:
        for value in (
            config.get(name),
            environment.get(f"TF_VAR_{name}"),
            environment.get(f"OCI_{name.upper()}"),
        ):
            if value:
                return str(value)
        return None

    method = setting("auth") or "ApiKey"
    if method.casefold() != "apikey":
        raise CredentialsError(
            f'auth = "{method}": the stand-in signs with an API key only. Leave `auth` out.', "auth"
        )
    values = {
        name: setting(name) for name in ("tenancy_ocid", "user_ocid", "fingerprint", "region")
    }
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise CredentialsError(
            f"{', '.join(missing)}: not set in the provider block, nor as TF_VAR_… in the "
            "environment. The stand-in reads no OCI configuration file."
        )
    return Credentials(
        tenancy=values["tenancy_ocid"] or "",
        user=values["user_ocid"] or "",
        fingerprint=values["fingerprint"] or "",
        region=values["region"] or "",
        private_key=setting("private_key") or _key_file(setting("private_key_path")),
        passphrase=setting("private_key_password"),
    )


class Clients:
    """SDK clients, made when first needed and one per thread: the SDK promises no more."""

    def __init__(self, credentials: Credentials, endpoints: Mapping[str, str]) -> None:
        self._credentials = credentials
        self._endpoints = endpoints
        self._per_thread = threading.local()
        self._lock = threading.Lock()
        self._signer: Any = None

    @property
    def tenancy(self) -> str:
        """The OCID of the tenancy that the credentials belong to."""
        return self._credentials.tenancy

    def client(self, service: Service, endpoint: str | None = None) -> Any:
        """The client of a service, at its override or at an `endpoint` of its own."""
        if endpoint is None:
            url = self._endpoints[service.override]
        else:
            url = require_loopback(endpoint, service.override)
        made: dict[str, Any] = self._per_thread.__dict__
        key = f"{service.override}={url}"
        if key not in made:
            made[key] = self._make(service, url)
        return made[key]

    def _make(self, service: Service, url: str) -> Any:
        import oci

        cls = getattr(importlib.import_module(f"oci.{service.module}"), service.client)
        # Few and short attempts: the service is on this machine, or it is not there.
        retries = oci.retry.RetryStrategyBuilder(
            max_attempts=4,
            retry_base_sleep_time_seconds=0.2,
            retry_max_wait_between_calls_seconds=2,
        ).get_retry_strategy()
        arguments = {
            "retry_strategy": retries,
            "timeout": _TIMEOUT_SECONDS,
            # An open circuit would hide the service's own error from the reader.
            "circuit_breaker_strategy": oci.circuit_breaker.NoCircuitBreakerStrategy(),
        }
        try:
            signer = self._shared_signer()
            made = cls(self._config(), signer=signer, service_endpoint=url, **arguments)
        except oci.exceptions.InvalidConfig as error:
            # Its text is a table of setting and fault, e.g. {'fingerprint': 'malformed'}.
            raise CredentialsError(f"The OCI SDK refuses the credentials: {error}") from None
        except (oci.exceptions.InvalidPrivateKey, oci.exceptions.MissingPrivateKeyPassphrase):
            raise CredentialsError(
                "The private key is not a PEM key, or private_key_password does not open it."
            ) from None
        # No proxy and no .netrc: nothing may lead these calls off this machine.
        session = made.base_client.session
        session.trust_env = False
        # A redirect is no way out either: what is not below this URL has no adapter.
        adapter = session.get_adapter(url)
        session.adapters.clear()
        session.mount(f"{url}/", adapter)
        return made

    def _config(self) -> dict[str, str | None]:
        return {
            "tenancy": self._credentials.tenancy,
            "user": self._credentials.user,
            "fingerprint": self._credentials.fingerprint,
            "key_content": self._credentials.private_key,
            "pass_phrase": self._credentials.passphrase,
            "region": self._credentials.region,
        }

    def _shared_signer(self) -> Any:
        """One signer for all threads: it has no state but the key, which is slow to read."""
        import oci

        with self._lock:
            if self._signer is None:
                self._signer = oci.signer.Signer(
                    tenancy=self._credentials.tenancy,
                    user=self._credentials.user,
                    fingerprint=self._credentials.fingerprint,
                    private_key_file_location=None,
                    pass_phrase=self._credentials.passphrase,
                    private_key_content=self._credentials.private_key,
                )
            return self._signer


def _key_file(path: str | None) -> str:
    if path is None:
        raise CredentialsError(
            "Neither private_key nor private_key_path is set, nor is TF_VAR_private_key_path."
        )
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(
            f"private_key_path: cannot read {path}: {error.strerror}", "private_key_path"
        ) from None


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
