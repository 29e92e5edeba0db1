"""Deployments that really run: a server behind ``/predict``, which is no model in these tests."""

from __future__ import annotations

import json
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oci
import pytest
import requests

from ocimock import ServedCloud
from ocimock.server.announcement import ServerFile
from tests.ocimock.executing import RAN, executing_server, zipped
from tests.ocimock.support import client
from tests.ocimock.workbench import NS, M, Workbench, workbench
from tests.servers import running_server

_IMAGE = Path(__file__).parent / "image" / "server.py"
_PATIENCE = 60.0
# Every test runs where nodes are kept apart as well as this machine can, these also where they are
# plain processes.
in_both = pytest.mark.parametrize("server", ["auto", "none"], indirect=True)
_SECRET = "planted-in-the-environment-of-the-server"


def execution(folder: Path, isolation: str) -> str:
    return f"""
isolation = "{isolation}"
stop_seconds = 5
[images."dsmc://odsc-vllm-serving:*"]
environment = "{sys.prefix}"
folder = "{folder}"
command = ["python", "server.py"]
[images."dsmc://odsc-vllm-serving:*".variables]
OF_THE_IMAGE = "image"
OF_BOTH = "image"
GATES = "{folder if isolation == "none" else "/opt/ocimock/image"}"
[images."no-command:*"]
environment = "{sys.prefix}"
[limits]
memory = "1 GB"
"""


