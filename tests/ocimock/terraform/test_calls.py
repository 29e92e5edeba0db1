"""The waiting, on a clock of our own, and what a service's error becomes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import oci
import pytest

from ocimock.terraform.calls import Calls, NotFoundFailure
from ocimock.terraform.clients import LOGGING, Clients
from ocimock.terraform.exceptions import ServiceFailure, WaitError


class _Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def __call__(self) -> float:
        return self.now


class _Client:
    """An SDK client whose every operation is the given function."""

    base_client = SimpleNamespace(endpoint="http://127.0.0.1:1")

    def __init__(self, operation: Callable[..., Any]) -> None:
        self.operation = operation

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **more: self.operation(name, *arguments, **more)


def _calls(clock: _Clock, operation: Callable[..., Any] | None = None) -> Calls:
    client = _Client(operation or (lambda *_, **__: None))
    clients = SimpleNamespace(client=lambda *_: client, tenancy="t")
    return Calls(cast(Clients, clients), clock.sleep, clock)


def _states(*states: str) -> Callable[[], Any]:
    left = list(states)
    return lambda: SimpleNamespace(
        lifecycle_state=left.pop(0) if len(left) > 1 else left[0], lifecycle_details="no capacity"
    )


def test_a_resource_settles_after_its_passing_states() -> None:
    clock = _Clock()
    model = _calls(clock).settled(_states("CREATING", "UPDATING", "ACTIVE"), {"FAILED"})
    assert model.lifecycle_state == "ACTIVE"
    assert clock.waits == [0.02, 0.04]


def test_something_without_a_state_is_ready() -> None:
    clock = _Clock()
    bucket = SimpleNamespace(name="b")
    assert _calls(clock).settled(lambda: bucket, {"FAILED"}) is bucket
    assert clock.waits == []


def test_a_failed_resource_says_why() -> None:
    with pytest.raises(WaitError, match="FAILED: no capacity"):
        _calls(_Clock()).settled(_states("CREATING", "FAILED"), {"FAILED"})


def test_patience_ends() -> None:
    clock = _Clock()
    with pytest.raises(WaitError, match="Still CREATING after 20 minutes"):
        _calls(clock).settled(_states("CREATING"), {"FAILED"})
    assert max(clock.waits) == 1.0


def test_gone_waits_for_a_404() -> None:
    answers = iter([SimpleNamespace(lifecycle_state="TERMINATING")])

    def fetch() -> Any:
        for answer in answers:
            return answer
        raise NotFoundFailure("404")

    clock = _Clock()
    _calls(clock).gone(fetch, {"TERMINATED"})
    assert clock.waits == [0.02]


def test_gone_is_content_with_a_final_state() -> None:
    _calls(_Clock()).gone(_states("PENDING_DELETION"), {"PENDING_DELETION"})


def test_a_resource_that_comes_back_is_not_gone() -> None:
    with pytest.raises(WaitError, match="still there, ACTIVE"):
        _calls(_Clock()).gone(_states("DELETING", "ACTIVE"), {"DELETED"})


def _work(*statuses: str) -> Callable[..., Any]:
    left = list(statuses)
    touched = [
        SimpleNamespace(entity_type="loggroup", identifier="ocid1.loggroup.oc1..g"),
        SimpleNamespace(entity_type="log", identifier="ocid1.log.oc1..l"),
    ]
    return lambda *_, **__: SimpleNamespace(
        data=SimpleNamespace(status=left.pop(0) if len(left) > 1 else left[0], resources=touched)
    )


_ACCEPTED = SimpleNamespace(headers={"opc-work-request-id": "ocid1.workrequest.oc1..w"}, data=None)


def test_a_work_request_is_waited_for_and_names_the_resource() -> None:
    clock = _Clock()
    calls = _calls(clock, _work("ACCEPTED", "IN_PROGRESS", "SUCCEEDED"))
    assert calls.finish(LOGGING, _ACCEPTED, "log_group") == "ocid1.loggroup.oc1..g"
    assert len(clock.waits) == 2


def test_a_failed_work_request_is_an_error() -> None:
    with pytest.raises(WaitError, match=r"ocid1\.workrequest\.oc1\.\.w ended FAILED"):
        _calls(_Clock(), _work("FAILED")).finish(LOGGING, _ACCEPTED, "log")


def test_a_response_without_work_is_finished() -> None:
    response = SimpleNamespace(headers={}, data=None)
    assert _calls(_Clock()).finish(LOGGING, response, "log") is None


def _refusing(status: int) -> Callable[..., Any]:
    def operation(*_: Any, **__: Any) -> Any:
        raise oci.exceptions.ServiceError(
            status=status,
            code="InvalidParameter",
            headers={"opc-request-id": "R1"},
            message="cidrBlock: 10.0.0.0/8 is too big",
            target_service="logging",
            operation_name="create_log",
            request_endpoint="POST http://127.0.0.1:1/20200531/logGroups",
        )

    return operation


def test_a_service_error_keeps_all_that_the_service_said() -> None:
    with pytest.raises(ServiceFailure) as caught:
        _calls(_Clock(), _refusing(400)).call(LOGGING, "create_log", endpoint=None)
    assert str(caught.value).splitlines() == [
        "400 InvalidParameter: cidrBlock: 10.0.0.0/8 is too big",
        "Service: LoggingManagementClient",
        "Operation: create_log",
        "Endpoint: POST http://127.0.0.1:1/20200531/logGroups",
        "opc-request-id: R1",
    ]


def test_a_404_can_be_taken_for_none() -> None:
    calls = _calls(_Clock(), _refusing(404))
    assert calls.or_none(lambda: calls.call(LOGGING, "get_log", endpoint=None)) is None


def test_other_errors_are_never_taken_for_none() -> None:
    calls = _calls(_Clock(), _refusing(409))
    with pytest.raises(ServiceFailure):
        calls.or_none(lambda: calls.call(LOGGING, "get_log", endpoint=None))


def test_no_answer_asks_whether_ocimock_runs() -> None:
    def operation(*_: Any, **__: Any) -> Any:
        raise oci.exceptions.ConnectTimeout

    with pytest.raises(ServiceFailure, match="Is ocimock running"):
        _calls(_Clock(), operation).call(LOGGING, "get_log", endpoint=None)
