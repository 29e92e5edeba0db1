"""The model that is trained: built without memory, given LoRA, sharded, then filled."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from . import attention, weights
from .batches import Batch
from .errors import UsageError
from .loss import target_loss
from .options import Options
from .parallel import World

# Decoders of one build: embeddings, like layers, a norm, an output layer and nothing after it.
FAMILIES = ("llama", "mistral", "qwen2", "qwen3")


@dataclass(frozen=True)
class Trained:
    """The model, and what else must be known to run it."""

    module: Any
    tokenizer: Any
    lora: Any  # peft's LoraConfig; None in full training
    kernel: str
    sharded: bool
    reshard: bool  # whether layers are sharded again after each forward pass
    compute: Any  # the type that matrices are multiplied in
    device: Any

    def loss(self, batch: Batch, scale: float) -> Any:
        """``scale`` times the sum of the batch's cross entropies, a number on the device."""
        with self.precision():
            return self.module(
                input_ids=batch.tokens,
                position_ids=batch.positions,
                borders=attention.Borders.of(batch),
                predicts=batch.predicts,
                targets=batch.targets,
                scale=scale,
            )

    def trainable(self) -> list[Any]:
        return [one for one in self.module.parameters() if one.requires_grad]

    def precision(self) -> AbstractContextManager[Any]:
        """FSDP casts the weights itself; one process alone leaves it to autocast."""
        if self.sharded or self.compute == torch.float32:
            return nullcontext()
        cast: AbstractContextManager[Any] = torch.autocast(self.device.type, dtype=self.compute)
        return cast

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Evaluation: no dropout, no gradients.

        Layers stay gathered after a forward pass that no backward pass follows, and their
        parameters are then not those that the optimizer has: they are sharded again here.
        """
        self.module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.module.train()
            if self.sharded:
                for one in (*self.module.model.layers, self.module):
                    one.reshard()


def check(options: Options) -> None:
    """Whether this recipe can train the model of ``--model``; reads no weights.

    Raises:
        UsageError: another family of models, files that are not there, too long a row, or a layer
            for LoRA that the model does not have.
    """
    from transformers import AutoConfig

    folder = options.model
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UsageError(f"--model {folder}: {error}") from None
    if config.model_type not in FAMILIES:
        raise UsageError(
            f"--model {folder} is of the family '{config.model_type}'; "
            f"this recipe trains {', '.join(FAMILIES)}"
        )
    if options.max_length > config.max_position_embeddings:
        raise UsageError(
            f"--max-length {options.max_length}: the model knows "
            f"{config.max_position_embeddings} positions"
        )
    window = getattr(config, "sliding_window", None)
    if window and window < options.max_length:
        raise UsageError(
            f"--max-length {options.max_length}: the model's attention looks back {window} tokens, "
            "and this recipe knows no such window; choose no more than that"
        )
    weights.files_of(folder)
    if options.method == "lora":
        _check_targets(_empty(folder, torch.float32), options.lora_targets)


def load_tokenizer(folder: Path) -> Any:
    """The model's tokenizer; it must know how a text ends.

    Raises:
        UsageError: there is none, or it has no end-of-text token.
    """
    from transformers import AutoTokenizer

    try:
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except ImportError:  # a model with tokenizer.model alone is converted by protobuf
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=False)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"--model {folder} has no tokenizer that can be read: {error}") from None
    if tokenizer.eos_token_id is None:
        raise UsageError(f"--model {folder}: its tokenizer has no end-of-text token")
    return tokenizer


def build(options: Options, tokenizer: Any, world: World) -> Trained:
    """The model, ready to train on this rank's device."""
    compute = _compute_type(options, world)
    module = _empty(options.model, compute if options.method == "lora" else torch.float32)
    config = module.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kernel_name, kernel = attention.choose(
        world.device, compute, config.num_attention_heads, config.num_key_value_heads, width
    )
    attention.install(kernel)
    config._attn_implementation = attention.NAME
    config.use_cache = False
    lora = _add_lora(module, options) if options.method == "lora" else None
    if options.gradient_checkpointing:
        module.gradient_checkpointing_enable({"use_reentrant": False})
    module.forward = types.MethodType(_forward_for(type(module).forward, compute), module)
    if options.compile:
        for layer in module.model.layers:
            layer.compile()
    sharded = world.size > 1
    if sharded:
        _shard(module, world, compute, options.reshard_after_forward)
    share = weights.Share(world.rank, world.size)
    weights.fill(module, options.model, world.device, share, options.seed)
    module.to(world.device)  # the buffers
    module.train()
    return Trained(
        module=module,
        tokenizer=tokenizer,
        lora=lora,
        kernel=kernel_name,
        sharded=sharded,
        reshard=options.reshard_after_forward,
        compute=compute,
        device=world.device,
    )


def _compute_type(options: Options, world: World) -> Any:
    if options.precision == "auto":
        return torch.bfloat16 if world.device.type == "cuda" else torch.float32
    return torch.bfloat16 if options.precision == "bf16" else torch.float32


def _empty(folder: Path, dtype: Any) -> Any:
    """The model with parameters that have shapes but no memory; its few buffers are real."""
    from accelerate import init_empty_weights  # type: ignore[import-not-found]
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with init_empty_weights(include_buffers=False):
        module = AutoModelForCausalLM.from_config(config, dtype=dtype)
    module.tie_weights()
    return module


def _add_lora(module: Any, options: Options) -> Any:
    """Freeze the base, and add trainable fp32 matrices to the layers of ``--lora-targets``."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=list(options.lora_targets),
        bias="none",
        task_type="CAUSAL_LM",
    )
    module.requires_grad_(False)
    inject_adapter_in_model(config, module, low_cpu_mem_usage=True)
    for name, parameter in module.named_parameters():
        if ".lora_" in name:
            parameter.data = parameter.data.float()
    for one in module.modules():
        if hasattr(one, "cast_input_dtype_enabled"):
            one.cast_input_dtype_enabled = False  # FSDP or autocast does it, without copies
    return config


def _check_targets(module: Any, targets: tuple[str, ...]) -> None:
    linear = (name for name, one in module.named_modules() if isinstance(one, torch.nn.Linear))
    names = {name.rpartition(".")[2] for name in linear} - {"lm_head"}
    unknown = [name for name in targets if name not in names]
    if unknown:
        raise UsageError(
            f"--lora-targets {unknown[0]}: the model has no such layer; "
            f"it has {', '.join(sorted(names))}"
        )


def _forward_for(original: Any, compute: Any) -> Any:
    """The model's forward; with ``targets`` it answers with the loss and makes no logits."""

    def forward(self: Any, *positional: Any, **given: Any) -> Any:
        if "targets" not in given:
            return original(self, *positional, **given)
        predicts, targets = given.pop("predicts"), given.pop("targets")
        scale = given.pop("scale")
        hidden = self.model(*positional, use_cache=False, **given).last_hidden_state
        chosen = hidden[0].index_select(0, predicts).to(compute)
        return target_loss(chosen, self.lm_head.weight, targets, scale)

    return forward


def _shard(module: Any, world: World, compute: Any, reshard: bool) -> None:
    """FSDP2: each layer is gathered when it is needed; gradients are summed in fp32."""
    mesh = init_device_mesh(world.device.type, (world.size,))
    policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
    for layer in module.model.layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy, reshard_after_forward=reshard)
    fully_shard(module, mesh=mesh, mp_policy=policy)
