"""Where each stack's Terraform state lies."""

from pathlib import Path

from infra.cdk import LocalBackend, TerraformStack
from infra.tenancy.schema import State

ROOT = Path(__file__).parent.parent


def use_backend(stack: TerraformStack, state: State) -> None:
    """Give the stack the backend that the tenancy file names."""
    # Absolute: with a relative path one stack would look for another's state in its own folder.
    LocalBackend(stack, path=str(ROOT / f"terraform.{stack.node.id}.tfstate"))
