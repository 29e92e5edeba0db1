"""``python -m recipes.stage`` as a job runs it: out of a gated hub, by the Vault's token."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import oci
import pytest

from demo.hub import Access, Hub, running_hub
from ocimock import ServedCloud
from ocimock.server.announcement import ServerFile
from tests.servers import running_server

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools" / "rehearsal" / "bin" / "python"
pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}: make setup-rehearsal makes it"),
]

TOKEN = "hf_madeUpForThisTest"
NAME = "org/tiny"
ROWS = [{"dialogue": f"A: {number}?\r\nB: Yes.", "summary": f"{number}."} for number in range(8)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    model, data = (tmp_path / "hub" / kind / NAME for kind in ("models", "datasets"))
    for folder in (model, data):
        folder.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(os.urandom(100_000))
    for split in ("train", "validation"):
        (data / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    with running_hub(tmp_path / "hub", Access(frozenset({TOKEN}), gated=("*",))) as hub:
        yield hub


@pytest.fixture
def server(hub: Hub, tmp_path: Path) -> Iterator[ServerFile]:
    file = tmp_path / "execution.toml"
    file.write_text(f'isolation = "none"\n[hosts]\n"huggingface.co" = "127.0.0.1:{hub.port}"\n')
    with running_server(tmp_path / "mock", "--execute", str(file), "--pace", "0") as found:
        yield found


def _stored(cloud: ServedCloud, token: str) -> dict[str, str]:
    """The secret's name and its vault's OCID, as the job's environment has them."""
    vaults = oci.key_management.KmsVaultClient(cloud.config)
    vault = vaults.create_vault(
        oci.key_management.models.CreateVaultDetails(
            compartment_id=cloud.compartment_id, display_name="v", vault_type="DEFAULT"
        )
    ).data
    endpoint = vaults.get_vault(vault.id).data.management_endpoint
    key = oci.key_management.KmsManagementClient(cloud.config, endpoint).create_key(
        oci.key_management.models.CreateKeyDetails(
            compartment_id=cloud.compartment_id,
            display_name="k",
            key_shape=oci.key_management.models.KeyShape(algorithm="AES", length=32),
        )
    )
    content = base64.b64encode(token.encode()).decode()
    oci.vault.VaultsClient(cloud.config).create_secret(
        oci.vault.models.CreateSecretDetails(
            compartment_id=cloud.compartment_id,
            vault_id=vault.id,
            key_id=key.data.id,
            secret_name="hf-token",
            secret_content=oci.vault.models.Base64SecretContentDetails(content=content),
        )
    )
    return {"HF_TOKEN_SECRET_NAME": "hf-token", "HF_TOKEN_VAULT_ID": vault.id}


def test_a_gated_model_and_a_data_set_come_into_the_bucket_once(
    hub: Hub, server: ServerFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in server.environment.items():
        monkeypatch.setenv(name, text)
    cloud = ServedCloud(server)
    storage = oci.object_storage.ObjectStorageClient(cloud.config)
    details = oci.object_storage.models.CreateBucketDetails(
        name="b", compartment_id=cloud.compartment_id
    )
    storage.create_bucket("ocimock", details)
    secret = _stored(cloud, TOKEN)

    def stage(**more: str) -> subprocess.CompletedProcess[str]:
        places = [
            "--model-to",
            "oci://b@ocimock/base/tiny",
            "--dataset-to",
            "oci://b@ocimock/data/d",
        ]
        return subprocess.run(
            [str(PYTHON), "-m", "recipes.stage", "--model", NAME, "--dataset", NAME, *places],
            env={
                **server.environment,
                "OCI_IAM_TYPE": "api_key",
                "PYTHONPATH": str(ROOT / "jobs"),
                "HOME": str(tmp_path),
                **more,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    refused = stage()
    assert refused.returncode == 1
    assert f"Accept its licence at https://huggingface.co/{NAME}" in refused.stderr

    done = stage(**secret)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    listed = storage.list_objects("ocimock", "b").data.objects
    assert [one.name for one in listed] == [
        "base/tiny/config.json",
        "base/tiny/model.safetensors",
        "base/tiny/tunestack-stage.json",
        "data/d/train.jsonl",
        "data/d/tunestack-stage.json",
        "data/d/validation.jsonl",
    ]
    train = storage.get_object("ocimock", "b", "data/d/train.jsonl").data.content.decode()
    assert [json.loads(line) for line in train.splitlines()] == ROWS

    del hub.asked[:]
    again = stage(**secret)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("is already in") == 2
    assert not [asked for asked in hub.asked if "/resolve/" in asked]
