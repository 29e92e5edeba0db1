"""Projects, notebook sessions and shapes."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import pages, refused
from tests.ocimock.workbench import SHAPE, Workbench, workbench

M = oci.data_science.models


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


def project(bench: Workbench, name: str = "p") -> Any:
    details = M.CreateProjectDetails(compartment_id=bench.compartment, display_name=name)
    return bench.science.create_project(details).data


def notebook(bench: Workbench, **changes: Any) -> Any:
    fields = {"shape": SHAPE, "block_storage_size_in_gbs": 100, "subnet_id": bench.subnet}
    details = M.CreateNotebookSessionDetails(
        project_id=bench.project,
        compartment_id=bench.compartment,
        display_name="notebook",
        notebook_session_config_details=M.NotebookSessionConfigDetails(**{**fields, **changes}),
    )
    return bench.science.create_notebook_session(details).data


def test_a_project_is_created_listed_updated_deleted_and_gone(bench: Workbench) -> None:
    made = project(bench)
    assert (made.lifecycle_state, made.system_tags) == ("ACTIVE", {})
    update = M.UpdateProjectDetails(display_name="q", freeform_tags={"a": "1"})
    bench.science.update_project(made.id, update)
    listed = bench.science.list_projects(bench.compartment, display_name="q").data
    assert [(found.id, found.freeform_tags) for found in listed] == [(made.id, {"a": "1"})]
    bench.science.delete_project(made.id)
    assert bench.science.get_project(made.id).data.lifecycle_state == "DELETED"
    assert bench.science.list_projects(bench.compartment, display_name="q").data == []
    with refused(404, "NotAuthorizedOrNotFound", "deleted"):
        bench.science.delete_project(made.id)


def test_projects_come_in_pages_newest_first(bench: Workbench) -> None:
    for name in ("a", "b", "c"):
        project(bench, name)
    found = pages(bench.science.list_projects, bench.compartment, limit=3)
    assert [[item.display_name for item in page] for page in found] == [
        ["c", "b", "a"],
        ["project"],
    ]


@pytest.mark.parametrize("make", ["job", "model", "notebook"])
def test_a_project_in_use_stays(bench: Workbench, make: str) -> None:
    made = notebook(bench) if make == "notebook" else getattr(bench, make)()
    with refused(409, "Conflict", made.id):
        bench.science.delete_project(bench.project)


def test_a_notebook_session_goes_through_its_states(bench: Workbench) -> None:
    made = notebook(bench)
    assert made.lifecycle_state == "CREATING"
    assert made.notebook_session_url.endswith(".notebook.eu-frankfurt-1.oci.oraclecloud.com")
    science = bench.science
    assert science.get_notebook_session(made.id).data.lifecycle_state == "ACTIVE"
    science.deactivate_notebook_session(made.id)
    assert science.get_notebook_session(made.id).data.lifecycle_state == "INACTIVE"
    details = M.NotebookSessionConfigurationDetails(
        shape="VM.GPU.A10.1", block_storage_size_in_gbs=200, subnet_id=bench.subnet
    )
    update = M.UpdateNotebookSessionDetails(notebook_session_configuration_details=details)
    science.update_notebook_session(made.id, update)
    science.activate_notebook_session(made.id)
    after = science.get_notebook_session(made.id).data
    assert after.lifecycle_state == "ACTIVE"
    assert after.notebook_session_config_details.shape == "VM.GPU.A10.1"
    science.delete_notebook_session(made.id)
    assert science.get_notebook_session(made.id).data.lifecycle_state == "DELETED"


def test_a_running_notebook_session_keeps_its_shape(bench: Workbench) -> None:
    made = notebook(bench)
    bench.science.get_notebook_session(made.id)
    details = M.NotebookSessionConfigurationDetails(shape="VM.GPU.A10.1", subnet_id=bench.subnet)
    update = M.UpdateNotebookSessionDetails(notebook_session_configuration_details=details)
    with refused(409, "IncorrectState", "INACTIVE"):
        bench.science.update_notebook_session(made.id, update)
    kept = bench.science.get_notebook_session(made.id).data
    assert kept.notebook_session_config_details.shape == SHAPE


def test_a_notebook_session_tells_its_work_request(bench: Workbench) -> None:
    made = notebook(bench)
    work = bench.science.list_work_requests(bench.compartment).data[0]
    found = bench.science.get_work_request(work.id).data
    assert (found.operation_type, found.status) == ("NOTEBOOK_SESSION_CREATE", "SUCCEEDED")
    assert found.time_finished is not None
    assert [(item.identifier, item.action_type) for item in found.resources] == [
        (made.id, "CREATED")
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"shape": "VM.GPU.A99.1"}, 400, "InvalidParameter", "VM.GPU.A99.1"),
        ({"block_storage_size_in_gbs": 10}, 400, "InvalidParameter", "blockStorageSizeInGBs"),
        ({"subnet_id": "ocid1.subnet.oc1.fra.no"}, 404, "NotAuthorizedOrNotFound", "subnet"),
    ],
)
def test_a_notebook_session_that_cannot_be(
    bench: Workbench, changes: dict[str, Any], status: int, code: str, word: str
) -> None:
    with refused(status, code, word):
        notebook(bench, **changes)
    assert bench.science.list_notebook_sessions(bench.compartment).data == []


@pytest.mark.parametrize(
    "operation",
    ["list_notebook_session_shapes", "list_job_shapes", "list_model_deployment_shapes"],
)
def test_the_shapes_have_the_gpu_ones(bench: Workbench, operation: str) -> None:
    found = getattr(bench.science, operation)(bench.compartment).data
    shapes = {shape.name: shape for shape in found}
    assert {"VM.GPU.A10.2", "BM.GPU4.8", "BM.GPU.H100.8"} <= set(shapes)
    assert (shapes[SHAPE].core_count, shapes[SHAPE].memory_in_gbs) == (30, 480)


def test_work_requests_are_found_by_what_they_are(bench: Workbench) -> None:
    first, second = notebook(bench), notebook(bench)
    find = bench.science.list_work_requests
    works = find(bench.compartment, sort_order="ASC").data
    assert [work.id for work in works] == [w.id for w in find(bench.compartment).data[::-1]]
    assert [w.id for w in find(bench.compartment, id=works[0].id).data] == [works[0].id]
    assert [w.id for w in find(bench.compartment, resource_id=second.id).data] == [works[1].id]
    assert len(find(bench.compartment, operation_type="NOTEBOOK_SESSION_CREATE").data) == 2
    assert find(bench.compartment, status="FAILED").data == []
    assert find(bench.compartment, resource_id=first.project_id).data == []
    bench.science.delete_notebook_session(first.id)
    kinds = [w.operation_type for w in find(bench.compartment, sort_by="operationType").data]
    assert kinds == ["NOTEBOOK_SESSION_CREATE"] * 2 + ["NOTEBOOK_SESSION_DELETE"]


def test_the_containers_that_oracle_keeps(bench: Workbench) -> None:
    found = bench.science.list_containers().data
    assert {each.container_name for each in found} == {"odsc-vllm-serving"}
    assert [each.tag for each in found if each.is_latest] == ["0.11.0"]
    assert [each.tag for each in bench.science.list_containers(tag_query_param="0.7.4.1").data] == [
        "0.7.4.1"
    ]
    assert bench.science.list_containers(target_workload="JOB_RUN").data == []
    assert len(bench.science.list_containers(is_latest=True).data) == 1
