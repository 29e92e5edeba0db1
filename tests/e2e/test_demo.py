"""``make demo`` and what stands after it, in a path with a space and with an empty home.

One deployment serves all of these tests, in the order in which they are written: each asks
something of it, the last takes it down.
"""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import oci
import pytest
import yaml

from ocimock.identifiers import COMPARTMENT_ID, TENANCY_ID
from ocimock.server.announcement import ServerFile
from tests.e2e.conftest import WorkingCopy

pytestmark = pytest.mark.e2e

STACKS = ("network", "data", "identity", "workbench")


class Demo:
    """The demo's working copy, and its server."""

    def __init__(self, copy: WorkingCopy) -> None:
        self.copy = copy
        self.printed = copy.run("make demo").stdout
        found = ServerFile.read(copy.path / ".demo" / "ocimock")
        assert found is not None
        self.server = found

    def get(self, page: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.server.url}/ocimock/{page}", timeout=10) as answer:
            return json.load(answer)

    def client(self, sdk_class: Any) -> Any:
        config = oci.config.from_file(self.server.environment["OCI_CONFIG_FILE"])
        return sdk_class(config, service_endpoint=self.server.url)

    def environment(self) -> dict[str, str]:
        """For ADS, oci-cli and the runner."""
        return self.server.environment

    def terraform_environment(self) -> dict[str, str]:
        kept = {
            name: text
            for name, text in self.server.environment.items()
            if name == "CLIENT_HOST_OVERRIDES" or name.startswith("TF_VAR_")
        }
        config = self.copy.path / ".demo" / "terraform" / "terraform.rc"
        return {**kept, "TF_CLI_CONFIG_FILE": str(config)}

    def plan(self, stack: str) -> tuple[int, str]:
        """Terraform's own exit code: 0 no changes, 2 changes."""
        folder = f"cdktf.out/stacks/demo-{stack}"
        done = self.copy.run(
            f"terraform -chdir={folder} plan -detailed-exitcode -no-color -input=false -lock=false",
            environment=self.terraform_environment(),
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def demo(working_copy: WorkingCopy) -> Iterator[Demo]:
    made = Demo(working_copy)
    try:
        yield made
    finally:
        found = ServerFile.read(working_copy.path / ".demo" / "ocimock")
        if found is not None:  # a test failed before the demo was taken down
            os.kill(found.pid, signal.SIGTERM)


def test_it_ends_with_a_summary(demo: Demo) -> None:
    printed = demo.printed
    for part in (
        "what stands",
        "what ran",
        "what it would have cost",
        "where to look",
        "make demo-down",
        "$60.00",
    ):
        assert part in printed
    assert "SUCCEEDED (simulated)" in printed
    assert "[simulated by ocimock: no code ran]" in printed
    assert "Traceback" not in printed
    assert "Warning" not in printed


def test_everything_that_the_prerequisites_ask_for_stands(demo: Demo) -> None:
    standing = demo.get("state")["standing"]
    expected = {
        "vcn": 1,
        "subnet": 1,
        "natgateway": 1,
        "servicegateway": 1,
        "bucket": 1,
        "dynamicgroup": 1,
        "loggroup": 1,
        "log": 3,
        "vault": 1,
        "key": 1,
        "containerrepo": 1,
        "datascienceproject": 1,
        "datasciencenotebooksession": 1,
        "datasciencejob": 3,
        "datasciencejobrun": 3,
        "datasciencemodel": 1,
        "datasciencemodeldeployment": 1,
    }
    assert {kind: standing.get(kind) for kind in expected} == expected


@pytest.mark.parametrize("stack", STACKS)
def test_the_second_plan_is_empty(demo: Demo, stack: str) -> None:
    code, printed = demo.plan(stack)
    assert code == 0, printed
    assert "No changes." in printed


def test_something_changed_behind_terraforms_back_shows(demo: Demo) -> None:
    science = demo.client(oci.data_science.DataScienceClient)
    project = science.list_projects(COMPARTMENT_ID).data[0]
    details = oci.data_science.models.UpdateProjectDetails
    science.update_project(project.id, details(description="changed by hand"))
    code, printed = demo.plan("workbench")
    assert code == 2, printed
    assert "changed by hand" in printed
    science.update_project(project.id, details(description=project.description))
    assert demo.plan("workbench")[0] == 0


def test_the_definitions_are_the_same_in_all_three_places(demo: Demo) -> None:
    storage = demo.client(oci.object_storage.ObjectStorageClient)
    printed = demo.copy.run(
        "terraform -chdir=cdktf.out/stacks/demo-workbench output -json definitions"
    ).stdout
    outputs = json.loads(printed)
    names = ("deployment", "finetune", "merge", "model", "pipeline", "stage")
    assert sorted(outputs) == [f"{name}.yaml" for name in names]
    for name, text in outputs.items():
        on_disk = (demo.copy.path / "definitions" / "demo" / name).read_text()
        in_bucket = storage.get_object("ocimock", "demo-models", f"definitions/{name}").data
        assert on_disk == text == in_bucket.content.decode()
        assert "${" not in text
        assert "TfToken" not in text


def test_ads_opctl_run_takes_the_definition_unchanged(demo: Demo) -> None:
    before = _jobs(demo)
    definition = yaml.safe_load((demo.copy.path / "definitions/demo/finetune.yaml").read_text())
    # opctl wants ~/.oci/config, whatever it is told.
    demo.copy.run(
        'mkdir -p "$HOME/.oci" && cp "$OCI_CONFIG_FILE" "$HOME/.oci/config" && '
        ".venv/bin/ads opctl run -f definitions/demo/finetune.yaml",
        environment=demo.environment(),
    )
    new = {job.id: job for job in _jobs(demo).values() if job.id not in before}
    assert len(new) == 1
    science = demo.client(oci.data_science.DataScienceClient)
    job = science.get_job(next(iter(new))).data
    try:
        _compare(job, definition["spec"])
        runs = science.list_job_runs(job.compartment_id, job_id=job.id).data
        assert len(runs) == 1
    finally:
        demo.copy.run("rm -r ~/.oci")
        _wait_and_delete(science, job.id)


def _jobs(demo: Demo) -> dict[str, Any]:
    science = demo.client(oci.data_science.DataScienceClient)
    found = science.list_jobs(COMPARTMENT_ID).data
    return {job.id: job for job in found}


def _compare(job: Any, spec: dict[str, Any]) -> None:
    """The job in OCI says what the definition said."""
    infrastructure = spec["infrastructure"]["spec"]
    runtime = spec["runtime"]["spec"]
    assert job.display_name == spec["name"]
    assert job.project_id == infrastructure["projectId"]
    node = job.job_node_configuration_details.job_node_group_configuration_details_list[0]
    assert node.replicas == runtime["replicas"] == 6
    shape = node.job_infrastructure_configuration_details
    assert shape.shape_name == infrastructure["shapeName"] == "VM.GPU.A10.2"
    assert shape.block_storage_size_in_gbs == infrastructure["blockStorageSize"] == 256
    environment = node.job_configuration_details.environment_variables
    assert environment["OCI__LAUNCH_CMD"] == runtime["command"]
    assert environment["OCI__RUNTIME_URI"] == runtime["git"]["url"]
    assert environment["OCI__RUNTIME_GIT_COMMIT"] == runtime["git"]["commit"]
    for item in runtime["env"]:
        assert environment[item["name"]] == item["value"]
    log = job.job_log_configuration_details
    assert (log.log_group_id, log.log_id) == (
        infrastructure["logGroupId"],
        infrastructure["logId"],
    )
    mounts = {
        m.destination_directory_name for m in job.job_storage_mount_configuration_details_list
    }
    assert mounts == {mount["dest"] for mount in infrastructure["storageMount"]}


def _wait_and_delete(science: Any, job_id: str) -> None:
    """A job with a run that still goes on can't be deleted."""
    job = science.get_job(job_id).data
    for run in science.list_job_runs(job.compartment_id, job_id=job_id).data:
        if run.lifecycle_state in ("ACCEPTED", "IN_PROGRESS"):
            science.cancel_job_run(run.id)
        getter = science.get_job_run(run.id)
        oci.wait_until(
            science,
            getter,
            evaluate_response=lambda r: r.data.lifecycle_state in ("CANCELED", "SUCCEEDED"),
            max_interval_seconds=1,
        )
    science.delete_job(job_id, delete_related_job_runs=True)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("os ns get", "ocimock"),
        ("data-science job list --compartment-id $C", "LLAMA2-Fine-Tuning-lora-samsum-13b"),
        ("iam policy list --compartment-id $T", "dynamic-group id"),
        ("logging log-group list --compartment-id $C", "demo"),
    ],
)
def test_oci_cli_reaches_it_by_configuration_only(demo: Demo, command: str, found: str) -> None:
    printed = demo.copy.run(
        f"C={COMPARTMENT_ID} T={TENANCY_ID}; .venv/bin/oci {command}",
        environment=demo.environment(),
    ).stdout
    assert found in printed


