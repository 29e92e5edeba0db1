"""Jobs and their simulated runs, on a clock that the tests own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy, Settings, mock_oci
from tests.ocimock.support import client, pages, refused
from tests.ocimock.workbench import MARK, NS, SHAPE, Workbench, make_log, workbench

M = oci.data_science.models


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


@pytest.fixture
def slow() -> Iterator[Workbench]:
    """A tenancy in which a run takes a thousand seconds that only ``advance`` lets pass."""
    with mock_oci(Settings(run_seconds=1000.0), pace=1.0) as mocked:
        yield workbench(mocked)


def state(bench: Workbench, run: Any) -> str:
    return str(bench.science.get_job_run(run.id).data.lifecycle_state)


def test_some_runs_take_another_time() -> None:
    """By a word of the job's name, in any case; the first that fits counts."""
    settings = Settings(run_seconds=1000.0, run_times=("TRAIN: 60", "job: 2000"))
    with mock_oci(settings, pace=1.0) as mocked:
        bench = workbench(mocked)
        runs = [bench.run(bench.job(display_name=name)) for name in ("train a", "job b", "c")]
        ended = []
        for seconds in (61, 940, 1000):
            mocked.advance(seconds)
            ended.append([state(bench, run) == "SUCCEEDED" for run in runs])
        assert ended == [[True, False, False], [True, False, True], [True, True, True]]


# --- jobs ----------------------------------------------------------------------------------


def test_a_job_is_created_listed_updated_deleted_and_gone(bench: Workbench) -> None:
    job = bench.job()
    assert job.lifecycle_state == "ACTIVE"
    update = M.UpdateJobDetails(
        display_name="new",
        job_infrastructure_configuration_details=bench.infrastructure(shape_name="BM.GPU.A10.4"),
    )
    bench.science.update_job(job.id, update)
    listed = bench.science.list_jobs(bench.compartment, project_id=bench.project).data
    assert [(found.id, found.display_name) for found in listed] == [(job.id, "new")]
    after = bench.science.get_job(job.id).data.job_infrastructure_configuration_details
    assert (after.shape_name, after.subnet_id) == ("BM.GPU.A10.4", bench.subnet)
    bench.science.delete_job(job.id)
    assert bench.science.get_job(job.id).data.lifecycle_state == "DELETED"
    assert bench.science.list_jobs(bench.compartment).data == []
    assert bench.mocked.bodies() == 0


def test_a_job_of_nodes_comes_back_as_it_was_sent(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    nodes = job.job_node_configuration_details
    group = nodes.job_node_group_configuration_details_list[0]
    assert (nodes.startup_order, group.replicas, group.name) == ("IN_PARALLEL", 6, "node-group")
    assert group.job_infrastructure_configuration_details.shape_name == SHAPE
    assert job.job_infrastructure_configuration_details.job_infrastructure_type == "EMPTY"
    assert nodes.job_network_configuration.subnet_id == bench.subnet


NOWHERE = "ocid1.nothing.oc1.fra.nowhere"


def bad_log(**changes: Any) -> Any:
    return {"job_log_configuration_details": M.JobLogConfigurationDetails(**changes)}


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"project_id": NOWHERE}, 404, "NotAuthorizedOrNotFound", NOWHERE),
        ({"compartment_id": NOWHERE}, 404, "NotAuthorizedOrNotFound", NOWHERE),
        (
            {"job_infrastructure_configuration_details": {"subnet_id": NOWHERE}},
            404,
            "NotAuthorizedOrNotFound",
            NOWHERE,
        ),
        (
            {"job_infrastructure_configuration_details": {"shape_name": "VM.GPU.A99.2"}},
            400,
            "InvalidParameter",
            "shapeName",
        ),
        (
            {"job_infrastructure_configuration_details": {"block_storage_size_in_gbs": 49}},
            400,
            "InvalidParameter",
            "blockStorageSizeInGBs",
        ),
        ({"job_configuration_details": None}, 400, "MissingParameter", "jobConfigurationDetails"),
        (bad_log(enable_logging=True), 400, "MissingParameter", "logGroupId"),
        (bad_log(enable_logging=True, log_group_id="GROUP"), 400, "MissingParameter", "logId"),
        (
            bad_log(enable_logging=True, log_group_id=NOWHERE, log_id="LOG"),
            404,
            "NotAuthorizedOrNotFound",
            NOWHERE,
        ),
        (
            bad_log(enable_logging=True, log_group_id="GROUP", log_id=NOWHERE),
            404,
            "NotAuthorizedOrNotFound",
            NOWHERE,
        ),
        (
            bad_log(enable_logging=True, log_group_id="OTHER", log_id="LOG"),
            400,
            "InvalidParameter",
            "not in log group",
        ),
        (
            bad_log(
                enable_logging=True,
                enable_auto_log_creation=True,
                log_group_id="GROUP",
                log_id="LOG",
            ),
            400,
            "InvalidParameter",
            "logId",
        ),
    ],
)
def test_a_job_that_cannot_be(
    bench: Workbench, changes: dict[str, Any], status: int, code: str, word: str
) -> None:
    infrastructure = "job_infrastructure_configuration_details"
    if infrastructure in changes:
        changes = {infrastructure: bench.infrastructure(**changes[infrastructure])}
    if log := changes.get("job_log_configuration_details"):
        other, _ = make_log(bench.mocked, "other")
        names = {"GROUP": bench.group, "LOG": bench.log, "OTHER": other}
        log.log_group_id = names.get(log.log_group_id, log.log_group_id)
        log.log_id = names.get(log.log_id, log.log_id)
    with refused(status, code, word):
        bench.job(**changes)
    assert bench.science.list_jobs(bench.compartment).data == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"replicas": 0}, "replicas"),
        ({"replicas": -1}, "replicas"),
        ({"minimum_success_replicas": 7}, "minimumSuccessReplicas"),
        (
            {
                "job_infrastructure_configuration_details": (
                    M.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                        shape_name=SHAPE, block_storage_size_in_gbs=50
                    )
                )
            },
            "ME_STANDALONE",
        ),
    ],
)
def test_a_group_of_nodes_that_cannot_be(
    bench: Workbench, changes: dict[str, Any], word: str
) -> None:
    with refused(400, "InvalidParameter", word):
        bench.science.create_job(bench.nodes_details(**{"replicas": 6, **changes}))


