"""Where a model comes from: the manifest beside its weights, and what the catalog keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..auth import storage
from ..definitions import Definition, bucket_path
from ..errors import StepFailedError, attempting
from ..record import Entry, Run

MANIFEST = "tunestack.json"
"""What the merge leaves beside the weights."""
STAGE_MANIFEST = "tunestack-stage.json"
"""What the staging leaves beside a model or a data set."""
JOBS = ("stage", "finetune", "merge")
# Characters of a value: OCI takes 16,000, and 32,000 bytes of all items together.
_LONGEST = 500


@dataclass(frozen=True)
class Item:
    """One custom metadata item of the catalog; *category* is one of OCI's own."""

    key: str
    value: str
    category: str
    description: str


def manifest(definitions: Mapping[str, Definition], run: Run) -> dict[str, Any]:
    """The same from the definitions and the record, for a merge that has left none."""
    stage, finetune = definitions["stage"], definitions["finetune"]
    return {
        "format": 1,
        "base_model": stage.argument("--model"),
        "method": finetune.argument("--method")
        or finetune.argument("--peft_method")
        or "full-parameter",
        "data": stage.argument("--dataset"),
        "epochs": finetune.argument("--epochs") or finetune.argument("--num_epochs"),
        "code": {key: finetune.runtime.get("git", {}).get(key) for key in ("url", "commit")},
        "simulated": any(run.need(step).simulated for step in JOBS),
        "steps": {step: _step(run.need(step)) for step in JOBS},
    }


def read(artifact: str) -> dict[str, Any] | None:
    """The manifest that the merge left in the folder *artifact*; None if it left none.

    Raises:
        StepFailedError: it is not JSON.
    """
    return _json(artifact, MANIFEST)


def put(artifact: str, content: dict[str, Any]) -> None:
    """Write the manifest into the folder *artifact* of the bucket."""
    namespace, bucket, prefix = bucket_path(artifact)
    body = json.dumps(content, indent=2).encode()
    with attempting(f"write {MANIFEST} to {artifact}"):
        storage().put_object(
            namespace, bucket, f"{prefix}{MANIFEST}", body, content_type="application/json"
        )


def items(
    content: Mapping[str, Any], definitions: Mapping[str, Definition], run: Run
) -> list[Item]:
    """What the catalog keeps: base model, data, figures of the training, and who made it."""
    return [
        *(
            Item(key, text[:_LONGEST], category, description)
            for key, value, category, description in _told(content, _dataset(definitions["stage"]))
            if (text := _text(value))
        ),
        *(
            Item(f"{step}_{name}", ocid, "Training Environment", f"OCID of the {step} {name}")
            for step in JOBS
            for name, ocid in run.need(step).ids.items()
        ),
        Item("ran", _where(run), "Training Environment", "Where the jobs ran"),
    ]


def _told(content: Mapping[str, Any], dataset: Any) -> Iterator[tuple[str, Any, str, str]]:
    """Key, value, category and description, of what is known and what is not."""
    training = content.get("training") or {}
    loss = training.get("loss") or {}
    adapter = content.get("adapter") or {}
    profile, figure = "Training Profile", "Performance"
    yield "base_model", content.get("base_model"), profile, "Hugging Face id @ commit"
    yield "dataset", dataset, "Training and Validation Datasets", "Hugging Face id @ commit"
    yield "method", content.get("method"), profile, "LoRA, or every parameter"
    yield "steps", training.get("steps"), profile, "Steps of the optimizer"
    yield "epochs", training.get("epochs"), profile, "Rounds over the data"
    yield "global_batch", training.get("global_batch"), profile, "Rows a step, of all GPUs"
    yield "train_loss", loss.get("train"), figure, "At the end, in nats a token"
    yield "eval_loss", loss.get("eval"), figure, "At the end, in nats a token"
    yield "tokens_per_second", training.get("tokens_per_second"), figure, "Of all GPUs together"
    yield "adapter_sha256", adapter.get("sha256"), profile, "Of the LoRA weights merged in"


def _dataset(stage: Definition) -> Any:
    """What was staged, with its commit, where the staging says so; else what was asked for."""
    left = _json(f"{stage.argument('--dataset-to')}/", STAGE_MANIFEST)
    return left or stage.argument("--dataset")


def _where(run: Run) -> str:
    entries = [run.need(step) for step in JOBS]
    if any(entry.simulated for entry in entries):
        return "simulated"
    return "on a developer's machine" if any(entry.local for entry in entries) else "in OCI"


def _text(value: Any) -> str:
    """A value in words; of a repository of the hub, its name and its commit."""
    if isinstance(value, Mapping):
        return "@".join(str(value[key]) for key in ("repo", "commit") if value.get(key))
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _json(folder: str, name: str) -> dict[str, Any] | None:
    """A JSON object in the bucket; None where there is none of that name.

    Raises:
        StepFailedError: it holds something else.
    """
    from oci.exceptions import ServiceError

    namespace, bucket, prefix = bucket_path(folder)
    with attempting(f"read {name} in {folder}"):
        try:
            found = storage().get_object(namespace, bucket, f"{prefix}{name}").data.content
        except ServiceError as error:
            if error.status == 404:
                return None
            raise
    try:
        content = json.loads(found)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StepFailedError(
            f"{folder}{name} is not what the job writes.", "Submit that job again."
        )
    return content


def _step(entry: Entry) -> dict[str, Any]:
    return {
        **entry.ids,
        "state": entry.state,
        "shape": entry.shape,
        "replicas": entry.replicas,
        "started": entry.started.isoformat() if entry.started else None,
        "finished": entry.finished.isoformat() if entry.finished else None,
    }
