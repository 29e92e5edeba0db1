"""The bundle's own statements: each is read, and allows what it is there for and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from infra.statements import (
    Scope,
    matching_rule,
    people_statements,
    proof_of_concept_statements,
    service_statements,
    workload_statements,
)
from infra.tenancy.schema import UserGroup
from ocimock.iam.conditions import Values
from ocimock.iam.policy import parse_matching_rule, parse_statement
from ocimock.iam.principals import Principal
from tests.ocimock.iam.tenancy import Tenancy

VAULT, KEY = "ocid1.vault.oc1.fra.v", "ocid1.key.oc1.fra.k"
SCOPE = Scope(
    region="eu-frankfurt-1",
    compartment="ocid1.compartment.oc1..inner",
    subnet_compartment="ocid1.compartment.oc1..other",
    dynamic_group="ocid1.dynamicgroup.oc1..workloads",
    bucket="data",
    vault=VAULT,
    key=KEY,
    secret_name="hf-token",
    repository="team/vllm",
)
PEOPLE = UserGroup(name="people", domain="Default")
DATA = {"target.bucket.name": ("data",)}
OBJECT = {**DATA, "target.object.name": ("runs/1",)}
TOKEN = {"target.secret.name": ("hf-token",), "target.vault.id": (VAULT,)}
OTHER_TOKEN = {"target.secret.name": ("other",), "target.vault.id": (VAULT,)}
IMAGE = {"target.repo.name": ("team/vllm",)}


def workload(kind: str) -> Principal:
    claims = {"res_type": f"datascience{kind}", "res_compartment": SCOPE.compartment}
    return Principal("resource", f"ocid1.datascience{kind}.oc1.fra.x", claims)


NOTEBOOK, RUN, DEPLOYMENT = (
    workload(kind) for kind in ("notebooksession", "jobrun", "modeldeployment")
)
DATA_SCIENCE = Principal("service", "datascience")
OBJECT_STORAGE = Principal("service", "objectstorage-eu-frankfurt-1")
ADA = Principal("user", "ocid1.user.oc1..ada")

ALL = [
    *workload_statements(SCOPE),
    *service_statements(SCOPE),
    *people_statements(PEOPLE, SCOPE),
    *proof_of_concept_statements(SCOPE.dynamic_group),
]


@dataclass(frozen=True)
class Case:
    """What *who* does where, and whether one of the bundle's statements lets it."""

    who: Principal
    operation: str
    where: str = "inner"
    variables: Mapping[str, Values] | None = None
    allowed: bool = True