def test_a_job_of_nodes_says_what_it_runs_on_by_group(bench: Workbench) -> None:
    details = bench.nodes_details()
    details.job_infrastructure_configuration_details = bench.infrastructure()
    with refused(400, "InvalidParameter", "jobInfrastructureConfigurationDetails"):
        bench.science.create_job(details)


def test_a_run_changes_only_groups_that_its_job_has(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details()).data
    group = M.JobNodeGroupConfigurationDetails(name="other-group")
    override = M.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[group]
    )
    with refused(400, "InvalidParameter", "other-group", "node-group"):
        bench.run(job, job_node_configuration_override_details=override)


def test_two_mounts_want_two_directories(bench: Workbench) -> None:
    mount = M.ObjectStorageMountConfigurationDetails(
        namespace=NS, bucket=bench.bucket, destination_directory_name="out"
    )
    with refused(400, "InvalidParameter", "out"):
        bench.job(job_storage_mount_configuration_details_list=[mount, mount])


def test_an_artifact_comes_back_once_uploaded(bench: Workbench) -> None:
    job = bench.job(artifact=b"0123456789")
    head = bench.science.head_job_artifact(job.id).headers
    assert head["content-disposition"] == "attachment; filename=code.zip"
    assert head["content-length"] == "10"
    assert bench.science.get_job_artifact_content(job.id).data.content == b"0123456789"
    part = bench.science.get_job_artifact_content(job.id, range="bytes=2-3")
    assert (part.status, part.data.content) == (206, b"23")
    with refused(409, "IncorrectState", job.id):
        bench.science.create_job_artifact(job.id, b"another")


def test_a_job_without_artifact_has_none(bench: Workbench) -> None:
    job = bench.job(artifact=None)
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        bench.science.head_job_artifact(job.id)
    assert caught.value.status == 404


def test_a_job_with_runs_stays_unless_they_may_go_too(bench: Workbench) -> None:
    job = bench.job()
    run = bench.run(job)
    assert state(bench, run) == "SUCCEEDED"
    with refused(409, "Conflict", run.id):
        bench.science.delete_job(job.id)
    bench.science.delete_job(job.id, delete_related_job_runs=True)
    assert state(bench, run) == "DELETED"
    assert bench.science.list_job_runs(bench.compartment).data == []


def test_a_job_with_a_running_run_stays(slow: Workbench) -> None:
    job = slow.job()
    slow.run(job)
    with refused(409, "Conflict", "ACCEPTED"):
        slow.science.delete_job(job.id, delete_related_job_runs=True)


