"""A token, put into the Vault: from a prompt, a file or a variable, never from an argument.

Whoever can run commands on a machine can read the arguments of its processes, and a shell keeps
them in its history.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from . import auth, ocid
from .emit import output
from .errors import SecretError, attempting
from .tenancy import Tenancy

HF_TOKEN = "hf-token"
"""The Hugging Face token, which the staging job fetches as its run's resource principal."""

# The names that the command line takes, each with the output that holds the vault's own name.
_NAMES = {HF_TOKEN: "secret_name"}
_DESCRIPTIONS = {HF_TOKEN: "Hugging Face token, read by job runs"}
_PLACES = ("vault_id", "key_id", "compartment_id")


def known(words: Sequence[str]) -> str:
    """The secret that the command line's *words* name; the Hugging Face token where none does.

    Raises:
        SecretError: they name none. They are not repeated: people put the token itself there.
    """
    if not words:
        return HF_TOKEN
    if len(words) == 1 and words[0] in _NAMES:
        return words[0]
    raise SecretError(
        "What stands after 'secret set' is no secret's name.",
        f"Names: {', '.join(_NAMES)}. A token is never an argument: --file, --env, a pipe or the "
        "prompt takes it. If that was one, it is in your shell's history: make a new one.",
    )


def read_variable(name: str) -> str:
    """The token in an environment variable, which the processes that this one starts don't get.

    Raises:
        SecretError: it is not set, is empty, or holds more than one word.
    """
    text = os.environ.pop(name, None)
    if text is None:
        # Not repeated: somebody wrote $NAME for NAME, and the shell put the token there.
        raise SecretError(
            "No environment variable has the name that --env gives.",
            "Name the variable itself, as in --env HF_TOKEN: without '$', and exported.",
        )
    return checked(text.strip(), f"The variable {name}")


def read_token(path: Path) -> str:
    """The token in a file, without the line's end.

    Raises:
        SecretError: the file is not there, is empty, or holds more than one word.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        named = "the file that --file names" if _may_be_token(path) else str(path)
        raise SecretError(f"Cannot read the token from {named}: {reason}.") from None
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


def put(tenancy: Tenancy, token: str, name: str = HF_TOKEN) -> str:
    """Create the secret, or give it a new version; returns what was done.

    *name* is the command line's; the vault's own is the tenancy file's.

    Raises:
        OutputsError: the stacks are not deployed.
        RefusedError: OCI refused.
    """
    import oci

    places = {place: str(output(tenancy, place)) for place in _PLACES}
    secret_name = str(output(tenancy, _NAMES[name]))
    auth.sign_in(ocid.region(places["vault_id"]))
    vaults = _unlogged_client(oci.vault.VaultsClient)
    content = oci.vault.models.Base64SecretContentDetails(
        content=base64.b64encode(token.encode()).decode()
    )
    with attempting(f"put the secret '{secret_name}' into the vault"):
        existing = _existing(vaults, places, secret_name)
        if existing is not None:
            details = oci.vault.models.UpdateSecretDetails(secret_content=content)
            vaults.update_secret(existing, details)
            return f"the secret '{secret_name}' has a new version: {existing}"
        details = oci.vault.models.CreateSecretDetails(
            compartment_id=places["compartment_id"],
            vault_id=places["vault_id"],
            key_id=places["key_id"],
            secret_name=secret_name,
            description=_DESCRIPTIONS[name],
            secret_content=content,
        )
        created = vaults.create_secret(details).data
        return f"the secret '{secret_name}' is in the vault: {created.id}"


def _may_be_token(path: Path) -> bool:
    """Whether somebody gave the token itself, or $NAME, where its file was asked for."""
    return path.name.startswith("hf_") and not path.suffix


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _unlogged_client(sdk_class: Any) -> Any:
    """A client that writes no bodies anywhere, whatever the config file says.

    With ``log_requests`` the SDK has Python's HTTP client print every byte that it sends; the
    setting is one for the whole process, and the client that is made last decides.
    """
    signer = auth.default_signer()
    config = {**signer["config"], "log_requests": False}
    return sdk_class(config, signer=signer["signer"])


def _existing(vaults: Any, places: dict[str, str], secret_name: str) -> str | None:
    found = vaults.list_secrets(
        places["compartment_id"], name=secret_name, vault_id=places["vault_id"]
    ).data
    for secret in found:
        if secret.lifecycle_state in ("ACTIVE", "CREATING", "UPDATING"):
            return str(secret.id)
    return None