WORKLOADS = [
    Case(NOTEBOOK, "datascience.create_job"),
    Case(NOTEBOOK, "datascience.create_job_run"),
    Case(NOTEBOOK, "datascience.create_model_deployment"),
    Case(NOTEBOOK, "core.attach_to_subnet", "other"),
    Case(NOTEBOOK, "core.attach_to_subnet", "inner", allowed=False),
    Case(NOTEBOOK, "objectstorage.get_object", variables=OBJECT),
    Case(NOTEBOOK, "vault.get_secret_bundle", variables=TOKEN, allowed=False),
    Case(RUN, "datascience.get_job"),
    Case(RUN, "datascience.get_job_run"),
    Case(RUN, "datascience.get_job_artifact_content"),
    Case(RUN, "datascience.list_job_runs"),
    Case(RUN, "datascience.cancel_job_run", allowed=False),
    Case(RUN, "datascience.create_job_run", allowed=False),
    Case(RUN, "DATA_SCIENCE_MODEL_CREATE", allowed=False),
    Case(RUN, "datascience.update_model", allowed=False),
    Case(RUN, "datascience.create_model_artifact", allowed=False),
    Case(RUN, "datascience.create_notebook_session", allowed=False),
    Case(RUN, "objectstorage.get_bucket", variables=DATA),
    Case(RUN, "objectstorage.get_bucket", variables={"target.bucket.name": ("x",)}, allowed=False),
    Case(RUN, "objectstorage.list_buckets", allowed=False),
    Case(RUN, "objectstorage.list_objects", variables=DATA),
    Case(RUN, "OBJECT_CREATE", variables=OBJECT),
    Case(RUN, "objectstorage.upload_part", variables=OBJECT),
    Case(RUN, "objectstorage.delete_object", "other", OBJECT, allowed=False),
    Case(RUN, "objectstorage.delete_bucket", variables=DATA, allowed=False),
    Case(RUN, "vault.get_secret_bundle", variables=TOKEN),
    Case(RUN, "vault.get_secret_bundle_by_name", variables=TOKEN),
    Case(RUN, "vault.get_secret_bundle", variables=OTHER_TOKEN, allowed=False),
    Case(RUN, "vault.list_secrets", allowed=False),
    Case(RUN, "logging.put_logs"),
    Case(RUN, "logging.create_log", allowed=False),
    Case(RUN, "monitoring.post_metric_data"),
    Case(RUN, "artifacts.pull_docker_layer", variables=IMAGE),
    Case(RUN, "artifacts.get_container_repository", variables=IMAGE, allowed=False),
    Case(RUN, "core.attach_to_subnet", "other", allowed=False),
    Case(DEPLOYMENT, "artifacts.read_docker_repository_manifest", variables=IMAGE),
    Case(DEPLOYMENT, "objectstorage.get_object", variables=OBJECT),
    Case(DEPLOYMENT, "vault.get_secret_bundle", variables=TOKEN, allowed=False),
    # As any-user, by a statement of its own: see SERVICES.
    Case(DEPLOYMENT, "logging.put_logs", allowed=False),
    Case(DEPLOYMENT, "datascience.get_model", allowed=False),
    Case(ADA, "datascience.get_job", allowed=False),
]
SERVICES = [
    Case(DATA_SCIENCE, "core.attach_to_subnet", "other"),
    Case(DATA_SCIENCE, "core.attach_to_subnet", "inner", allowed=False),
    Case(DATA_SCIENCE, "objectstorage.get_object", variables=OBJECT),
    Case(DATA_SCIENCE, "OBJECT_CREATE", variables=OBJECT),
    Case(DATA_SCIENCE, "objectstorage.get_object", allowed=False),
    Case(OBJECT_STORAGE, "OBJECT_CREATE", variables=OBJECT),
    Case(OBJECT_STORAGE, "core.attach_to_subnet", "other", allowed=False),
    Case(DEPLOYMENT, "logging.put_logs"),
    Case(RUN, "logging.put_logs", allowed=False),
    Case(DEPLOYMENT, "logging.get_log", allowed=False),
]
PERSONS = [
    Case(ADA, "datascience.create_job"),
    Case(ADA, "datascience.create_job_run"),
    Case(ADA, "datascience.predict"),
    Case(ADA, "core.attach_to_subnet", "other"),
    Case(ADA, "logging.create_log_group"),
    Case(ADA, "logging.search_logs"),
    Case(ADA, "monitoring.summarize_metrics_data"),
    Case(ADA, "monitoring.post_metric_data", allowed=False),
    Case(ADA, "objectstorage.list_buckets"),
    Case(ADA, "objectstorage.get_bucket", variables={"target.bucket.name": ("x",)}),
    Case(ADA, "objectstorage.create_bucket", variables=DATA, allowed=False),
    Case(ADA, "objectstorage.delete_object", variables=OBJECT, allowed=True),
    Case(ADA, "objectstorage.get_object", allowed=False),
    Case(ADA, "artifacts.update_container_repository", variables=IMAGE),
    Case(ADA, "artifacts.delete_container_repository", allowed=False),
    Case(ADA, "vault.create_secret", variables={**TOKEN, "target.key.id": (KEY,)}),
    Case(ADA, "vault.create_secret", variables=TOKEN, allowed=False),
    Case(ADA, "vault.update_secret", variables=TOKEN),
    Case(ADA, "vault.get_secret_bundle", variables=OTHER_TOKEN),
    Case(ADA, "vault.get_secret_bundle", allowed=False),
    Case(ADA, "kms.get_vault", variables={"target.vault.id": (VAULT,)}),
    Case(ADA, "kms.create_vault", allowed=False),
    Case(ADA, "kms.get_key", variables={"target.key.id": (KEY,)}),
    Case(ADA, "kms.create_key", variables={"target.key.id": (KEY,)}, allowed=False),
    # What preflight asks.
    Case(ADA, "artifacts.list_container_images"),
    Case(ADA, "identity.list_region_subscriptions", "root"),
    Case(ADA, "identity.get_compartment", "outer"),
    Case(ADA, "identity.list_policies", "root"),
    Case(ADA, "identity.list_dynamic_groups", "root"),
    Case(ADA, "identity.list_user_group_memberships", "root"),
    Case(ADA, "identity.list_users", "root"),
    Case(ADA, "identity.list_api_keys", "root", allowed=False),
    Case(ADA, "limits.list_limit_values", "root"),
    Case(ADA, "limits.get_resource_availability", "root"),
    Case(ADA, "compute.create_compute_capacity_report", "root"),
    Case(ADA, "identity.create_policy", "root", allowed=False),
    Case(ADA, "identity.update_dynamic_group", "root", allowed=False),
    Case(ADA, "identity.add_user_to_group", "root", allowed=False),
    Case(ADA, "identity.update_compartment", "root", allowed=False),
    Case(ADA, "datascience.create_job", "other", allowed=False),
]


