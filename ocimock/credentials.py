"""Throwaway credentials for the embedded tenancy, in the form that OCI's clients read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .cloud import Settings
from .iam import keys

PROFILE = "DEFAULT"


@dataclass(frozen=True)
class Credentials:
    """An OCI config file and its API signing key, of no use anywhere but here.

    :param public_key: the key's public half, in PEM: what a user uploads to OCI.
    """

    config_file: Path
    key_file: Path
    fingerprint: str
    public_key: str = ""


def write_credentials(folder: Path, settings: Settings) -> Credentials:
    """Write ``config`` and ``key.pem`` below *folder*; what stands there is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    key_file = folder / "key.pem"
    if not key_file.exists():
        write_private(key_file, keys.new_private_pem())
    public = keys.public_pem(key_file.read_bytes())
    fingerprint = keys.fingerprint(public)
    config_file = folder / "config"
    write_private(
        config_file,
        (
            f"[{PROFILE}]\n"
            f"user={settings.user_id}\n"
            f"fingerprint={fingerprint}\n"
            f"tenancy={settings.tenancy_id}\n"
            f"region={settings.region}\n"
            f"key_file={key_file}\n"
        ).encode(),
    )
    return Credentials(config_file, key_file, fingerprint, public)


def write_private(path: Path, content: bytes) -> None:
    """Write *content* where only the owner can read it, as OCI's clients demand of keys."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
