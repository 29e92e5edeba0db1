"""The Hugging Face token: into the Vault, and nowhere else."""

from __future__ import annotations

import base64
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest
from typer.testing import CliRunner

from jobs import auth, secret
from jobs.cli import app
from jobs.errors import SecretError
from jobs.tenancy import Tenancy
from ocimock import MockedCloud, inprocess, mock_oci
from ocimock.dispatch import dispatch

TOKEN = "hf_planted0123456789"
TENANCY = "tenancies/demo.yaml"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockedCloud]:
    """A vault and a key, as the outputs of a deployed stack name them."""
    with mock_oci() as mocked:
        vaults = oci.key_management.KmsVaultClient(mocked.config)
        vault = vaults.create_vault(
            oci.key_management.models.CreateVaultDetails(
                compartment_id=mocked.compartment_id, display_name="v", vault_type="DEFAULT"
            )
        ).data
        vault = vaults.get_vault(vault.id).data
        key = (
            oci.key_management.KmsManagementClient(mocked.config, vault.management_endpoint)
            .create_key(
                oci.key_management.models.CreateKeyDetails(
                    compartment_id=mocked.compartment_id,
                    display_name="k",
                    key_shape=oci.key_management.models.KeyShape(algorithm="AES", length=32),
                )
            )
            .data
        )
        outputs = {
            "vault_id": vault.id,
            "key_id": key.id,
            "secret_name": "huggingface-token",
            "compartment_id": mocked.compartment_id,
        }
        monkeypatch.setattr(secret, "output", lambda _, name: outputs[name])
        mocked.vault_id = vault.id  # type: ignore[attr-defined]
        yield mocked


def _stored(cloud: MockedCloud) -> str:
    bundle = oci.secrets.SecretsClient(cloud.config).get_secret_bundle_by_name(
        "huggingface-token",
        cloud.vault_id,  # type: ignore[attr-defined]
    )
    return base64.b64decode(bundle.data.secret_bundle_content.content).decode()


def test_from_a_file_and_anew(cloud: MockedCloud, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    first = CliRunner().invoke(app, ["secret", "set", "--tenancy", TENANCY, "--file", str(file)])
    assert first.exit_code == 0, first.output
    assert "is in the vault" in first.output
    assert _stored(cloud) == TOKEN
    file.write_text("hf_other")
    again = CliRunner().invoke(app, ["secret", "set", "--tenancy", TENANCY, "--file", str(file)])
    assert "has a new version" in again.output
    assert _stored(cloud) == "hf_other"
    assert TOKEN not in first.output + again.output


def test_from_a_variable_that_no_child_gets(
    cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", f"{TOKEN}\n")
    inherited = []
    known = vars(secret)["output"]

    def output(tenancy: Tenancy, name: str) -> Any:
        inherited.append("MY_TOKEN" in os.environ)  # here Terraform is started
        return known(tenancy, name)

    monkeypatch.setattr(secret, "output", output)
    done = _set("hf-token", "--env", "MY_TOKEN")
    assert done.exit_code == 0, done.output
    assert _stored(cloud) == TOKEN
    assert inherited
    assert not any(inherited)


def _set(*words: str, **options: Any) -> Any:
    return CliRunner().invoke(app, ["secret", "set", *words, "--tenancy", TENANCY], **options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((TOKEN,), "no secret's name"),
        (("hf-token", TOKEN), "no secret's name"),
        (("--env", TOKEN), "No environment variable"),
        (("--file", TOKEN), "No such file"),
        (("--env", "A", "--file", "b"), "not both"),
    ],
)
def test_a_token_in_the_wrong_place_is_not_repeated(words: tuple[str, ...], said: str) -> None:
    done = _set(*words)
    assert done.exit_code in (1, 2)
    assert said in done.output
    assert TOKEN not in done.output


def test_the_sdks_own_logging_shows_no_body(
    cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``log_requests`` in a config file has http.client print what it sends, for the process."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    signer = auth.default_signer
    monkeypatch.setattr(
        auth,
        "default_signer",
        lambda: {**signer(), "config": {**signer()["config"], "log_requests": True}},
    )
    levels = []

    def answer(*arguments: Any) -> Any:
        levels.append(http.client.HTTPConnection.debuglevel)
        return dispatch(*arguments)

    monkeypatch.setattr(inprocess, "dispatch", answer)
    (tmp_path / "token").write_text(TOKEN)
    assert _set("--file", str(tmp_path / "token")).exit_code == 0
    assert levels
    assert not any(levels)


@pytest.mark.parametrize("terminal", [True, False])
def test_from_a_prompt_without_an_echo_or_from_a_pipe(
    terminal: bool, cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret, "_at_terminal", lambda: terminal)
    done = CliRunner().invoke(app, ["secret", "set", "--tenancy", TENANCY], input=f"{TOKEN}\n")
    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    assert ("Hugging Face token:" in done.output) is terminal
    assert _stored(cloud) == TOKEN


def test_it_is_seen_nowhere_else(cloud: MockedCloud, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    CliRunner().invoke(app, ["secret", "set", "--tenancy", TENANCY, "--file", str(file)])
    kept = str([vars(call) for call in cloud.cloud.calls])
    shown = str(
        [
            record.data
            for kind in cloud.cloud.store.kinds()
            for record in cloud.cloud.store.live(kind)
        ]
    )
    for planted in (TOKEN, base64.b64encode(TOKEN.encode()).decode()):
        assert planted not in kept
        assert planted not in shown


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"", "holds no token"), (b"two words", "more than one word"), (b"\xff\xfe", "not text")],
)
def test_what_is_no_token_is_refused_unseen(tmp_path: Path, content: bytes, named: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(SecretError, match=named) as caught:
        secret.read_token(file)
    assert "two words" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        secret.read_token(tmp_path / "none")