@pytest.fixture
def tenancy(tenancy: Tenancy) -> Tenancy:
    rule = matching_rule(SCOPE.compartment)
    group = {"id": SCOPE.dynamic_group, "name": "workloads", "matchingRule": rule}
    tenancy.cloud.store.add("dynamicgroup", SCOPE.dynamic_group, group)
    return tenancy


@pytest.mark.parametrize("statement", ALL)
def test_a_statement_is_read(statement: str) -> None:
    assert parse_statement(statement) is not None


def test_the_matching_rule_is_read() -> None:
    assert parse_matching_rule(matching_rule(SCOPE.compartment))


def named(case: Case) -> str:
    return f"{case.who.id}-{case.operation}-{case.where}"


@pytest.mark.parametrize("case", WORKLOADS, ids=named)
def test_workloads(tenancy: Tenancy, case: Case) -> None:
    tenancy.policy(*workload_statements(SCOPE))
    check(tenancy, case)


@pytest.mark.parametrize("case", SERVICES, ids=named)
def test_services(tenancy: Tenancy, case: Case) -> None:
    tenancy.policy(*service_statements(SCOPE))
    check(tenancy, case)


@pytest.mark.parametrize("case", PERSONS, ids=named)
def test_people(tenancy: Tenancy, case: Case) -> None:
    tenancy.policy(*people_statements(PEOPLE, SCOPE))
    check(tenancy, case)


def test_the_proof_of_concept_may_do_everything(tenancy: Tenancy) -> None:
    tenancy.policy(*proof_of_concept_statements(SCOPE.dynamic_group))
    for operation in ("datascience.create_job", "identity.create_policy", "kms.create_vault"):
        assert tenancy.ask(RUN, operation, "root").allowed
    assert not tenancy.ask(ADA, "datascience.create_job").allowed


@pytest.mark.parametrize(
    ("statements", "cases"),
    [
        (workload_statements(SCOPE), WORKLOADS),
        (service_statements(SCOPE), SERVICES),
        (people_statements(PEOPLE, SCOPE), PERSONS),
    ],
    ids=["workloads", "services", "people"],
)
def test_no_statement_is_idle(tenancy: Tenancy, statements: list[str], cases: list[Case]) -> None:
    """Without any one of them something of the above is refused."""
    wanted = [case for case in cases if case.allowed]
    for statement in statements:
        tenancy.policy(*(other for other in statements if other != statement))
        refused = [
            case
            for case in wanted
            if not tenancy.ask(case.who, case.operation, case.where, case.variables).allowed
        ]
        assert refused, statement


def check(tenancy: Tenancy, case: Case) -> None:
    decision = tenancy.ask(case.who, case.operation, case.where, case.variables)
    assert decision.allowed is case.allowed, decision
