"""The small server on transformers: what it answers is what the model says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn

from jobs.recipes.serve.light import asked
from jobs.recipes.serve.light.app import Desk
from jobs.recipes.serve.light.asked import RequestError
from jobs.recipes.serve.light.model import Generated, LightModel
from jobs.recipes.serve.light.server import serve
from jobs.recipes.serve.light.tail import Tail
from jobs.recipes.serve.settings import Settings
from tests.recipes import tiny

_JOBS = Path(__file__).resolve().parents[2] / "jobs"
_PATIENCE = 120.0
_PROMPT = tiny.PROMPT.format(dialog="Ada: Shall we meet at six?\nHugo: Fine.")
_LONGEST = 256


@dataclass(frozen=True)
class Served:
    """A server, and the folder of its model."""

    folder: Path
    client: httpx.Client
    process: subprocess.Popen[bytes]

    def post(self, path: str, **fields: Any) -> httpx.Response:
        return self.client.post(path, json=fields)

    def text(self, prompt: Any, tokens: int = 12, **fields: Any) -> Any:
        answer = self.post(
            "/predict", prompt=prompt, max_tokens=tokens, **{"temperature": 0, **fields}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, path: str, **fields: Any) -> list[Any]:
        """What a stream consists of."""
        sent = {"stream": True, "temperature": 0, **fields}
        with self.client.stream("POST", path, json=sent) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line for line in answer.iter_lines() if line]
        assert all(line.startswith("data: ") for line in lines)
        assert lines[-1] == "data: [DONE]"
        return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def start(folder: Path, **variables: str) -> tuple[subprocess.Popen[bytes], httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_JOBS),
        "MODEL": str(folder),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PARAMS": f"--max-model-len {_LONGEST} --tensor-parallel-size 2",
        "SERVE_BACKEND": "transformers",
        "HF_HUB_OFFLINE": "1",
        **variables,
    }
    command = [sys.executable, "-m", "recipes.serve"]
    process = subprocess.Popen(command, env=environment)
    return process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)


def until_healthy(process: subprocess.Popen[bytes], client: httpx.Client) -> set[int]:
    """The other answers that came until then."""
    seen: set[int] = set()
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            status = client.get("/health").status_code
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if status == 200:
            return seen
        seen.add(status)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    rows = tiny.dialogues(48)
    folder = tiny.write_model(tmp_path_factory.mktemp("model") / "base", rows)
    process, client = start(folder)
    with process, client:
        seen = until_healthy(process, client)
        # It listened while it loaded, and said so.
        assert seen == {503}
        yield Served(folder, client, process)
        process.terminate()


@pytest.fixture(scope="module")
def reference(served: Served) -> Any:
    """The model and its tokenizer in this process."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(served.folder)
    return model.eval(), AutoTokenizer.from_pretrained(served.folder)


def greedy(reference: Any, prompt: str, tokens: int, **options: Any) -> tuple[str, int]:
    """What ``generate`` says, and how many tokens that is."""
    model, tokenizer = reference
    ids = tokenizer(prompt, return_tensors="pt", **options).input_ids
    made = model.generate(ids, max_new_tokens=tokens, do_sample=False)[0][ids.shape[1] :]
    return tokenizer.decode(made, skip_special_tokens=True), len(made)


def test_greedy_answers_are_those_of_generate(served: Served, reference: Any) -> None:
    for row in tiny.dialogues(60)[48:]:
        prompt = tiny.PROMPT.format(dialog=row["dialogue"])
        answer = served.text(prompt, 16)
        text, tokens = greedy(reference, prompt, 16)
        assert answer["choices"][0]["text"] == text
        assert answer["usage"]["completion_tokens"] == tokens


def test_the_form_of_an_answer(served: Served) -> None:
    answer = served.text(_PROMPT, 5)
    assert answer["object"] == "text_completion"
    assert answer["model"] == "odsc-llm"
    assert answer["choices"][0]["finish_reason"] == "length"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + 5
    card = served.client.get("/v1/models").json()["data"][0]
    assert (card["id"], card["max_model_len"]) == ("odsc-llm", _LONGEST)


