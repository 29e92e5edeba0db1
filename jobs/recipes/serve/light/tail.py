"""The text that grows while tokens come, and how much of it can be said already."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]

# Tokens of the prompt that are decoded along: what a token's text is depends on those before it.
_CONTEXT = 6
# Stands for bytes that are no whole character yet.
_INCOMPLETE = "\ufffd"


class Tail:
    """What follows a prompt, up to the first of the texts in *stops*.

    :param decode: tokens to text, without special ones.
    """

    def __init__(self, decode: Decode, prompt: Sequence[int], stops: Sequence[str] = ()) -> None:
        self._decode = decode
        self._context = list(prompt[-_CONTEXT:])
        self._before = decode(self._context)
        self._stops = stops
        self.tokens: list[int] = []
        self.text = ""
        """What was said so far."""
        self.is_stopped = False

    def add(self, token: int) -> str:
        """One more token; the text that can be said now."""
        self.tokens.append(token)
        text = self._cut(self._whole())
        held = 0 if self.is_stopped else self._held(text)
        return self._say(text[: len(text) - held])

    def finish(self) -> str:
        """What was held back, when no more tokens come."""
        return self._say(self._cut(self._whole()))

    def _whole(self) -> str:
        return self._decode([*self._context, *self.tokens])[len(self._before) :]

    def _cut(self, text: str) -> str:
        """*text* up to the first stop in it."""
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        self.is_stopped = bool(places)
        return text[: min(places)] if places else text

    def _held(self, text: str) -> int:
        """How many characters at the end may still turn into something else, or into a stop."""
        incomplete = len(text) - len(text.rstrip(_INCOMPLETE))
        begun = [
            size
            for stop in self._stops
            for size in range(1, min(len(stop), len(text) + 1))
            if text.endswith(stop[:size])
        ]
        return max([incomplete, *begun])

    def _say(self, text: str) -> str:
        new = text[len(self.text) :]
        self.text += new
        return new
