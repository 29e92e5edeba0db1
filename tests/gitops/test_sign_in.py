"""Credentials out of a pipeline's secrets: into two files, for their owner, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import oci
import pytest

from gitops.cli import main
from gitops.errors import SignInError
from gitops.sign_in import sign_in

_KEY = "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n"
_SECRETS = {
    "OCI_TENANCY_OCID": "ocid1.tenancy.oc1..t",
    "OCI_USER_OCID": "ocid1.user.oc1..u",
    "OCI_FINGERPRINT": "12:34",
    "OCI_REGION": "eu-frankfurt-1",
    "OCI_PRIVATE_KEY": _KEY,
}


def test_the_sdk_reads_what_it_writes(tmp_path: Path) -> None:
    written = oci.config.from_file(str(sign_in(_SECRETS, tmp_path)))
    assert written["user"] == "ocid1.user.oc1..u"
    assert written["region"] == "eu-frankfurt-1"
    key = Path(written["key_file"])
    assert key.read_text() == _KEY
    for path in (tmp_path / ".oci", tmp_path / ".oci/config", key):
        assert path.stat().st_mode & 0o077 == 0, path


def test_it_can_be_done_again(tmp_path: Path) -> None:
    sign_in(_SECRETS, tmp_path)
    sign_in({**_SECRETS, "OCI_REGION": "us-ashburn-1"}, tmp_path)
    assert "region=us-ashburn-1" in (tmp_path / ".oci/config").read_text()


def test_a_persons_own_config_file_stays(tmp_path: Path) -> None:
    (tmp_path / ".oci").mkdir()
    (tmp_path / ".oci/config").write_text("mine")
    with pytest.raises(SignInError, match="is there already"):
        sign_in(_SECRETS, tmp_path)
    assert (tmp_path / ".oci/config").read_text() == "mine"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"OCI_USER_OCID": "", "OCI_REGION": " "}, "OCI_USER_OCID, OCI_REGION"),
        ({"OCI_PRIVATE_KEY": "planted"}, "holds no private key"),
    ],
)
def test_what_is_missing_is_named_and_nothing_shown(
    changed: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, text in {**_SECRETS, **changed, "HOME": str(tmp_path)}.items():
            patch.setenv(name, text)
        assert main(["sign-in"]) == 1
    printed = "".join(capsys.readouterr())
    assert said in printed
    assert "planted" not in printed
    assert "Traceback" not in printed
    assert not (tmp_path / ".oci").exists()
