"""An API key out of a pipeline's secrets into ``~/.oci``, where Terraform, ADS and oci-cli look.

The secrets come as environment variables of one step; what comes after needs them no more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import SignInError

VARIABLES = {
    "OCI_TENANCY_OCID": "tenancy",
    "OCI_USER_OCID": "user",
    "OCI_FINGERPRINT": "fingerprint",
    "OCI_REGION": "region",
}
"""The variables, each with its key in the config file."""

PRIVATE_KEY = "OCI_PRIVATE_KEY"
"""The variable that holds the key itself, in PEM."""

_KEY_FILE, _CONFIG_FILE = "tunestack.pem", "config"


def sign_in(environment: Mapping[str, str], home: Path) -> Path:
    """Write the config file and the key, for their owner alone; the config file's path.

    Raises:
        SignInError: a variable is empty, or a config file is there that this did not write.
    """
    missing = [name for name in (*VARIABLES, PRIVATE_KEY) if not environment.get(name, "").strip()]
    if missing:
        raise SignInError(
            f"Not set, or empty: {', '.join(missing)}.",
            "They are secrets of the pipeline's environment (docs/gitops.md, step 2). A pull "
            "request from a fork is given none.",
        )
    if "PRIVATE KEY-----" not in environment[PRIVATE_KEY]:
        raise SignInError(
            f"{PRIVATE_KEY} holds no private key.",
            "It is the text of the PEM file, with its first and last line.",
        )
    folder = home / ".oci"
    config, key = folder / _CONFIG_FILE, folder / _KEY_FILE
    if config.exists() and not key.exists():
        raise SignInError(
            f"{config} is there already, and not from here.",
            "This command is for a pipeline's machine; where you have a config file, you are "
            "signed in.",
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(key, environment[PRIVATE_KEY].strip() + "\n")
    lines = [f"{field}={environment[name].strip()}" for name, field in VARIABLES.items()]
    _write(config, "\n".join(["[DEFAULT]", *lines, f"key_file={key}"]) + "\n")
    return config


def _write(path: Path, text: str) -> None:
    """A file that nobody else can read, from its first moment on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
