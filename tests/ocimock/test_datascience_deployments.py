"""Model deployments, their work requests, and what their endpoints answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import oci
import pytest
import requests

from ocimock import MockedTenancy, Settings, mock_oci
from tests.ocimock.support import client, pages, refused
from tests.ocimock.workbench import MARK, NS, SHAPE, Workbench, workbench

M = oci.data_science.models
NOWHERE = "ocid1.nothing.oc1.fra.nowhere"


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


@pytest.fixture
def slow() -> Iterator[Workbench]:
    """A tenancy in which a deployment takes a hundred seconds that only ``advance`` lets pass."""
    with mock_oci(Settings(deploy_seconds=100.0), pace=1.0) as mocked:
        yield workbench(mocked)


@pytest.fixture
def served(bench: Workbench) -> Any:
    return bench.deploy(bench.model().id)


def predictor(bench: Workbench, deployment: Any) -> Any:
    return client(
        bench.mocked,
        oci.model_deployment.ModelDeploymentClient,
        service_endpoint=deployment.model_deployment_url.rsplit("/", 1)[0],
    )


def work(bench: Workbench, answer: Any) -> Any:
    return bench.science.get_work_request(answer.headers["opc-work-request-id"]).data


def state(bench: Workbench, deployment: Any) -> str:
    return str(bench.science.get_model_deployment(deployment.id).data.lifecycle_state)


# --- coming up -----------------------------------------------------------------------------


def test_a_deployment_comes_up_with_its_work_request(slow: Workbench) -> None:
    model = slow.model()
    answer = slow.science.create_model_deployment(slow.deployment_details(model.id))
    assert (answer.status, answer.data.lifecycle_state) == (202, "CREATING")
    seen = []
    for seconds in (0, 30, 71):
        slow.mocked.advance(seconds)
        now = work(slow, answer)
        seen.append((now.status, state(slow, answer.data), now.time_finished is None))
        details = slow.science.get_model_deployment(answer.data.id).data.lifecycle_details
        assert MARK in details
    assert seen == [
        ("ACCEPTED", "CREATING", True),
        ("IN_PROGRESS", "CREATING", True),
        ("SUCCEEDED", "ACTIVE", False),
    ]
    done = work(slow, answer)
    touched = done.resources[0]
    assert (touched.entity_type, touched.action_type, touched.identifier) == (
        "model-deployment",
        "CREATED",
        answer.data.id,
    )
    assert done.percent_complete == 100.0
    logs = slow.science.list_work_request_logs(done.id).data
    assert [line.message.split()[-1] for line in logs] == ["accepted.", "progress.", "succeeded."]


def test_a_deployment_comes_back_as_it_was_sent(bench: Workbench) -> None:
    environment = M.OcirModelDeploymentEnvironmentConfigurationDetails(
        image="dsmc://odsc-vllm-serving:0.6.4",
        server_port=8080,
        health_check_port=8080,
        environment_variables={"BASE_MODEL": "merged"},
    )
    log = M.LogDetails(log_id=bench.log, log_group_id=bench.group)
    deployment = bench.deploy(
        bench.model().id,
        environment=environment,
        instance={"subnet_id": bench.subnet},
        category_log_details=M.CategoryLogDetails(access=log, predict=log),
    )
    details = deployment.model_deployment_configuration_details
    assert details.environment_configuration_details.image == "dsmc://odsc-vllm-serving:0.6.4"
    assert details.environment_configuration_details.environment_variables == {
        "BASE_MODEL": "merged"
    }
    configuration = details.model_configuration_details
    assert configuration.instance_configuration.subnet_id == bench.subnet
    assert configuration.scaling_policy.instance_count == 1
    assert configuration.bandwidth_mbps == 10
    assert deployment.category_log_details.access.log_id == bench.log
    assert deployment.model_deployment_url == (
        f"https://modeldeployment.eu-frankfurt-1.oci.customer-oci.com/{deployment.id}"
    )


def test_a_deployment_whose_name_asks_for_it_fails() -> None:
    with mock_oci(Settings(fail_runs=("doomed",))) as mocked:
        bench = workbench(mocked)
        details = bench.deployment_details(bench.model().id, display_name="doomed")
        answer = bench.science.create_model_deployment(details)
        done = work(bench, answer)
        assert done.status == "FAILED"
        assert MARK in bench.science.list_work_request_errors(done.id).data[0].message
        failed = bench.science.get_model_deployment(answer.data.id).data
        assert failed.lifecycle_state == "FAILED"
        assert MARK in failed.lifecycle_details


def test_a_deployment_fails_as_it_is_told_to() -> None:
    with mock_oci(Settings(fail_runs=("doomed: the web server did not start",))) as mocked:
        bench = workbench(mocked)
        details = bench.deployment_details(bench.model().id, display_name="doomed")
        answer = bench.science.create_model_deployment(details)
        failed = bench.science.get_model_deployment(answer.data.id).data
        assert failed.lifecycle_state == "FAILED"
        assert "(fail_runs): the web server did not start" in failed.lifecycle_details


def test_a_deployment_of_a_model_without_artifact_fails(bench: Workbench) -> None:
    model = bench.model(artifact=None)
    failed = bench.deploy(model.id)
    assert failed.lifecycle_state == "FAILED"
    assert "no artifact" in failed.lifecycle_details


def test_a_deployment_wants_the_objects_that_its_model_refers_to(bench: Workbench) -> None:
    version = bench.storage.put_object(NS, bench.bucket, "merged/a", b"1").headers["version-id"]
    place = {
        "namespace": NS,
        "bucketName": bench.bucket,
        "prefix": "merged/",
        "objects": [{"name": "merged/a", "version": version, "sizeInBytes": 1}],
    }
    body = json.dumps({"type": "modelOSSReferenceDescription", "models": [place]}).encode()
    model = bench.model(artifact=body)
    assert bench.deploy(model.id).lifecycle_state == "ACTIVE"
    bench.storage.delete_object(NS, bench.bucket, "merged/a", version_id=version)
    failed = bench.deploy(model.id)
    assert failed.lifecycle_state == "FAILED"
    assert "merged/a" in failed.lifecycle_details


def bad_log(group: str, log: str) -> dict[str, Any]:
    details = M.LogDetails(log_group_id=group, log_id=log)
    return {"category_log_details": M.CategoryLogDetails(access=details)}


@pytest.mark.parametrize(
    ("changes", "status", "code", "word"),
    [
        ({"project_id": NOWHERE}, 404, "NotAuthorizedOrNotFound", NOWHERE),
        ({"configuration": {"model_id": NOWHERE}}, 404, "NotAuthorizedOrNotFound", NOWHERE),
        ({"instance": {"subnet_id": NOWHERE}}, 404, "NotAuthorizedOrNotFound", NOWHERE),
        ({"instance": {"instance_shape_name": "VM.No"}}, 400, "InvalidParameter", "VM.No"),
        (
            {"configuration": {"scaling_policy": M.FixedSizeScalingPolicy(instance_count=0)}},
            400,
            "InvalidParameter",
            "instanceCount",
        ),
        (bad_log(NOWHERE, NOWHERE), 404, "NotAuthorizedOrNotFound", NOWHERE),
    ],
)
def test_a_deployment_that_cannot_be(
    bench: Workbench, changes: dict[str, Any], status: int, code: str, word: str
) -> None:
    with refused(status, code, word):
        bench.deploy(bench.model().id, **changes)
    assert bench.science.list_model_deployments(bench.compartment).data == []


def test_an_inactive_model_is_not_deployed(bench: Workbench) -> None:
    model = bench.model()
    bench.science.deactivate_model(model.id)
    with refused(409, "IncorrectState", model.id):
        bench.deploy(model.id)


def test_a_model_that_is_served_stays(bench: Workbench, served: Any) -> None:
    details = served.model_deployment_configuration_details
    model = details.model_configuration_details.model_id
    with refused(409, "Conflict", served.id):
        bench.science.delete_model(model)
    bench.science.delete_model_deployment(served.id)
    bench.science.delete_model(model)


def test_search_finds_the_deployments_of_a_model_as_ads_asks(bench: Workbench, served: Any) -> None:
    bench.deploy(bench.model().id)
    details = served.model_deployment_configuration_details
    model = details.model_configuration_details.model_id
    search = client(bench.mocked, oci.resource_search.ResourceSearchClient)
    query = f"query datasciencemodeldeployment resources where ModelId='{model}'"
    asked = oci.resource_search.models.StructuredSearchDetails(query=query)
    found = search.search_resources(asked).data.items
    assert [(item.identifier, item.lifecycle_state) for item in found] == [(served.id, "ACTIVE")]


# --- changing and going --------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_keeps_the_rest(bench: Workbench, served: Any) -> None:
    configuration = M.UpdateSingleModelDeploymentConfigurationDetails(
        deployment_type="SINGLE_MODEL",
        model_configuration_details=M.UpdateModelConfigurationDetails(
            model_id=bench.model(display_name="other").id,
            scaling_policy=M.FixedSizeScalingPolicy(instance_count=3),
        ),
    )
    update = M.UpdateModelDeploymentDetails(
        display_name="new", model_deployment_configuration_details=configuration
    )
    answer = bench.science.update_model_deployment(served.id, update)
    assert answer.status == 202
    assert work(bench, answer).status == "SUCCEEDED"
    after = bench.science.get_model_deployment(served.id).data
    details = after.model_deployment_configuration_details.model_configuration_details
    assert (after.display_name, after.lifecycle_state) == ("new", "ACTIVE")
    assert details.scaling_policy.instance_count == 3
    assert details.instance_configuration.instance_shape_name == SHAPE


def test_an_update_that_cannot_be_changes_nothing(bench: Workbench, served: Any) -> None:
    configuration = M.UpdateSingleModelDeploymentConfigurationDetails(
        deployment_type="SINGLE_MODEL",
        model_configuration_details=M.UpdateModelConfigurationDetails(model_id=NOWHERE),
    )
    update = M.UpdateModelDeploymentDetails(
        display_name="new", model_deployment_configuration_details=configuration
    )
    with refused(404, "NotAuthorizedOrNotFound", NOWHERE):
        bench.science.update_model_deployment(served.id, update)
    after = bench.science.get_model_deployment(served.id).data
    assert (after.display_name, after.lifecycle_state) == ("served", "ACTIVE")


def test_a_deployment_is_switched_off_and_on(bench: Workbench, served: Any) -> None:
    answer = bench.science.deactivate_model_deployment(served.id)
    assert work(bench, answer).status == "SUCCEEDED"
    assert state(bench, served) == "INACTIVE"
    with refused(409, "IncorrectState", "INACTIVE"):
        bench.science.deactivate_model_deployment(served.id)
    # What is switched off stays so when it is updated.
    bench.science.update_model_deployment(
        served.id, M.UpdateModelDeploymentDetails(display_name="new")
    )
    assert state(bench, served) == "INACTIVE"
    bench.science.activate_model_deployment(served.id)
    assert state(bench, served) == "ACTIVE"


def test_a_deployment_is_deleted_and_gone(bench: Workbench, served: Any) -> None:
    answer = bench.science.delete_model_deployment(served.id)
    assert work(bench, answer).resources[0].action_type == "DELETED"
    assert state(bench, served) == "DELETED"
    assert bench.science.list_model_deployments(bench.compartment).data == []
    assert requests.post(f"{served.model_deployment_url}/predict", timeout=5).status_code == 404


def test_a_deployment_that_comes_up_stays(slow: Workbench) -> None:
    coming = slow.deploy(slow.model().id)
    with refused(409, "IncorrectState", "CREATING"):
        slow.science.delete_model_deployment(coming.id)


def test_deployments_come_in_pages(bench: Workbench) -> None:
    model = bench.model().id
    made = [bench.deploy(model).id for _ in range(3)]
    found = pages(bench.science.list_model_deployments, bench.compartment, limit=2)
    assert [[item.id for item in page] for page in found] == [made[:0:-1], made[:1]]


# --- predict -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kind", "text"),
    [
        ({"prompt": "hello", "model": "m"}, "text_completion", lambda choice: choice["text"]),
        (
            {"messages": [{"role": "user", "content": "hello"}], "model": "m"},
            "chat.completion",
            lambda choice: choice["message"]["content"],
        ),
    ],
)
def test_an_answer_has_vllms_form_and_says_that_it_is_simulated(
    bench: Workbench, served: Any, asked: dict[str, Any], kind: str, text: Any
) -> None:
    answer = requests.post(f"{served.model_deployment_url}/predict", json=asked, timeout=5)
    body = answer.json()
    assert (answer.status_code, body["object"], body["model"]) == (200, kind, "m")
    assert body["simulated"] is True
    assert MARK in text(body["choices"][0])
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_sdks_client_predicts(bench: Workbench, served: Any) -> None:
    answer = predictor(bench, served).predict(served.id, request_body={"prompt": "hello"})
    assert MARK in str(answer.data)


def test_a_stream_ends_with_done(bench: Workbench, served: Any) -> None:
    answer = predictor(bench, served).predict_with_response_stream(
        served.id, request_body={"prompt": "hello"}
    )
    events = [event.data for event in answer.data.events()]
    assert events[-1] == "[DONE]"
    assert json.loads(events[0])["simulated"] is True


def test_a_container_has_the_further_endpoints_that_it_declares(bench: Workbench) -> None:
    environment = M.OcirModelDeploymentEnvironmentConfigurationDetails(
        image="dsmc://odsc-vllm-serving:0.6.4",
        custom_http_endpoints=[
            M.InferenceHttpEndpoint(
                endpoint_uri_suffix="/v1/chat/completions", http_methods=["POST"]
            )
        ],
    )
    served = bench.deploy(bench.model().id, environment=environment)
    url = f"{served.model_deployment_url}/predict"
    asked = {"messages": [{"role": "user", "content": "hello"}]}
    found = requests.post(f"{url}/v1/chat/completions", json=asked, timeout=5)
    assert found.json()["object"] == "chat.completion"
    assert requests.post(f"{url}/v1/other", json=asked, timeout=5).status_code == 404


@pytest.mark.parametrize(("off", "status"), [(False, 503), (True, 409)])
def test_only_what_is_active_answers(slow: Workbench, off: bool, status: int) -> None:
    served = slow.deploy(slow.model().id)
    if off:
        slow.mocked.advance(101)
        assert state(slow, served) == "ACTIVE"
        slow.science.deactivate_model_deployment(served.id)
        slow.mocked.advance(101)
    answer = requests.post(f"{served.model_deployment_url}/predict", json={}, timeout=5)
    assert answer.status_code == status
    assert served.id in answer.json()["message"]


def test_a_deployment_serves_while_it_is_updated(slow: Workbench) -> None:
    served = slow.deploy(slow.model().id)
    slow.mocked.advance(101)
    assert state(slow, served) == "ACTIVE"
    slow.science.update_model_deployment(
        served.id, M.UpdateModelDeploymentDetails(display_name="new")
    )
    assert state(slow, served) == "UPDATING"
    answer = requests.post(f"{served.model_deployment_url}/predict", json={}, timeout=5)
    assert answer.status_code == 200


def test_a_body_is_at_most_ten_megabytes(served: Any) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)
    answer = requests.post(f"{served.model_deployment_url}/predict", data=body, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (413, "PayloadTooLarge")


def test_a_call_is_logged_without_its_prompt(bench: Workbench) -> None:
    log = M.LogDetails(log_id=bench.log, log_group_id=bench.group)
    served = bench.deploy(
        bench.model().id, category_log_details=M.CategoryLogDetails(access=log, predict=log)
    )
    requests.post(f"{served.model_deployment_url}/predict", json={"prompt": "sesame"}, timeout=5)
    lines = bench.lines(served.id)
    assert len(lines) == 2
    assert all("/predict" in line and MARK in line for line in lines)
    assert not any("sesame" in line for line in lines)
