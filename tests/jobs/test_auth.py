"""Signing in, from what the environment says."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from oci.circuit_breaker import NoCircuitBreakerStrategy

from jobs import auth
from jobs.errors import CredentialsError
from ocimock import mock_oci

NAMES = (
    "OCI_IAM_TYPE", "OCI_CONFIG_LOCATION", "OCI_CONFIG_FILE", "OCI_CONFIG_PROFILE",
    "OCI_CLI_PROFILE", "OCI_RESOURCE_PRINCIPAL_VERSION",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def set_auth(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], Any]]:
    """What ADS was told."""
    import ads

    told: list[tuple[str, dict[str, Any], Any]] = []

    def hear(
        method: str, config: dict[str, Any], signer: Any, client_kwargs: dict[str, Any]
    ) -> None:
        assert isinstance(client_kwargs["circuit_breaker_strategy"], NoCircuitBreakerStrategy)
        told.append((method, config, signer))

    monkeypatch.setattr(ads, "set_auth", hear)
    return told


@pytest.mark.parametrize(
    ("region", "expected"),
    [("", None), ("us-ashburn-1", "us-ashburn-1"), ("fra", "eu-frankfurt-1")],
)
def test_an_ocids_region_overrules_the_config_file(
    region: str, expected: str | None, set_auth: list[tuple[str, dict[str, Any], Any]]
) -> None:
    with mock_oci() as oci:
        auth.sign_in(region)
        assert not set_auth, "ADS takes seconds to import: only submitting asks for it"
        auth.sign_in_ads()
        [(method, config, signer)] = set_auth
        assert method == "api_key"
        assert config["region"] == (expected or oci.config["region"])
        assert config["fingerprint"] == oci.config["fingerprint"]
        assert auth.default_signer()["signer"] is signer


def test_a_resource_principal_is_taken_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, set_auth: list[tuple[str, dict[str, Any], Any]]
) -> None:
    made = object()
    monkeypatch.setattr("oci.auth.signers.get_resource_principals_signer", lambda: made)
    monkeypatch.setenv("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2")
    auth.sign_in("fra")
    auth.sign_in_ads()
    assert set_auth == [("resource_principal", {}, made)]


def test_a_client_is_made_once_a_sign_in_and_region() -> None:
    with mock_oci():
        auth.sign_in("fra")
        made = auth.storage()
        assert auth.storage() is made
        elsewhere = auth.storage("iad")
        assert elsewhere is not made
        assert "us-ashburn-1" in elsewhere.base_client.endpoint
        assert "eu-frankfurt-1" in made.base_client.endpoint
        auth.sign_in("iad")
        assert auth.storage() is not made


def _token(expires: int) -> str:
    return jwt.encode({"exp": int(time.time()) + expires, "sub": "someone"}, "x" * 32, "HS256")


def test_a_session_token_that_was_refreshed_is_read_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever follows a run for a day refreshes it in another terminal."""
    token = tmp_path / "token"
    token.write_text(_token(3600))
    with mock_oci():
        config = tmp_path / "config"
        told = Path(os.environ["OCI_CONFIG_FILE"]).read_text()
        config.write_text(f"{told}\nsecurity_token_file={token}\n")
        config.chmod(0o600)
        monkeypatch.setenv("OCI_CONFIG_LOCATION", str(config))
        monkeypatch.setenv("OCI_IAM_TYPE", "security_token")
        auth.sign_in("iad")
        made = auth.storage()
        assert auth.storage() is made
        assert made.base_client.signer.api_key == f"ST${token.read_text()}"

        token.write_text(_token(7200))
        os.utime(token, (1, 1))
        anew = auth.storage()
        assert anew.base_client.signer.api_key == f"ST${token.read_text()}"
        assert "us-ashburn-1" in anew.base_client.endpoint

        token.write_text(_token(-1))
        with pytest.raises(CredentialsError, match="token has run out") as caught:
            auth.sign_in()
        assert "oci session authenticate" in caught.value.advice
        token.write_text("no-token")
        with pytest.raises(CredentialsError, match="is no token"):
            auth.sign_in()


def test_mistakes_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"no OCI config file ~/\.oci/config"):
        auth.sign_in()

    monkeypatch.setenv("OCI_IAM_TYPE", "password")
    with pytest.raises(CredentialsError, match="OCI_IAM_TYPE is 'password'"):
        auth.sign_in()

    monkeypatch.setenv("OCI_IAM_TYPE", "api_key")
    with mock_oci():
        monkeypatch.setenv("OCI_CONFIG_PROFILE", "NOBODY")
        with pytest.raises(CredentialsError, match="has no profile 'NOBODY'"):
            auth.sign_in()

    monkeypatch.delenv("OCI_CONFIG_PROFILE", raising=False)
    config = tmp_path / "config"
    config.write_text("[DEFAULT]\nuser=someone\n")
    config.chmod(0o600)
    monkeypatch.setenv("OCI_CONFIG_LOCATION", str(config))
    with pytest.raises(
        CredentialsError, match=r"config: .*region is missing.* user is malformed\."
    ):
        auth.sign_in()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("key_file=", "key_file=/nowhere/", "must be a valid file path"),
        ("[DEFAULT]", "", "File contains no section headers"),
        ("key_file=", "key_file={config}", "not a private key"),
    ],
)
def test_a_config_file_that_does_not_hold_together(
    old: str, new: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with mock_oci():
        written = Path(os.environ["OCI_CONFIG_FILE"]).read_text()
        config = tmp_path / "config"
        config.write_text(
            re.sub(rf"^{re.escape(old)}.*$", new.format(config=config), written, flags=re.M)
        )
        config.chmod(0o600)
        monkeypatch.setenv("OCI_CONFIG_LOCATION", str(config))
        with pytest.raises(CredentialsError, match=said) as caught:
            auth.sign_in()
    assert "oci setup config" in caught.value.advice


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("security_token", "security_token_file"),
        ("resource_principal", "OCI_RESOURCE_PRINCIPAL_VERSION is not defined"),
    ],
)
def test_what_a_signer_lacks(method: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is told at the sign-in, not at the first call."""
    with mock_oci():
        monkeypatch.setenv("OCI_IAM_TYPE", method)
        with pytest.raises(CredentialsError, match=said):
            auth.sign_in()