# --- runs ----------------------------------------------------------------------------------


def test_a_run_passes_through_its_states_in_its_time(slow: Workbench) -> None:
    run = slow.run(slow.job())
    seen = []
    for seconds in (0, 200, 200, 400, 201):
        slow.mocked.advance(seconds)
        now = slow.science.get_job_run(run.id).data
        assert MARK in now.lifecycle_details
        seen.append((now.lifecycle_state, now.time_started is None, now.time_finished is None))
    assert seen == [
        ("ACCEPTED", True, True),
        ("IN_PROGRESS", False, True),
        ("IN_PROGRESS", False, True),
        ("IN_PROGRESS", False, True),
        ("SUCCEEDED", False, False),
    ]


def test_a_run_lasts_its_time_however_late_one_looks(slow: Workbench) -> None:
    run = slow.run(slow.job())
    slow.mocked.advance(5000)
    done = slow.science.get_job_run(run.id).data
    assert (done.time_started - done.time_accepted).total_seconds() == pytest.approx(150, abs=2)
    assert (done.time_finished - done.time_accepted).total_seconds() == pytest.approx(1000, abs=2)


def test_a_run_of_one_node_says_in_the_log_that_it_is_simulated(bench: Workbench) -> None:
    run = bench.run(bench.job())
    assert state(bench, run) == "SUCCEEDED"
    lines = bench.lines(run.id)
    assert len(lines) == 4
    assert all(MARK in line for line in lines)
    assert any("train.py" in line for line in lines)


def test_lines_are_spread_over_the_run(slow: Workbench) -> None:
    run = slow.run(slow.job())
    counts = []
    for _ in range(5):
        counts.append(len(slow.lines(run.id)))
        slow.mocked.advance(250)
        slow.science.get_job_run(run.id)
    assert counts == [0, 1, 2, 3, 4]


def test_each_node_of_a_run_writes_its_lines(bench: Workbench) -> None:
    job = bench.science.create_job(bench.nodes_details(6)).data
    bench.science.create_job_artifact(job.id, b"artifact")
    run = bench.run(job)
    assert [group.name for group in run.node_group_details_list] == ["node-group"]
    assert state(bench, run) == "SUCCEEDED"
    for number in range(6):
        mine = [line for line in bench.lines(run.id) if f"[node {number} of node-group]" in line]
        assert len(mine) == 4


def test_values_of_the_environment_are_not_in_the_log(bench: Workbench) -> None:
    configuration = M.DefaultJobConfigurationDetails(environment_variables={"HF_TOKEN": "hf_abc"})
    run = bench.run(bench.job(job_configuration_details=configuration))
    assert state(bench, run) == "SUCCEEDED"
    assert not any("hf_abc" in line for line in bench.lines())


def test_a_run_gets_a_log_of_its_own_if_asked(bench: Workbench) -> None:
    log = M.JobLogConfigurationDetails(
        enable_logging=True, enable_auto_log_creation=True, log_group_id=bench.group
    )
    run = bench.run(bench.job(job_log_configuration_details=log))
    assert run.log_details.log_group_id == bench.group
    logging = client(bench.mocked, oci.logging.LoggingManagementClient)
    assert logging.get_log(bench.group, run.log_details.log_id).data.display_name == run.id


def test_a_run_takes_over_what_its_job_has(bench: Workbench) -> None:
    mount = M.ObjectStorageMountConfigurationDetails(
        namespace=NS, bucket=bench.bucket, prefix="out", destination_directory_name="outputs"
    )
    run = bench.run(bench.job(job_storage_mount_configuration_details_list=[mount]))
    assert run.log_details.log_id == bench.log
    assert run.job_infrastructure_configuration_details.shape_name == SHAPE
    mounted = run.job_storage_mount_configuration_details_list[0]
    assert (mounted.bucket, mounted.destination_directory_name) == (bench.bucket, "outputs")


def test_a_run_whose_job_is_named_so_fails() -> None:
    with mock_oci(Settings(fail_runs=("doomed",))) as mocked:
        bench = workbench(mocked)
        run = bench.run(bench.job(display_name="A Doomed run"))
        failed = bench.science.get_job_run(run.id).data
        assert failed.lifecycle_state == "FAILED"
        assert "exit code 1" in failed.lifecycle_details
        assert MARK in failed.lifecycle_details
        assert state(bench, bench.run(bench.job(display_name="a good one"))) == "SUCCEEDED"


