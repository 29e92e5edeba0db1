"""A model that is served for real: from the bucket to an answer, by both backends of the recipe."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oci
import pytest
import requests

from ocimock import ServedCloud
from tests.e2e.conftest import ROOT
from tests.ocimock.support import client
from tests.ocimock.workbench import NS, M, Workbench, workbench
from tests.servers import running_server

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

_TORCH, _VLLM = ROOT / ".tools" / "rehearsal", ROOT / ".tools" / "vllm"
_PREFIX = "merged/run"
_TOKENS = 16
# Seconds. vLLM alone takes half a minute to come up.
_PATIENCE = 300.0

_EXECUTION = """
[images."dsmc://odsc-vllm-serving:*"]
environment = "{environment}"
folder = "{jobs}"
command = ["python", "-m", "recipes.serve"]
[images."dsmc://odsc-vllm-serving:*".variables]
SERVE_BACKEND = "{backend}"
{variables}
[limits]
cpus = 2
memory = "8 GB"
"""
_WORDS = "--tensor-parallel-size 1 --dtype float32 --enforce-eager --kv-cache-memory-bytes 67108864"
_CPU = f"""
VLLM_ENABLE_V1_MULTIPROCESSING = "0"
HF_HUB_OFFLINE = "1"
SERVE_PARAMS = "{_WORDS}"
"""

# Makes the model and writes down what it says: prompts, and generate's greedy answers.
_MAKE = f"""
import json, sys
from pathlib import Path
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from demo.tiny import PROMPT, dialogues, write_model
folder = Path(sys.argv[1])
rows = dialogues(60)
write_model(folder / "model", rows[:50])
tokenizer = AutoTokenizer.from_pretrained(folder / "model")
model = AutoModelForCausalLM.from_pretrained(folder / "model").eval()
# Random weights say bytes that are no text, and what is shown of those is a server's own affair.
with torch.no_grad():
    for token in range(len(tokenizer)):
        if not tokenizer.decode([token]).isascii():
            model.lm_head.weight[token] = 0
model.save_pretrained(folder / "model", max_shard_size="200KB")
answers = {{}}
for row in rows[50:]:
    prompt = PROMPT.format(dialog=row["dialogue"])
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    made = model.generate(ids, max_new_tokens={_TOKENS}, do_sample=False)[0][ids.shape[1]:]
    answers[prompt] = tokenizer.decode(made, skip_special_tokens=True)
