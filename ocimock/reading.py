"""What readers of OCI's query languages share: a text cut into tokens, and a place among them."""

from __future__ import annotations

import re

from .wire.errors import InvalidParameter

END = "end"


class Reader:
    """A text in a query language, read from its first token to its last.

    :param pattern: a token, as a pattern with one named group for each kind of token.
    :param where: the field or parameter that the text is in, for errors.
    :param words: the kinds of tokens that keywords and signs are of; these are read in any case.
    :raises InvalidParameter: something in the text is no token.
    """

    def __init__(
        self, text: str, pattern: re.Pattern[str], *, where: str, words: tuple[str, ...]
    ) -> None:
        self._text = text
        self._where = where
        self._words = words
        self._tokens = self._split(pattern)
        self._at = 0

    def kind(self) -> str:
        """What the next token is; ``end`` behind the last."""
        return self._tokens[self._at][0]

    def value(self) -> str:
        """The next token as it was written."""
        return self._tokens[self._at][1]

    def take(self, word: str) -> bool:
        """Go past *word*, in lower case here, if it comes next."""
        if self.kind() in self._words and self.value().lower() == word:
            self._at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """:raises InvalidParameter: another token comes next."""
        if not self.take(word):
            raise self.fault(f"'{word}'")

    def next(self, kind: str, wanted: str = "") -> str:
        """Go past a token of *kind*, and return it.

        :param wanted: what stands there, for errors.
        :raises InvalidParameter: one of another kind comes next.
        """
        if self.kind() != kind:
            raise self.fault(wanted or f"a {kind}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def fault(self, wanted: str) -> InvalidParameter:
        """The error where *wanted* should come next and does not."""
        found = "its end" if self.kind() == END else self.value()
        return InvalidParameter(f"{self._where}: {wanted} expected, {found} found in {self._text}")

    def _split(self, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while self._text[at:].strip():
            found = pattern.match(self._text, at)
            if found is None:
                rest = self._text[at:].strip()[:20]
                raise InvalidParameter(f"{self._where}: '{rest}' can't be read")
            tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            at = found.end()
        return [*tokens, (END, "")]
