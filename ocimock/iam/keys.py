"""Public keys: OCI's fingerprints of them, and the users whose API keys they are.

An API key is a record of kind :data:`API_KEY` under ``<user's OCID>/<fingerprint>``.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    from ..cloud import Cloud
    from ..store import Record

API_KEY = "apikey"
# Bits. The least that OCI accepts for an API signing key.
LEAST_BITS = 2048
# API keys that one user can have. Source: OCI documentation, "Required Keys and OCIDs".
MOST = 3


def add(cloud: Cloud, user_id: str, pem: str, *, seeded: bool = False) -> Record:
    """Make the public key *pem* an API key of a user, as OCI shows it; nothing is checked here."""
    found = fingerprint(pem)
    data = {
        "keyId": f"{cloud.settings.tenancy_id}/{user_id}/{found}",
        "keyValue": pem,
        "fingerprint": found,
        "userId": user_id,
        "timeCreated": cloud.clock.timestamp(),
        "lifecycleState": "ACTIVE",
    }
    private = {"seeded": True} if seeded else {}
    return cloud.store.add(
        API_KEY, record_id(user_id, found), data, etag=cloud.ids.token(16), private=private
    )


def record_id(user_id: str, fingerprint: str) -> str:
    """Under which an API key is kept."""
    return f"{user_id}/{fingerprint}"


@functools.lru_cache(maxsize=1024)
def fingerprint(pem: str) -> str:
    """OCI's fingerprint of a public key in PEM: MD5 over its DER form, colon-separated.

    Source: OCI documentation, "Required Keys and OCIDs".

    :raises ValueError: it is no PEM.
    """
    lines = [line.strip() for line in pem.strip().splitlines()]
    if len(lines) < 3 or not (lines[0].startswith("-----BEGIN") and lines[-1].startswith("-----")):
        raise ValueError("not in PEM format")
    try:
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise ValueError("not in PEM format") from None
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


@functools.lru_cache(maxsize=1024)
def public_key(pem: str) -> RSAPublicKey:
    """The key that *pem* holds; reading one takes longer than to verify a signature with it.

    :raises ValueError: it is no RSA public key in PEM.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except UnsupportedAlgorithm as fault:
        raise ValueError(str(fault)) from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def new_private_pem() -> bytes:
    """A fresh RSA key, in PEM. Takes a tenth of a second."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=LEAST_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@functools.lru_cache(maxsize=256)
def private_key(pem: bytes) -> RSAPrivateKey:
    """:raises ValueError: it is no RSA private key in PEM, without a passphrase."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as fault:
        raise ValueError(str(fault)) from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


@functools.lru_cache(maxsize=256)
def public_pem(private_pem: bytes) -> str:
    """The public half of a private key in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private_key(private_pem).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