(folder / "answers.json").write_text(json.dumps(answers))
"""


@dataclass(frozen=True)
class Tiny:
    """A model of random weights, and what ``generate`` says to some prompts."""

    folder: Path
    answers: dict[str, str]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    if not (_TORCH / "bin" / "python").exists():
        pytest.skip("there is no PyTorch: make test-rehearsal installs it")
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run(
        [str(_TORCH / "bin" / "python"), "-c", _MAKE, str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1"},
        check=True,
    )
    return Tiny(folder / "model", json.loads((folder / "answers.json").read_text()))


@dataclass(frozen=True)
class Served:
    """A deployment that is ACTIVE."""

    cloud: ServedCloud
    work: Workbench
    deployment: Any

    def ask(self, path: str = "predict", **fields: Any) -> Any:
        signer = oci.signer.Signer.from_config(self.cloud.config)
        url = f"{self.deployment.model_deployment_url}/{path}"
        stream = bool(fields.get("stream"))
        return requests.post(url, json=fields, auth=signer, timeout=120, stream=stream)


@pytest.fixture(scope="module", params=["transformers", "vllm"])
def served(
    request: pytest.FixtureRequest, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    is_vllm = request.param == "vllm"
    environment = _VLLM if is_vllm else _TORCH
    if not (environment / "bin" / "python").exists():
        pytest.skip(f"{environment.relative_to(ROOT)} is not there: make rehearse SERVE=vllm")
    folder = tmp_path_factory.mktemp(request.param)
    file = folder / "execution.toml"
    file.write_text(
        _EXECUTION.format(
            environment=environment,
            jobs=ROOT / "jobs",
            backend=request.param,
            variables=_CPU if is_vllm else "",
        )
    )
    with (
        running_server(folder / "home", "--execute", str(file), "--verify-signatures") as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, text in server.environment.items():
            patch.setenv(name, text)
        cloud = ServedCloud(server)
        work = workbench(cloud)
        deployment = _deploy(work, _upload(work, tiny.folder))
        yield Served(cloud, work, deployment)


def _upload(work: Workbench, folder: Path) -> str:
    """The model in the catalog, by reference to the objects of a versioned bucket."""
    objects = []
    for path in sorted(folder.iterdir()):
        name = f"{_PREFIX}/{path.name}"
        done = work.storage.put_object(NS, "bucket", name, path.read_bytes())
        version, size = done.headers["version-id"], path.stat().st_size
        objects.append({"name": name, "version": version, "sizeInBytes": size})
    place = {"namespace": NS, "bucketName": "bucket", "prefix": f"{_PREFIX}/", "objects": objects}
    described = {"version": "1.0", "type": "modelOSSReferenceDescription", "models": [place]}
    return str(work.model(artifact=json.dumps(described).encode()).id)


def _deploy(work: Workbench, model: str) -> Any:
    environment = M.OcirModelDeploymentEnvironmentConfigurationDetails(
        image="dsmc://odsc-vllm-serving:0.11.0",
        server_port=8080,
        health_check_port=8080,
        environment_variables={
            "BASE_MODEL": _PREFIX,
            "PARAMS": "--served-model-name odsc-llm --max-model-len 512 --tensor-parallel-size 2",
            "MODEL_DEPLOY_PREDICT_ENDPOINT": "/v1/completions",
        },
    )
    log = M.LogDetails(log_id=work.log, log_group_id=work.group)
    details = work.deployment_details(
        model,
        environment=environment,
        category_log_details=M.CategoryLogDetails(access=log, predict=log),
    )
    made = work.science.create_model_deployment(details).data
    found = oci.wait_until(
        work.science,
        work.science.get_model_deployment(made.id),
        evaluate_response=lambda got: got.data.lifecycle_state in ("ACTIVE", "FAILED"),
        max_interval_seconds=1,
        max_wait_seconds=_PATIENCE,
    ).data
    assert found.lifecycle_state == "ACTIVE", found.lifecycle_details
    return found


def test_it_says_that_it_runs_here(served: Served) -> None:
    assert "run by ocimock on this machine" in served.deployment.lifecycle_details


def test_the_served_answer_is_that_of_generate(served: Served, tiny: Tiny) -> None:
    for prompt, text in tiny.answers.items():
        answer = served.ask(model="odsc-llm", prompt=prompt, max_tokens=_TOKENS, temperature=0)
        assert answer.status_code == 200, answer.text
        assert answer.headers["ocimock-executed"] == "true"
        assert answer.json()["choices"][0]["text"] == text


def test_a_stream_is_the_same_answer_in_pieces(served: Served, tiny: Tiny) -> None:
    prompt, text = next(iter(tiny.answers.items()))
    fields = {"prompt": prompt, "max_tokens": _TOKENS, "temperature": 0, "stream": True}
    with served.ask("predictWithResponseStream", **fields) as answer:
        lines = [line.decode() for line in answer.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert len(events) > 3
    assert "".join(event["choices"][0]["text"] for event in events) == text


def test_the_sdk_of_oci_asks_too(served: Served, tiny: Tiny) -> None:
    sdk = client(
        served.cloud,
        oci.model_deployment.ModelDeploymentClient,
        service_endpoint=served.deployment.model_deployment_url.rsplit("/", 1)[0],
    )
    prompt, text = next(iter(tiny.answers.items()))
    asked = {"prompt": prompt, "max_tokens": _TOKENS, "temperature": 0}
    answer = json.loads(sdk.predict(served.deployment.id, request_body=json.dumps(asked)).data)
    assert answer["choices"][0]["text"] == text


def test_what_is_wrong_is_the_servers_own_answer(served: Served) -> None:
    answer = served.ask(model="other", prompt="x")
    assert answer.status_code == 404
    assert answer.json()["error"]["param"] == "model"


def test_the_logs_have_the_servers_lines_and_the_requests_but_no_prompt(served: Served) -> None:
    served.ask(prompt="nobody's business", max_tokens=1)
    lines = served.work.lines(served.deployment.id)
    assert any(line.startswith("serve: /opt/ds/model/deployed_model/merged/run") for line in lines)
    assert any(line.startswith("POST ") and " 200 " in line for line in lines)
    assert "nobody's business" not in "\n".join(lines)
