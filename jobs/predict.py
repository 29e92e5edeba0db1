"""Asking the deployed model.

The request is our own, signed as the SDK's are: ``predict()`` of ADS has no timeout, and returns
the body of an error 500 as if it were the prediction.
"""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .auth import default_signer
from .errors import DialogueError, PredictionError, no_answer
from .record import Entry
from .states import model_deployment
from .steps import EXECUTED, SIMULATED

PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"  # the words it was trained with
DIALOGUE = (
    "Amanda: I baked cookies. Do you want some?\nJerry: Sure!\n"
    "Amanda: I'll bring you some tomorrow :-)"
)
CHAT_ENDPOINT = "/v1/chat/completions"
DEFAULT_SERVED_NAME = "odsc-llm"  # what OCI's vLLM image serves a model as
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Prediction:
    """An answer, the seconds it took, and whether it was only played, or given on this machine."""

    text: str
    body: Any
    seconds: float
    simulated: bool
    local: bool = False

    @property
    def where(self) -> str:
        """`` (simulated)``, `` (on this machine)``, or nothing for OCI's."""
        if self.simulated:
            return " (simulated)"
        return " (on this machine)" if self.local else ""


def predict(entry: Entry, dialogue: str, *, timeout: float = 60.0, tokens: int = 80) -> Prediction:
    """The deployed model's summary of *dialogue*. *timeout* is in seconds, *tokens* the most.

    Raises:
        PredictionError: the deployment is not ACTIVE, or gave no prediction in time.
    """
    served = model_deployment(entry.ids["deployment"])
    if served.lifecycle_state != "ACTIVE":
        raise PredictionError(
            f"The deployment is {served.lifecycle_state}, so it cannot be asked.",
            "Follow it with 'python -m jobs watch deploy'.",
        )
    asked = payload(_environment(served), dialogue, tokens)
    started = time.monotonic()
    answer = _post(f"{served.model_deployment_url}/predict", asked, timeout)
    seconds = time.monotonic() - started
    body = _body(answer)
    told = "\n".join(_told(served, answer))
    local = EXECUTED in told or "ocimock-executed: true" in told
    played = SIMULATED in told or "simulated: true" in told or _says_simulated(body)
    return Prediction(text_of(body), body, seconds, played and not local, local)


def read_dialogue(path: Path) -> str:
    """The dialogue in a file. Raises :class:`DialogueError` when it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DialogueError(f"Cannot read the dialogue from {path}: {reason}.") from None


def payload(env: dict[str, str], dialogue: str, tokens: int) -> dict[str, Any]:
    """What to post, for the endpoint and the model name that the deployment's *env* sets up."""
    prompt = PROMPT.format(dialog=dialogue)
    common = {"model": _served_name(env), "max_tokens": tokens, "temperature": 0}
    if env.get("MODEL_DEPLOY_PREDICT_ENDPOINT") == CHAT_ENDPOINT:
        return {**common, "messages": [{"role": "user", "content": prompt}]}
    return {**common, "prompt": prompt}


def text_of(body: Any) -> str:
    """The generated text of an OpenAI-style completion. Raises :class:`PredictionError`."""
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
    except (KeyError, IndexError, TypeError):
        raise PredictionError(
            f"The endpoint's answer is no completion: {_short(body)}",
            "Read the deployment's predict log.",
        ) from None
    return str(text).strip()


def _environment(served: Any) -> dict[str, str]:
    details = served.model_deployment_configuration_details.environment_configuration_details
    return dict(getattr(details, "environment_variables", None) or {})


def _post(url: str, content: dict[str, Any], timeout: float) -> Any:
    import requests

    try:
        answer = requests.post(
            url, json=content, auth=default_signer()["signer"], timeout=(CONNECT_SECONDS, timeout)
        )
    except requests.Timeout:
        raise PredictionError(
            f"{url} did not answer within {timeout:g} s.",
            "A first request after the start can take long: try again with a longer --timeout.",
        ) from None
    except requests.ConnectionError as error:
        raise PredictionError(f"{url} could not be reached ({no_answer(error)}).") from None
    if answer.status_code != 200:
        raise PredictionError(
            f"{url} answered {answer.status_code}: {_short(answer.text)}\n"
            f"opc-request-id: {answer.headers.get('opc-request-id', 'none')}",
            "Read the deployment's predict log.",
        )
    return answer


def _body(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise PredictionError(f"The endpoint's answer is not JSON: {_short(answer.text)}") from None


def _told(served: Any, answer: Any) -> Iterator[str]:
    """What may say where the answer was made: the deployment's details, and the headers."""
    yield str(served.lifecycle_details or "")
    for name, text in answer.headers.items():
        yield f"{name}: {text}"


def _says_simulated(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("simulated"))


def _served_name(env: dict[str, str]) -> str:
    words = shlex.split(env.get("PARAMS", ""))
    for flag, value in itertools.pairwise(words):
        if flag == "--served-model-name":
            return value
    return DEFAULT_SERVED_NAME


def _short(text: Any) -> str:
    flat = " ".join(str(text).split())
    return flat if len(flat) <= 300 else flat[:299] + "…"
