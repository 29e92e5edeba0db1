"""The steps: forward and backward passes, the optimizer, and what is written down of them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from .batches import Feed
from .checkpoints import Checkpoints
from .errors import Stopped
from .metrics import Journal, Window, gpu_memory_gb
from .model import Trained
from .options import Options
from .parallel import World
from .stopping import StopSign


@dataclass
class Training:
    """A run between its start and its last step."""

    options: Options
    world: World
    trained: Trained
    feed: Feed
    validation: Feed | None
    total_steps: int
    journal: Journal
    checkpoints: Checkpoints | None
    step: int = 0  # steps done
    tokens: int = 0  # read by all ranks since this process began
    seconds: float = 0.0  # of training alone
    train_loss: float = math.nan
    eval_loss: float | None = None
    window: Window = field(default_factory=Window)

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.AdamW(
            self.trained.trainable(),
            lr=self.options.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=self.options.weight_decay,
            fused=self.world.device.type == "cuda",
        )

    def run(self, stop: StopSign) -> None:
        """All steps that are left.

        Raises:
            Stopped: any of the ranks was told to.
        """
        if self.world.device.type == "cuda":  # the samples before it took more, or less
            torch.cuda.reset_peak_memory_stats(self.world.device)
        self.window.started = time.perf_counter()
        while self.step < self.total_steps:
            if stop.agreed():
                stop.lower()
                raise Stopped(self.step, self._checkpoint())
            self._train_step()
            self.step += 1
            self._record()
        stop.lower()
        self._evaluate()

    def progress(self) -> dict[str, float]:
        """What a checkpoint keeps beside the tensors."""
        return {"loss": self.window.earlier_loss, "steps": self.window.earlier_steps}

    def restore(self, step: int, progress: dict[str, float]) -> None:
        """Go on after ``step`` steps."""
        self.step = step
        self.window = Window(earlier_loss=progress["loss"], earlier_steps=int(progress["steps"]))

    def _train_step(self) -> None:
        options, trained = self.options, self.trained
        # Dropout depends on seed, step and rank alone: nothing random is carried from step to step.
        torch.manual_seed((options.seed * 1_000_003 + self.step) * 4096 + self.world.rank)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(options, self.step, self.total_steps)
        targets, tokens = self.feed.totals(self.step)
        scale = self.world.size / targets  # FSDP divides gradients by the number of ranks
        parts = []
        for index, batch in enumerate(self.feed.step(self.step), 1):
            self._sync_gradients(index == options.gradient_accumulation)
            loss = trained.loss(batch, scale)
            loss.backward()
            parts.append(loss.detach())
        if options.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(trained.trainable(), options.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.window.add(torch.stack(parts).sum() / self.world.size, tokens)

    def _sync_gradients(self, last: bool) -> None:
        """LoRA's gradients are small: they are summed over the ranks once a step. Those of a full
        model would not fit unsharded: they are summed at every pass."""
        if self.trained.sharded and self.options.method == "lora":
            self.trained.module.set_requires_gradient_sync(last)

    def _record(self) -> None:
        last = self.step == self.total_steps
        if self.step % self.options.log_every == 0 or last:
            self._log()
        if _due(self.step, self.options.eval_every) and not last:
            self._evaluate()
        if _due(self.step, self.options.checkpoint_every) and not last:
            self._checkpoint()

    def _log(self) -> None:
        window = self.window
        window.settle(self.world)
        self.train_loss = window.mean_loss()
        self.tokens += window.tokens
        self.seconds += time.perf_counter() - window.started
        self.journal.metric(
            "train",
            self.step,
            loss=round(self.train_loss, 6),
            tokens_per_second=round(window.tokens_per_second(), 1),
            gpu_memory_gb=gpu_memory_gb(self.world.device),
            learning_rate=learning_rate(self.options, self.step - 1, self.total_steps),
            epoch=round(self.step / self.feed.order.steps_per_epoch, 3),
        )
        self.window = Window()

    def _evaluate(self) -> None:
        feed = self.validation
        if feed is None:
            return
        with self._pause(), self.trained.asking():
            total = torch.zeros((), dtype=torch.float64, device=self.world.device)
            targets = 0
            for step in range(feed.order.steps_per_epoch):
                targets += feed.totals(step)[0]
                for batch in feed.step(step):
                    total += self.trained.loss(batch, 1.0)
            self.eval_loss = float(self.world.sum(total)) / targets
            self.journal.metric("eval", self.step, loss=round(self.eval_loss, 6))

    def _checkpoint(self) -> str | None:
        if self.checkpoints is None:
            return None
        with self._pause():
            self.window.settle(self.world)
            started = time.perf_counter()
            where = self.checkpoints.save(
                self.trained.module, self.optimizer, self.step, self.progress()
            )
            seconds = round(time.perf_counter() - started, 2)
            self.journal.event("checkpoint", step=self.step, uri=where, seconds=seconds)
        return where

    @contextmanager
    def _pause(self) -> Iterator[None]:
        """Time that is not training's."""
        started = time.perf_counter()
        yield
        self.window.started += time.perf_counter() - started


def learning_rate(options: Options, step: int, total: int) -> float:
    """The rate of step ``step`` (from 0): up in a line, then down to nothing by the schedule."""
    warmup = math.ceil(options.warmup_ratio * total)
    if step < warmup:
        return options.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    if options.schedule == "constant":
        return options.learning_rate
    if options.schedule == "linear":
        return options.learning_rate * (1 - done)
    return options.learning_rate * (1 + math.cos(math.pi * done)) / 2


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
