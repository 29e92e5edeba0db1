"""The web application: health, models, completions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ..paths import ContractPaths
from . import answers, asked
from .asked import Asked, RequestError
from .model import Generated, LightModel

_LEFT = 499  # nobody reads it


class Desk:
    """Answers requests with the model, once there is one: one at a time, as they came."""

    def __init__(self, served: str) -> None:
        self.served = served
        self.model: LightModel | None = None
        self._since = int(time.time())
        # A processor has nothing to win by two answers at once.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="generate")

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/models", self._models),
                Route("/v1/completions", self._completions, methods=["POST"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ],
            middleware=[Middleware(ContractPaths)],
            exception_handlers={RequestError: _refused, HTTPException: _not_here},
        )

    async def _health(self, _: Request) -> Response:
        self._ready()
        return Response()

    async def _models(self, _: Request) -> Response:
        model = self._ready()
        card = {
            "id": self.served,
            "object": "model",
            "created": self._since,
            "owned_by": "transformers",
            "max_model_len": model.longest,
        }
        return JSONResponse({"object": "list", "data": [card]})

    async def _completions(self, request: Request) -> Response:
        return await self._answer(request, asked.completion)

    async def _chat(self, request: Request) -> Response:
        return await self._answer(request, asked.chat)

    def _ready(self) -> LightModel:
        """:raises RequestError: the model is not there yet."""
        if self.model is None:
            raise RequestError("the model is being loaded", status=503)
        return self.model

    async def _answer(self, request: Request, read: Callable[[Any, str], Asked]) -> Response:
        model = self._ready()
        wanted = read(await _json(request), self.served)
        prompts = model.encoded(wanted)
        if wanted.stream:
            events = self._events(model, wanted, prompts)
            return StreamingResponse(events, media_type="text/event-stream")
        return await _unless_left(request, self._whole(model, wanted, prompts))

    async def _whole(self, model: LightModel, wanted: Asked, prompts: list[list[int]]) -> Response:
        found = []
        for prompt in prompts:
            async for piece in self._pieces(model, wanted, prompt):
                if isinstance(piece, Generated):
                    found.append(piece)
        answer = answers.Answer(self.served, is_chat=wanted.is_chat)
        return JSONResponse(answer.whole([len(prompt) for prompt in prompts], found))

    async def _events(
        self, model: LightModel, wanted: Asked, prompts: list[list[int]]
    ) -> AsyncIterator[str]:
        answer = answers.Answer(self.served, is_chat=wanted.is_chat)
        if wanted.is_chat:
            yield answers.event(answer.opening())
        found = []
        try:
            for place, prompt in enumerate(prompts):
                async for piece in self._pieces(model, wanted, prompt):
                    if isinstance(piece, Generated):
                        found.append(piece)
                        yield answers.event(answer.piece(place, "", piece.finish_reason))
                    else:
                        yield answers.event(answer.piece(place, piece))
        except RequestError as fault:
            yield answers.event(answers.error(fault))
        else:
            if wanted.include_usage:
                yield answers.event(answer.closing([len(prompt) for prompt in prompts], found))
        yield answers.DONE

    async def _pieces(
        self, model: LightModel, wanted: Asked, prompt: list[int]
    ) -> AsyncIterator[str | Generated]:
        """Pieces of text, and at last the whole. Who stops listening ends the work too."""
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[str | Generated | RequestError] = asyncio.Queue()
        is_cancelled = threading.Event()

        def say(piece: str | Generated | RequestError) -> None:
            # A loop that is closed has nobody any more who would hear.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(said.put_nowait, piece)

        def work() -> None:
            if is_cancelled.is_set():
                return
            try:
                say(model.generate(prompt, wanted.sampling, say, is_cancelled))
            except Exception as error:  # noqa: BLE001 - whatever it was, somebody waits
                print(f"serve: an answer failed: {type(error).__name__}: {error}", flush=True)
                say(RequestError(f"the model failed: {type(error).__name__}", status=500))

        self._worker.submit(work)
        try:
            while True:
                piece = await said.get()
                if isinstance(piece, RequestError):
                    raise piece
                yield piece
                if isinstance(piece, Generated):
                    return
        finally:
            is_cancelled.set()


async def _unless_left(request: Request, answering: Any) -> Response:
    """The answer, or none where the client goes away while it waits."""
    answer = asyncio.ensure_future(answering)
    left = asyncio.ensure_future(_left(request))
    await asyncio.wait((answer, left), return_when=asyncio.FIRST_COMPLETED)
    left.cancel()
    if answer.done():
        return answer.result()
    answer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await answer
    return Response(status_code=_LEFT)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise RequestError("the body is no JSON") from None


async def _refused(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestError)
    return JSONResponse(answers.error(fault), status_code=fault.status)


async def _not_here(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    message = f"{request.method} {request.url.path}: {fault.detail}"
    refused = RequestError(message, status=fault.status_code)
    return JSONResponse(answers.error(refused), status_code=fault.status_code)
