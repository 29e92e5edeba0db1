"""Throwaway credentials for the embedded tenancy, in the form that OCI's clients read."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from .cloud import Settings

_KEY_BITS = 2048  # the least that OCI accepts for an API signing key
PROFILE = "DEFAULT"


@dataclass(frozen=True)
class Credentials:
    """An OCI config file and its API signing key, of no use anywhere but here."""

    config_file: Path
    key_file: Path
    fingerprint: str


def write_credentials(folder: Path, settings: Settings) -> Credentials:
    """Write ``config`` and ``key.pem`` below *folder*; what stands there is used again."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    folder.mkdir(parents=True, exist_ok=True)
    key_file = folder / "key.pem"
    if not key_file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        write_private(key_file, _private_pem(key))
    fingerprint = _fingerprint(key_file.read_bytes())
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
    return Credentials(config_file, key_file, fingerprint)


def write_private(path: Path, content: bytes) -> None:
    """Write *content* where only the owner can read it, as OCI's clients demand of keys."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _private_pem(key: object) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    assert isinstance(key, RSAPrivateKey)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# Reading a key takes longer than a mock does to start, and in a process it is always the same.
@functools.cache
def _fingerprint(pem: bytes) -> str:
    """OCI's fingerprint: MD5 over the public key's DER form, colon-separated."""
    import hashlib

    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(pem, password=None)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
