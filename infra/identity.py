"""Who may do what: one dynamic group for what runs, and policies for it, the service and people.

IAM is written in the home region only, and a dynamic group exists only in the tenancy's root.
"""

from dataclasses import dataclass

from constructs import Construct

from infra.cdk import TerraformProvider
from infra.oci.generated.identity import DynamicGroup, Policy
from infra.tenancy.schema import Tenancy, UserGroup

RESOURCE_TYPES = (
    "datasciencenotebooksession",
    "datasciencejobrun",
    "datasciencemodeldeployment",
    "datasciencepipelinerun",
)
"""What acts with the dynamic group's rights."""


@dataclass(frozen=True)
class Scope:
    """What the least-privilege statements are narrowed to; OCIDs and names, tokens mostly."""

    region: str
    compartment: str
    subnet_compartment: str
    dynamic_group: str
    bucket: str
    vault: str
    key: str
    secret_name: str
    repository: str

    @property
    def location(self) -> str:
        """``in compartment id …``; the root compartment is written ``in tenancy``."""
        return _location(self.compartment)

    @property
    def network(self) -> str:
        """As ``location``, of the compartment that the subnet is in."""
        return _location(self.subnet_compartment)


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


def matching_rule(compartment: str) -> str:
    """ONE expression on one line.

    Several ``all {…}`` on lines of their own are not a rule, and a line break after the brace has
    made a rule that matches everything.
    """
    members = (
        f"all {{resource.type='{kind}', resource.compartment.id='{compartment}'}}"
        for kind in RESOURCE_TYPES
    )
    return f"any {{{', '.join(members)}}}"


def workload_statements(scope: Scope, *, token: bool = True) -> list[str]:
    """What a running job, notebook or deployment needs, and no more.

    *token* says whether the hub wants one: without it, no run reads a secret.
    """
    who = f"dynamic-group id {scope.dynamic_group}"
    where = scope.location
    notebook, job_run = _acting_as("notebooksession"), _acting_as("jobrun")
    working = (
        "where any {request.principal.type='datasciencenotebooksession', "
        "request.principal.type='datasciencejobrun'}"
    )
    bucket = f"where any {{target.bucket.name='{scope.bucket}'}}"
    # For job runs, of which the staging one asks: what answers strangers needs no token.
    secret = ", ".join(
        (
            "where all {request.principal.type='datasciencejobrun'",
            f"target.secret.name='{scope.secret_name}'",
            f"target.vault.id='{scope.vault}'}}",
        )
    )
    pull = " ".join(
        (
            "where any {request.operation='ReadDockerRepositoryMetadata',",
            "request.operation='ReadDockerRepositoryManifest',",
            "request.operation='PullDockerLayer'}",
        )
    )
    return [
        # People work in the notebook: it submits jobs, registers models and deploys them.
        f"Allow {who} to manage data-science-family {where} {notebook}",
        f"Allow {who} to use virtual-network-family {scope.network} {notebook}",
        # A job run reads its own definition. It registers no model: the runner does that.
        f"Allow {who} to read data-science-jobs {where} {job_run}",
        f"Allow {who} to read data-science-job-runs {where} {job_run}",
        f"Allow {who} to read buckets {where} {bucket}",
        f"Allow {who} to manage objects {where} {bucket}",
        # Not for deployments: they write their own logs, and only those.
        f"Allow {who} to use logging-family {where} {working}",
        f"Allow {who} to use metrics {where}",
        f"Allow {who} to read repos {where} {pull}",
        *([f"Allow {who} to read secret-bundles {where} {secret}"] if token else []),
    ]


def service_statements(scope: Scope) -> list[str]:
    """What the Data Science service itself does on behalf of the environment."""
    where = scope.location
    bucket = f"where any {{target.bucket.name='{scope.bucket}'}}"
    return [
        # Attaches job nodes and notebooks to the subnet.
        f"Allow service datascience to use virtual-network-family {scope.network}",
        # Models above 6 GB are copied between the bucket and the catalog by the services.
        f"Allow service datascience to manage object-family {where} {bucket}",
        f"Allow service objectstorage-{scope.region} to manage object-family {where} {bucket}",
        # A deployment writes its access and predict logs as itself.
        f"Allow any-user to use log-content {where} "
        "where ALL {request.principal.type='datasciencemodeldeployment'}",
    ]


def people_statements(group: UserGroup, scope: Scope) -> list[str]:
    """What the people need who submit jobs, keep the token and look at the results."""
    who = f"group {group_name(group)}"
    where = scope.location
    bucket = f"where any {{target.bucket.name='{scope.bucket}'}}"
    vault = f"where any {{target.vault.id='{scope.vault}'}}"
    return [
        f"Allow {who} to manage data-science-family {where}",
        f"Allow {who} to use virtual-network-family {scope.network}",
        f"Allow {who} to manage log-groups {where}",
        f"Allow {who} to manage log-content {where}",
        f"Allow {who} to read metrics {where}",
        f"Allow {who} to read buckets {where}",
        f"Allow {who} to manage objects {where} {bucket}",
        f"Allow {who} to manage repos {where} where any {{target.repo.name='{scope.repository}'}}",
        f"Allow {who} to manage secret-family {where} {vault}",
        f"Allow {who} to use vaults {where} {vault}",
        f"Allow {who} to use keys {where} where any {{target.key.id='{scope.key}'}}",
    ]


def proof_of_concept_statements(dynamic_group: str) -> list[str]:
    """The tutorial's own set: quick to try, too wide to keep."""
    who = f"dynamic-group id {dynamic_group}"
    return [
        "Allow service datascience to use virtual-network-family in tenancy",
        f"Allow {who} to manage data-science-family in tenancy",
        f"Allow {who} to manage all-resources in tenancy",
    ]


def group_name(group: UserGroup) -> str:
    """``'Default'/'data scientists'``, or the plain name in quotes."""
    name = f"'{group.name}'"
    return f"'{group.domain}'/{name}" if group.domain else name


def _location(compartment: str) -> str:
    if compartment.startswith("ocid1.tenancy."):
        return "in tenancy"
    return f"in compartment id {compartment}"


def _acting_as(kind: str) -> str:
    return f"where any {{request.principal.type='datascience{kind}'}}"


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
