"""The recipe ``sft`` and its sisters ``stage`` and ``merge``: our own code, as commands."""

from typing import Any

from infra.job import own_environment
from infra.places import Places
from infra.plan import Plan
from infra.recipes import BASE, CODE, DATA, MERGED, NO_BYTECODE, OUTPUTS, PACKAGE
from infra.tenancy.schema import Finetune, Merge, Tenancy


def runtime(settings: Finetune, plan: Plan, places: Places) -> dict[str, Any]:
    """What is particular to the recipe in the training's runtime."""
    return {"command": finetune_command(settings, plan, places), **own_environment(plan.conda)}


def variables() -> dict[str, str]:
    """The environment of every job that runs our code."""
    return {"PYTHONPATH": CODE, **NO_BYTECODE}


def training_variables() -> dict[str, str]:
    """The environment of the training, beside that."""
    # A restart of torchrun's agents hangs now and then while they share the rendezvous' store.
    return {**variables(), "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}


def stage_command(tenancy: Tenancy, plan: Plan, places: Places) -> str:
    """Model and data set from the hub into the bucket."""
    words = [
        f"python -m {PACKAGE}.stage",
        f"--model {plan.model_id}",
        *_revision("--model-revision", tenancy.model_revision),
        f"--model-to {places.folder(plan.base_prefix)}",
        f"--dataset {tenancy.dataset}",
        *_revision("--dataset-revision", tenancy.dataset_revision),
        f"--dataset-to {places.folder(plan.data_prefix)}",
        *tenancy.stage.extra_args,
    ]
    return " ".join(words)


def finetune_command(settings: Finetune, plan: Plan, places: Places) -> str:
    """Training, with checkpoints straight to the bucket: a mounted one takes whole files only."""
    length = f"--epochs {plan.epochs}" if plan.epochs else f"--max-steps {settings.max_steps}"
    words = [
        f"torchrun --module {PACKAGE}.sft",
        f"--model {BASE}",
        f"--data {DATA}",
        f"--output {OUTPUTS}",
        f"--checkpoints {places.folder(plan.checkpoints_prefix)}",
        f"--method {plan.method}",
        length,
        f"--batch-size {plan.batch_size}",
        f"--gradient-accumulation {settings.gradient_accumulation}",
        f"--max-length {settings.max_length}",
        _switch("packing", settings.packing),
        _switch("gradient-checkpointing", settings.gradient_checkpointing),
        f"--precision {settings.precision}",
        f"--checkpoint-every {settings.checkpoint_every}",
        f"--learning-rate {plan.learning_rate}",
        f"--seed {settings.seed}",
        *settings.extra_args,
    ]
    return " ".join(words)


def merge_command(settings: Merge, plan: Plan) -> str:
    """LoRA weights into the base model, or an FSDP checkpoint into a Hugging Face model."""
    source = "--adapter" if plan.method == "lora" else "--fsdp-checkpoint"
    words = [
        f"python -m {PACKAGE}.merge",
        f"--base {BASE}",
        f"{source} {OUTPUTS}",
        f"--output {MERGED}",
        *settings.extra_args,
    ]
    return " ".join(words)


def _switch(name: str, on: bool) -> str:
    return f"--{name}" if on else f"--no-{name}"


def _revision(flag: str, revision: str | None) -> list[str]:
    return [f"{flag} {revision}"] if revision else []
