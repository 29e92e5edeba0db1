"""Where the state lies, and that one stack finds another's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.synthesis import Stacks

Synthesize = Callable[..., Stacks]

ROOT = Path(__file__).parents[2]


def test_local_state_is_an_absolute_path_in_the_working_copy(synthesize: Synthesize) -> None:
    stacks = synthesize()

    for name, stack in stacks.items():
        path = str(ROOT / f"terraform.test-{name}.tfstate")
        assert stack["terraform"]["backend"] == {"local": {"path": path}}
    (remote,) = stacks["identity"]["data"]["terraform_remote_state"].values()
    assert remote["config"]["path"] == str(ROOT / "terraform.test-data.tfstate")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/somewhere/{stack}.tfstate", "/somewhere/test-data.tfstate"),
        ("states/{stack}.tfstate", str(ROOT / "states" / "test-data.tfstate")),
    ],
)
def test_local_state_elsewhere(synthesize: Synthesize, path: str, expected: str) -> None:
    stacks = synthesize(f"state: {{config: {{path: '{path}'}}}}\n")

    assert stacks["data"]["terraform"]["backend"]["local"]["path"] == expected


@pytest.mark.parametrize(
    ("backend", "config"),
    [
        ("oci", {"bucket": "tf", "namespace": "ns", "key": "tunestack/{stack}.tfstate"}),
        ("s3", {"bucket": "tf", "key": "{stack}", "endpoints": {"s3": "https://x/{stack}"}}),
        ("gcs", {"bucket": "tf", "prefix": "{stack}"}),
        ("pg", {"schema_name": "{stack}", "skip_schema_creation": True}),
    ],
)
def test_any_backend_by_configuration(
    synthesize: Synthesize, backend: str, config: dict[str, object]
) -> None:
    stacks = synthesize(f"state: {{backend: {backend}, config: {_flow(config)}}}\n")

    for name, stack in stacks.items():
        expected = _flow(config).replace("{stack}", f"test-{name}")
        (kind,) = stack["terraform"]["backend"]
        assert kind == backend
        assert _flow(stack["terraform"]["backend"][backend]) == expected
    remotes = stacks["workbench"]["data"]["terraform_remote_state"]
    for other in ("network", "data"):
        remote = remotes[f"cross-stack-reference-input-test-{other}"]
        assert remote["backend"] == backend
        assert _flow(remote["config"]) == _flow(config).replace("{stack}", f"test-{other}")


def _flow(config: object) -> str:
    """JSON, which YAML reads too; keys sorted so that two can be compared."""
    return json.dumps(config, sort_keys=True)
