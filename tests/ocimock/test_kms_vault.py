"""Vaults, keys and secrets: used, waiting to be deleted, brought back; contents kept secret."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, MockedTenancy, ServedCloud
from tests.ocimock.support import client, pages, refused

k = oci.key_management.models
m = oci.vault.models
TOKEN = "hf_not_to_be_seen_anywhere"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def content(text: str = TOKEN, **fields: Any) -> Any:
    return m.Base64SecretContentDetails(content=encoded(text), **fields)


class Safe:
    """A vault with an AES key in it, and clients for all of it."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        self.compartment = mocked.compartment_id
        self.vaults = client(mocked, oci.key_management.KmsVaultClient)
        self.secrets = client(mocked, oci.vault.VaultsClient)
        self.bundles = client(mocked, oci.secrets.SecretsClient)
        self.vault = self.make_vault()
        self.keys = self.keys_of(self.vault)
        self.key = self.make_key()

    def keys_of(self, vault: Any) -> Any:
        return client(
            self.mocked,
            oci.key_management.KmsManagementClient,
            service_endpoint=vault.management_endpoint,
        )

    def make_vault(self, **fields: Any) -> Any:
        fields = {"display_name": "v", "vault_type": "DEFAULT", **fields}
        details = k.CreateVaultDetails(compartment_id=self.compartment, **fields)
        return self.vaults.create_vault(details).data

    def make_key(self, algorithm: str = "AES", length: int = 32, **fields: Any) -> Any:
        shape = k.KeyShape(algorithm=algorithm, length=length)
        details = k.CreateKeyDetails(
            compartment_id=self.compartment, display_name="k", key_shape=shape, **fields
        )
        return self.keys.create_key(details).data

    def make_secret(self, name: str = "token", **fields: Any) -> Any:
        fields = {
            "key_id": self.key.id,
            "vault_id": self.vault.id,
            "secret_content": content(),
            **fields,
        }
        details = m.CreateSecretDetails(compartment_id=self.compartment, secret_name=name, **fields)
        return self.secrets.create_secret(details).data

    def read(self, secret: str, **options: Any) -> str:
        bundle = self.bundles.get_secret_bundle(secret, **options).data
        return base64.b64decode(bundle.secret_bundle_content.content).decode()


@pytest.fixture
def safe(mocked: MockedTenancy) -> Safe:
    return Safe(mocked)


