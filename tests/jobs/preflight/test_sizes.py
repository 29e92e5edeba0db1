"""What is submitted against what sizing says of it: memory, disk, time, serving, money."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from jobs import budget
from jobs.errors import BudgetError
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.serving import Serving
from jobs.preflight.checks.sizes import DiskSpace, Memory, Runtime
from jobs.preflight.checks.spending import Budget
from jobs.preflight.looking import look
from jobs.preflight.subject import Subject
from ocimock.inprocess import MockedCloud
from tests.jobs.preflight.subjects import (
    Change,
    bench_subject,
    findings,
    infrastructure,
    only,
    runtime,
    subject,
)
from tests.jobs.workbench import BUCKET, Workbench, storage

SIZES = (Memory(), DiskSpace(), Runtime(), Serving(), Budget())


def training(**options: Any) -> str:
    """A command of the recipe sft; ``max_length=512``."""
    given = {"method": "lora", "epochs": 3, "batch_size": 4, "max_length": 2048, **options}
    words = [f"--{name.replace('_', '-')} {value}" for name, value in given.items()]
    return f"torchrun --module recipes.sft --model /mnt/base {' '.join(words)}"


def both(*changes: Change) -> Change:
    def change(spec: dict[str, Any]) -> None:
        for each in changes:
            each(spec)

    return change


def of_stage(model: str) -> Change:
    def change(spec: dict[str, Any]) -> None:
        inner = spec["runtime"]["spec"]
        inner["command"] = inner["command"].replace("meta-llama/Llama-2-13b-hf", model)

    return change


def limited(limit: float | None, changes: Any = None, **fields: Any) -> Subject:
    found = subject(changes, **fields)
    return replace(found, pipeline=replace(found.pipeline, spending_limit=limit))


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found is not None, text
    return int(found[1])


def test_nothing_fails_of_the_tutorials_case() -> None:
    for check in SIZES:
        states = {each.state for each in findings(check, subject())}
        assert states <= {State.PASS, State.WARN}, check.name


# --- memory ---------------------------------------------------------------------------------------


def full(replicas: int) -> Subject:
    command = training(method="full")
    return subject({"finetune": runtime(command=command, replicas=replicas)})


def test_a_training_that_does_not_fit_and_how_it_would() -> None:
    found = only(Memory(), full(1))
    assert found.state is State.FAIL
    assert "finetune.yaml, 1 x VM.GPU.A10.2: does not fit" in found.said
    replicas = number(r"'finetune: replicas: (\d+)'", found.remedy)
    assert only(Memory(), full(replicas)).state is State.PASS
    assert only(Memory(), full(replicas - 1)).state is not State.PASS
    assert "'finetune: method: lora'" in found.remedy


def test_the_shape_that_is_named_fits() -> None:
    found = only(Memory(), full(1))
    shape = re.search(r"'finetune: shape: (\S+)' with 'replicas: (\d+)'", found.remedy)
    assert shape is not None
    change = both(
        runtime(command=training(method="full"), replicas=int(shape[2])),
        infrastructure(shapeName=shape[1]),
    )
    assert only(Memory(), subject({"finetune": change})).state is State.PASS


def test_every_fallback_is_looked_at() -> None:
    looked_at = subject()
    spare = replace(looked_at.definitions["finetune"], name="finetune.fallback-1")
    steps = tuple(
        replace(each, definitions=("finetune.yaml", "finetune.fallback-1.yaml"))
        if each.name == "finetune"
        else each
        for each in looked_at.pipeline
    )
    more = replace(
        looked_at,
        pipeline=replace(looked_at.pipeline, steps=steps),
        definitions={**looked_at.definitions, "finetune.fallback-1": spare},
    )
    assert len(findings(Memory(), more)) == 2


def test_a_model_that_nobody_knows_is_one_warning() -> None:
    looked_at = subject({"stage": of_stage("org/own")}, offline=True)
    found = only(Memory(), looked_at)
    assert found.state is State.WARN
    assert "nothing is known of the size of org/own" in found.said
    others = [each for check in SIZES[1:4] for each in findings(check, looked_at)]
    assert {each.state for each in others} == {State.SKIPPED}


def test_the_config_of_a_staged_model_is_read_where_it_lies(
    bench: Workbench, cloud: MockedCloud
) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 5120,
        "num_hidden_layers": 40,
        "num_attention_heads": 40,
        "num_key_value_heads": 40,
        "intermediate_size": 13824,
        "vocab_size": 32000,
        "max_position_embeddings": 4096,
    }
    name = "base/llama2-13b/config.json"
    storage(cloud).put_object(cloud.namespace, BUCKET, name, json.dumps(config).encode())
    own, known = (bench_subject(bench, changes) for changes in ({"stage": of_stage("org/own")}, {}))
    assert [each.said for each in findings(Memory(), own)] == [
        each.said for each in findings(Memory(), known)
    ]
    [offline] = look([Memory()], own, offline=True)
    assert "nothing is known" in offline.findings[0].said


# --- disk -----------------------------------------------------------------------------------------


def test_a_disk_that_is_too_small_for_the_merge() -> None:
    def of_merge(gigabytes: int) -> Finding:
        looked_at = subject({"merge": infrastructure(blockStorageSize=gigabytes)})
        [found] = [each for each in findings(DiskSpace(), looked_at) if "merge.yaml" in each.said]
        return found

    found = of_merge(50)
    assert found.state is State.FAIL
    assert "50 GB of block storage" in found.said
    enough = number(r"'merge: block_storage_gb: (\d+)'", found.remedy)
    assert of_merge(enough).state is State.PASS
    assert of_merge(enough - 1).state is State.WARN


# --- runtime --------------------------------------------------------------------------------------


def test_a_maximum_runtime_below_the_training() -> None:
    def within(minutes: int) -> Finding:
        return only(Runtime(), subject({"finetune": runtime(maximumRuntimeInMinutes=minutes)}))

    found = within(30)
    assert found.state is State.FAIL
    assert "the maximum runtime is 30 min" in found.said
    enough = number(r"'finetune: max_runtime_minutes: (\d+)'", found.remedy)
    assert within(enough).state is State.PASS
    states = [within(minutes).state for minutes in range(30, enough + 1, 15)]
    assert states == sorted(states, key=[State.FAIL, State.WARN, State.PASS].index)
    assert State.WARN in states


def test_a_data_set_of_unknown_size_says_nothing() -> None:
    def change(spec: dict[str, Any]) -> None:
        inner = spec["runtime"]["spec"]
        inner["command"] = inner["command"].replace("knkarthick/samsum", "org/rows")

    found = only(Runtime(), subject({"stage": change}))
    assert found.state is State.SKIPPED
    assert "org/rows" in found.said


# --- serving --------------------------------------------------------------------------------------


def served(params: str, shape: str = "VM.GPU.A10.2", **values: Any) -> Finding:
    env = {"BASE_MODEL": "merged", "PARAMS": params}
    change = both(runtime(env=env, **values), infrastructure(shapeName=shape))
    return only(Serving(), subject({"deployment": change}))


def test_a_length_that_the_cache_may_not_hold() -> None:
    params = "--max-model-len {} --tensor-parallel-size 2 --gpu-memory-utilization {}"
    found = served(params.format(4096, 0.68))
    assert found.state is State.WARN
    assert "max_model_len 4096: the KV cache holds" in found.said
    longest = number(r"'serving: max_model_len: (\d+)'", found.remedy)
    assert served(params.format(longest, 0.68)).state is State.PASS
    assert served(params.format(4096, 0.5)).state is State.FAIL


def test_a_shape_that_is_too_small_names_one_that_does() -> None:
    found = served("--max-model-len 4096", "VM.GPU.A10.1")
    assert found.state is State.FAIL
    shape = re.search(r"'serving: shape: (\S+)' with 'tensor_parallel: (\d+)'", found.remedy)
    assert shape is not None
    params = f"--max-model-len 4096 --tensor-parallel-size {shape[2]}"
    assert served(params, shape[1]).state is State.PASS


def test_what_vllm_can_not_be_computed_for() -> None:
    found = served("--max-model-len 4096 --cpu-offload-gb 20", "VM.GPU.A10.1")
    assert found.state is State.WARN
    assert "--cpu-offload-gb" in found.said
    assert served("'", "VM.GPU.A10.2").state is State.FAIL
    own = served("", image="fra.ocir.io/ns/tgi:1")
    assert own.state is State.SKIPPED


# --- the spending limit ---------------------------------------------------------------------------


def test_a_limit_below_one_step_is_a_failure_before_any_is_paid() -> None:
    found = only(Budget(), limited(100))
    assert found.state is State.FAIL
    assert "finetune.yaml may cost $288.00" in found.said
    assert "spending limit of $100.00" in found.said
    assert "'pipeline: spending_limit: 288'" in found.remedy
    assert only(Budget(), limited(288)).state is State.WARN
    minutes = number(r"max_runtime_minutes: (\d+)'", found.remedy)
    shorter = {"finetune": runtime(maximumRuntimeInMinutes=minutes)}
    assert only(Budget(), limited(100, shorter)).state is not State.FAIL


def test_what_was_spent_counts_and_what_is_done_does_not() -> None:
    assert only(Budget(), limited(300, spent=20.0)).state is State.FAIL
    assert "beside $20.00 that were spent" in only(Budget(), limited(300, spent=20.0)).said
    done = frozenset({"deploy", "smoke"})
    assert only(Budget(), limited(10, steps=done)).state is State.PASS


def test_no_limit_and_all_within_it() -> None:
    assert only(Budget(), limited(None)).state is State.PASS
    assert only(Budget(), limited(500)).state is State.PASS


def test_a_step_that_nobody_can_price() -> None:
    found = only(Budget(), limited(500, {"merge": infrastructure(shapeName="BM.Unheard")}))
    assert found.state is State.FAIL
    assert "merge.yaml: no list price" in found.said
    assert "take 'pipeline: spending_limit' out" in found.remedy


@pytest.mark.parametrize("limit", [0.5, 20, 100, 287, 288, 300, 500])
def test_a_failure_is_what_the_runner_would_refuse(limit: float) -> None:
    """Held against the runner's own words, with nothing spent yet."""
    looked_at = limited(limit)
    now = looked_at.clock.now()
    refused = []
    for step in looked_at.pipeline:
        for definition in looked_at.of_step(step.name):
            try:
                budget.check(looked_at.pipeline, step, definition, [], now)
            except BudgetError:
                refused.append(definition.path.name)
    failed = [each for each in findings(Budget(), looked_at) if each.state is State.FAIL]
    assert [each.said.partition(" ")[0] for each in failed] == refused
