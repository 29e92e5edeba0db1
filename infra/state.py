"""Where each stack's Terraform state lies.

CDKTF has a class per backend that it knew; Terraform has grown others since (``oci``, in 1.12).
One backend of our own takes any type and its configuration, and gives the same to the data
source by which one stack reads another's outputs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from constructs import Construct

from infra.cdk import LocalBackend, TerraformBackend, TerraformRemoteState, TerraformStack
from infra.tenancy.schema import State

ROOT = Path(__file__).parent.parent
"""Local state stands here, and a relative ``path`` counts from here."""

_DEFAULT_LOCAL_PATH = "terraform.{stack}.tfstate"


class AnyBackend(TerraformBackend):
    """A backend of any type, with its configuration as Terraform's documentation spells it."""

    def __init__(self, stack: TerraformStack, kind: str, config: Mapping[str, Any]) -> None:
        super().__init__(stack, "backend", kind)
        self._kind = kind
        self._config = dict(config)

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        return self._config

    def get_remote_state_data_source(
        self, scope: Construct, name: str, _from_stack: str
    ) -> TerraformRemoteState:
        """What another stack reads this one's outputs through; CDKTF calls it."""
        return AnyRemoteState(scope, name, self._kind, self._config)


class AnyRemoteState(TerraformRemoteState):
    """``terraform_remote_state`` of any backend."""

    def __init__(self, scope: Construct, name: str, kind: str, config: Mapping[str, Any]) -> None:
        super().__init__(scope, name, kind)
        self.add_override("config", dict(config))


def use_backend(stack: TerraformStack, state: State) -> None:
    """Give the stack the backend that the tenancy file names."""
    config = for_stack(state.config, stack.node.id)
    if state.backend != "local":
        AnyBackend(stack, state.backend, config)
        return
    path = config.get("path", for_stack(_DEFAULT_LOCAL_PATH, stack.node.id))
    # Absolute: with a relative path one stack would look for another's state in its own folder.
    LocalBackend(stack, path=str(ROOT / path))


def for_stack(value: Any, stack: str) -> Any:
    """The value with ``{stack}`` replaced in every string of it."""
    if isinstance(value, Mapping):
        return {key: for_stack(item, stack) for key, item in value.items()}
    if isinstance(value, list):
        return [for_stack(item, stack) for item in value]
    return value.replace("{stack}", stack) if isinstance(value, str) else value