def at(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_vault_create_list_update_delete(safe: Safe) -> None:
    vault = safe.vaults.get_vault(safe.vault.id).data
    assert (vault.lifecycle_state, vault.vault_type) == ("ACTIVE", "DEFAULT")
    assert [item.id for item in safe.vaults.list_vaults(safe.compartment).data] == [vault.id]
    safe.vaults.update_vault(vault.id, k.UpdateVaultDetails(display_name="renamed"))
    assert safe.vaults.get_vault(vault.id).data.display_name == "renamed"
    details = k.ScheduleVaultDeletionDetails(time_of_deletion=at(7))
    waiting = safe.vaults.schedule_vault_deletion(vault.id, details).data
    assert waiting.lifecycle_state == "PENDING_DELETION"
    assert abs((waiting.time_of_deletion - at(7)).total_seconds()) < 60


def test_a_vaults_endpoints(safe: Safe) -> None:
    assert safe.vault.management_endpoint.endswith("-management.kms.eu-frankfurt-1.oraclecloud.com")
    assert safe.vault.crypto_endpoint.endswith("-crypto.kms.eu-frankfurt-1.oraclecloud.com")


def test_over_plain_http_a_vaults_endpoints_are_there_too(served_cloud: ServedCloud) -> None:
    """Terraform's provider calls where the vault says, and comes by no proxy."""
    vaults = oci.key_management.KmsVaultClient(
        served_cloud.config, service_endpoint=served_cloud.url
    )
    details = k.CreateVaultDetails(
        compartment_id=served_cloud.compartment_id, display_name="v", vault_type="DEFAULT"
    )
    made = vaults.create_vault(details).data
    found = vaults.get_vault(made.id)
    (listed,) = vaults.list_vaults(served_cloud.compartment_id).data
    for vault in (made, found.data, listed):
        assert (vault.management_endpoint, vault.crypto_endpoint) == (
            served_cloud.url,
            served_cloud.url,
        )
    assert found.headers["etag"]


def test_a_key_is_in_the_vault_whose_endpoint_was_called(safe: Safe) -> None:
    other = safe.make_vault()
    assert safe.key.vault_id == safe.vault.id
    assert [item.id for item in safe.keys.list_keys(safe.compartment).data] == [safe.key.id]
    assert safe.keys_of(other).list_keys(safe.compartment).data == []
    other.management_endpoint = "https://nobody-management.kms.eu-frankfurt-1.oraclecloud.com"
    with refused(404, "NotAuthorizedOrNotFound", "nobody"):
        safe.keys_of(other).list_keys(safe.compartment)


def test_key_create_list_update_delete(safe: Safe) -> None:
    key = safe.keys.get_key(safe.key.id).data
    assert (key.lifecycle_state, key.protection_mode) == ("ENABLED", "HSM")
    (listed,) = safe.keys.list_keys(safe.compartment, algorithm="AES").data
    assert (listed.id, listed.algorithm) == (key.id, "AES")
    assert safe.keys.list_keys(safe.compartment, algorithm="RSA").data == []
    safe.keys.update_key(key.id, k.UpdateKeyDetails(display_name="renamed"))
    assert safe.keys.get_key(key.id).data.display_name == "renamed"
    safe.keys.schedule_key_deletion(key.id, k.ScheduleKeyDeletionDetails())
    assert safe.keys.get_key(key.id).data.lifecycle_state == "PENDING_DELETION"
    safe.keys.cancel_key_deletion(key.id)
    assert safe.keys.get_key(key.id).data.lifecycle_state == "ENABLED"


@pytest.mark.parametrize(("algorithm", "length"), [("AES", 31), ("AES", 256), ("RSA", 32)])
def test_a_keys_length_is_in_bytes(safe: Safe, algorithm: str, length: int) -> None:
    with refused(400, "InvalidParameter", "keyShape.length", algorithm):
        safe.make_key(algorithm, length)


def test_a_key_is_switched_and_rotated(safe: Safe) -> None:
    key = safe.keys.get_key(safe.key.id).data
    first = key.current_key_version
    second = safe.keys.create_key_version(key.id).data.id
    assert safe.keys.get_key(key.id).data.current_key_version == second
    listed = safe.keys.list_key_versions(key.id).data
    assert [version.id for version in listed] == [second, first]
    assert safe.keys.get_key_version(key.id, first).data.key_id == key.id
    safe.keys.disable_key(key.id)
    with refused(409, "Conflict", "DISABLED"):
        safe.keys.disable_key(key.id)
    with refused(409, "Conflict", "DISABLED"):
        safe.keys.create_key_version(key.id)
    safe.keys.enable_key(key.id)
    usage = safe.vaults.get_vault_usage(safe.vault.id).data
    assert (usage.key_count, usage.key_version_count) == (1, 2)


@pytest.mark.parametrize("days", [1, 40])
def test_a_deletion_is_neither_soon_nor_late(safe: Safe, days: int) -> None:
    with refused(400, "InvalidParameter", "timeOfDeletion", "7 to 30 days"):
        details = k.ScheduleVaultDeletionDetails(time_of_deletion=at(days))
        safe.vaults.schedule_vault_deletion(safe.vault.id, details)


def test_what_waits_to_be_deleted_does_not_stand(safe: Safe) -> None:
    """Keys and secrets wait with their vault, and come back with it."""
    secret = safe.make_secret()
    alone = safe.make_key()
    safe.keys.schedule_key_deletion(alone.id, k.ScheduleKeyDeletionDetails())
    before = safe.mocked.standing()
    safe.vaults.schedule_vault_deletion(safe.vault.id, k.ScheduleVaultDeletionDetails())
    assert not {"vault", "key", "vaultsecret", "keyversion"} & set(safe.mocked.standing())
    with refused(404, "NotAuthorizedOrNotFound"):
        safe.read(secret.id)
    with refused(409, "Conflict", "PENDING_DELETION"):
        safe.vaults.schedule_vault_deletion(safe.vault.id, k.ScheduleVaultDeletionDetails())
    with refused(409, "Conflict", "PENDING_DELETION"):
        safe.make_secret("another")
    safe.vaults.cancel_vault_deletion(safe.vault.id)
    assert safe.mocked.standing() == before
    assert safe.read(secret.id) == TOKEN
    with refused(409, "Conflict"):
        safe.vaults.cancel_vault_deletion(safe.vault.id)


def test_external_vaults_are_not_there(safe: Safe) -> None:
    with refused(501, "NotImplemented", "EXTERNAL"):
        safe.make_vault(vault_type="EXTERNAL")


def test_secret_create_list_update_delete(safe: Safe) -> None:
    secret = safe.secrets.get_secret(safe.make_secret().id).data
    assert (secret.lifecycle_state, secret.current_version_number) == ("ACTIVE", 1)
    listed = safe.secrets.list_secrets(safe.compartment, name="token", vault_id=safe.vault.id)
    assert [item.id for item in listed.data] == [secret.id]
    assert safe.secrets.list_secrets(safe.compartment, name="other").data == []
    safe.secrets.update_secret(secret.id, m.UpdateSecretDetails(description="changed"))
    assert safe.secrets.get_secret(secret.id).data.description == "changed"
    safe.secrets.schedule_secret_deletion(
        secret.id, m.ScheduleSecretDeletionDetails(time_of_deletion=at(1))
    )
    assert safe.secrets.get_secret(secret.id).data.lifecycle_state == "PENDING_DELETION"
    with refused(409, "Conflict", "PENDING_DELETION"):
        safe.secrets.update_secret(secret.id, m.UpdateSecretDetails(description="again"))
    safe.secrets.cancel_secret_deletion(secret.id)
    assert safe.read(secret.id) == TOKEN


def test_a_bundle_by_name(safe: Safe) -> None:
    secret = safe.make_secret(metadata={"a": "b"})
    bundle = safe.bundles.get_secret_bundle_by_name("token", safe.vault.id).data
    assert (bundle.secret_id, bundle.version_number) == (secret.id, 1)
    assert bundle.secret_bundle_content.content == encoded(TOKEN)
    assert (bundle.stages, bundle.metadata) == (["CURRENT", "LATEST"], {"a": "b"})
    for name, vault in (("other", safe.vault.id), ("token", "ocid1.vault.oc1.fra.missing")):
        with refused(404, "NotAuthorizedOrNotFound", name):
            safe.bundles.get_secret_bundle_by_name(name, vault)


def test_a_secret_that_waits_keeps_its_name_and_gives_nothing(safe: Safe) -> None:
    secret = safe.make_secret()
    safe.secrets.schedule_secret_deletion(secret.id, m.ScheduleSecretDeletionDetails())
    with refused(404, "NotAuthorizedOrNotFound"):
        safe.bundles.get_secret_bundle_by_name("token", safe.vault.id)
    with refused(400, "InvalidParameter", "exists already", "token"):
        safe.make_secret()


def test_versions_of_a_secret(safe: Safe) -> None:
    secret = safe.make_secret().id
    safe.secrets.update_secret(
        secret, m.UpdateSecretDetails(secret_content=content("second", name="two"))
    )
    assert safe.read(secret) == "second"
    assert safe.read(secret, stage="PREVIOUS") == TOKEN
    assert safe.read(secret, version_number=1) == TOKEN
    assert safe.read(secret, secret_version_name="two") == "second"

    pending = m.UpdateSecretDetails(secret_content=content("third", stage="PENDING"))
    safe.secrets.update_secret(secret, pending)
    assert (safe.read(secret), safe.read(secret, stage="LATEST")) == ("second", "third")

    safe.secrets.update_secret(secret, m.UpdateSecretDetails(current_version_number=3))
    assert safe.read(secret) == "third"
    stages = {
        version.version_number: version.stages
        for version in safe.secrets.list_secret_versions(secret).data
    }
    assert stages == {3: ["CURRENT", "LATEST"], 2: ["PREVIOUS"], 1: ["DEPRECATED"]}
    assert safe.secrets.get_secret_version(secret, 2).data.name == "two"
    numbers = [
        item.version_number for item in safe.bundles.list_secret_bundle_versions(secret).data
    ]
    assert numbers == [3, 2, 1]

    with refused(404, "NotAuthorizedOrNotFound", "9"):
        safe.read(secret, version_number=9)
    with refused(404, "NotAuthorizedOrNotFound", "9"):
        safe.secrets.get_secret_version(secret, 9)
    with refused(400, "InvalidParameter", "currentVersionNumber"):
        safe.secrets.update_secret(secret, m.UpdateSecretDetails(current_version_number=9))
    with refused(400, "InvalidParameter", "secretContent.name", "two"):
        again = m.UpdateSecretDetails(secret_content=content("fourth", name="two"))
        safe.secrets.update_secret(secret, again)


@pytest.mark.parametrize("field", ["key_id", "vault_id"])
def test_a_secret_needs_its_vault_and_key(safe: Safe, field: str) -> None:
    missing = f"ocid1.{field[:-3]}.oc1.fra.missing"
    with refused(404, "NotAuthorizedOrNotFound", missing):
        safe.make_secret(**{field: missing})


def test_a_secret_needs_an_enabled_aes_key_of_its_vault(safe: Safe) -> None:
    with refused(400, "InvalidParameter", "AES"):
        safe.make_secret(key_id=safe.make_key("RSA", 256).id)
    safe.keys.disable_key(safe.keys.get_key(safe.key.id).data.id)
    with refused(409, "Conflict", "DISABLED"):
        safe.make_secret()
    with refused(400, "InvalidParameter", "keyId", safe.vault.id):
        safe.make_secret(vault_id=safe.make_vault().id)


def test_an_old_etag_is_refused(safe: Safe) -> None:
    secret = safe.make_secret()
    with refused(412, "NoEtagMatch"):
        details = m.UpdateSecretDetails(description="changed")
        safe.secrets.update_secret(secret.id, details, if_match="old")
    safe.keys.get_key(safe.key.id)
    with refused(412, "NoEtagMatch"):
        safe.keys.disable_key(safe.key.id, if_match="old")
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "ENABLED"


def test_a_version_is_its_own_keys(safe: Safe) -> None:
    version = safe.keys.get_key(safe.key.id).data.current_key_version
    with refused(404, "NotAuthorizedOrNotFound", version):
        safe.keys.get_key_version(safe.make_key().id, version)


@pytest.mark.process_only("no call brings a vault into this state")
def test_a_secret_needs_a_vault_that_stays(safe: Safe) -> None:
    """The key is made usable again, so that only the vault stands in the way."""
    safe.vaults.schedule_vault_deletion(safe.vault.id, k.ScheduleVaultDeletionDetails())
    assert isinstance(safe.mocked, MockedCloud)
    with safe.mocked.cloud.transaction():
        key = safe.mocked.cloud.store.find("key", safe.key.id)
        assert key is not None
        key.data["lifecycleState"] = "ENABLED"
    with refused(409, "Conflict", "vault", "PENDING_DELETION"):
        safe.make_secret()


def test_an_update_is_one_thing_at_a_time(safe: Safe) -> None:
    secret = safe.make_secret().id
    with refused(400, "InvalidParameter", "currentVersionNumber"):
        both = m.UpdateSecretDetails(secret_content=content("new"), current_version_number=1)
        safe.secrets.update_secret(secret, both)
    with refused(400, "MissingParameter", "secretGenerationContext"):
        generated = m.UpdateSecretDetails(enable_auto_generation=True)
        safe.secrets.update_secret(secret, generated)
    assert safe.read(secret) == TOKEN


def test_a_secret_needs_content(safe: Safe) -> None:
    with refused(400, "InvalidParameter", "secretContent.content must be given"):
        safe.make_secret(secret_content=m.Base64SecretContentDetails())
    with refused(400, "MissingParameter", "secretContent"):
        safe.make_secret(secret_content=None)
    with refused(400, "InvalidParameter", "can't both be given"):
        safe.make_secret(enable_auto_generation=True)


def passphrase(**fields: Any) -> Any:
    fields = {"generation_template": "SECRETS_DEFAULT_PASSWORD", **fields}
    return m.PassphraseGenerationContext(**fields)


def test_a_secret_is_made_up_and_made_up_again(safe: Safe) -> None:
    made = safe.make_secret(
        secret_content=None,
        enable_auto_generation=True,
        secret_generation_context=passphrase(passphrase_length=30),
    )
    assert made.is_auto_generation_enabled
    first = safe.read(made.id)
    assert len(first) == 30
    safe.secrets.update_secret(made.id, m.UpdateSecretDetails(enable_auto_generation=True))
    assert safe.read(made.id) not in ("", first)
    shown = safe.secrets.list_secret_versions(made.id, sort_order="ASC").data
    assert [(v.version_number, v.is_content_auto_generated) for v in shown] == [
        (1, True),
        (2, True),
    ]
    safe.secrets.update_secret(made.id, m.UpdateSecretDetails(secret_content=content("mine")))
    assert not safe.secrets.get_secret_version(made.id, 3).data.is_content_auto_generated


@pytest.mark.parametrize(
    ("context", "status", "word"),
    [
        (passphrase(passphrase_length=7), 400, "passphraseLength"),
        (passphrase(secret_template="nothing"), 400, "secretTemplate"),
        (m.SshKeyGenerationContext(generation_template="RSA_2048"), 501, "SSH_KEY"),
    ],
)
def test_what_cannot_be_made_up(safe: Safe, context: Any, status: int, word: str) -> None:
    with refused(status, "NotImplemented" if status == 501 else "InvalidParameter", word):
        safe.make_secret(
            secret_content=None, enable_auto_generation=True, secret_generation_context=context
        )


def test_a_made_up_secret_has_its_template(safe: Safe) -> None:
    context = m.BytesGenerationContext(
        generation_template="BYTES_512", secret_template='{"key": "%GENERATED_BYTES%"}'
    )
    made = safe.make_secret(
        secret_content=None, enable_auto_generation=True, secret_generation_context=context
    )
    key = json.loads(safe.read(made.id))["key"]
    assert len(base64.b64decode(key)) == 64


class Unwanted:
    """A body that an SDK model would not let through: the client sends it as it is."""

    def __init__(self, safe: Safe, secret_content: Any) -> None:
        self.body = {
            "compartmentId": safe.compartment,
            "keyId": safe.key.id,
            "vaultId": safe.vault.id,
            "secretName": "token",
            "secretContent": secret_content,
        }

    def send(self, safe: Safe) -> None:
        safe.secrets.base_client.call_api(
            "/secrets", "POST", header_params={"content-type": "application/json"}, body=self.body
        )


@pytest.mark.parametrize(
    "wrong",
    [
        TOKEN,
        [TOKEN],
        {"contentType": "BASE64", "content": [TOKEN]},
        {"contentType": "BASE64", "content": TOKEN},
        {"contentType": "BASE64", "content": encoded(TOKEN), "stage": TOKEN},
    ],
)
def test_no_error_shows_a_secret(safe: Safe, wrong: Any) -> None:
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        Unwanted(safe, wrong).send(safe)
    assert caught.value.status == 400
    assert "secretContent" in caught.value.message
    assert TOKEN not in caught.value.message


@pytest.mark.process_only("looks where no call can")
def test_a_secret_is_nowhere_but_in_private(safe: Safe) -> None:
    secret = safe.make_secret()
    assert isinstance(safe.mocked, MockedCloud)
    cloud = safe.mocked.cloud
    shown = json.dumps(
        [record.data for kind in cloud.store.kinds() for record in cloud.store.live(kind)]
    )
    seen = [
        shown,
        repr(cloud.calls),
        repr(cloud.retry_tokens),
        str(safe.secrets.get_secret(secret.id).data),
        str(safe.secrets.list_secrets(safe.compartment).data),
        str(safe.secrets.list_secret_versions(secret.id).data),
        str(safe.bundles.list_secret_bundle_versions(secret.id).data),
    ]
    for text in seen:
        assert TOKEN not in text
        assert encoded(TOKEN) not in text


def test_lists_come_in_pages(safe: Safe) -> None:
    for number in range(3):
        safe.make_secret(f"s{number}")
    found = pages(safe.secrets.list_secrets, safe.compartment, limit=2)
    assert [len(page) for page in found] == [2, 1]


# Ends of waiting

DAY = 86400


def _later(safe: Safe, days: float) -> None:
    safe.mocked.advance(days * DAY + 60)


def test_a_key_is_deleted_when_its_time_comes(safe: Safe) -> None:
    safe.keys.schedule_key_deletion(
        safe.key.id, k.ScheduleKeyDeletionDetails(time_of_deletion=at(8))
    )
    _later(safe, 7)
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "PENDING_DELETION"
    _later(safe, 1)
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "DELETED"
    version = safe.keys.get_key_version(safe.key.id, safe.key.current_key_version).data
    assert version.lifecycle_state == "DELETED"
    with refused(404, "NotAuthorizedOrNotFound"):
        safe.keys.cancel_key_deletion(safe.key.id)


def test_who_is_brought_back_is_not_deleted(safe: Safe) -> None:
    details = k.ScheduleKeyDeletionDetails(time_of_deletion=at(8))
    safe.keys.schedule_key_deletion(safe.key.id, details)
    safe.keys.cancel_key_deletion(safe.key.id)
    safe.keys.schedule_key_deletion(
        safe.key.id, k.ScheduleKeyDeletionDetails(time_of_deletion=at(20))
    )
    _later(safe, 9)
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "PENDING_DELETION"
    safe.keys.cancel_key_deletion(safe.key.id)
    _later(safe, 30)
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "ENABLED"


def test_a_vault_takes_what_is_in_it_along(safe: Safe) -> None:
    secret = safe.make_secret("token")
    details = k.ScheduleKeyDeletionDetails(time_of_deletion=at(29))
    other = safe.make_key()
    safe.keys.schedule_key_deletion(other.id, details)
    safe.vaults.schedule_vault_deletion(
        safe.vault.id, k.ScheduleVaultDeletionDetails(time_of_deletion=at(7))
    )
    _later(safe, 7)
    assert safe.vaults.get_vault(safe.vault.id).data.lifecycle_state == "DELETED"
    for key in (safe.key, other):
        assert safe.keys.get_key(key.id).data.lifecycle_state == "DELETED"
    assert safe.secrets.get_secret(secret.id).data.lifecycle_state == "DELETED"
    with refused(404, "NotAuthorizedOrNotFound"):
        safe.bundles.get_secret_bundle(secret.id)


def test_a_secrets_name_is_free_when_it_is_gone(safe: Safe) -> None:
    secret = safe.make_secret("token")
    safe.secrets.schedule_secret_deletion(
        secret.id, m.ScheduleSecretDeletionDetails(time_of_deletion=at(2))
    )
    with refused(400, "InvalidParameter", "token"):
        safe.make_secret("token")
    _later(safe, 2)
    assert safe.secrets.get_secret(secret.id).data.lifecycle_state == "DELETED"
    assert safe.make_secret("token").id != secret.id


def test_a_version_of_a_key_waits_and_goes(safe: Safe) -> None:
    first = safe.key.current_key_version
    details = k.ScheduleKeyVersionDeletionDetails(time_of_deletion=at(8))
    with refused(409, "Conflict", "current version"):
        safe.keys.schedule_key_version_deletion(safe.key.id, first, details)
    safe.keys.create_key_version(safe.key.id)
    for _ in range(2):
        found = safe.keys.schedule_key_version_deletion(safe.key.id, first, details).data
        assert found.lifecycle_state == "PENDING_DELETION"
        found = safe.keys.cancel_key_version_deletion(safe.key.id, first).data
        assert found.lifecycle_state == "ENABLED"
    safe.keys.schedule_key_version_deletion(safe.key.id, first, details)
    _later(safe, 8)
    assert safe.keys.get_key_version(safe.key.id, first).data.lifecycle_state == "DELETED"
    assert safe.keys.get_key(safe.key.id).data.lifecycle_state == "ENABLED"


def test_a_version_of_a_secret_waits_and_goes(safe: Safe) -> None:
    secret = safe.make_secret("token")
    for text in ("two", "three"):
        safe.secrets.update_secret(secret.id, m.UpdateSecretDetails(secret_content=content(text)))
    details = m.ScheduleSecretVersionDeletionDetails(time_of_deletion=at(2))
    for number, stage in ((2, "PREVIOUS"), (3, "CURRENT")):
        with refused(409, "Conflict", stage):
            safe.secrets.schedule_secret_version_deletion(secret.id, number, details)
    safe.secrets.schedule_secret_version_deletion(secret.id, 1, details)
    assert safe.secrets.get_secret_version(secret.id, 1).data.time_of_deletion is not None
    with refused(409, "Conflict", "already"):
        safe.secrets.schedule_secret_version_deletion(secret.id, 1, details)
    safe.secrets.cancel_secret_version_deletion(secret.id, 1)
    with refused(409, "Conflict", "not to be deleted"):
        safe.secrets.cancel_secret_version_deletion(secret.id, 1)
    safe.secrets.schedule_secret_version_deletion(secret.id, 1, details)
    _later(safe, 2)
    with refused(404, "NotAuthorizedOrNotFound", "no version 1"):
        safe.secrets.get_secret_version(secret.id, 1)
    with refused(400, "InvalidParameter", "no version 1"):
        safe.secrets.update_secret(secret.id, m.UpdateSecretDetails(current_version_number=1))
    # Numbers are not given out twice.
    safe.secrets.update_secret(secret.id, m.UpdateSecretDetails(secret_content=content("four")))
    numbers = [v.version_number for v in safe.secrets.list_secret_versions(secret.id).data]
    assert numbers == [4, 3, 2]
