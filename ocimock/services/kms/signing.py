"""Signatures by RSA and ECDSA keys, made and verified."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from . import material
from .base import SERVICE
from .crypto import decoded, encoded, key_of, named

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "224": hashes.SHA224(),
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


@SERVICE.operation("sign")
def _sign(call: Call) -> Response:
    body = call.body()
    _, version = key_of(call, body)
    key, (digest, how) = material.private_key(_asymmetric(version)), _signing(body, version)
    message = _message(body, digest)
    chosen = utils.Prehashed(digest) if body.get("messageType") == "DIGEST" else digest
    if isinstance(key, rsa.RSAPrivateKey):
        assert how is not None
        signature = key.sign(message, how, chosen)
    else:
        signature = key.sign(message, ec.ECDSA(chosen))
    shown = {"signature": encoded(signature), "signingAlgorithm": body["signingAlgorithm"]}
    return Response.of_json({**named(version), **shown})


@SERVICE.operation("verify")
def _verify(call: Call) -> Response:
    body = call.body()
    _, version = key_of(call, body)
    key = material.private_key(_asymmetric(version)).public_key()
    digest, how = _signing(body, version)
    message, signature = _message(body, digest), decoded(body["signature"], "signature")
    chosen = utils.Prehashed(digest) if body.get("messageType") == "DIGEST" else digest
    try:
        if isinstance(key, rsa.RSAPublicKey):
            assert how is not None
            key.verify(signature, message, how, chosen)
        else:
            key.verify(signature, message, ec.ECDSA(chosen))
    except InvalidSignature:
        return Response.of_json({"isSignatureValid": False})
    return Response.of_json({"isSignatureValid": True})


def _asymmetric(version: Record) -> Record:
    """:raises InvalidParameter: an AES key signs nothing."""
    if "publicKey" not in version.data:
        raise InvalidParameter(f"keyId: {version.data['keyId']} is an AES key; it signs nothing")
    return version


def _signing(
    body: dict[str, Any], version: Record
) -> tuple[hashes.HashAlgorithm, padding.AsymmetricPadding | None]:
    """Digest and padding that ``signingAlgorithm`` names.

    :raises InvalidParameter: it is not one for this key.
    """
    name: str = body["signingAlgorithm"]
    key = material.private_key(_asymmetric(version))
    if name.startswith("ECDSA") != isinstance(key, ec.EllipticCurvePrivateKey):
        raise InvalidParameter(f"signingAlgorithm: {name} does not go with the key's algorithm")
    digest = next(found for bits, found in _HASHES.items() if f"SHA_{bits}" in name)
    if name.startswith("ECDSA"):
        return digest, None
    if name.endswith("PSS"):
        return digest, padding.PSS(padding.MGF1(digest), digest.digest_size)
    return digest, padding.PKCS1v15()


def _message(body: dict[str, Any], digest: hashes.HashAlgorithm) -> bytes:
    """:raises InvalidParameter: it should be a digest, and is not as long as one."""
    message = decoded(body["message"], "message")
    if body.get("messageType") == "DIGEST" and len(message) != digest.digest_size:
        raise InvalidParameter(f"message: a digest of {digest.digest_size} bytes was expected")
    return message
