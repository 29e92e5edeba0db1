"""Good tenancy files: defaults, the commented reference, the tables behind them."""

from pathlib import Path
from typing import Any

import oci.regions
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from infra.tenancy import Tenancy, load
from infra.tenancy.sizes import billions_of
from infra.tenancy.tables import REALM_OF_REGION
from tests.infra.synthesis import OCIDS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tenancies" / "example.yaml"

# Fields of the reference that stand there as "#name: …", since they exclude others.
COMMENTED_OUT = {
    ("network", "subnet_id"),
    ("network", "subnet_compartment_ocid"),
    ("network", "fallback_subnet_ids"),
    ("model_revision",),
    ("dataset_revision",),
    ("hub", "endpoint"),
    ("finetune", "max_steps"),
}


def test_the_two_ocids_are_enough(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(OCIDS)

    tenancy = load(file)

    assert tenancy.name == "small"
    assert tenancy.region == "us-ashburn-1"
    assert tenancy.model == "13b"
    assert tenancy.policies == "least-privilege"
    assert tenancy.protect


def test_a_tenancy_can_not_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(OCIDS)

    with pytest.raises(ValidationError, match="frozen"):
        load(file).region = "eu-frankfurt-1"


def test_anchors_and_merge_keys_are_read(tmp_path: Path) -> None:
    file = tmp_path / "anchors.yaml"
    file.write_text(
        OCIDS
        + "merge: &gpu {shape: VM.GPU.A10.1, block_storage_gb: 512}\n"
        + "finetune: {<<: *gpu, block_storage_gb: 128}\n"
    )

    tenancy = load(file)

    assert tenancy.finetune.shape == "VM.GPU.A10.1"
    assert tenancy.finetune.block_storage_gb == 128
    assert tenancy.merge.block_storage_gb == 512


@pytest.mark.parametrize("name", ["demo", "example", "rehearsal"])
def test_the_files_of_the_repository_load(name: str) -> None:
    assert load(ROOT / "tenancies" / f"{name}.yaml").name == name


def test_the_demo_is_what_the_embedded_oci_starts_with() -> None:
    demo = load(ROOT / "tenancies" / "demo.yaml")

    assert demo.tenancy_ocid == "ocid1.tenancy.oc1..aaaaaaaaocimocktenancy"
    assert demo.compartment_ocid == "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
    assert (demo.region, demo.home_region) == ("eu-frankfurt-1", "us-ashburn-1")
    assert not demo.protect


def test_the_reference_names_every_field() -> None:
    # "#name:" is a field, "# Name" is prose.
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    fields = [
        line.replace("#", "", 1) if line.strip()[:2] not in ("# ", "#") else "" for line in lines
    ]
    written = {path for path, _ in _leaves(yaml.safe_load("\n".join(fields)))}

    assert written == _schema_paths(Tenancy)


def test_the_reference_shows_the_defaults() -> None:
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for path, default in _defaults(Tenancy):
        shown = example
        for step in path:
            shown = shown.get(step) if isinstance(shown, dict) else None
        if path not in COMMENTED_OUT and path not in SHOWN_OTHERWISE and default is not None:
            assert shown == default, path


# Fields whose default would show nothing.
SHOWN_OTHERWISE = {("region",), ("tags",), ("state", "backend"), ("state", "config")}


def test_every_region_of_the_sdk_is_known_with_its_realm() -> None:
    assert REALM_OF_REGION == oci.regions.REGION_REALMS


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("7b", 7.0),
        ("13b", 13.0),
        ("meta-llama/Llama-2-70b-hf", 70.0),
        ("Qwen/Qwen2.5-0.5B", 0.5),
        ("mistralai/Mistral-7B-v0.1", 7.0),
        ("org/mystery", None),
        ("7b-org/mystery", None),
        ("org/bert-base", None),
    ],
)
def test_size_from_the_name(model: str, billions: float | None) -> None:
    assert billions_of(model) == billions


def _leaves(data: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(data, dict) or path in {("tags",), ("state", "config")}:
        return [(path, data)]
    return [leaf for key, value in data.items() for leaf in _leaves(value, (*path, key))]


def _part(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    found = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
    return found[0] if found else None


def _schema_paths(model: type[BaseModel], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    paths: set[tuple[str, ...]] = set()
    for name, field in model.model_fields.items():
        part = _part(field.annotation)
        paths |= _schema_paths(part, (*path, name)) if part else {(*path, name)}
    return paths


def _defaults(
    model: type[BaseModel], path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, field in model.model_fields.items():
        part = _part(field.annotation)
        if part:
            found += _defaults(part, (*path, name))
        elif not field.is_required():
            default = field.default
            found.append(((*path, name), list(default) if isinstance(default, tuple) else default))
    return found
