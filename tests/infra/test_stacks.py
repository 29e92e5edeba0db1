"""The four stacks as a whole: stable, one provider, in order, under either toolkit."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesis import OCIDS, Stacks

Synthesize = Callable[..., Stacks]

ROOT = Path(__file__).parents[2]
STACKS = {"network", "data", "identity", "workbench"}


def python_main(out: Path, tenancy: Path | str, **env: str) -> subprocess.CompletedProcess[str]:
    """``python main.py`` in a folder of its own, as the CLI of CDKTF runs it."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        cwd=out.parent,
        env=os.environ | {"CDKTF_OUTDIR": str(out), "TUNESTACK_TENANCY": str(tenancy)} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def files(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, synthesized by the program itself."""
    out = tmp_path_factory.mktemp("demo") / "cdktf.out"
    result = python_main(out, ROOT / "tenancies" / "demo.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    return out


def test_two_synths_are_byte_identical(demo: Path, tmp_path: Path) -> None:
    python_main(tmp_path / "cdktf.out", ROOT / "tenancies" / "demo.yaml")

    assert files(tmp_path / "cdktf.out") == files(demo)


def test_the_successor_of_cdktf_gives_the_same_json(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "cdktf.out"
    result = python_main(out, ROOT / "tenancies" / "demo.yaml", TUNESTACK_CDK="cdktn")
    assert result.returncode == 0, result.stderr

    for stack in (f"demo-{name}" for name in STACKS):
        ours, theirs = (
            json.loads((folder / "stacks" / stack / "cdk.tf.json").read_text())
            for folder in (demo, out)
        )
        # Only the generator's own version may differ.
        assert ours["//"]["metadata"].pop("version") != theirs["//"]["metadata"].pop("version")
        assert theirs == ours


def test_a_toolkit_that_there_is_not(tmp_path: Path) -> None:
    result = python_main(tmp_path / "out", ROOT / "tenancies" / "demo.yaml", TUNESTACK_CDK="pulumi")

    assert result.returncode != 0
    assert result.stderr == "TUNESTACK_CDK: found 'pulumi'; allowed: cdktf (the default), cdktn\n"


def test_a_bad_tenancy_file_ends_with_its_errors_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(OCIDS + "modle: 7b\n")

    result = python_main(tmp_path / "out", "bad.yaml")

    assert result.returncode == 2
    assert result.stderr == "bad.yaml:3: modle: unknown key; did you mean 'model'?\n"
    assert not (tmp_path / "out").exists()


def test_the_order_of_the_stacks(demo: Path) -> None:
    manifest = json.loads((demo / "manifest.json").read_text())["stacks"]
    waits = {name: set(stack["dependencies"]) for name, stack in manifest.items()}

    assert waits == {
        "demo-network": set(),
        "demo-data": set(),
        "demo-identity": {"demo-data"},
        "demo-workbench": {"demo-network", "demo-data", "demo-identity"},
    }


def test_only_the_one_provider(demo: Path) -> None:
    for stack in STACKS:
        document = json.loads((demo / "stacks" / f"demo-{stack}" / "cdk.tf.json").read_text())
        assert document["terraform"]["required_providers"] == {
            "oci": {"source": "oracle/oci", "version": "~> 8.28"}
        }
        kinds = [*document.get("resource", {}), *document.get("data", {})]
        builtin = {"terraform_data", "terraform_remote_state"}
        assert all(kind.startswith("oci_") or kind in builtin for kind in kinds)


def test_the_whole_of_the_prerequisites_stands(demo: Path) -> None:
    kinds = {
        kind
        for stack in STACKS
        for kind in json.loads((demo / "stacks" / f"demo-{stack}" / "cdk.tf.json").read_text())[
            "resource"
        ]
    }

    assert kinds == {
        "oci_core_vcn",
        "oci_core_subnet",
        "oci_core_route_table",
        "oci_core_nat_gateway",
        "oci_core_service_gateway",
        "oci_core_security_list",
        "oci_objectstorage_bucket",
        "oci_objectstorage_object",
        "oci_identity_dynamic_group",
        "oci_identity_policy",
        "oci_logging_log_group",
        "oci_logging_log",
        "oci_kms_vault",
        "oci_kms_key",
        "oci_artifacts_container_repository",
        "oci_datascience_project",
        "oci_datascience_notebook_session",
    }


def test_no_secret_is_made_by_terraform(demo: Path) -> None:
    text = "".join(file.read_text() for file in demo.rglob("cdk.tf.json"))

    assert "oci_vault_secret" not in text
    assert "secret_content" not in text


def test_the_bucket_is_private_and_versioned(synthesize: Synthesize) -> None:
    (bucket,) = synthesize()["data"]["resource"]["oci_objectstorage_bucket"].values()

    assert bucket["versioning"] == "Enabled"
    assert bucket["access_type"] == "NoPublicAccess"
    assert bucket["name"] == "tunestack-models"


def test_objects_leave_no_version_behind(synthesize: Synthesize) -> None:
    """A version that stays keeps the bucket from being destroyed."""
    objects = synthesize()["workbench"]["resource"]["oci_objectstorage_object"].values()

    assert {one["delete_all_object_versions"] for one in objects} == {True}


def test_the_repository_is_private(synthesize: Synthesize) -> None:
    data = synthesize()["data"]["resource"]

    assert data["oci_artifacts_container_repository"]["repository"]["is_public"] is False


def test_what_is_not_said_is_not_written(synthesize: Synthesize) -> None:
    assert None not in list(_leaves(synthesize()))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
        return
    yield value


def test_the_key_is_aes_256_in_software(synthesize: Synthesize) -> None:
    data = synthesize()["data"]["resource"]

    assert data["oci_kms_vault"]["vault"]["vault_type"] == "DEFAULT"
    key = data["oci_kms_key"]["key"]
    assert key["key_shape"] == {"algorithm": "AES", "length": 32}
    assert key["protection_mode"] == "SOFTWARE"
    assert key["management_endpoint"] == "${oci_kms_vault.vault.management_endpoint}"


@pytest.mark.parametrize(("protect", "expected"), [("true", True), ("false", None)])
def test_protect_keeps_what_can_not_be_made_again(
    synthesize: Synthesize, protect: str, expected: bool | None
) -> None:
    data = synthesize(f"protect: {protect}\n")["data"]["resource"]

    kept = {
        kind: resource.get("lifecycle", {}).get("prevent_destroy")
        for kind, resources in data.items()
        for resource in resources.values()
    }
    assert kept == {
        "oci_objectstorage_bucket": expected,
        "oci_kms_vault": expected,
        "oci_kms_key": expected,
        "oci_artifacts_container_repository": None,
    }


def test_three_custom_logs_with_the_retention(synthesize: Synthesize) -> None:
    logs = synthesize("log_retention_days: 90\n")["workbench"]["resource"]["oci_logging_log"]

    assert set(logs) == {"job_log", "predict_log", "access_log"}
    assert {log["log_type"] for log in logs.values()} == {"CUSTOM"}
    assert {log["retention_duration"] for log in logs.values()} == {90}


def test_the_notebook_has_the_bucket_mounted(synthesize: Synthesize) -> None:
    text = "notebook: {ocpus: 4}\n"
    resources = synthesize(text)["workbench"]["resource"]
    notebook = resources["oci_datascience_notebook_session"]["notebook"]

    (mount,) = notebook["notebook_session_storage_mount_configuration_details_list"]
    assert mount["storage_type"] == "OBJECT_STORAGE"
    assert mount["destination_directory_name"] == "bucket"
    assert "oci_objectstorage_bucketbucketname" in mount["bucket"]
    config = notebook["notebook_session_config_details"]
    assert config["notebook_session_shape_config_details"] == {"ocpus": 4, "memory_in_gbs": 64}


def test_a_fixed_shape_has_no_size_of_its_own(synthesize: Synthesize) -> None:
    resources = synthesize("notebook: {shape: VM.GPU.A10.1}\n")["workbench"]["resource"]
    notebook = resources["oci_datascience_notebook_session"]["notebook"]

    assert notebook["notebook_session_config_details"]["shape"] == "VM.GPU.A10.1"
    assert (
        "notebook_session_shape_config_details" not in notebook["notebook_session_config_details"]
    )


def test_no_notebook_on_request(synthesize: Synthesize) -> None:
    workbench = synthesize("notebook: {enabled: false}\n")["workbench"]

    assert "oci_datascience_notebook_session" not in workbench["resource"]
    assert "notebook_url" not in workbench["output"]


def test_tags_reach_everything_that_takes_them(synthesize: Synthesize) -> None:
    stacks = synthesize("tags: {costCenter: a-b}\n")

    untagged = {
        kind
        for stack in stacks.values()
        for kind, resources in stack["resource"].items()
        for resource in resources.values()
        if resource.get("freeform_tags") != {"costCenter": "a-b"}
    }
    assert untagged == {"oci_objectstorage_object"}


def test_the_provider_signs_in_as_the_file_says(synthesize: Synthesize) -> None:
    stacks = synthesize("provider: {auth: SecurityToken, profile: DEV}\n")

    for block in _providers(stacks):
        assert block["auth"] == "SecurityToken"
        assert block["config_file_profile"] == "DEV"


def test_no_sign_in_is_written_by_default(synthesize: Synthesize) -> None:
    for block in _providers(synthesize()):
        assert set(block) <= {"region", "alias"}


def test_names_have_the_prefix(synthesize: Synthesize) -> None:
    for stack in synthesize("prefix: acme\n").values():
        for kind, resources in stack["resource"].items():
            for resource in resources.values():
                name = resource.get("display_name") or resource.get("name")
                assert kind == "oci_objectstorage_object" or name.startswith("acme")


def test_the_page_on_serving_pushes_to_the_repository_that_is_made(synthesize: Synthesize) -> None:
    """What a policy lets people push to is this one alone."""
    made = synthesize("prefix: tunestack\n")["data"]["resource"][
        "oci_artifacts_container_repository"
    ]
    [name] = {one["display_name"] for one in made.values()}
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    assert set(re.findall(r"ocir\.io/namespace/(\S+):\S+", page)) == {name}


def _providers(stacks: Stacks) -> Iterator[dict[str, Any]]:
    for stack in stacks.values():
        yield from stack["provider"]["oci"]
