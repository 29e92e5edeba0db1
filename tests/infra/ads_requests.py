"""What ADS would send, caught before it leaves the process."""

from pathlib import Path
from typing import Any

import pytest


class Sent(BaseException):
    """Carries the body of a request; no ``except Exception`` of ADS or the SDK holds it up."""

    def __init__(self, body: str) -> None:
        super().__init__(body)
        self.body = body


def catch_requests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give ADS a key of its own to sign with, and raise ``Sent`` instead of sending."""
    import ads
    import oci

    config = folder / "config"
    config.write_text(
        "[DEFAULT]\n"
        "user=ocid1.user.oc1..aaaatest\n"
        "tenancy=ocid1.tenancy.oc1..aaaatest\n"
        f"fingerprint={':'.join(['00'] * 16)}\n"
        f"key_file={_key(folder)}\n"
        "region=us-ashburn-1\n"
    )
    ads.set_auth("api_key", oci_config_location=str(config))

    def send(_adapter: Any, request: Any, **_options: Any) -> None:
        raise Sent(request.body)

    monkeypatch.setattr(oci._vendor.requests.adapters.HTTPAdapter, "send", send)


def _key(folder: Path) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = folder / "key.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file