def test_ocifs_reads_the_bucket(demo: Demo) -> None:
    script = "import ocifs; print(ocifs.OCIFileSystem().ls('demo-models@ocimock/definitions'))"
    printed = demo.copy.run(
        f'.venv/bin/python -c "{script}"', environment=demo.environment()
    ).stdout
    assert "definitions/finetune.yaml" in printed


def test_no_secret_was_needed_and_none_is_in_the_state(demo: Demo) -> None:
    for state in demo.copy.path.glob("terraform.demo-*.tfstate"):
        assert "PRIVATE KEY" not in state.read_text()


def test_a_second_demo_finds_all_done(demo: Demo) -> None:
    before = demo.get("state")["standing"]
    printed = demo.copy.run("make demo").stdout
    assert "embedded OCI (ocimock) found at" in printed
    assert printed.count("done before") == 6
    assert demo.get("state")["standing"] == before


def test_demo_down_leaves_nothing(demo: Demo) -> None:
    printed = demo.copy.run("make demo-down").stdout
    assert "nothing stands in the embedded OCI" in printed
    path = demo.copy.path
    assert not list(path.glob("terraform.*"))
    for folder in (".demo", "definitions", ".tunestack"):
        assert not (path / folder).exists()
    with pytest.raises(urllib.error.URLError):
        demo.get("health")
    # Real deploys read the home folder's plugin cache: the stand-in must never be in it.
    assert not list(demo.copy.home.rglob("terraform-provider-oci*"))
    assert not list(demo.copy.home.rglob("8.28.0"))
    assert "nothing to take down" in demo.copy.run("make demo-down").stdout
