"""What a tenancy trains and serves, in the terms of ``sizing``.

Of a model that sizing's table of known models has, everything follows from its ``config.json``. Of
any other only its name is known here, which may say how many parameters it has: see ``sizes``.
"""

from functools import lru_cache
from typing import Literal

from infra.tenancy.schema import Tenancy
from infra.tenancy.sizes import hugging_face_id
from sizing import choices, disk, vllm
from sizing.disk import Disk
from sizing.memory import Memory, training_memory
from sizing.models import Model, find
from sizing.serving import Serving, serving
from sizing.serving_options import serving_of_arguments
from sizing.shapes import Shape
from sizing.training import Training
from sizing.training_words import training_of_words

Method = Literal["lora", "full"]

_BATCH_SIZE: dict[Method, int] = {"lora": 4, "full": 1}
_EPOCHS = 3
_MAX_MODEL_LEN = 4096


def method_of(tenancy: Tenancy) -> Method:
    """LoRA, but for the tutorial's 7b case, which trains every parameter."""
    return tenancy.finetune.method or ("full" if tenancy.model == "7b" else "lora")


def batch_size_of(tenancy: Tenancy) -> int:
    """Rows that a GPU takes at once."""
    return tenancy.finetune.batch_size or _BATCH_SIZE[method_of(tenancy)]


def epochs_of(tenancy: Tenancy) -> int | None:
    """None where the training is measured in steps."""
    return tenancy.finetune.epochs or (None if tenancy.finetune.max_steps else _EPOCHS)


def model_of(tenancy: Tenancy) -> Model | None:
    """The model, None where the table has it not."""
    return find(hugging_face_id(tenancy.model))


def training_of(tenancy: Tenancy) -> Training:
    """How it is trained, ``finetune.extra_args`` counted; not where a number in them is none, which
    the recipe itself refuses."""
    words, finetune = training_words(tenancy), tenancy.finetune
    try:
        return training_of_words([*words, *finetune.extra_args], finetune.recipe)
    except ValueError:
        return training_of_words(words, finetune.recipe)


def training_words(tenancy: Tenancy) -> list[str]:
    """What the fields say, as options of the recipe's command."""
    finetune, method = tenancy.finetune, method_of(tenancy)
    batch, epochs = str(batch_size_of(tenancy)), epochs_of(tenancy)
    if finetune.recipe == "llama-recipes":
        length = str(epochs or _EPOCHS)  # the loader tells of a file that has steps for it
        words = ["--pure_bf16", "--batch_size_training", batch, "--num_epochs", length]
        return [*(["--use_peft"] if method == "lora" else []), *words]
    spent = ["--epochs", str(epochs)] if epochs else ["--max-steps", str(finetune.max_steps)]
    checkpointing = "--" if finetune.gradient_checkpointing else "--no-"
    return [
        *("--method", method, "--precision", finetune.precision, *spent),
        *("--batch-size", batch, "--gradient-accumulation", str(finetune.gradient_accumulation)),
        *("--max-length", str(finetune.max_length)),
        "--packing" if finetune.packing else "--no-packing",
        f"{checkpointing}gradient-checkpointing",
    ]


def memory_on(tenancy: Tenancy, shape: Shape, replicas: int) -> Memory | None:
    """What each GPU of *replicas* nodes holds; None where nothing is known of the model."""
    model = model_of(tenancy)
    if model is None:
        return None
    return training_memory(model, training_of(tenancy), replicas * shape.gpus)


def fewest_replicas(tenancy: Tenancy, shape: Shape) -> int | None:
    """Nodes of *shape* that hold the training of a known model without being tight; None where no
    number up to :data:`sizing.choices.MOST_REPLICAS` does, its GPUs have no bf16, or the model is
    not known."""
    model = model_of(tenancy)
    return None if model is None else _fewest(model, training_of(tenancy), shape)


@lru_cache(maxsize=256)
def _fewest(model: Model, training: Training, shape: Shape) -> int | None:
    return choices.fewest_replicas(model, training, shape)


def training_disk_of(tenancy: Tenancy, nodes: int) -> Disk | None:
    """Of each of *nodes*; None where nothing is known of the model."""
    model = model_of(tenancy)
    return None if model is None else disk.training_disk(model, training_of(tenancy), nodes)


def merge_disk_of(tenancy: Tenancy) -> Disk | None:
    """None where nothing is known of the model."""
    model = model_of(tenancy)
    return None if model is None else disk.merge_disk(model, training_of(tenancy))


def stage_disk_of(tenancy: Tenancy) -> Disk | None:
    """None where nothing is known of the model."""
    model = model_of(tenancy)
    return None if model is None else disk.stage_disk(model)


def max_model_len_of(tenancy: Tenancy) -> int:
    """Tokens of prompt and answer: 4,096, or all positions of a model that has fewer."""
    model = model_of(tenancy)
    usual = min(_MAX_MODEL_LEN, model.max_positions) if model else _MAX_MODEL_LEN
    return tenancy.serving.max_model_len or usual


def tensor_parallel_of(tenancy: Tenancy, shape: Shape) -> int:
    """GPUs that share the served model: all of the shape, as far as its heads divide by them."""
    model = model_of(tenancy)
    usual = vllm.shared_by(model, shape.gpus) if model else shape.gpus
    return tenancy.serving.tensor_parallel or usual


def serving_on(tenancy: Tenancy, shape: Shape) -> Serving | None:
    """None where nothing is known of the model, or something in ``serving.extra_args`` changes the
    memory in a way that is not computed."""
    model, options = model_of(tenancy), serving_of_arguments(tenancy.serving.extra_args)
    if model is None or options.unclear:
        return None
    length = options.max_model_len or max_model_len_of(tenancy)
    gpus = options.tensor_parallel or tensor_parallel_of(tenancy, shape)
    return serving(model, shape, length, gpus, options)
