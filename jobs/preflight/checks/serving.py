"""Whether vLLM would start on the deployment's shape."""

from __future__ import annotations

import shlex

from sizing.models import Model
from sizing.serving import Serving as Served
from sizing.serving import serving, servings
from sizing.serving_options import ServingOptions, serving_of_arguments
from sizing.shapes import gpu_shapes

from ...definitions import Definition
from ..check import AGAIN, Finding, State, failed, passed, warned
from ..models_of import sized_of
from ..subject import Subject

_ARGUMENTS = "PARAMS"
_VLLM = "vllm"


class Serving:
    """Whether weights and a KV cache for one whole request fit the deployment's GPUs."""

    name = "serving"
    question = "Does the model start on the deployment's shape?"
    offline = True
    after: tuple[str, ...] = ()
    steps = ("deploy",)

    def look(self, subject: Subject) -> list[Finding]:
        model = sized_of(subject).model
        return [_served(model, each) for each in subject.of_step("deploy")]


def _served(model: Model | None, deployment: Definition) -> Finding:
    shape = gpu_shapes().get(deployment.shape)
    where = f"{deployment.path.name}, {deployment.shape}"
    if _VLLM not in str(deployment.runtime.get("image")):
        return Finding(State.SKIPPED, f"{where}: the image's name does not say that it is vLLM")
    if model is None or shape is None:
        return Finding(State.SKIPPED, f"{where}: the size of model or shape is not known")
    try:
        options = serving_of_arguments(shlex.split(deployment.env.get(_ARGUMENTS, "")))
    except ValueError as error:
        return failed(
            f"{deployment.path.name}: {_ARGUMENTS} can't be read: {error}.",
            "Mend 'serving: extra_args' in the tenancy file: a quotation mark is open.",
        )
    length = options.max_model_len or model.max_positions
    found = serving(model, shape, length, options.tensor_parallel, options)
    said = f"{where}, max_model_len {length}: {found.fit.why}."
    if found.fit.verdict == "fits":
        return passed(said)
    remedy = _that_starts(model, found, options)
    if found.fit.verdict == "tight" or options.unclear:
        unclear = (
            f" What {', '.join(options.unclear)} changes is not known." if options.unclear else ""
        )
        return warned(said + unclear, remedy)
    return failed(said, remedy)


def _that_starts(model: Model, found: Served, options: ServingOptions) -> str:
    """A shorter length on the same shape, or the cheapest shape for this one."""
    told = []
    if 0 < found.longest < found.max_model_len:
        told.append(f"'serving: max_model_len: {found.longest}'")
    best = servings(model, min(found.max_model_len, model.max_positions), options)[0]
    if best.fit.verdict == "fits" and best.shape != found.shape:
        told.append(
            f"'serving: shape: {best.shape.name}' with 'tensor_parallel: {best.tensor_parallel}'"
        )
    if not told:
        return f"No shape serves it: choose a smaller model in the tenancy file; then {AGAIN}."
    return f"Set {', or '.join(told)} in the tenancy file; then {AGAIN}."
