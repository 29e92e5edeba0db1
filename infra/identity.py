"""Who may do what: one dynamic group for what runs, and policies for it, the service and people.

IAM is written in the home region only, and a dynamic group exists only in the tenancy's root.
"""

from constructs import Construct

from infra.cdk import TerraformProvider
from infra.oci.generated.identity import DynamicGroup, Policy
from infra.statements import Scope as Scope
from infra.statements import matching_rule as matching_rule
from infra.statements import (
    people_statements,
    proof_of_concept_statements,
    service_statements,
    workload_statements,
)
from infra.tenancy.schema import Tenancy


class Identity:
    """The dynamic group and its policies, all through the home region's provider."""

    def __init__(
        self,
        scope: Construct,
        tenancy: Tenancy,
        *,
        home: TerraformProvider,
        bucket: str,
        vault: str,
        key: str,
        repository: str,
    ) -> None:
        self.dynamic_group = DynamicGroup(
            scope,
            "dynamic_group",
            compartment_id=tenancy.tenancy_ocid,
            name=f"{tenancy.prefix}-workloads",
            description="Notebooks, job runs, model deployments and pipelines of this environment",
            matching_rule=matching_rule(tenancy.compartment_ocid),
            freeform_tags=tenancy.tags or None,
            provider=home,
        )
        narrowed = Scope(
            region=tenancy.region,
            compartment=tenancy.compartment_ocid,
            subnet_compartment=(
                tenancy.network.subnet_compartment_ocid or tenancy.compartment_ocid
            ),
            dynamic_group=self.dynamic_group.id,
            bucket=bucket,
            vault=vault,
            key=key,
            secret_name=tenancy.vault.secret_name,
            repository=repository,
        )
        for name, description, statements in _policies(tenancy, narrowed):
            Policy(
                scope,
                f"{name}_policy",
                compartment_id=tenancy.tenancy_ocid,
                name=f"{tenancy.prefix}-{name}",
                description=description,
                statements=statements,
                freeform_tags=tenancy.tags or None,
                provider=home,
            )


def _policies(tenancy: Tenancy, scope: Scope) -> list[tuple[str, str, list[str]]]:
    """(name, description, statements) of each policy to write."""
    if tenancy.policies == "proof-of-concept":
        statements = proof_of_concept_statements(scope.dynamic_group)
        policies = [("proof-of-concept", "Wide rights to try things out", statements)]
    else:
        policies = [
            (
                "workloads",
                "Notebooks, jobs and deployments",
                workload_statements(scope, token=tenancy.hub.token),
            ),
            ("services", "The Data Science service", service_statements(scope)),
        ]
    if tenancy.user_group is not None:
        people = people_statements(tenancy.user_group, scope)
        policies.append(("people", "Those who fine-tune and deploy", people))
    return policies
