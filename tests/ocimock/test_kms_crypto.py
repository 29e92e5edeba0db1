"""A vault's cryptographic endpoint: what it encrypts comes back, what it signs is verified."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any

import oci
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ocimock import MockedTenancy
from tests.ocimock.support import client, refused
from tests.ocimock.test_kms_vault import Safe

k = oci.key_management.models
TEXT = base64.b64encode(b"nobody is to see this").decode()


class Crypto:
    def __init__(self, mocked: MockedTenancy) -> None:
        self.safe = Safe(mocked)
        self.api = client(
            mocked,
            oci.key_management.KmsCryptoClient,
            service_endpoint=self.safe.vault.crypto_endpoint,
        )

    def encrypt(self, key: str, **fields: Any) -> Any:
        details = k.EncryptDataDetails(**{"key_id": key, "plaintext": TEXT, **fields})
        return self.api.encrypt(details).data

    def decrypt(self, key: str, ciphertext: str, **fields: Any) -> Any:
        details = k.DecryptDataDetails(key_id=key, ciphertext=ciphertext, **fields)
        return self.api.decrypt(details).data

    def sign(self, key: str, algorithm: str, message: bytes, **fields: Any) -> str:
        details = k.SignDataDetails(
            key_id=key,
            signing_algorithm=algorithm,
            message=base64.b64encode(message).decode(),
            **fields,
        )
        return str(self.api.sign(details).data.signature)

    def verify(self, key: Any, algorithm: str, message: bytes, signature: str, **more: Any) -> bool:
        details = k.VerifyDataDetails(
            key_id=key.id,
            key_version_id=key.current_key_version,
            signing_algorithm=algorithm,
            message=base64.b64encode(message).decode(),
            signature=signature,
            **more,
        )
        return bool(self.api.verify(details).data.is_signature_valid)


@pytest.fixture
def crypto(mocked: MockedTenancy) -> Crypto:
    return Crypto(mocked)


def test_what_is_encrypted_comes_back_after_a_rotation_too(crypto: Crypto) -> None:
    key = crypto.safe.key.id
    sealed = crypto.encrypt(key)
    assert b"nobody" not in base64.b64decode(sealed.ciphertext)
    assert crypto.encrypt(key).ciphertext != sealed.ciphertext
    crypto.safe.keys.create_key_version(key)
    opened = crypto.decrypt(key, sealed.ciphertext)
    assert opened.plaintext == TEXT
    assert opened.plaintext_checksum == str(zlib.crc32(base64.b64decode(TEXT)))
    assert opened.key_version_id == sealed.key_version_id
    assert crypto.encrypt(key).key_version_id != sealed.key_version_id
    named = crypto.encrypt(key, key_version_id=sealed.key_version_id)
    assert named.key_version_id == sealed.key_version_id


def test_associated_data_must_be_the_same(crypto: Crypto) -> None:
    key = crypto.safe.key.id
    sealed = crypto.encrypt(key, associated_data={"for": "one"}).ciphertext
    assert crypto.decrypt(key, sealed, associated_data={"for": "one"}).plaintext == TEXT
    with refused(400, "InvalidParameter", "associatedData"):
        crypto.decrypt(key, sealed, associated_data={"for": "two"})


def test_a_changed_or_foreign_ciphertext_is_refused(crypto: Crypto) -> None:
    sealed = crypto.encrypt(crypto.safe.key.id).ciphertext
    data = bytearray(base64.b64decode(sealed))
    data[-1] ^= 1
    changed = base64.b64encode(bytes(data)).decode()
    with refused(400, "InvalidParameter", "ciphertext"):
        crypto.decrypt(crypto.safe.key.id, changed)
    with refused(400, "InvalidParameter", "did not encrypt it"):
        crypto.decrypt(crypto.safe.make_key().id, sealed)
    with refused(400, "InvalidParameter", "did not encrypt it"):
        crypto.decrypt(crypto.safe.key.id, TEXT)
    with refused(400, "InvalidParameter", "plaintext must be BASE64"):
        crypto.encrypt(crypto.safe.key.id, plaintext="?")


def test_only_an_enabled_key_encrypts(crypto: Crypto) -> None:
    key = crypto.safe.key.id
    crypto.safe.keys.disable_key(key)
    with refused(409, "Conflict", "DISABLED"):
        crypto.encrypt(key)
    crypto.safe.keys.enable_key(key)


@pytest.mark.process_only("a server's vaults share one endpoint")
def test_a_vault_encrypts_by_its_own_keys(mocked: MockedTenancy, crypto: Crypto) -> None:
    with refused(404, "NotAuthorizedOrNotFound", "another vault"):
        Crypto(mocked).encrypt(crypto.safe.key.id)


def test_a_data_encryption_key_is_wrapped(crypto: Crypto) -> None:
    def generate(shape: Any, *, plain: bool) -> Any:
        details = k.GenerateKeyDetails(
            key_id=crypto.safe.key.id, key_shape=shape, include_plaintext_key=plain
        )
        return crypto.api.generate_data_encryption_key(details).data

    made = generate(k.KeyShape(algorithm="AES", length=16), plain=True)
    assert len(base64.b64decode(made.plaintext)) == 16
    assert crypto.decrypt(crypto.safe.key.id, made.ciphertext).plaintext == made.plaintext
    assert generate(k.KeyShape(algorithm="AES", length=32), plain=False).plaintext is None
    with refused(400, "InvalidParameter", "keyShape.length"):
        generate(k.KeyShape(algorithm="AES", length=17), plain=False)


def test_an_rsa_key_encrypts_and_signs(crypto: Crypto) -> None:
    made = crypto.safe.make_key("RSA", 256)
    key = made.id
    sealed = crypto.encrypt(key, encryption_algorithm="RSA_OAEP_SHA_256").ciphertext
    opened = crypto.decrypt(key, sealed, encryption_algorithm="RSA_OAEP_SHA_256")
    assert opened.plaintext == TEXT
    with refused(400, "InvalidParameter", "AES_256_GCM"):
        crypto.encrypt(key, encryption_algorithm="AES_256_GCM")
    for algorithm in ("SHA_256_RSA_PKCS_PSS", "SHA_512_RSA_PKCS1_V1_5"):
        signature = crypto.sign(key, algorithm, b"signed")
        assert crypto.verify(made, algorithm, b"signed", signature)
        assert not crypto.verify(made, algorithm, b"Signed", signature)
    with refused(400, "InvalidParameter", "ECDSA_SHA_256"):
        crypto.sign(key, "ECDSA_SHA_256", b"signed")


def test_a_signature_holds_outside_by_the_public_key(crypto: Crypto) -> None:
    key = crypto.safe.make_key("ECDSA", 32)
    algorithm = "ECDSA_SHA_256"
    signature = crypto.sign(key.id, algorithm, b"signed")
    version = crypto.safe.keys.get_key_version(key.id, key.current_key_version).data
    public = serialization.load_pem_public_key(version.public_key.encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signature), b"signed", ec.ECDSA(hashes.SHA256()))
    digest = hashlib.sha256(b"signed").digest()
    assert crypto.verify(key, algorithm, digest, signature, message_type="DIGEST")
    with refused(400, "InvalidParameter", "digest of 32 bytes"):
        crypto.verify(key, algorithm, b"signed", signature, message_type="DIGEST")


def test_an_aes_key_signs_nothing(crypto: Crypto) -> None:
    with refused(400, "InvalidParameter", "signs nothing"):
        crypto.sign(crypto.safe.key.id, "ECDSA_SHA_256", b"signed")