@dataclass(frozen=True)
class Desk:
    """A tenancy, and deployments in it."""

    served: ServedCloud
    work: Workbench
    gates: Path

    def create(self, model: str, image: str = "dsmc://odsc-vllm-serving:1", **changes: Any) -> Any:
        variables = changes.pop("variables", {})
        environment = M.OcirModelDeploymentEnvironmentConfigurationDetails(
            image=image,
            environment_variables=variables,
            server_port=8080,
            health_check_port=8080,
            **changes.pop("environment", {}),
        )
        details = self.work.deployment_details(
            model,
            environment=environment,
            category_log_details=M.CategoryLogDetails(access=self._log(), predict=self._log()),
            **changes,
        )
        return self.work.science.create_model_deployment(details)

    def _log(self) -> Any:
        return M.LogDetails(log_id=self.work.log, log_group_id=self.work.group)

    def deploy(self, model: str | None = None, **changes: Any) -> Any:
        """A deployment that has come up, or has failed."""
        if model is None:
            model = self.model({"a.txt": "A"})
        made = self.create(model, **changes)
        return self.until_state(made.data, "ACTIVE", "FAILED")

    def model(self, files: dict[str, str]) -> str:
        return str(self.work.model(artifact=zipped(files)).id)

    def get(self, deployment: Any) -> Any:
        return self.work.science.get_model_deployment(deployment.id).data

    def until_state(self, deployment: Any, *states: str) -> Any:
        self.until(lambda: self.get(deployment).lifecycle_state in states)
        return self.get(deployment)

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, self.work.lines()
            time.sleep(0.02)

    def work_of(self, answer: Any) -> Any:
        return self.work.science.get_work_request(answer.headers["opc-work-request-id"]).data

    def gate(self) -> str:
        """The name of a file that something waits for."""
        return f"gate-{uuid.uuid4().hex}"

    def open(self, gate: str) -> None:
        (self.gates / gate).touch()

    def ask(self, deployment: Any, asked: Any, path: str = "predict", **options: Any) -> Any:
        """The answer to a signed POST, as plain requests gives it."""
        signer = oci.signer.Signer.from_config(self.served.config)
        data = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        url = f"{deployment.model_deployment_url}/{path}"
        return requests.post(url, data, auth=signer, timeout=30, **options)

    def echo(self, deployment: Any) -> Any:
        return self.ask(deployment, {"do": "echo"}).json()

    def lines(self, deployment: Any) -> list[str]:
        return self.work.lines(deployment.id)


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServerFile, Path]]:
    folder = tmp_path_factory.mktemp("a home")
    image = folder / "image"
    image.mkdir()
    shutil.copy(_IMAGE, image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANTED", _SECRET)
        text = execution(image, getattr(request, "param", "auto"))
        with executing_server(folder, text=text) as found:
            yield found, image


@pytest.fixture
def desk(server: tuple[ServerFile, Path]) -> Iterator[Desk]:
    with _desk(*server) as found:
        yield found
    found.served.reset()


# --- coming up -----------------------------------------------------------------------------


def test_it_is_active_when_its_server_is_healthy_and_not_before(desk: Desk) -> None:
    gate = desk.gate()
    made = desk.create(desk.model({"a.txt": "A"}), variables={"HEALTHY_AFTER": gate})
    desk.until(lambda: "serving ['a.txt']" in desk.lines(made.data))
    assert desk.get(made.data).lifecycle_state == "CREATING"
    assert desk.get(made.data).lifecycle_details == f"Creating ({RAN})."
    assert desk.work_of(made).status == "IN_PROGRESS"
    loading = desk.ask(made.data, {"do": "echo"})
    assert (loading.status_code, loading.json()["code"]) == (503, "ServiceUnavailable")
    desk.open(gate)
    up = desk.until_state(made.data, "ACTIVE", "FAILED")
    assert up.lifecycle_state == "ACTIVE"
    assert RAN in up.lifecycle_details
    done = desk.work_of(made)
    assert (done.status, done.percent_complete) == ("SUCCEEDED", 100.0)
    logs = [line.message for line in desk.work.science.list_work_request_logs(done.id).data]
    assert any("starting dsmc://odsc-vllm-serving:1" in line for line in logs)


@in_both
def test_a_zip_is_unpacked_and_an_object_lies_under_its_whole_name(desk: Desk) -> None:
    zipped_one = desk.deploy(desk.model({"config.json": "{}", "sub/weights": "W"}))
    assert desk.echo(zipped_one)["files"] == {"config.json": "{}", "sub/weights": "W"}
    storage = desk.work.storage
    old = storage.put_object(NS, "bucket", "merged/run/weights", b"old").headers["version-id"]
    storage.put_object(NS, "bucket", "merged/run/weights", b"new")
    # Larger than what lies in memory.
    big = storage.put_object(NS, "bucket", "merged/big", b"b" * 2**21).headers["version-id"]
    named = [
        {"name": "merged/run/weights", "version": old, "sizeInBytes": 3},
        {"name": "merged/big", "version": big, "sizeInBytes": 2**21},
    ]
    place = {"namespace": NS, "bucketName": "bucket", "prefix": "merged/", "objects": named}
    described = {"version": "1.0", "type": "modelOSSReferenceDescription", "models": [place]}
    model = desk.work.model(artifact=json.dumps(described).encode())
    files = desk.echo(desk.deploy(model.id))["files"]
    assert files == {"merged/run/weights": "old", "merged/big": "b" * 2**21}


@in_both
def test_what_the_server_finds_in_its_environment(desk: Desk) -> None:
    model = desk.model({"a.txt": "A"})
    deployment = desk.deploy(
        model, variables={"OF_BOTH": "deployment", "PARAMS": "--max-model-len 512"}
    )
    found = desk.echo(deployment)["environment"]
    assert found["OF_THE_IMAGE"] == "image"
    assert found["OF_BOTH"] == "deployment"
    assert found["PARAMS"] == "--max-model-len 512"
    assert found["MODEL_DEPLOYMENT_OCID"] == deployment.id
    assert found["TENANCY_OCID"] == desk.served.tenancy_id
    assert found["CONTAINER_CUSTOM_IMAGE"] == "dsmc://odsc-vllm-serving:1"
    assert found["OCI_RESOURCE_PRINCIPAL_VERSION"] == "2.2"
    assert _SECRET not in json.dumps(found)


@in_both
def test_the_server_calls_oci_as_its_deployment(desk: Desk) -> None:
    up = desk.deploy()
    assert desk.ask(up, {"do": "principal"}).json() == {"namespace": NS}
    assert desk.served.calls[-2].operation == "get_namespace"


def test_a_log_that_no_policy_lets_it_write_fails_it(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    shutil.copy(_IMAGE, image)
    text = execution(image, "auto")
    with (
        executing_server(tmp_path, "--enforce-iam", text=text) as found,
        _desk(found, image) as desk,
    ):
        refused = desk.deploy()
        assert refused.lifecycle_state == "FAILED"
        assert f"write to log {desk.work.log}" in refused.lifecycle_details
        assert desk.lines(refused) == []


def test_a_server_that_ends_before_it_is_healthy_fails_with_its_last_lines(desk: Desk) -> None:
    made = desk.create(desk.model({"a.txt": "A"}), variables={"FAIL": "1"})
    failed = desk.until_state(made.data, "ACTIVE", "FAILED")
    assert failed.lifecycle_state == "FAILED"
    for word in ("exit code 3", "there are no weights", RAN):
        assert word in failed.lifecycle_details
    done = desk.work_of(made)
    assert done.status == "FAILED"
    (error,) = desk.work.science.list_work_request_errors(done.id).data
    assert error.code == "ModelDeploymentFailed"
    assert "there are no weights" in error.message
    refused = desk.ask(made.data, {"do": "echo"})
    assert (refused.status_code, refused.json()["code"]) == (503, "ServiceUnavailable")


@in_both
def test_one_that_never_is_healthy_fails_when_its_time_is_over(desk: Desk) -> None:
    made = desk.create(desk.model({"a.txt": "A"}), variables={"HEALTHY_AFTER": "never"})
    desk.until(lambda: "serving ['a.txt']" in desk.lines(made.data))
    desk.served.advance(1801)
    failed = desk.until_state(made.data, "ACTIVE", "FAILED")
    assert "GET /health on port 8080 was not answered with 200" in failed.lifecycle_details
    desk.until(lambda: "told to end" in desk.lines(made.data) or not _pages(desk, made.data))


def test_an_image_that_nothing_stands_for(desk: Desk) -> None:
    failed = desk.deploy(image="fra.ocir.io/team/serve:1")
    assert failed.lifecycle_state == "FAILED"
    for word in ("'fra.ocir.io/team/serve:1'", "execution.toml", '[images."fra.ocir.io'):
        assert word in failed.lifecycle_details
    failed = desk.deploy(image="no-command:1")
    assert 'command = ["…"] under [images."no-command:*"]' in failed.lifecycle_details


def test_an_entry_point_of_the_deployment_runs_where_the_image_has_no_command(desk: Desk) -> None:
    program = (
        "import http.server,os\n"
        "h=http.server.SimpleHTTPRequestHandler\n"
        "h.do_GET=lambda s:(s.send_response(200),s.end_headers())\n"
        "http.server.HTTPServer((os.environ.get('HOST','0.0.0.0'),8080),h).serve_forever()"
    )
    environment = {"entrypoint": ["python", "-c"], "cmd": [program]}
    up = desk.deploy(image="no-command:1", environment=environment)
    assert up.lifecycle_state == "ACTIVE", up.lifecycle_details


def test_a_model_that_is_no_zip(desk: Desk) -> None:
    failed = desk.deploy(desk.work.model(artifact=b"no archive").id)
    assert failed.lifecycle_state == "FAILED"
    assert "can't be unzipped" in failed.lifecycle_details


def test_several_instances_are_one_process_and_it_says_so(desk: Desk) -> None:
    up = desk.deploy(configuration={"scaling_policy": M.FixedSizeScalingPolicy(instance_count=3)})
    assert "one for 3 instances" in up.lifecycle_details


# --- asking --------------------------------------------------------------------------------


def test_a_request_arrives_as_it_was_sent_without_its_signature(desk: Desk) -> None:
    up = desk.deploy()
    answer = desk.ask(up, {"do": "echo"}, headers={"route": "/v1/chat/completions"})
    found = answer.json()
    assert found["path"] == "/predict"
    assert found["headers"]["route"] == "/v1/chat/completions"
    assert not {"authorization", "x-content-sha256"} & set(found["headers"])
    assert answer.headers["ocimock-executed"] == "true"
    assert "ocimock-simulated" not in answer.headers
    assert answer.headers["opc-request-id"]
    assert answer.headers["content-type"] == "application/json"


def test_the_sdk_asks_and_streams(desk: Desk) -> None:
    up = desk.deploy()
    sdk = client(
        desk.served,
        oci.model_deployment.ModelDeploymentClient,
        service_endpoint=up.model_deployment_url.rsplit("/", 1)[0],
    )
    assert json.loads(sdk.predict(up.id, json.dumps({"do": "echo"})).data)["size"] > 0
    gate = desk.gate()
    desk.open(gate)
    asked = json.dumps({"do": "stream", "gate": gate})
    streamed = sdk.predict_with_response_stream(up.id, asked)
    assert [event.data for event in streamed.data.events()] == ["first", "[DONE]"]


def test_an_error_of_the_server_is_the_answer(desk: Desk) -> None:
    up = desk.deploy()
    refused = desk.ask(up, {"do": "echo", "status": 422})
    assert (refused.status_code, refused.json()["path"]) == (422, "/predict")
    assert [call.status for call in desk.served.calls if call.operation == "predict"] == [422]


@in_both
def test_a_stream_arrives_piece_by_piece(desk: Desk) -> None:
    up, gate = desk.deploy(), desk.gate()
    with desk.ask(up, {"do": "stream", "gate": gate}, stream=True) as answer:
        pieces = answer.iter_content(None)
        # Were it not passed on at once, this would wait for ever: only then the gate is opened.
        assert next(pieces) == b"data: first\n\n"
        desk.open(gate)
        assert b"".join(pieces) == b"data: [DONE]\n\n"
    assert answer.headers["content-type"] == "text/event-stream"


def test_other_calls_are_answered_while_the_server_thinks(desk: Desk) -> None:
    up, gate = desk.deploy(), desk.gate()
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(desk.ask, up, {"do": "wait", "gate": gate}) for _ in range(12)]
        assert desk.get(up).lifecycle_state == "ACTIVE"
        assert desk.echo(up)["path"] == "/predict"
        assert not any(future.done() for future in waiting)
        desk.open(gate)
        assert {future.result().json()["waited"] for future in waiting} == {True}


def test_a_client_that_leaves_takes_its_exchange_along(desk: Desk) -> None:
    up = desk.deploy()
    with desk.ask(up, {"do": "forever"}, stream=True) as answer:
        next(answer.iter_content(None))
    desk.until(lambda: "the client left" in desk.lines(up))


def test_a_server_that_breaks_off(desk: Desk) -> None:
    up = desk.deploy()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        desk.ask(up, {"do": "half"})
    assert desk.echo(up)["path"] == "/predict"


def test_too_large_a_body_does_not_reach_it(desk: Desk) -> None:
    up = desk.deploy()
    refused = desk.ask(up, b"x" * (10 * 2**20 + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "PayloadTooLarge")
    assert desk.ask(up, b"x" * (10 * 2**20)).json()["size"] == 10 * 2**20


def test_a_further_endpoint_that_it_declares(desk: Desk) -> None:
    endpoint = M.InferenceHttpEndpoint(endpoint_uri_suffix="/v1/models", http_methods=["POST"])
    up = desk.deploy(environment={"custom_http_endpoints": [endpoint]})
    assert desk.ask(up, {"do": "echo"}, "predict/v1/models").json()["path"] == "/v1/models"
    assert desk.ask(up, {"do": "echo"}, "predict/v1/other").status_code == 404


def test_each_request_is_a_line_in_the_logs_without_its_prompt(desk: Desk) -> None:
    up = desk.deploy()
    desk.ask(up, {"do": "echo", "prompt": "nobody's business"})
    lines = [line for line in desk.lines(up) if "POST" in line]
    assert len(lines) == 2
    for line in lines:
        assert line.startswith(f"POST /{up.id}/predict 200 ")
        assert line.endswith(f" ms [{RAN}]")
    assert "nobody's business" not in "\n".join(desk.lines(up))


# --- changing and going --------------------------------------------------------------------


@in_both
def test_an_update_serves_on_until_the_new_server_does(desk: Desk) -> None:
    up, gate = desk.deploy(variables={"NUMBER": "1"}), desk.gate()
    details = M.UpdateModelDeploymentDetails(
        model_deployment_configuration_details=_variables(NUMBER="2", HEALTHY_AFTER=gate)
    )
    changed = desk.work.science.update_model_deployment(up.id, details)
    desk.until(lambda: sum("serving" in line for line in desk.lines(up)) == 2)
    assert desk.get(up).lifecycle_state == "UPDATING"
    assert desk.echo(up)["environment"]["NUMBER"] == "1"
    desk.open(gate)
    desk.until_state(up, "ACTIVE", "FAILED")
    assert desk.work_of(changed).status == "SUCCEEDED"
    assert desk.echo(up)["environment"]["NUMBER"] == "2"
    desk.until(lambda: "told to end" in desk.lines(up))


def test_an_update_of_its_name_leaves_the_server_alone(desk: Desk) -> None:
    up = desk.deploy()
    before = len(desk.lines(up))
    details = M.UpdateModelDeploymentDetails(display_name="other")
    desk.work.science.update_model_deployment(up.id, details)
    desk.served.advance(100)
    assert desk.get(up).lifecycle_state == "ACTIVE"
    assert len(desk.lines(up)) == before


def test_an_update_that_does_not_come_up_fails(desk: Desk) -> None:
    up = desk.deploy()
    details = M.UpdateModelDeploymentDetails(
        model_deployment_configuration_details=_variables(FAIL="1")
    )
    desk.work.science.update_model_deployment(up.id, details)
    assert desk.until_state(up, "ACTIVE", "FAILED").lifecycle_state == "FAILED"
    desk.until(lambda: "told to end" in desk.lines(up))
    mended = M.UpdateModelDeploymentDetails(
        model_deployment_configuration_details=_variables(NUMBER="3")
    )
    desk.work.science.update_model_deployment(up.id, mended)
    assert desk.until_state(up, "ACTIVE", "FAILED").lifecycle_state == "ACTIVE"
    assert desk.echo(up)["environment"]["NUMBER"] == "3"


def test_deactivated_activated_and_deleted(desk: Desk) -> None:
    up = desk.deploy()
    science = desk.work.science
    down = science.deactivate_model_deployment(up.id)
    desk.until_state(up, "INACTIVE")
    assert desk.work_of(down).status == "SUCCEEDED"
    assert desk.lines(up).count("told to end") == 1
    assert desk.ask(up, {"do": "echo"}).status_code == 409
    science.activate_model_deployment(up.id)
    assert desk.until_state(up, "ACTIVE", "FAILED").lifecycle_state == "ACTIVE"
    assert desk.echo(up)["path"] == "/predict"
    gone = science.delete_model_deployment(up.id)
    desk.until(lambda: desk.work_of(gone).status == "SUCCEEDED")
    assert not _pages(desk, up)


@in_both
def test_a_server_that_dies_is_started_again_once(desk: Desk) -> None:
    up = desk.deploy()
    assert desk.ask(up, {"do": "die"}).status_code == 503
    desk.until(lambda: desk.ask(up, {"do": "echo"}).status_code == 200)
    assert desk.get(up).lifecycle_state == "ACTIVE"
    assert desk.ask(up, {"do": "die"}).status_code == 503
    failed = desk.until_state(up, "FAILED")
    for word in ("ended again", "exit code 9", "dying"):
        assert word in failed.lifecycle_details
    refused = desk.ask(up, {"do": "echo"})
    assert (refused.status_code, refused.json()["code"]) == (503, "ServiceUnavailable")
    desk.work.science.delete_model_deployment(up.id)
    desk.served.advance(100)
    assert desk.get(up).lifecycle_state == "DELETED"


def _variables(**variables: str) -> Any:
    return M.UpdateSingleModelDeploymentConfigurationDetails(
        environment_configuration_details=(
            M.UpdateOcirModelDeploymentEnvironmentConfigurationDetails(
                environment_variables=variables
            )
        )
    )


def _pages(desk: Desk, deployment: Any) -> list[Any]:
    """What the mock shows of the deployment's nodes."""
    shown = requests.get(f"{desk.served.url}/ocimock/nodes", timeout=10).json()
    return [node for node in shown if deployment.id in json.dumps(node)]


# --- beginning and end of the mock ---------------------------------------------------------


def test_it_goes_on_when_the_mock_does(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    shutil.copy(_IMAGE, image)
    state = ("--state", str(tmp_path / "state.db"))
    text = execution(image, "auto")
    with executing_server(tmp_path, *state, text=text) as found, _desk(found, image) as desk:
        up = desk.deploy()
        (node,) = _pages(desk, up)
        storing = desk.work
    assert not Path(f"/proc/{node['pid']}").exists()
    with executing_server(tmp_path, *state, text=text) as found, _clients(found) as served:
        desk = Desk(served, storing, image)
        assert desk.get(up).lifecycle_state == "ACTIVE"
        desk.until(lambda: desk.ask(up, {"do": "echo"}).status_code == 200)
        assert desk.echo(up)["files"] == {"a.txt": "A"}
    with running_server(tmp_path / "home", *state) as found, _clients(found) as served:
        desk = Desk(served, storing, image)
        assert "simulated by ocimock: no code ran" in desk.get(up).lifecycle_details
        assert desk.ask(up, {"prompt": "x"}).headers["ocimock-simulated"] == "true"


def test_a_reset_ends_what_serves(desk: Desk) -> None:
    up = desk.deploy()
    (node,) = _pages(desk, up)
    desk.served.reset()
    desk.until(lambda: not Path(f"/proc/{node['pid']}").exists())


@contextmanager
def _desk(server: ServerFile, image: Path) -> Iterator[Desk]:
    with _clients(server) as served:
        yield Desk(served, workbench(served), image)


@contextmanager
def _clients(server: ServerFile) -> Iterator[ServedCloud]:
    """Clients in this process find the server."""
    served = ServedCloud(server)
    with pytest.MonkeyPatch.context() as patch:
        for name, text in served.environment.items():
            patch.setenv(name, text)
        yield served
