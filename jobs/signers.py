"""What requests are signed with: the SDK's signers, made without ADS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def signer(method: str, config: dict[str, Any]) -> Any:
    """What signs requests, for one of the methods that :mod:`jobs.auth` names.

    Raises:
        OSError, ValueError, ClientError: what it is made of is not there, or is not usable.
    """
    from oci.auth import signers
    from oci.signer import Signer

    if method == "security_token":
        return _token_signer(config)
    if method == "resource_principal":
        return signers.get_resource_principals_signer()
    if method == "instance_principal":
        return signers.InstancePrincipalsSecurityTokenSigner()
    return Signer.from_config(config)


def token_time(config: Mapping[str, Any]) -> float:
    """When the session token was written, in seconds; 0 where there is none."""
    named = config.get("security_token_file")
    if not named:
        return 0
    try:
        return Path(named).expanduser().stat().st_mtime
    except OSError:
        return 0


def _token_signer(config: Mapping[str, Any]) -> Any:
    from jwt import InvalidTokenError
    from oci.auth.security_token_container import SecurityTokenContainer
    from oci.auth.signers import SecurityTokenSigner
    from oci.signer import load_private_key_from_file

    if not config.get("security_token_file"):
        raise ValueError("The profile has no security_token_file.")
    token = Path(config["security_token_file"]).expanduser().read_text(encoding="utf-8").strip()
    try:
        valid = SecurityTokenContainer(None, token).valid()
    except InvalidTokenError:
        raise ValueError("What lies in security_token_file is no token.") from None
    if not valid:
        raise ValueError("The session token has run out.")
    key = load_private_key_from_file(config["key_file"], config.get("pass_phrase"))
    return SecurityTokenSigner(token=token, private_key=key)
