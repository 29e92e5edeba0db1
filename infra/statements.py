"""The sentences of IAM that the environment needs, and no wider than it needs them.

Plain text: :mod:`infra.identity` makes policies of them, and ``jobs preflight`` names the one that
a tenancy lacks.
"""

from dataclasses import dataclass
from typing import Protocol

RESOURCE_TYPES = (
    "datasciencenotebooksession",
    "datasciencejobrun",
    "datasciencemodeldeployment",
    "datasciencepipelinerun",
)
"""What acts with the dynamic group's rights."""


LOOKED_AT = (
    "tenancies",
    "compartments",
    "policies",
    "dynamic-groups",
    "groups",
    "users",
    "limits",
    "resource-availability",
)
"""What the people may look at in the tenancy, to know whether a job would fail."""


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


class NamedGroup(Protocol):
    """A group of people: *domain* is that of its identity domain, if it is not to be guessed."""

    @property
    def name(self) -> str: ...

    @property
    def domain(self) -> str | None: ...


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


def people_statements(group: NamedGroup, scope: Scope) -> list[str]:
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
        # Which images there are: OCI tells it to who may see all of them.
        f"Allow {who} to inspect repos {where}",
        *looking_statements(who),
    ]


def looking_statements(who: str) -> list[str]:
    """What ``jobs preflight`` asks of the tenancy itself, which is nowhere but in its root.

    Names, policies and numbers, no contents. Notebooks have none of it: what runs there reads no
    policies, and preflight says what it could not look at.
    """
    return [
        *(f"Allow {who} to inspect {kind} in tenancy" for kind in LOOKED_AT),
        # A report is made and thrown away: whether the region has such machines just now.
        f"Allow {who} to manage compute-capacity-reports in tenancy",
    ]


def proof_of_concept_statements(dynamic_group: str) -> list[str]:
    """The tutorial's own set, and one more: quick to try, too wide to keep."""
    who = f"dynamic-group id {dynamic_group}"
    return [
        "Allow service datascience to use virtual-network-family in tenancy",
        f"Allow {who} to manage data-science-family in tenancy",
        f"Allow {who} to manage all-resources in tenancy",
        # The tutorial registers no model by reference, which Data Science reads in its bucket.
        "Allow service datascience to read objects in tenancy",
    ]


def group_name(group: NamedGroup) -> str:
    """``'Default'/'data scientists'``, or the plain name in quotes."""
    name = f"'{group.name}'"
    return f"'{group.domain}'/{name}" if group.domain else name


def _location(compartment: str) -> str:
    if compartment.startswith("ocid1.tenancy."):
        return "in tenancy"
    return f"in compartment id {compartment}"


def _acting_as(kind: str) -> str:
    return f"where any {{request.principal.type='datascience{kind}'}}"
