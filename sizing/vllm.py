"""What vLLM takes of each GPU, part by part, and what it refuses.

vLLM 0.11 takes a share of each GPU's memory (``--gpu-memory-utilization``, 0.9), loads the weights,
computes one step of as many tokens and requests as it ever would to see its peak, and gives the
rest of the share to the KV cache. CUDA graphs are captured after that, outside of the share; later
releases count them in. Source: vLLM's documentation ("Conserving Memory", "Optimization and
Tuning") and its log at the start.
"""

from __future__ import annotations

from .models import Model
from .ranges import Range
from .serving_options import BF16, ServingOptions
from .shapes import GIB, Shape

_VOCABULARY_PADDING = 64  # vLLM pads the vocabulary to a multiple of it

# Defaults of vLLM's server: tokens and requests of one step. Larger ones on GPUs of 70 GiB and
# more that are no A100.
_STEP = (2048, 256)
_LARGE_STEP = (8192, 1024)
_LARGE_GPU = 70 * GIB

# Bytes for each logit while tokens are chosen: in bf16 and again in fp32; and where they are sorted
# for top-k and top-p (as V1 does in PyTorch), sorted values, their places (int64), softmax and sum.
_LOGIT_BYTES = Range(6, 16, 26)
# GiB outside PyTorch: 0.05 in vLLM's log of one GPU; NCCL's and the all-reduce's buffers where
# several GPUs share the model, which is an allowance.
_OUTSIDE = Range(0.03, 0.05, 0.1)
_OUTSIDE_SHARED = Range(0.2, 0.5, 1.5)

_TOO_OLD = {"P100": "vLLM needs a GPU of compute capability 7.0 or later; a P100 has 6.0"}


def weights(model: Model, gpus: int, bytes_each: int = BF16) -> float:
    """Bytes on each GPU. fp8 is of the linear layers alone: embedding and head stay as they are.

    The norms, which every GPU has whole, are too small to matter.
    """
    vocabulary = model.embedding_parameters * (1 if model.tied_embeddings else 2)
    padded = -(-model.vocab_size // _VOCABULARY_PADDING) * _VOCABULARY_PADDING
    keys = 2 * model.layers * model.hidden_size * model.kv_size
    rest = model.parameters - vocabulary - keys
    copies = max(1, gpus / model.kv_heads)
    shared = BF16 * vocabulary * padded / model.vocab_size + bytes_each * (rest + keys * copies)
    return shared / gpus


def kv_per_token(model: Model, gpus: int = 1, bytes_each: int = BF16) -> float:
    """Bytes on each GPU: a key and a value of each layer and key-value head.

    Where there are fewer such heads than GPUs, vLLM keeps each on several of them.
    """
    heads = max(1, model.kv_heads / gpus)
    return 2 * model.layers * heads * model.head_dim * bytes_each


def kept_of(model: Model, length: int, shape: Shape, options: ServingOptions) -> int:
    """Tokens that the cache keeps of one sequence: all, or those that a sliding window sees while
    another step is computed."""
    if model.sliding_window is None:
        return length
    return min(length, model.sliding_window - 1 + _step(shape, options)[0])


def peak(model: Model, shape: Shape, gpus: int, options: ServingOptions) -> Range:
    """Bytes of a step on each GPU: the widest layer, or choosing the next tokens.

    The MLP holds the gate's and the up-projection's output, and their product, for all tokens; the
    residual and the norm's in- and output beside them. For Llama 3.1 8B that is 0.21 GiB of 2,048
    tokens, of which vLLM's own log on an A10G says 0.22.
    """
    tokens, requests = _step(shape, options)
    layer = BF16 * tokens * 3 * (model.intermediate_size / gpus + model.hidden_size)
    logits = requests * model.vocab_size
    outside = _OUTSIDE if gpus == 1 else _OUTSIDE_SHARED
    return Range(
        max(layer, logits * _LOGIT_BYTES.low) + outside.low * GIB,
        max(layer, logits * _LOGIT_BYTES.expected) + outside.expected * GIB,
        max(layer, logits * _LOGIT_BYTES.high) + outside.high * GIB,
    )


def room(shape: Shape, options: ServingOptions) -> float:
    """Bytes of each GPU that vLLM takes: a share of all its memory, CUDA's context not in it."""
    return options.gpu_memory_utilization * shape.gpu_capacity


def shared_by(model: Model, gpus: int) -> int:
    """The most of *gpus* that vLLM can share the model among."""
    return max((each for each in range(1, gpus + 1) if not undivided(model, each)), default=1)


def undivided(model: Model, gpus: int) -> str:
    """Why the model can't be shared by so many GPUs, or ''.

    vLLM's own rules: the heads divide by the GPUs; so do the key-value heads, or, where they are
    fewer than the GPUs, the GPUs by them; and the columns of the MLP divide.
    """
    rest = model.kv_heads % gpus if model.kv_heads >= gpus else gpus % model.kv_heads
    for number, what, left in (
        (model.heads, "heads", model.heads % gpus),
        (model.kv_heads, "key-value heads", rest),
        (model.intermediate_size, "columns of the MLP", model.intermediate_size % gpus),
    ):
        if left:
            return f"{number:,} {what} can't be shared by {gpus} GPUs"
    return ""


def refused(
    model: Model, shape: Shape, gpus: int, max_model_len: int, options: ServingOptions
) -> str:
    """Why vLLM does not even get as far as the KV cache, or ''."""
    if shape.gpu in _TOO_OLD:
        return _TOO_OLD[shape.gpu]
    if gpus > shape.gpus:
        return f"{shape.name} has {shape.gpus} GPUs, not {gpus}"
    if why := undivided(model, gpus):
        return why
    if max_model_len > model.max_positions:
        return f"{model.name} has {model.max_positions:,} positions: vLLM refuses a longer sequence"
    loaded, kept = weights(model, gpus), weights(model, gpus, options.weight_bytes)
    if kept > room(shape, options):
        return (
            f"the weights take {gb(kept)} of each GPU, of which vLLM gets "
            f"{gb(room(shape, options))}"
        )
    if loaded > shape.gpu_capacity:
        return (
            f"the weights are loaded in 16 bits before they become fp8: {gb(loaded)} of a GPU's "
            f"{gb(shape.gpu_capacity)}"
        )
    return ""


def gb(number: float) -> str:
    """``21.3 GB``"""
    return f"{number / 1e9:.1f} GB"


def _step(shape: Shape, options: ServingOptions) -> tuple[int, int]:
    """The most tokens and requests that are computed at once."""
    large = shape.gpu_capacity >= _LARGE_GPU and "A100" not in shape.gpu
    tokens, requests = _LARGE_STEP if large else _STEP
    return options.max_num_batched_tokens or tokens, options.max_num_seqs or requests
