"""The endpoints of a deployed model.

A deployment that really runs is asked, and its answer passed on. Else no model answers: the text
says that it is simulated.
"""

from __future__ import annotations

import json
from typing import Any

from ...resources import get_live
from ...service import Call
from ...store import Record
from ...wire.errors import (
    IncorrectState,
    NotFound,
    PayloadTooLarge,
    ServiceUnavailable,
)
from ...wire.message import Relay, Response
from ..logging.records import append
from .acting import deployment_may_log
from .base import EXECUTED, SERVICE, SIMULATED
from .deployment_ends import KIND, model_of
from .deployment_execution import DeploymentWorker, worker_of
from .predict_relay import Exchange

# Source: OCI documentation, "Predict Endpoint".
_MOST_BYTES = 10 * 1024 * 1024
# Seconds. Source: the same for an answer at once; that of a stream is this mock's own choice.
_SECONDS, _STREAM_SECONDS = 60.0, 300.0
# Where containers answer, whatever endpoint of the service was called.
_PREDICT = "/predict"
_MARK = {"ocimock-simulated": "true"}
_RAN = {"ocimock-executed": "true"}


@SERVICE.operation("predict")
def _predict(call: Call) -> Response:
    record = _serving(call)
    if record.private.get("executed"):
        return _relay(call, record, _PREDICT, _SECONDS)
    return _answer(call, record, _body(call))


@SERVICE.extra_operation("predict_at", "POST", "/{modelDeploymentId}/predict/{prefix}")
def _predict_at(call: Call) -> Response:
    """A further endpoint of the container: one that the deployment declares."""
    record = _serving(call)
    suffix = call.path["prefix"].strip("/")
    declared = [
        str(endpoint["endpointUriSuffix"]).strip("/")
        for endpoint in _environment(record).get("customHttpEndpoints") or ()
    ]
    if suffix not in declared:
        raise NotFound(f"{record.id} has no endpoint '/{suffix}'; it has {declared or 'none'}")
    if record.private.get("executed"):
        return _relay(call, record, f"/{suffix}", _SECONDS)
    return _answer(call, record, _body(call))


@SERVICE.operation("predict_with_response_stream")
def _predict_stream(call: Call) -> Response:
    record = _serving(call)
    if record.private.get("executed"):
        return _relay(call, record, _PREDICT, _STREAM_SECONDS)
    whole = _completion(call, record, _body(call))
    last = "data: [DONE]\n\n"
    text = f"data: {json.dumps(whole)}\n\n{last}"
    _note(call, record, 200)
    return Response(200, {"content-type": "text/event-stream", **_MARK}, text.encode())


def _serving(call: Call) -> Record:
    """The deployment, if it serves now.

    :raises ServiceUnavailable: it is not up yet.
    :raises IncorrectState: it does not serve (any more).
    """
    record = get_live(call, KIND)
    state = record.data["lifecycleState"]
    if state == "CREATING":
        raise ServiceUnavailable(f"model deployment {record.id} is CREATING, not ACTIVE yet")
    # While it is updated, a deployment that was active goes on to serve.
    if state == "FAILED" and record.private.get("executed"):
        raise ServiceUnavailable(
            f"Model server unavailable. (ocimock: model deployment {record.id} is FAILED: "
            f"{record.data['lifecycleDetails']})"
        )
    if state != "ACTIVE" and record.private.get("after") != "ACTIVE":
        raise IncorrectState(f"model deployment {record.id} is {state}, not ACTIVE")
    if call.request.content.size > _MOST_BYTES:
        raise PayloadTooLarge(f"{call.request.content.size} bytes; the most is {_MOST_BYTES}")
    return record


def _relay(call: Call, record: Record, path: str, seconds: float) -> Response:
    """Ask the deployment's server, once the cloud's lock is free again.

    :raises ServiceUnavailable: it has none that could answer.
    """
    worker = worker_of(call.cloud, record)
    serving = worker.serving if worker else None
    if serving is None:
        raise ServiceUnavailable(
            "Model server unavailable. (ocimock: the deployment's server is not up; "
            f"{record.data['lifecycleDetails']})"
        )
    asked = f"{call.request.method} {call.request.path}"
    exchange = Exchange(
        serving.connect,
        path,
        call.request.headers,
        call.request.content,
        seconds=seconds,
        ended=lambda status, took: _note_relayed(serving, asked, status, took),
    )
    return Relay(200, dict(_RAN), source=exchange)


def _note_relayed(worker: DeploymentWorker, asked: str, status: int, took: float) -> None:
    worker.note(f"{asked} {status} {took * 1000:.0f} ms [{EXECUTED}]")


def _body(call: Call) -> Any:
    """What was sent, read as JSON if it is JSON: the model's container decides, not the service."""
    try:
        return json.loads(call.request.body)
    except ValueError:
        return call.request.body.decode("utf-8", "replace")


def _answer(call: Call, record: Record, body: Any) -> Response:
    _note(call, record, 200)
    return Response.of_json(_completion(call, record, body), ocimock_simulated="true")


def _completion(call: Call, record: Record, body: Any) -> dict[str, Any]:
    """A completion in the form that vLLM's OpenAI endpoints answer."""
    asked = body if isinstance(body, dict) else {}
    text = f"[{SIMULATED}] No model is loaded, so there is no prediction."
    is_chat = "messages" in asked
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
    if is_chat:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    prompt = len(json.dumps(asked.get("messages") or asked.get("prompt") or body).split())
    return {
        "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{call.cloud.ids.token(24)}",
        "object": "chat.completion" if is_chat else "text_completion",
        "created": int(call.cloud.clock.now()),
        "model": asked.get("model") or model_of(record),
        "choices": [choice],
        # Words stand for tokens: there is no tokenizer here.
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": len(text.split()),
            "total_tokens": prompt + len(text.split()),
        },
        "simulated": True,
    }


def _note(call: Call, record: Record, status: int) -> None:
    """A line each in the access and the predict log. The prompt is not written down."""
    logs = record.data.get("categoryLogDetails") or {}
    line = f"POST {call.request.path} {status} [{SIMULATED}]"
    for name in ("access", "predict"):
        if name in logs and deployment_may_log(call.cloud, record, logs[name]["logId"]):
            append(call.cloud, logs[name]["logId"], record.id, line, subject=name)


def _environment(record: Record) -> dict[str, Any]:
    details = record.data["modelDeploymentConfigurationDetails"]
    return details.get("environmentConfigurationDetails") or {}
