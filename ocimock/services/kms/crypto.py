"""A vault's cryptographic endpoint: encrypt, decrypt and data encryption keys.

The cryptography is real; only the format of an AES ciphertext is the mock's own, as OCI does not
say what is in its.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import zlib
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...deletion import PENDING
from ...resources import require
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from . import material
from .base import SERVICE
from .keys import KEY, VERSION, check_shape
from .vaults import vault_of

_NONCE = 12
_AES = "AES_256_GCM"
_OAEP: dict[str, hashes.HashAlgorithm] = {
    "RSA_OAEP_SHA_1": hashes.SHA1(),
    "RSA_OAEP_SHA_256": hashes.SHA256(),
}


@SERVICE.operation("encrypt")
def _encrypt(call: Call) -> Response:
    body = call.body()
    key, version = key_of(call, body)
    plaintext = decoded(body["plaintext"], "plaintext")
    algorithm = _algorithm(key, body)
    if algorithm == _AES:
        ciphertext = _sealed(version, plaintext, body.get("associatedData"))
    else:
        ciphertext = _encrypted(version, plaintext, algorithm)
    return Response.of_json(
        {"ciphertext": encoded(ciphertext), **named(version), "encryptionAlgorithm": algorithm}
    )


@SERVICE.operation("decrypt")
def _decrypt(call: Call) -> Response:
    body = call.body()
    key, version = key_of(call, body)
    ciphertext = decoded(body["ciphertext"], "ciphertext")
    algorithm = _algorithm(key, body)
    if algorithm == _AES:
        version, plaintext = _opened(call, key, ciphertext, body.get("associatedData"))
    else:
        plaintext = _decrypted(version, ciphertext, algorithm)
    return Response.of_json(
        {**_shown(plaintext), **named(version), "encryptionAlgorithm": algorithm}
    )


@SERVICE.operation("generate_data_encryption_key")
def _generate(call: Call) -> Response:
    body = call.body()
    key, version = key_of(call, body)
    _algorithm(key, {"encryptionAlgorithm": _AES})
    shape = body["keyShape"]
    check_shape(shape)
    if shape["algorithm"] != "AES":
        raise InvalidParameter("keyShape.algorithm: data encryption keys are AES keys")
    made = secrets.token_bytes(shape["length"])
    answer = {"ciphertext": encoded(_sealed(version, made, body.get("associatedData")))}
    return Response.of_json(answer | (_shown(made) if body["includePlaintextKey"] else {}))


def key_of(call: Call, body: dict[str, Any]) -> tuple[Record, Record]:
    """The key that the body names, and its version: the named one or the current one.

    :raises NotAuthorizedOrNotFound: it is not in the vault whose endpoint was called.
    :raises Conflict: it is not ENABLED.
    """
    key = require(call.cloud, KEY.name, body["keyId"])
    # A loopback host is every vault's, and the key says which is meant.
    if not call.request.is_loopback and key.data["vaultId"] != vault_of(call).id:
        raise NotAuthorizedOrNotFound(f"key {key.id} is in another vault")
    if key.data["lifecycleState"] not in ("ENABLED", "UPDATING"):
        raise Conflict(f"key {key.id} is {key.data['lifecycleState']}, not ENABLED")
    return key, _version(call, key, body.get("keyVersionId") or key.data["currentKeyVersion"])


def _version(call: Call, key: Record, identifier: str) -> Record:
    version = require(call.cloud, VERSION.name, identifier)
    if version.data["keyId"] != key.id:
        raise NotAuthorizedOrNotFound(f"{identifier} is not a version of {key.id}")
    if version.data["lifecycleState"] == PENDING:
        raise Conflict(f"key version {identifier} is in {PENDING}")
    return version


def _algorithm(key: Record, body: dict[str, Any]) -> str:
    """The algorithm to encrypt by.

    :raises InvalidParameter: it is not one for a key of this shape.
    """
    shape = key.data["keyShape"]["algorithm"]
    usual = "RSA_OAEP_SHA_256" if shape == "RSA" else _AES
    asked: str = body.get("encryptionAlgorithm") or usual
    if (shape == "AES") != (asked == _AES) or shape == "ECDSA":
        raise InvalidParameter(f"encryptionAlgorithm: {asked} does not go with a key of {shape}")
    return asked


def _sealed(version: Record, plaintext: bytes, associated: dict[str, str] | None) -> bytes:
    """The length of the version's OCID, the OCID, a nonce, and what AES-GCM made of the rest."""
    name, nonce = version.id.encode(), secrets.token_bytes(_NONCE)
    sealed = AESGCM(material.symmetric(version)).encrypt(nonce, plaintext, _aad(associated))
    return bytes([len(name)]) + name + nonce + sealed


def _opened(
    call: Call, key: Record, ciphertext: bytes, associated: dict[str, str] | None
) -> tuple[Record, bytes]:
    """:raises InvalidParameter: this key did not make it, or not with these associated data."""
    end = 1 + ciphertext[0] if ciphertext else 0
    name = ciphertext[1:end].decode(errors="replace")
    found = call.cloud.store.find(VERSION.name, name)
    if found is None or found.data["keyId"] != key.id:
        raise InvalidParameter(f"ciphertext: key {key.id} did not encrypt it")
    version = _version(call, key, name)
    nonce, sealed = ciphertext[end : end + _NONCE], ciphertext[end + _NONCE :]
    try:
        return version, AESGCM(material.symmetric(version)).decrypt(nonce, sealed, _aad(associated))
    except (InvalidTag, ValueError):
        raise InvalidParameter("ciphertext: it or the associatedData were changed") from None


def _encrypted(version: Record, plaintext: bytes, algorithm: str) -> bytes:
    key = material.private_key(version).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        return key.encrypt(plaintext, _oaep(algorithm))
    except ValueError:
        raise InvalidParameter("plaintext is too long for the key") from None


def _decrypted(version: Record, ciphertext: bytes, algorithm: str) -> bytes:
    key = material.private_key(version)
    assert isinstance(key, rsa.RSAPrivateKey)
    try:
        return key.decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        raise InvalidParameter("ciphertext: this key did not encrypt it") from None


def _oaep(algorithm: str) -> padding.OAEP:
    digest = _OAEP[algorithm]
    return padding.OAEP(padding.MGF1(digest), digest, None)


def _aad(associated: dict[str, str] | None) -> bytes:
    return json.dumps(associated or {}, sort_keys=True).encode()


def named(version: Record) -> dict[str, str]:
    return {"keyId": version.data["keyId"], "keyVersionId": version.id}


def _shown(plaintext: bytes) -> dict[str, str]:
    """Plaintext and its checksum, which is a CRC-32."""
    return {"plaintext": encoded(plaintext), "plaintextChecksum": str(zlib.crc32(plaintext))}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decoded(text: str, where: str) -> bytes:
    """:raises InvalidParameter: not BASE64. The message never shows the text."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidParameter(f"{where} must be BASE64") from None
