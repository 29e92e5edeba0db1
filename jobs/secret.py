"""The Hugging Face token, put into the Vault: from a prompt or a file, never from an argument."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import typer

from . import ocid
from .auth import client, sign_in
from .emit import output
from .errors import SecretError, attempting
from .tenancy import Tenancy

_OUTPUTS = ("vault_id", "key_id", "secret_name", "compartment_id")


def read_token(path: Path) -> str:
    """The token in a file, without the line's end.

    Raises:
        SecretError: the file is not there, is empty, or holds more than one word.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SecretError(f"Cannot read the token from {path}: {reason}.") from None
    return checked(token, str(path))


def ask() -> str:
    """The token from a prompt that echoes nothing; from a pipe, where there is one instead.

    Raises:
        SecretError: as for :func:`read_token`.
    """
    if _at_terminal():
        answer = typer.prompt("Hugging Face token", hide_input=True, err=True)
        return checked(answer.strip(), "The answer")
    return checked(sys.stdin.read().strip(), "Standard input")


def checked(token: str, source: str) -> str:
    """*token* if it can be one; the message never shows it."""
    if not token:
        raise SecretError(f"{source} holds no token.", "Put the token alone into it.")
    if len(token.split()) != 1:
        raise SecretError(f"{source} holds more than one word.", "Put the token alone into it.")
    return token


def put(tenancy: Tenancy, token: str) -> str:
    """Create the secret, or give it a new version; returns what was done.

    Raises:
        OutputsError: the stacks are not deployed.
        RefusedError: OCI refused.
    """
    import oci

    places = {name: str(output(tenancy, name)) for name in _OUTPUTS}
    sign_in(ocid.region(places["vault_id"]))
    vaults = client(oci.vault.VaultsClient)
    content = oci.vault.models.Base64SecretContentDetails(
        content=base64.b64encode(token.encode()).decode()
    )
    name = places["secret_name"]
    with attempting(f"put the secret '{name}' into the vault"):
        existing = _existing(vaults, places)
        if existing is not None:
            details = oci.vault.models.UpdateSecretDetails(secret_content=content)
            vaults.update_secret(existing, details)
            return f"the secret '{name}' has a new version: {existing}"
        details = oci.vault.models.CreateSecretDetails(
            compartment_id=places["compartment_id"],
            vault_id=places["vault_id"],
            key_id=places["key_id"],
            secret_name=name,
            description="Hugging Face token, read by job runs",
            secret_content=content,
        )
        created = vaults.create_secret(details).data
        return f"the secret '{name}' is in the vault: {created.id}"


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _existing(vaults: Any, places: dict[str, str]) -> str | None:
    found = vaults.list_secrets(
        places["compartment_id"], name=places["secret_name"], vault_id=places["vault_id"]
    ).data
    for secret in found:
        if secret.lifecycle_state in ("ACTIVE", "CREATING", "UPDATING"):
            return str(secret.id)
    return None