def test_several_prompts_have_an_answer_each(served: Served) -> None:
    answer = served.text(["Ada", _PROMPT], 6)
    alone = [served.text(prompt, 6)["choices"][0]["text"] for prompt in ("Ada", _PROMPT)]
    assert [choice["text"] for choice in answer["choices"]] == alone
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["usage"]["completion_tokens"] == 12


def test_token_numbers_are_a_prompt_too(served: Served, reference: Any) -> None:
    tokens = reference[1](_PROMPT).input_ids
    same = served.text(_PROMPT, 6)["choices"][0]["text"]
    assert served.text(tokens, 6)["choices"][0]["text"] == same


def test_a_stream_is_the_answer_in_pieces(served: Served) -> None:
    whole = served.text(_PROMPT, 20)
    events = served.events(
        "/predict", prompt=_PROMPT, max_tokens=20, stream_options={"include_usage": True}
    )
    *pieces, usage = events
    assert len(pieces) > 3
    joined = "".join(event["choices"][0]["text"] for event in pieces)
    assert joined == whole["choices"][0]["text"]
    assert [event["choices"][0]["finish_reason"] for event in pieces][-2:] == [None, "length"]
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])


def test_a_chat_is_answered_by_the_template(served: Served, reference: Any) -> None:
    messages = [{"role": "user", "content": "Shall we meet?"}]
    answer = served.post("/v1/chat/completions", messages=messages, max_tokens=8, temperature=0)
    template = reference[1].apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )
    text, _ = greedy(reference, template, 8, add_special_tokens=False)
    said = answer.json()["choices"][0]["message"]
    assert said == {"role": "assistant", "content": text}
    events = served.events("/v1/chat/completions", messages=messages, max_tokens=8)
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    deltas = [event["choices"][0]["delta"].get("content", "") for event in events]
    assert "".join(deltas) == said["content"]


def test_it_stops_at_a_text_and_does_not_say_it(served: Served) -> None:
    whole = served.text(_PROMPT, 24)["choices"][0]["text"]
    stop = whole[8:11]
    answer = served.text(_PROMPT, 24, stop=["never there", stop])
    assert answer["choices"][0]["text"] == whole[: whole.index(stop)]
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] < 24
    events = served.events("/predict", prompt=_PROMPT, max_tokens=24, stop=stop)
    joined = "".join(event["choices"][0]["text"] for event in events)
    assert joined == whole[: whole.index(stop)]


def test_a_seed_makes_chance_repeat(served: Served) -> None:
    def drawn(seed: int) -> Any:
        return served.text(_PROMPT, 24, temperature=1.5, seed=seed)["choices"][0]["text"]

    assert drawn(7) == drawn(7)
    assert len({drawn(seed) for seed in range(4)}) > 1


def test_what_it_refuses_is_named(served: Served) -> None:
    wrong: list[tuple[dict[str, Any], int, str | None]] = [
        ({"prompt": "x", "model": "other"}, 404, "model"),
        ({"prompt": "x", "n": 2}, 400, "n"),
        ({"prompt": "x", "best_of_all": True}, 400, "best_of_all"),
        ({"prompt": "x", "max_tokens": _LONGEST}, 400, "max_tokens"),
        ({"prompt": [10**6]}, 400, "prompt"),
        ({"prompt": ""}, 400, "prompt"),
    ]
    for fields, status, param in wrong:
        answer = served.post("/predict", **fields)
        assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), fields
    assert served.client.post("/predict", content=b"{").status_code == 400
    missing = served.client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "NotFoundError")


def test_answers_wait_for_each_other_and_all_come(served: Served) -> None:
    alone = served.text(_PROMPT, 16)["choices"][0]["text"]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: served.text(_PROMPT, 16), range(8)))
    assert {answer["choices"][0]["text"] for answer in found} == {alone}


def test_sigterm_lets_an_answer_come_to_its_end(served: Served) -> None:
    process, client = start(served.folder)
    with process, client:
        until_healthy(process, client)
        fields = {"prompt": _PROMPT, "max_tokens": 100, "temperature": 0, "stream": True}
        with client.stream("POST", "/predict", json=fields) as answer:
            lines = answer.iter_lines()
            next(lines)
            process.terminate()
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert process.wait(timeout=60) in (0, -15)


# --- without a model -----------------------------------------------------------------------