def test_a_run_fails_as_it_is_told_to() -> None:
    asked = "doomed: exit code 137: node 1 was killed"
    with mock_oci(Settings(fail_runs=("other", asked))) as mocked:
        bench = workbench(mocked)
        run = bench.run(bench.job(display_name="A Doomed run"))
        failed = bench.science.get_job_run(run.id).data
        assert failed.lifecycle_state == "FAILED"
        assert failed.lifecycle_details.startswith(
            f"Job run artifact execution failed with exit code 137: node 1 was killed ({MARK}"
        )


def test_a_run_without_artifact_fails(bench: Workbench) -> None:
    run = bench.run(bench.job(artifact=None))
    failed = bench.science.get_job_run(run.id).data
    assert failed.lifecycle_state == "FAILED"
    assert "no artifact" in failed.lifecycle_details
    assert MARK in failed.lifecycle_details


def test_a_container_needs_no_artifact(bench: Workbench) -> None:
    container = M.OcirContainerJobEnvironmentConfigurationDetails(image="fra.ocir.io/ns/image:1")
    job = bench.job(artifact=None, job_environment_configuration_details=container)
    assert state(bench, bench.run(job)) == "SUCCEEDED"


def test_a_run_that_cannot_mount_its_bucket_fails(bench: Workbench) -> None:
    mount = M.ObjectStorageMountConfigurationDetails(
        namespace=NS, bucket="no-such-bucket", destination_directory_name="out"
    )
    run = bench.run(bench.job(job_storage_mount_configuration_details_list=[mount]))
    failed = bench.science.get_job_run(run.id).data
    assert failed.lifecycle_state == "FAILED"
    assert "no-such-bucket" in failed.lifecycle_details


@pytest.mark.parametrize("seconds", [0, 500])
def test_a_run_is_canceled(slow: Workbench, seconds: float) -> None:
    run = slow.run(slow.job())
    slow.mocked.advance(seconds)
    slow.science.cancel_job_run(run.id)
    assert state(slow, run) == "CANCELING"
    slow.mocked.advance(1)
    assert state(slow, run) == "CANCELED"
    slow.mocked.advance(5000)
    canceled = slow.science.get_job_run(run.id).data
    assert canceled.lifecycle_state == "CANCELED"
    assert MARK in canceled.lifecycle_details
    with refused(409, "IncorrectState", "CANCELED"):
        slow.science.cancel_job_run(run.id)


def test_a_run_is_renamed_listed_deleted_and_gone(bench: Workbench) -> None:
    job = bench.job()
    run = bench.run(job)
    bench.science.update_job_run(run.id, M.UpdateJobRunDetails(display_name="new"))
    listed = bench.science.list_job_runs(bench.compartment, job_id=job.id).data
    assert [(found.id, found.display_name) for found in listed] == [(run.id, "new")]
    assert bench.science.list_job_runs(bench.compartment, job_id=NOWHERE).data == []
    bench.science.delete_job_run(run.id)
    assert state(bench, run) == "DELETED"
    assert bench.science.list_job_runs(bench.compartment, job_id=job.id).data == []


def test_a_running_run_stays(slow: Workbench) -> None:
    run = slow.run(slow.job())
    with refused(409, "IncorrectState", "ACCEPTED"):
        slow.science.delete_job_run(run.id)


def test_a_run_needs_a_job_that_stands(bench: Workbench) -> None:
    job = bench.job()
    bench.science.delete_job(job.id)
    with refused(404, "NotAuthorizedOrNotFound", job.id):
        bench.run(job)


def test_runs_come_in_pages(bench: Workbench) -> None:
    job = bench.job()
    runs = [bench.run(job).id for _ in range(3)]
    found = pages(bench.science.list_job_runs, bench.compartment, limit=2)
    assert [[item.id for item in page] for page in found] == [[runs[2], runs[1]], [runs[0]]]


def test_job_runs_are_listed_in_the_order_in_which_they_came(bench: Workbench) -> None:
    """Though what a list shows of them has no timeCreated."""
    job = bench.job()
    runs = [bench.run(job).id for _ in range(3)]
    rising = bench.science.list_job_runs(
        bench.compartment, sort_by="timeCreated", sort_order="ASC"
    ).data
    assert [run.id for run in rising] == runs
    assert [run.id for run in bench.science.list_job_runs(bench.compartment).data] == runs[::-1]
