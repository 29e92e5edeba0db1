"""The hub's token, as a job has it: out of the Vault, and nowhere else."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import oci
import pytest

from jobs.recipes import vault
from jobs.recipes.vault import TokenError, hub_token
from ocimock import MockedCloud, mock_oci

TOKEN = "hf_madeUpForThisTest"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_SECRET_NAME", "HF_TOKEN_VAULT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as found:
        yield found


def _store(cloud: MockedCloud, token: str) -> str:
    """A secret ``hf-token`` in a new vault, whose OCID is returned."""
    vaults = oci.key_management.KmsVaultClient(cloud.config)
    made = vaults.create_vault(
        oci.key_management.models.CreateVaultDetails(
            compartment_id=cloud.compartment_id, display_name="v", vault_type="DEFAULT"
        )
    ).data
    endpoint = vaults.get_vault(made.id).data.management_endpoint
    keys = oci.key_management.KmsManagementClient(cloud.config, endpoint)
    key = keys.create_key(
        oci.key_management.models.CreateKeyDetails(
            compartment_id=cloud.compartment_id,
            display_name="k",
            key_shape=oci.key_management.models.KeyShape(algorithm="AES", length=32),
        )
    ).data
    content = base64.b64encode(token.encode()).decode()
    oci.vault.VaultsClient(cloud.config).create_secret(
        oci.vault.models.CreateSecretDetails(
            compartment_id=cloud.compartment_id,
            vault_id=made.id,
            key_id=key.id,
            secret_name="hf-token",
            secret_content=oci.vault.models.Base64SecretContentDetails(content=content),
        )
    )
    return str(made.id)


def _name(monkeypatch: pytest.MonkeyPatch, vault_id: str, name: str = "hf-token") -> None:
    monkeypatch.setenv("HF_TOKEN_SECRET_NAME", name)
    monkeypatch.setenv("HF_TOKEN_VAULT_ID", vault_id)


def test_the_token_comes_out_of_the_vault(
    cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _name(monkeypatch, _store(cloud, f"{TOKEN}\n"))
    assert hub_token() == TOKEN
    assert TOKEN not in os.environ.values()
    printed = capfd.readouterr()
    assert TOKEN not in printed.out + printed.err


def test_a_secret_that_is_not_there_is_told(
    cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    _name(monkeypatch, _store(cloud, TOKEN), "another")
    with pytest.raises(TokenError) as caught:
        hub_token()
    said = str(caught.value)
    assert "secret another in ocid1.vault" in said
    assert "could not be read: 404" in said
    assert "opc-request-id" in said
    assert "read secret-bundles" in said
    assert TOKEN not in said


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_a_token_that_is_there_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, TOKEN)
    _name(monkeypatch, "ocid1.vault.x")
    monkeypatch.setattr(vault, "_secrets_client", lambda: pytest.fail("the Vault was asked"))
    assert hub_token() == TOKEN


def test_an_open_model_needs_none() -> None:
    assert hub_token() is None


@pytest.mark.parametrize("given", ["HF_TOKEN_SECRET_NAME", "HF_TOKEN_VAULT_ID"])
def test_half_given_settings_are_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(given, "x")
    with pytest.raises(TokenError, match=r"HF_TOKEN_\w+ is not set"):
        hub_token()


def test_an_empty_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def bundle(*_: Any) -> Any:
        content = SimpleNamespace(content=base64.b64encode(b"\n").decode())
        return SimpleNamespace(data=SimpleNamespace(secret_bundle_content=content))

    _name(monkeypatch, "ocid1.vault.x")
    client = SimpleNamespace(get_secret_bundle_by_name=bundle)
    monkeypatch.setattr(vault, "_secrets_client", lambda: client)
    with pytest.raises(TokenError, match="is empty; store the token as a new version"):
        hub_token()