class Endless:
    """Stands for a model whose answer never ends, until nobody wants it any more."""

    longest = 100

    def __init__(self) -> None:
        self.began = threading.Event()
        self.ended = threading.Event()

    def encoded(self, asked: Any) -> list[list[int]]:
        return [[1]]

    def generate(self, prompt: Any, sampling: Any, heard: Any, is_cancelled: Any) -> Generated:
        self.began.set()
        while not is_cancelled.wait(0.001):
            heard("x")
        self.ended.set()
        return Generated("x", 1, "length")


@pytest.fixture
def endless() -> Iterator[tuple[Endless, socket.socket]]:
    """A model that never ends, behind a port."""
    desk, model = Desk("odsc-llm"), Endless()
    desk.model = cast(LightModel, model)
    config = uvicorn.Config(desk.application(), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with socket.create_connection(listener.getsockname()) as connection:
            yield model, connection
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("stream", [True, False])
def test_who_leaves_ends_the_work_on_the_answer(
    endless: tuple[Endless, socket.socket], stream: bool
) -> None:
    model, connection = endless
    body = json.dumps({"prompt": "x", "stream": stream}).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    assert model.began.wait(_PATIENCE)
    assert not model.ended.is_set()
    connection.close()
    assert model.ended.wait(_PATIENCE)


def test_weights_that_cannot_be_loaded_end_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no-such-model"}')
    settings = Settings(tmp_path, host="127.0.0.1", port=0)
    assert serve(settings, tmp_path) == 1
    assert f"serve: {tmp_path} can't be loaded: " in capsys.readouterr().err


# --- parts ---------------------------------------------------------------------------------


def test_null_and_neutral_values_mean_nothing() -> None:
    body = {"prompt": "x", "n": 1, "suffix": None, "echo": False, "logit_bias": {}, "user": "me"}
    found = asked.completion(body, "m")
    assert (found.prompts, found.sampling.max_tokens, found.stream) == (("x",), 16, False)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([], None),
        ({}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["x", 1]}, "prompt"),
        ({"prompt": "x", "temperature": 3}, "temperature"),
        ({"prompt": "x", "temperature": True}, "temperature"),
        ({"prompt": "x", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "x", "max_tokens": 1.5}, "max_tokens"),
        ({"prompt": "x", "stop": [""]}, "stop"),
        ({"prompt": "x", "stop": ["a"] * 5}, "stop"),
        ({"prompt": "x", "stop": 1}, "stop"),
        ({"prompt": "x", "stream": "yes"}, "stream"),
        ({"prompt": "x", "stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_a_wrong_field_is_named(body: Any, param: str | None) -> None:
    with pytest.raises(RequestError) as caught:
        asked.completion(body, "m")
    assert caught.value.param == param


def test_messages_are_texts_or_parts_of_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    found = asked.chat({"messages": [{"role": "user", "content": parts}]}, "m")
    assert found.messages == ({"role": "user", "content": "ab"},)
    image = [{"type": "image_url", "image_url": {}}]
    for wrong in ([], [{"role": "tool", "content": "x"}], [{"role": "user", "content": image}]):
        with pytest.raises(RequestError):
            asked.chat({"messages": wrong}, "m")


def test_no_half_character_is_said_and_no_begun_stop() -> None:
    encoded = "é END".encode()
    tail = Tail(lambda tokens: bytes(tokens).decode("utf-8", "replace"), b"prompt", ["END"])
    said = [tail.add(byte) for byte in encoded]
    assert said[:3] == ["", "é", " "]
    assert "".join(said) == "é "
    assert tail.is_stopped
    other = Tail(lambda tokens: bytes(tokens).decode("utf-8", "replace"), b"", ["END"])
    assert "".join(other.add(byte) for byte in b"an EN") == "an "
    assert other.finish() == "EN"
    assert not other.is_stopped
    assert other.text == "an EN"


def test_a_cancelled_answer_ends_soon(served: Served) -> None:
    model = LightModel.load(served.folder)
    cancelled = threading.Event()
    cancelled.set()
    sampling = asked.Sampling(max_tokens=200, temperature=0)
    found = model.generate([1, 5, 9], sampling, lambda _: None, cancelled)
    assert found.tokens == 1
