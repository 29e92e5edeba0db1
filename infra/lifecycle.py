"""What ``protect`` in the tenancy file means for a resource."""

from infra.cdk import TerraformResourceLifecycle
from infra.oci.base import MetaArguments
from infra.tenancy.schema import Tenancy


def lifecycle(tenancy: Tenancy) -> MetaArguments:
    """Meta-arguments of a resource that holds what can't be made again.

    With ``protect`` Terraform refuses any plan that would destroy it: the bucket with its weights,
    the vault and the key without which the token can't be read.
    """
    if not tenancy.protect:
        return {}
    return {"lifecycle": TerraformResourceLifecycle(prevent_destroy=True)}
