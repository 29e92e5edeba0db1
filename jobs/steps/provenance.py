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
    from oci.exceptions import ServiceError

    namespace, bucket, prefix = bucket_path(artifact)
    with attempting(f"read {MANIFEST} in {artifact}"):
        try:
            found = storage().get_object(namespace, bucket, f"{prefix}{MANIFEST}").data.content
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
            f"{artifact}{MANIFEST} is not what the merge writes.", "Submit the merge again."
        )
    return content


def put(artifact: str, content: dict[str, Any]) -> None:
    """Write the manifest into the folder *artifact* of the bucket."""
    namespace, bucket, prefix = bucket_path(artifact)
    body = json.dumps(content, indent=2).encode()
    with attempting(f"write {MANIFEST} to {artifact}"):
        storage().put_object(
            namespace, bucket, f"{prefix}{MANIFEST}", body, content_type="application/json"
        )


def items(content: Mapping[str, Any], run: Run) -> list[Item]:
    """What the catalog keeps: base model, data, figures of the training, and who made it."""
    return [
        *(
            Item(key, text[:_LONGEST], category, description)
            for key, value, category, description in _told(content)
            if (text := _text(value))
        ),
        *(
            Item(f"{step}_{name}", ocid, "Training Environment", f"OCID of the {step} {name}")
            for step in JOBS
            for name, ocid in run.need(step).ids.items()
        ),
    ]


def _told(content: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, str]]:
    training = content.get("training")
    figures: Mapping[str, Any] = training if isinstance(training, Mapping) else {}

    def either(*names: str) -> Any:
        return next((figures[name] for name in names if figures.get(name) is not None), None)

    profile, figure = "Training Profile", "Performance"
    data = "Training and Validation Datasets"
    yield "base_model", content.get("base_model"), profile, "Hugging Face id, commit"
    yield "method", content.get("method") or either("method"), profile, "lora, or full"
    yield "dataset", content.get("data"), data, "Hugging Face id, commit"
    yield "steps", either("steps", "step"), profile, "Steps of the optimizer"
    yield "train_loss", either("train_loss", "final_train_loss"), figure, "At the end"
    yield "eval_loss", either("eval_loss", "final_eval_loss"), figure, "At the end"
    yield "tokens_per_second", either("tokens_per_second"), figure, "Of all GPUs together"


def _text(value: Any) -> str:
    """A value in words; of a repository, its name and its commit."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        names = ("repository", "repo", "id", "name", "model", "dataset")
        name = next((value[each] for each in names if value.get(each)), None)
        commit = value.get("commit") or value.get("revision")
        if name is not None:
            return f"{name}@{commit}" if commit else str(name)
        return json.dumps(value, sort_keys=True)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _step(entry: Entry) -> dict[str, Any]:
    return {
        **entry.ids,
        "state": entry.state,
        "shape": entry.shape,
        "replicas": entry.replicas,
        "started": entry.started.isoformat() if entry.started else None,
        "finished": entry.finished.isoformat() if entry.finished else None,
    }
