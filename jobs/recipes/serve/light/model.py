"""A model of transformers: text or messages in, text out, token by token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .asked import Asked, Prompt, RequestError, Sampling
from .tail import Tail

# What vLLM takes for greedy too.
_GREEDY = 1e-5


@dataclass(frozen=True)
class Generated:
    """An answer: how many tokens it has (an end token counts), and why it ended."""

    text: str
    tokens: int
    finish_reason: str


class LightModel:
    """The model, its tokenizer, and *longest*: the most tokens of a prompt and its answer."""

    def __init__(self, model: Any, tokenizer: Any, longest: int) -> None:
        self.longest = longest
        self._model = model
        self._tokenizer = tokenizer
        own = model.generation_config
        self._temperature: float = own.temperature if own.temperature is not None else 1.0
        self._top_p: float = own.top_p if own.top_p is not None else 1.0
        self._ends = _ends(own.eos_token_id, tokenizer.eos_token_id)
        # Else generate() would mix the model's own defaults into what a request asks for.
        model.generation_config = type(own)()

    @classmethod
    def load(
        cls, folder: Path, *, dtype: str | None = None, longest: int | None = None
    ) -> LightModel:
        """The model of *folder*.

        :param dtype: ``float32``, ``bfloat16`` and so on; as saved by default.
        :param longest: at most what the model was made for, which is the default.
        :raises OSError, ValueError: it can't be loaded.
        """
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype or "auto", local_files_only=True
        )
        model.eval()
        most = int(getattr(model.config, "max_position_embeddings", 0)) or longest or 2048
        return cls(model, tokenizer, min(longest or most, most))

    def encoded(self, asked: Asked) -> list[list[int]]:
        """The tokens of each prompt.

        :raises RequestError: one is too long, or is none of this model's.
        """
        if asked.is_chat:
            return [self._fitting(self._chat_tokens(asked), asked.sampling)]
        return [self._fitting(self._tokens(prompt), asked.sampling) for prompt in asked.prompts]

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        heard: Callable[[str], None],
        is_cancelled: threading.Event,
    ) -> Generated:
        """Go on from *prompt*; *heard* gets each piece of text as it comes."""
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        tail = Tail(self._decode, prompt, sampling.stop)
        temperature = _or(sampling.temperature, self._temperature)
        is_greedy = temperature < _GREEDY
        drawing = {"temperature": temperature, "top_p": _or(sampling.top_p, self._top_p)}
        if sampling.seed is not None:
            torch.manual_seed(sampling.seed)
        with torch.inference_mode():
            self._model.generate(
                torch.tensor([list(prompt)]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                generation_config=GenerationConfig(
                    max_new_tokens=self._most(prompt, sampling),
                    do_sample=not is_greedy,
                    eos_token_id=self._ends or None,
                    pad_token_id=self._ends[0] if self._ends else 0,
                    **({} if is_greedy else {**drawing, "top_k": 0}),
                ),
                streamer=_Listener(tail, heard),
                stopping_criteria=StoppingCriteriaList([_stopper(tail, is_cancelled)]),
            )
        if rest := tail.finish():
            heard(rest)
        ended = tail.is_stopped or tail.tokens[-1] in self._ends
        return Generated(tail.text, len(tail.tokens), "stop" if ended else "length")

    def _tokens(self, prompt: Prompt) -> list[int]:
        if isinstance(prompt, str):
            return list(self._tokenizer(prompt).input_ids)
        if max(prompt) >= len(self._tokenizer):
            raise RequestError(f"token {max(prompt)} is none of this model's", "prompt")
        return list(prompt)

    def _chat_tokens(self, asked: Asked) -> list[int]:
        if not self._tokenizer.chat_template:
            raise RequestError("this model has no chat template: use /v1/completions", "messages")
        try:
            text = self._tokenizer.apply_chat_template(
                list(asked.messages), tokenize=False, add_generation_prompt=True
            )
        except Exception as error:  # noqa: BLE001 - a template raises what it wants, jinja's too
            raise RequestError(f"the chat template refuses: {error}", "messages") from None
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _fitting(self, tokens: list[int], sampling: Sampling) -> list[int]:
        wanted = sampling.max_tokens or 1
        if not tokens:
            raise RequestError("the prompt is empty", "prompt")
        if len(tokens) + wanted > self.longest:
            raise RequestError(
                f"This model's maximum context length is {self.longest} tokens; the prompt has "
                f"{len(tokens)}, and {wanted} are wanted for the answer.",
                "max_tokens" if len(tokens) < self.longest else "prompt",
            )
        return tokens

    def _most(self, prompt: Sequence[int], sampling: Sampling) -> int:
        return sampling.max_tokens or self.longest - len(prompt)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


class _Listener:
    """A streamer of transformers: gets the prompt first, then a token at a time."""

    def __init__(self, tail: Tail, heard: Callable[[str], None]) -> None:
        self._tail = tail
        self._heard = heard
        self._saw_prompt = False

    def put(self, value: Any) -> None:
        if not self._saw_prompt:
            self._saw_prompt = True
            return
        for token in value.tolist():
            if text := self._tail.add(token):
                self._heard(text)

    def end(self) -> None:
        """The rest is said by whoever listens."""


def _stopper(tail: Tail, is_cancelled: threading.Event) -> Callable[..., Any]:
    import torch

    def is_done(tokens: Any, *_: Any, **__: Any) -> Any:
        done = tail.is_stopped or is_cancelled.is_set()
        return torch.full((tokens.shape[0],), done, dtype=torch.bool, device=tokens.device)

    return is_done


def _ends(own: Any, tokenizer: int | None) -> list[int]:
    """The tokens that end an answer."""
    if isinstance(own, int):
        return [own]
    return list(own) if own else [] if tokenizer is None else [tokenizer]


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
