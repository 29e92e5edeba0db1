"""Signing in, from what the environment says."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

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
def set_auth(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What ADS was told."""
    import ads
    from ads.common import auth as ads_auth

    told: list[tuple[str, dict[str, Any]]] = []

    def set_auth(method: str, config: dict[str, Any], signer: Any) -> None:
        assert (signer is not None) == (method == "api_key")
        told.append((method, config))

    monkeypatch.setattr(ads, "set_auth", set_auth)
    monkeypatch.setattr(ads_auth, "default_signer", dict)
    return told


@pytest.mark.parametrize(
    ("region", "expected"),
    [("", None), ("us-ashburn-1", "us-ashburn-1"), ("fra", "eu-frankfurt-1")],
)
def test_an_ocids_region_overrules_the_config_file(
    region: str, expected: str | None, set_auth: list[tuple[str, dict[str, Any]]]
) -> None:
    with mock_oci() as oci:
        auth.sign_in(region)
        [(method, config)] = set_auth
        assert method == "api_key"
        assert config["region"] == (expected or oci.config["region"])
        assert config["fingerprint"] == oci.config["fingerprint"]


def test_a_resource_principal_is_taken_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, set_auth: list[tuple[str, dict[str, Any]]]
) -> None:
    monkeypatch.setenv("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2")
    auth.sign_in("fra")
    assert set_auth == [("resource_principal", {})]


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
def test_what_only_shows_when_a_signer_is_made(
    method: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ADS makes these signers late: what is wrong is told at the sign-in all the same."""
    with mock_oci():
        monkeypatch.setenv("OCI_IAM_TYPE", method)
        with pytest.raises(CredentialsError, match=said):
            auth.sign_in()
