"""Answers in OpenAI's form, whole or in pieces, as vLLM writes them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from .asked import RequestError
from .model import Generated

DONE = "data: [DONE]\n\n"
_TYPES = {400: "BadRequestError", 404: "NotFoundError", 503: "ServiceUnavailableError"}

Json = dict[str, Any]


class Answer:
    """One answer: an identifier and a date that all its pieces share."""

    def __init__(self, served: str, *, is_chat: bool) -> None:
        self._is_chat = is_chat
        self._kind = "chat.completion" if is_chat else "text_completion"
        self._head = {
            "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{secrets.token_hex(16)}",
            "created": int(time.time()),
            "model": served,
        }

    def whole(self, prompts: Sequence[int], answers: Sequence[Generated]) -> Json:
        """*prompts* are how many tokens each has."""
        return {
            **self._head,
            "object": self._kind,
            "choices": [self._choice(place, found) for place, found in enumerate(answers)],
            "usage": usage(prompts, answers),
        }

    def opening(self) -> Json:
        """The first piece of a chat's stream: who speaks."""
        return self._piece(0, {"delta": {"role": "assistant", "content": ""}}, None)

    def piece(self, place: int, text: str, finish_reason: str | None = None) -> Json:
        """More text of answer number *place*; with *finish_reason* it is the last of it."""
        if self._is_chat:
            return self._piece(place, {"delta": {"content": text} if text else {}}, finish_reason)
        return self._piece(place, {"text": text}, finish_reason)

    def closing(self, prompts: Sequence[int], answers: Sequence[Generated]) -> Json:
        """The piece with the usage."""
        return {**self._chunk(), "choices": [], "usage": usage(prompts, answers)}

    def _piece(self, place: int, content: Json, finish_reason: str | None) -> Json:
        choice = {"index": place, **content, "logprobs": None, "finish_reason": finish_reason}
        return {**self._chunk(), "choices": [choice]}

    def _chunk(self) -> Json:
        return {**self._head, "object": self._kind + (".chunk" if self._is_chat else "")}

    def _choice(self, place: int, found: Generated) -> Json:
        content: Json = {"text": found.text}
        if self._is_chat:
            content = {"message": {"role": "assistant", "content": found.text}}
        return {
            "index": place,
            **content,
            "logprobs": None,
            "finish_reason": found.finish_reason,
        }


def usage(prompts: Sequence[int], answers: Sequence[Generated]) -> Json:
    asked, answered = sum(prompts), sum(found.tokens for found in answers)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }


def event(content: Json) -> str:
    """*content* as a server-sent event."""
    return f"data: {json.dumps(content)}\n\n"


def error(fault: RequestError) -> Json:
    """*fault* as vLLM tells of it."""
    kind = _TYPES.get(fault.status, "InternalServerError")
    return {
        "error": {
            "message": fault.message,
            "type": kind,
            "param": fault.param,
            "code": fault.status,
        }
    }
