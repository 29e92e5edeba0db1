"""Model groups and private endpoints."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import SHAPE, Workbench, workbench

M = oci.data_science.models


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


def group_details(bench: Workbench, *members: tuple[str, str | None], **changes: Any) -> Any:
    entries = [M.MemberModelDetails(model_id=model, inference_key=key) for model, key in members]
    fields = {
        "compartment_id": bench.compartment,
        "project_id": bench.project,
        "display_name": "group",
        "model_group_details": M.HomogeneousModelGroupDetails(),
        "member_model_entries": M.MemberModelEntries(member_model_details=entries),
        **changes,
    }
    return M.CreateModelGroupDetails(**fields)


def work(bench: Workbench, response: Any) -> Any:
    identifier = response.headers["opc-work-request-id"]
    return bench.science.get_work_request(identifier).data


def test_a_model_group_is_created_listed_switched_deleted(bench: Workbench) -> None:
    first, second = bench.model().id, bench.model(display_name="other").id
    made = bench.science.create_model_group(group_details(bench, (first, "a"), (second, None)))
    assert made.data.lifecycle_state == "CREATING"
    assert made.data.id.split(".")[1] == "datasciencemodelgroup"
    done = work(bench, made)
    assert (done.operation_type, done.status) == ("MODEL_GROUP_CREATE", "SUCCEEDED")
    group = made.data.id
    assert bench.science.get_model_group(group).data.lifecycle_state == "ACTIVE"
    listed = bench.science.list_model_groups(bench.compartment, project_id=bench.project).data
    assert [item.id for item in listed] == [group]

    models = bench.science.list_model_group_models(group, bench.compartment, sort_order="ASC").data
    assert [(m.model_id, m.inference_key) for m in models] == [(first, "a"), (second, None)]
    find = {"display_name": "other"}
    (found,) = bench.science.list_model_group_models(group, bench.compartment, **find).data
    assert found.id == second
    with refused(409, "Conflict", group):
        bench.science.delete_model(first)

    assert bench.science.deactivate_model_group(group).data.lifecycle_state == "INACTIVE"
    with refused(409, "IncorrectState"):
        bench.science.deactivate_model_group(group)
    assert bench.science.activate_model_group(group).data.lifecycle_state == "ACTIVE"
    assert work(bench, bench.science.delete_model_group(group)).status == "SUCCEEDED"
    assert bench.science.get_model_group(group).data.lifecycle_state == "DELETED"
    bench.science.delete_model(first)


def test_a_model_group_has_an_artifact(bench: Workbench) -> None:
    details = group_details(bench, (bench.model().id, None))
    group = bench.science.create_model_group(details).data.id
    bench.science.create_model_group_artifact(
        group, b"PK group", content_disposition="attachment; filename=group.zip"
    )
    head = bench.science.head_model_group_artifact(group).headers
    assert head["content-disposition"].endswith("group.zip")
    assert bench.science.get_model_group_artifact_content(group).data.content == b"PK group"


def test_wrong_members_are_named(bench: Workbench) -> None:
    model, other = bench.model().id, bench.model().id
    make = bench.science.create_model_group
    with refused(400, "InvalidParameter", "at least one"):
        make(group_details(bench))
    with refused(400, "InvalidParameter", "modelId"):
        make(group_details(bench, (model, None), (model, None)))
    with refused(400, "InvalidParameter", "inferenceKey"):
        make(group_details(bench, (model, "a"), (other, "a")))
    with refused(400, "InvalidParameter", "baseModelId"):
        stacked = M.StackedModelGroupDetails(base_model_id=other)
        make(group_details(bench, (model, None), model_group_details=stacked))
    bench.science.deactivate_model(model)
    with refused(409, "IncorrectState", model):
        make(group_details(bench, (model, None)))


def endpoint(bench: Workbench, type_: str = "NOTEBOOK_SESSION", **changes: Any) -> Any:
    fields = {
        "compartment_id": bench.compartment,
        "display_name": "door",
        "subnet_id": bench.subnet,
        "data_science_resource_type": type_,
        **changes,
    }
    details = M.CreateDataSciencePrivateEndpointDetails(**fields)
    return bench.science.create_data_science_private_endpoint(details)


def test_a_private_endpoint_comes_changes_and_goes(bench: Workbench) -> None:
    made = endpoint(bench, sub_domain="team")
    assert made.data.fqdn.startswith("team.")
    assert work(bench, made).operation_type == "PRIVATE_ENDPOINT_CREATE"
    door = made.data.id
    api = bench.science
    assert api.get_data_science_private_endpoint(door).data.lifecycle_state == "ACTIVE"
    details = M.UpdateDataSciencePrivateEndpointDetails(display_name="gate")
    changed = work(bench, api.update_data_science_private_endpoint(door, details))
    assert changed.status == "SUCCEEDED"
    found = api.list_data_science_private_endpoints(bench.compartment, display_name="gate").data
    assert [(item.id, item.lifecycle_state) for item in found] == [(door, "ACTIVE")]

    network = client(bench.mocked, oci.core.VirtualNetworkClient)
    with refused(409, "Conflict", door):
        network.delete_subnet(bench.subnet)
    assert work(bench, api.delete_data_science_private_endpoint(door)).status == "SUCCEEDED"
    network.delete_subnet(bench.subnet)


def test_a_private_endpoint_is_for_one_type_and_in_use(bench: Workbench) -> None:
    right, wrong = endpoint(bench).data.id, endpoint(bench, "MODEL_DEPLOYMENT").data.id

    def session(door: str) -> Any:
        config = M.NotebookSessionConfigDetails(
            shape=SHAPE, subnet_id=bench.subnet, private_endpoint_id=door
        )
        return bench.science.create_notebook_session(
            M.CreateNotebookSessionDetails(
                project_id=bench.project,
                compartment_id=bench.compartment,
                notebook_session_config_details=config,
            )
        ).data

    with refused(400, "InvalidParameter", "privateEndpointId", "MODEL_DEPLOYMENT"):
        session(wrong)
    made = session(right)
    with refused(409, "Conflict", made.id):
        bench.science.delete_data_science_private_endpoint(right)


@pytest.mark.parametrize("label", ["Team", "1a", "a-", "a" * 41])
def test_a_sub_domain_is_a_label(bench: Workbench, label: str) -> None:
    with refused(400, "InvalidParameter", "subDomain", label):
        endpoint(bench, sub_domain=label)


def test_the_deletion_of_a_project_is_a_work_request(bench: Workbench) -> None:
    details = M.CreateProjectDetails(compartment_id=bench.compartment, display_name="empty")
    project = bench.science.create_project(details).data.id
    done = work(bench, bench.science.delete_project(project))
    assert (done.operation_type, done.status) == ("PROJECT_DELETE", "SUCCEEDED")
    assert (done.resources[0].identifier, done.resources[0].action_type) == (project, "DELETED")
