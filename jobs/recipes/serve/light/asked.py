"""What a request to OpenAI's endpoints asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Prompt = str | tuple[int, ...]
"""Text, or the numbers of its tokens."""

_ROLES = ("system", "user", "assistant")
_MOST_STOPS = 4
_MOST_PROMPTS = 64
_COMMON = frozenset(
    ("model", "max_tokens", "temperature", "top_p", "seed", "stop", "stream", "stream_options")
)
# Of no effect on an answer.
_IGNORED = frozenset(("user", "metadata"))
# What clients send without meaning anything by it: the parameter, and its value of no effect.
_NEUTRAL: Mapping[str, Any] = {
    "n": 1,
    "best_of": 1,
    "echo": False,
    "logprobs": False,
    "top_logprobs": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "repetition_penalty": 1,
    "top_k": -1,
    "min_p": 0,
    "suffix": "",
    "logit_bias": {},
    "tools": [],
    "response_format": {"type": "text"},
}


class RequestError(Exception):
    """A request that gets no answer: *param* is what is wrong with it, *status* HTTP's."""

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.status = status


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. None stands for the model's own default, or for as many as fit."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request: *prompts* to go on from, or *messages* to answer."""

    prompts: tuple[Prompt, ...]
    messages: tuple[dict[str, str], ...]
    sampling: Sampling
    stream: bool
    include_usage: bool

    @property
    def is_chat(self) -> bool:
        return bool(self.messages)


def completion(body: Any, served: str) -> Asked:
    """A body of ``/v1/completions``. :raises RequestError: see there."""
    fields = _fields(body, served, {"prompt"})
    sampling = _sampling(fields, max_tokens=_whole(fields, "max_tokens", 1) or 16)
    return Asked(_prompts(fields.get("prompt")), (), sampling, *_streaming(fields))


def chat(body: Any, served: str) -> Asked:
    """A body of ``/v1/chat/completions``. :raises RequestError: see there."""
    fields = _fields(body, served, {"messages", "max_completion_tokens"})
    most = _whole(fields, "max_completion_tokens", 1) or _whole(fields, "max_tokens", 1)
    messages = _messages(fields.get("messages"))
    return Asked((), messages, _sampling(fields, max_tokens=most), *_streaming(fields))


def _fields(body: Any, served: str, own: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RequestError("the body must be a JSON object")
    fields = {name: value for name, value in body.items() if value is not None}
    for name, value in fields.items():
        if name in _COMMON or name in own or name in _IGNORED:
            continue
        if name not in _NEUTRAL or value != _NEUTRAL[name]:
            raise RequestError(f"this server does not support {name}; vLLM may", name)
    if fields.get("model", served) != served:
        raise RequestError(
            f"The model `{fields['model']}` does not exist; this server has `{served}`.",
            "model",
            404,
        )
    return fields


def _sampling(fields: dict[str, Any], *, max_tokens: int | None) -> Sampling:
    return Sampling(
        max_tokens=max_tokens,
        temperature=_number(fields, "temperature", 0, 2),
        top_p=_number(fields, "top_p", 0, 1),
        seed=_whole(fields, "seed", 0),
        stop=_stops(fields.get("stop", ())),
    )


def _streaming(fields: dict[str, Any]) -> tuple[bool, bool]:
    stream, options = fields.get("stream", False), fields.get("stream_options", {})
    if not isinstance(stream, bool):
        raise RequestError("stream must be true or false", "stream")
    if not isinstance(options, dict) or set(options) - {"include_usage"}:
        raise RequestError("stream_options takes include_usage only", "stream_options")
    if options and not stream:
        raise RequestError("stream_options is for stream: true only", "stream_options")
    return stream, bool(options.get("include_usage"))


def _prompts(value: Any) -> tuple[Prompt, ...]:
    if isinstance(value, str) or _is_tokens(value):
        value = [value]
    if not isinstance(value, list) or not value:
        raise RequestError("prompt must be a text, token numbers, or a list of either", "prompt")
    if len(value) > _MOST_PROMPTS:
        raise RequestError(f"{len(value)} prompts; the most is {_MOST_PROMPTS}", "prompt")
    for item in value:
        if not (isinstance(item, str) or _is_tokens(item)):
            raise RequestError("each prompt must be a text or token numbers", "prompt")
    return tuple(item if isinstance(item, str) else tuple(item) for item in value)


def _is_tokens(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(token) is int and token >= 0 for token in value)
    )


def _messages(value: Any) -> tuple[dict[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise RequestError("messages must be a list with a message at least", "messages")
    return tuple(_message(item, f"messages[{place}]") for place, item in enumerate(value))


def _message(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or value.get("role") not in _ROLES:
        raise RequestError(f"{where}.role must be {', '.join(_ROLES)}", "messages")
    content = value.get("content")
    if isinstance(content, list):
        if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
            raise RequestError(f"{where}.content: only parts of type text", "messages")
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise RequestError(f"{where}.content must be a text", "messages")
    return {"role": value["role"], "content": content}


def _stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else list(value) if isinstance(value, list) else value
    if isinstance(stops, tuple):
        return ()
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise RequestError("stop must be a text, or a list of texts", "stop")
    if len(stops) > _MOST_STOPS:
        raise RequestError(f"{len(stops)} stops; the most is {_MOST_STOPS}", "stop")
    return tuple(stops)


def _whole(fields: dict[str, Any], name: str, least: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or value < least:
        raise RequestError(f"{name} must be a whole number, {least} or more; got {value!r}", name)
    return value


def _number(fields: dict[str, Any], name: str, least: float, most: float) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RequestError(f"{name} must be a number from {least} to {most}; got {value!r}", name)
    return float(value)
