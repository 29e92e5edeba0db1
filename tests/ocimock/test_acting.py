"""What runs, sessions, deployments and services do on their own, with policies enforced.

Each test forbids one operation of OCI's to all but the administrator, and says what ends by that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, mock_oci
from ocimock.cloud import Settings
from ocimock.iam.enforcement import decisions
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import NS, M, Workbench, make_log, workbench

IMAGE = "fra.ocir.io/ocimock/team/train:1"
REFUSED = "Authorization failed or requested resource not found (404 NotAuthorizedOrNotFound)"
OBJECTS = "oci://bucket@ocimock/"


@pytest.fixture
def mocked() -> Iterator[MockedCloud]:
    with mock_oci(Settings(enforce_iam=True)) as found:
        yield found


pytestmark = pytest.mark.process_only("policies are set up in the mock itself")


@pytest.fixture
def bench(mocked: MockedCloud) -> Workbench:
    return workbench(mocked)


def allow_all(mocked: MockedCloud, *, but: str = "") -> None:
    """Let everybody do everything, except that one operation."""
    home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    for policy in home.list_policies(mocked.tenancy_id, name="all").data:
        home.delete_policy(policy.id)
    condition = f" where request.operation != '{but}'" if but else ""
    details = oci.identity.models.CreatePolicyDetails(
        compartment_id=mocked.tenancy_id,
        name="all",
        description="all but one",
        statements=[f"Allow any-user to manage all-resources in tenancy{condition}"],
    )
    home.create_policy(details)


def make_repository(mocked: MockedCloud) -> None:
    details = oci.artifacts.models.CreateContainerRepositoryDetails(
        compartment_id=mocked.compartment_id, display_name="team/train"
    )
    client(mocked, oci.artifacts.ArtifactsClient).create_container_repository(details)


def make_secret(mocked: MockedCloud) -> str:
    vaults, models = client(mocked, oci.key_management.KmsVaultClient), oci.key_management.models
    where = mocked.compartment_id
    vault = vaults.create_vault(
        models.CreateVaultDetails(compartment_id=where, display_name="v", vault_type="DEFAULT")
    ).data.id
    endpoint = vaults.get_vault(vault).data.management_endpoint
    keys = client(mocked, oci.key_management.KmsManagementClient, service_endpoint=endpoint)
    shape = models.KeyShape(algorithm="AES", length=32)
    key = keys.create_key(
        models.CreateKeyDetails(compartment_id=where, display_name="k", key_shape=shape)
    ).data.id
    details = oci.vault.models.CreateSecretDetails(
        compartment_id=where,
        vault_id=vault,
        key_id=key,
        secret_name="git",
        secret_content=oci.vault.models.Base64SecretContentDetails(content="eA=="),
    )
    return str(client(mocked, oci.vault.VaultsClient).create_secret(details).data.id)


def ended(bench: Workbench, job: Any) -> Any:
    """A run of *job* at its end."""
    return bench.science.get_job_run(bench.run(job).id).data


def job_with(bench: Workbench, **environment: str) -> Any:
    details = M.DefaultJobConfigurationDetails(environment_variables=environment)
    mount = M.ObjectStorageMountConfigurationDetails(
        destination_directory_name="data", namespace=NS, bucket="bucket", prefix="in"
    )
    return bench.job(
        job_configuration_details=details, job_storage_mount_configuration_details_list=[mount]
    )


BOOTSTRAP, CODE = "Job run bootstrap failure", "Job run artifact execution failed with exit code 1"


def test_a_run_goes_on_without_metrics(bench: Workbench, mocked: MockedCloud) -> None:
    """They are posted by a process beside the code."""
    job = job_with(bench, OCI__METRICS_NAMESPACE="gpus")
    allow_all(mocked)
    assert ended(bench, job).lifecycle_state == "SUCCEEDED"
    assert not any("could not" in line for line in bench.lines())
    allow_all(mocked, but="PostMetricData")
    assert ended(bench, job).lifecycle_state == "SUCCEEDED"
    assert any("could not post metrics to namespace gpus" in line for line in bench.lines())


@pytest.mark.parametrize(
    ("operation", "environment", "details"),
    [
        ("AttachVnic", {}, f"{BOOTSTRAP}: could not attach a VNIC to subnet"),
        ("PutLogs", {}, f"{BOOTSTRAP}: could not write to log"),
        ("GetJob", {}, f"{BOOTSTRAP}: could not read its job"),
        ("GetJobRun", {}, f"{BOOTSTRAP}: could not read itself"),
        ("GetJobArtifactContent", {}, f"{BOOTSTRAP}: could not download the artifact"),
        (
            "PullDockerLayer",
            {"CONTAINER_CUSTOM_IMAGE": IMAGE},
            f"{BOOTSTRAP}: could not pull image {IMAGE}",
        ),
        ("GetBucket", {}, f"{BOOTSTRAP}: could not mount bucket 'bucket' at data"),
        ("ListObjects", {}, f"{BOOTSTRAP}: could not mount bucket 'bucket' at data"),
        ("GetObject", {}, f"{BOOTSTRAP}: could not mount bucket 'bucket' at data"),
        ("PutObject", {}, f"{BOOTSTRAP}: could not mount bucket 'bucket' at data"),
    ],
)
def test_a_run_fails_where_it_may_not(
    bench: Workbench,
    mocked: MockedCloud,
    operation: str,
    environment: dict[str, str],
    details: str,
) -> None:
    make_repository(mocked)
    job = job_with(bench, **environment)
    allow_all(mocked)
    assert ended(bench, job).lifecycle_state == "SUCCEEDED"
    before = len(bench.lines())
    allow_all(mocked, but=operation)
    run = ended(bench, job)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith(details)
    assert REFUSED in run.lifecycle_details
    written = bench.lines()[before:]
    if operation == "PutLogs":
        assert written == []
    else:
        assert details in written[-1]
    denied = [found for found in decisions(mocked.cloud) if not found.allowed]
    by = "service datascience" if operation == "AttachVnic" else "dynamic-group"
    assert all(found.principal.startswith(by) for found in denied)


@pytest.mark.parametrize(
    ("operation", "environment", "purpose"),
    [
        ("GetObject", {"OCI__RUNTIME_URI": f"{OBJECTS}code.zip"}, f"read {OBJECTS}code.zip"),
        (
            "GetObject",
            {"OCI__INPUT_MAPPINGS": json.dumps({f"{OBJECTS}in/": "data/"})},
            f"read {OBJECTS}in/",
        ),
        ("PutObject", {"OUTPUT_URI": f"{OBJECTS}out/"}, f"write to {OBJECTS}out/"),
    ],
)
def test_inputs_and_outputs_are_asked_for_without_a_mount(
    bench: Workbench,
    mocked: MockedCloud,
    operation: str,
    environment: dict[str, str],
    purpose: str,
) -> None:
    details = M.DefaultJobConfigurationDetails(environment_variables=environment)
    job = bench.job(job_configuration_details=details)
    allow_all(mocked)
    assert ended(bench, job).lifecycle_state == "SUCCEEDED"
    allow_all(mocked, but=operation)
    assert f"{CODE}: could not {purpose}: {REFUSED}" in ended(bench, job).lifecycle_details


def test_a_runs_own_variables_count_and_those_of_node_groups(
    bench: Workbench, mocked: MockedCloud
) -> None:
    allow_all(mocked, but="PutObject")
    plain = bench.job()
    assert ended(bench, plain).lifecycle_state == "SUCCEEDED"
    outputs = M.DefaultJobConfigurationDetails(
        environment_variables={"OUTPUT_URI": f"{OBJECTS}out/"}
    )
    run = bench.run(plain, job_configuration_override_details=outputs)
    assert bench.science.get_job_run(run.id).data.lifecycle_state == "FAILED"
    nodes = bench.science.create_job(bench.nodes_details(job_configuration_details=outputs)).data
    bench.science.create_job_artifact(nodes.id, b"code")
    assert "write to" in ended(bench, nodes).lifecycle_details


def test_git_s_key_is_fetched_from_the_vault(bench: Workbench, mocked: MockedCloud) -> None:
    secret = make_secret(mocked)
    job = job_with(bench, OCI__RUNTIME_GIT_SECRET_ID=secret)
    allow_all(mocked)
    assert ended(bench, job).lifecycle_state == "SUCCEEDED"
    allow_all(mocked, but="GetSecretBundle")
    assert f"could not read secret {secret}" in ended(bench, job).lifecycle_details


def test_what_is_not_there_is_refused_in_the_same_words(
    bench: Workbench, mocked: MockedCloud
) -> None:
    allow_all(mocked)
    job = job_with(bench, HF_TOKEN_SECRET_NAME="none", HF_TOKEN_VAULT_ID="ocid1.vault.oc1..none")
    details = ended(bench, job).lifecycle_details
    assert f"{CODE}: could not read secret 'none': {REFUSED}" in details


@pytest.mark.parametrize(
    ("operation", "purpose"),
    [
        ("AttachVnic", "attach a VNIC to subnet"),
        ("PullDockerLayer", f"pull image {IMAGE}"),
        ("GetObject", "read the model's objects in bucket 'bucket'"),
        ("PutLogs", "write to log"),
    ],
)
def test_a_deployment_does_not_come_up_where_it_may_not(
    bench: Workbench, mocked: MockedCloud, operation: str, purpose: str
) -> None:
    make_repository(mocked)
    allow_all(mocked)
    model = by_reference(bench)
    changes = {
        "instance": {"subnet_id": bench.subnet},
        "environment": M.OcirModelDeploymentEnvironmentConfigurationDetails(image=IMAGE),
        "category_log_details": M.CategoryLogDetails(
            access=M.LogDetails(log_group_id=bench.group, log_id=bench.log)
        ),
    }
    assert bench.deploy(model.id, **changes).lifecycle_state == "ACTIVE"
    allow_all(mocked, but=operation)
    failed = bench.deploy(model.id, **changes)
    assert failed.lifecycle_state == "FAILED"
    assert failed.lifecycle_details.startswith(f"could not {purpose}")


def by_reference(bench: Workbench) -> Any:
    bench.storage.put_object(NS, "bucket", "model/weights.bin", b"weights")
    named = {"name": "model/weights.bin", "version": "", "sizeInBytes": 7}
    place = {"namespace": NS, "bucketName": "bucket", "prefix": "model", "objects": [named]}
    described = {"version": "1.0", "type": "modelOSSReferenceDescription", "models": [place]}
    return bench.model(artifact=json.dumps(described).encode())


def test_a_model_by_reference_is_read_by_the_service(bench: Workbench, mocked: MockedCloud) -> None:
    with refused(404, "NotAuthorizedOrNotFound", "could not read the model's objects in bucket"):
        by_reference(bench)
    allow_services(mocked, "datascience", verb="read")
    assert by_reference(bench).id


def test_a_line_that_a_deployment_may_not_write_is_lost(
    bench: Workbench, mocked: MockedCloud
) -> None:
    group, log = make_log(mocked, "predictions")
    allow_all(mocked)
    logs = M.CategoryLogDetails(predict=M.LogDetails(log_group_id=group, log_id=log))
    served = bench.deploy(bench.model().id, category_log_details=logs)
    seen = Workbench(**{**vars(bench), "group": group, "log": log})

    def ask() -> None:
        url = served.model_deployment_url
        endpoint = oci.model_deployment.ModelDeploymentClient(
            mocked.config, service_endpoint=url.rsplit("/", 1)[0]
        )
        endpoint.predict(served.id, b"{}")

    ask()
    assert len(seen.lines()) == 1
    allow_all(mocked, but="PutLogs")
    ask()
    assert len(seen.lines()) == 1


def test_a_notebook_session_needs_the_service_in_its_subnet(
    bench: Workbench, mocked: MockedCloud
) -> None:
    configuration = M.NotebookSessionConfigDetails(shape="VM.Standard2.1", subnet_id=bench.subnet)

    def make() -> Any:
        details = M.CreateNotebookSessionDetails(
            project_id=bench.project,
            compartment_id=bench.compartment,
            notebook_session_config_details=configuration,
        )
        made = bench.science.create_notebook_session(details).data
        return bench.science.get_notebook_session(made.id).data

    allow_all(mocked)
    stands = make()
    assert stands.lifecycle_state == "ACTIVE"
    allow_all(mocked, but="AttachVnic")
    failed = make()
    assert failed.lifecycle_state == "FAILED"
    assert failed.lifecycle_details.startswith("could not attach a VNIC")
    bench.science.deactivate_notebook_session(stands.id)
    bench.science.get_notebook_session(stands.id)
    work = bench.science.activate_notebook_session(stands.id).headers["opc-work-request-id"]
    assert bench.science.get_notebook_session(stands.id).data.lifecycle_state == "FAILED"
    assert "could not attach" in bench.science.list_work_request_errors(work).data[0].message


@pytest.mark.parametrize(
    ("direction", "operation"), [("export", "GetObject"), ("import", "PutObject")]
)
@pytest.mark.parametrize("who", ["datascience", "objectstorage-eu-frankfurt-1"])
def test_large_artifacts_take_both_services(
    bench: Workbench, mocked: MockedCloud, who: str, direction: str, operation: str
) -> None:
    bench.storage.put_object(NS, "bucket", "model.zip", b"PK")
    allow_services(mocked, "datascience", "objectstorage-eu-frankfurt-1")
    transfer = _export if direction == "export" else _import
    assert transfer(bench) == ("SUCCEEDED", "")
    other = {"datascience", "objectstorage-eu-frankfurt-1"} - {who}
    allow_services(mocked, *other)
    status, message = transfer(bench)
    assert status == "FAILED"
    spelled = operation.replace("O", " o").lower()
    assert message.startswith(f"could not {spelled} 'model.zip' in bucket 'bucket' as {who}")


def allow_services(mocked: MockedCloud, *names: str, verb: str = "manage") -> None:
    """Let these services do that with buckets and objects, and no service anything else."""
    home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    for policy in home.list_policies(mocked.tenancy_id).data:
        if policy.name == "services":
            home.delete_policy(policy.id)
    given = verb if verb.startswith("{") else f"{verb} object-family"
    details = oci.identity.models.CreatePolicyDetails(
        compartment_id=mocked.tenancy_id,
        name="services",
        description="what services do",
        statements=[f"Allow service {name} to {given} in tenancy" for name in names],
    )
    home.create_policy(details)


def _export(bench: Workbench) -> tuple[str, str]:
    details = M.ArtifactExportDetailsObjectStorage(
        artifact_source_type="ORACLE_OBJECT_STORAGE",
        namespace=NS,
        source_bucket="bucket",
        source_object_name="model.zip",
        source_region="eu-frankfurt-1",
    )
    model = bench.model(artifact=None)
    asked = M.ExportModelArtifactDetails(artifact_export_details=details)
    return _done(bench, bench.science.export_model_artifact(model.id, asked))


def _import(bench: Workbench) -> tuple[str, str]:
    details = M.ArtifactImportDetailsObjectStorage(
        artifact_source_type="ORACLE_OBJECT_STORAGE",
        namespace=NS,
        destination_bucket="bucket",
        destination_object_name="model.zip",
        destination_region="eu-frankfurt-1",
    )
    asked = M.ImportModelArtifactDetails(artifact_import_details=details)
    return _done(bench, bench.science.import_model_artifact(bench.model().id, asked))


def _done(bench: Workbench, response: Any) -> tuple[str, str]:
    work = response.headers["opc-work-request-id"]
    status = bench.science.get_work_request(work).data.status
    errors = bench.science.list_work_request_errors(work).data
    return status, errors[0].message if errors else ""


def test_object_storage_copies_in_its_own_name(bench: Workbench, mocked: MockedCloud) -> None:
    bench.storage.put_object(NS, "bucket", "a", b"x")
    details = oci.object_storage.models.CopyObjectDetails(
        source_object_name="a",
        destination_region="eu-frankfurt-1",
        destination_namespace=NS,
        destination_bucket="bucket",
        destination_object_name="b",
    )

    def copy() -> str:
        done = bench.storage.copy_object(NS, "bucket", details).headers["opc-work-request-id"]
        return str(bench.storage.get_work_request(done).data.status)

    for verb in ("inspect", "read"):
        allow_services(mocked, "objectstorage-eu-frankfurt-1", verb=verb)
        assert copy() == "FAILED", verb
    allow_services(mocked, "objectstorage-eu-frankfurt-1")
    assert copy() == "COMPLETED"
    # What it may write but not read.
    allow_services(mocked, "objectstorage-eu-frankfurt-1", verb="{OBJECT_OVERWRITE}")
    assert copy() == "FAILED"


def test_images_from_elsewhere_take_no_right(bench: Workbench, mocked: MockedCloud) -> None:
    allow_all(mocked, but="PullDockerLayer")
    for image in ("dsmc://odsc-vllm-serving:0.11.0", "fra.ocir.io/others/team/train:1"):
        job = job_with(bench, CONTAINER_CUSTOM_IMAGE=image)
        assert ended(bench, job).lifecycle_state == "SUCCEEDED"
