"""What a key's versions are made of. It lies in ``Record.private`` and never leaves the mock."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ...store import Record

# By the length of the key in bytes, as a key's shape gives it.
_CURVES: dict[int, ec.EllipticCurve] = {
    32: ec.SECP256R1(),
    48: ec.SECP384R1(),
    66: ec.SECP521R1(),
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def make(version: Record, shape: dict[str, Any]) -> None:
    """Give a new key version its material, and what the API shows of it."""
    if shape["algorithm"] == "AES":
        version.private["material"] = base64.b64encode(
            secrets.token_bytes(shape["length"])
        ).decode()
        return
    key = _private_key(shape)
    version.private["material"] = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    version.data["publicKey"] = public.decode()


def symmetric(version: Record) -> bytes:
    """The AES key of a version."""
    return base64.b64decode(version.private["material"])


def private_key(version: Record) -> PrivateKey:
    """The RSA or ECDSA key of a version."""
    loaded = serialization.load_pem_private_key(version.private["material"].encode(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return loaded


def _private_key(shape: dict[str, Any]) -> PrivateKey:
    if shape["algorithm"] == "RSA":
        return rsa.generate_private_key(65537, shape["length"] * 8)
    return ec.generate_private_key(_CURVES[shape["length"]])
