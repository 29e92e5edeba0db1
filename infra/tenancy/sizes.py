"""How big a model is, as far as its name says so."""

import re

PRESETS = {"7b": "meta-llama/Llama-2-7b-hf", "13b": "meta-llama/Llama-2-13b-hf"}
"""The tutorial's two cases → Hugging Face model id."""

_SIZE = re.compile(r"(?:^|[-_.])(\d+(?:\.\d+)?)[bB](?=$|[-_.])")


def hugging_face_id(model: str) -> str:
    """The Hugging Face id of a preset, or the id itself."""
    return PRESETS.get(model, model)


def billions_of(model: str) -> float | None:
    """Billions of parameters (``meta-llama/Llama-2-13b-hf`` → 13.0), None if the name is silent."""
    match = _SIZE.search(hugging_face_id(model).rpartition("/")[2])
    return float(match[1]) if match else None
