"""How big a model is, as far as its name says so, and how many nodes it takes to train then.

Of known models ``sized`` says more. Oracle's rule of thumb, 4 times the model in full precision,
is 16 bytes a parameter whatever is trained and however. LoRA keeps 2 of most: 13b takes 9 A10s by
the rule, 3 by the plan of the recipe sft. All parameters take 16 with sft, and room for
activations: 7b takes 5 A10s by the rule, 7 by the plan. llama-recipes in pure bf16 keeps 8, and
there 7b fits 4.
"""

import math
import re

from infra.tenancy.tables import GPU_SHAPES
from sizing.shapes import Shape

PRESETS = {"7b": "meta-llama/Llama-2-7b-hf", "13b": "meta-llama/Llama-2-13b-hf"}
"""The tutorial's two cases → Hugging Face model id."""

TUTORIAL_SHAPE = "VM.GPU.A10.2"
TUTORIAL_REPLICAS = {"7b": 3, "13b": 6}
"""Nodes of the tutorial's shape. Its text says 2 for 7b, but by its own memory rule, and in
Oracle's present 7b definition, it takes 3."""
TUTORIAL_METHODS = {"7b": "full", "13b": "lora"}
TUTORIAL_STORAGE_GB = 256
"""Block storage of the tutorial's nodes."""

# Oracle's rule of thumb: GPU memory of 4 times the model in full precision (4 bytes a parameter).
_FULL_PRECISION_BYTES = 4
_MEMORY_FACTOR = 4

_SIZE = re.compile(r"(?:^|[-_.])(\d+(?:\.\d+)?)[bB](?=$|[-_.])")


def hugging_face_id(model: str) -> str:
    """The Hugging Face id of a preset, or the id itself."""
    return PRESETS.get(model, model)


def billions_of(model: str) -> float | None:
    """Billions of parameters (``meta-llama/Llama-2-13b-hf`` → 13.0), None if the name is silent."""
    match = _SIZE.search(hugging_face_id(model).rpartition("/")[2])
    return float(match[1]) if match else None


def replicas_by_name(model: str, shape: str) -> int | None:
    """Nodes to train the model on by the rule of thumb, None if its name does not say its size."""
    billions = billions_of(model)
    return None if billions is None else _nodes_for(billions, GPU_SHAPES[shape])


def _nodes_for(billions: float, shape: Shape) -> int:
    gigabytes = billions * _FULL_PRECISION_BYTES * _MEMORY_FACTOR
    gpus = math.ceil(gigabytes / shape.gpu_memory_gb)
    return math.ceil(gpus / shape.gpus)
