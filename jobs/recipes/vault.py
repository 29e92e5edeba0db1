"""The Hugging Face token: from the Vault, by the run's own resource principal.

Environment:
    HF_TOKEN_SECRET_NAME, HF_TOKEN_VAULT_ID   which secret; leave both out for open models
    HF_TOKEN                                  if set, it is taken, and the Vault is not asked

So the token is in no job definition, and the ADS driver, which logs its environment at DEBUG
level, never has it. It is returned, never put into the environment, where child processes and
crash reports would find it.
"""

from __future__ import annotations

import base64
import os
from typing import Any

from .credentials import client

TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""The second is the name that older libraries read."""


class TokenError(Exception):
    """The token could not be had; the message says why and what to do, and never holds it."""


def hub_token() -> str | None:
    """The token, or None where none is asked for.

    Raises:
        TokenError: half-given settings, or the Vault refused, or the secret is empty.
        CredentialsError: there is nothing to ask the Vault with.
    """
    present = next((os.environ[name] for name in TOKEN_VARIABLES if os.environ.get(name)), None)
    if present:
        return present.strip()
    name = os.environ.get("HF_TOKEN_SECRET_NAME", "")
    vault = os.environ.get("HF_TOKEN_VAULT_ID", "")
    if not name and not vault:
        return None
    if not name or not vault:
        missing = "HF_TOKEN_VAULT_ID" if name else "HF_TOKEN_SECRET_NAME"
        raise TokenError(f"{missing} is not set; set both, or neither for an open model")
    return _read(name, vault)


def _read(name: str, vault: str) -> str:
    from oci._vendor.requests import RequestException
    from oci.exceptions import ServiceError

    try:
        bundle = _secrets_client().get_secret_bundle_by_name(name, vault).data
    except ServiceError as error:
        raise TokenError(_refused(name, vault, error)) from None
    except RequestException as error:
        raise TokenError(f"the Vault did not answer for secret {name}: {error}") from None
    token = base64.b64decode(bundle.secret_bundle_content.content).decode("utf-8").strip()
    if not token:
        raise TokenError(f"secret {name} in {vault} is empty; store the token as a new version")
    return token


def _secrets_client() -> Any:
    from oci.secrets import SecretsClient

    return client(SecretsClient)


def _refused(name: str, vault: str, error: Any) -> str:
    reason = f"{error.status} {error.code}: {error.message} (opc-request-id {error.request_id})"
    advice = "see the message"
    if error.status in (401, 403, 404):
        advice = (
            "is the secret there, and may the job runs' dynamic group 'read secret-bundles' on it? "
            "A new dynamic group or policy takes some minutes to work"
        )
    return f"secret {name} in {vault} could not be read: {reason}; {advice}"
