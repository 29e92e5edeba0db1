"""Run a training script with the Hugging Face token that the Vault keeps.

    torchrun with_hf_token.py examples/finetuning.py --enable_fsdp …

Runs inside a job. It reads the secret by the run's own resource principal, sets ``HF_TOKEN`` and
``HUGGING_FACE_HUB_TOKEN`` (the name that older libraries read) for this process alone, then runs
the script named in argv as ``__main__``. So the token is in no job definition, and the ADS driver,
which logs its environment at DEBUG level, never has it.

Environment:
    HF_TOKEN_SECRET_NAME, HF_TOKEN_VAULT_ID   which secret; leave both out for an open model
    HF_TOKEN                                  if set, it is kept and the Vault is not asked
    OCI_IAM_TYPE                              ``api_key`` reads a config file (a rehearsal)

Every rank fetches for itself: ranks share no memory, and one small GET each is cheaper than a
rendezvous. The SDK's default strategy retries throttling and 5xx.

The script must work on Python 3.9, the one in ``pytorch20_p39_gpu_v2``.
"""

from __future__ import annotations

import base64
import os
import runpy
import sys
from pathlib import Path
from typing import Any

USAGE = "usage: with_hf_token.py SCRIPT [ARGUMENT ...]"
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class TokenError(Exception):
    """The token could not be had; the message says why and what to do, and never holds it."""


def main(argv: list[str]) -> None:
    """Set the token, then become the script. ``argv`` is what follows this file's own name."""
    if not argv:
        sys.exit(USAGE)
    if not Path(argv[0]).is_file():
        sys.exit(f"with_hf_token: no script at {argv[0]} (working directory {Path.cwd()})")
    try:
        set_token()
    except TokenError as error:
        sys.exit(f"with_hf_token: {error}")
    run_script(argv)


def set_token() -> None:
    """Put the token into this process's environment, from where it is: there, or the Vault.

    Raises:
        TokenError: half-given settings, or the Vault refused, or the secret is empty.
    """
    present = next((os.environ[name] for name in TOKEN_VARIABLES if os.environ.get(name)), None)
    token = present or _token_from_vault()
    if token is None:
        print("with_hf_token: no HF_TOKEN_SECRET_NAME, going on without a token", flush=True)
        return
    for name in TOKEN_VARIABLES:
        os.environ[name] = token


def run_script(argv: list[str]) -> None:
    """Run ``argv[0]`` as Python itself would: its argv, its folder first on the path.

    A checkout with its own ``src`` folder is put before the installed packages, so that the code
    that runs is the pinned commit's, and not the release that pip found.
    """
    script = Path(argv[0])
    sys.argv = list(argv)
    sys.path[0] = str(script.resolve().parent)
    source = Path.cwd() / "src"
    if source.is_dir():
        sys.path.insert(0, str(source))
    runpy.run_path(str(script), run_name="__main__")


def _token_from_vault() -> str | None:
    name = os.environ.get("HF_TOKEN_SECRET_NAME", "")
    vault = os.environ.get("HF_TOKEN_VAULT_ID", "")
    if not name and not vault:
        return None
    if not name or not vault:
        missing = "HF_TOKEN_VAULT_ID" if name else "HF_TOKEN_SECRET_NAME"
        raise TokenError(f"{missing} is not set; set both, or neither for an open model")

    from oci.exceptions import ServiceError

    try:
        bundle = _secrets_client().get_secret_bundle_by_name(name, vault).data
    except ServiceError as error:
        raise TokenError(_refused(name, vault, error)) from None
    token = base64.b64decode(bundle.secret_bundle_content.content).decode("utf-8").strip()
    if not token:
        raise TokenError(f"secret {name} in {vault} is empty; store the token as a new version")
    print(f"with_hf_token: token read from secret {name}", flush=True)
    return token


def _secrets_client() -> Any:
    import oci

    if os.environ.get("OCI_IAM_TYPE") == "api_key":
        config = oci.config.from_file(
            os.environ.get("OCI_CONFIG_LOCATION", oci.config.DEFAULT_LOCATION),
            os.environ.get("OCI_CONFIG_PROFILE", oci.config.DEFAULT_PROFILE),
        )
        return oci.secrets.SecretsClient(config)
    signer = oci.auth.signers.get_resource_principals_signer()
    return oci.secrets.SecretsClient({}, signer=signer)


def _refused(name: str, vault: str, error: Any) -> str:
    reason = f"{error.status} {error.code}: {error.message} (opc-request-id {error.request_id})"
    advice = "see the message"
    if error.status in (401, 403, 404):
        advice = (
            "is the secret there, and may the job runs' dynamic group 'read secret-bundles' on it? "
            "A new dynamic group or policy takes some minutes to work"
        )
    return f"secret {name} in {vault} could not be read: {reason}; {advice}"


if __name__ == "__main__":
    main(sys.argv[1:])
