"""The languages of IAM: policy statements and the matching rules of dynamic groups.

Checked for form only; what a statement permits is not weighed here. Sources: OCI documentation,
"Policy Syntax", "Conditions" and "Writing Matching Rules to Define Dynamic Groups".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...wire.errors import InvalidParameter

VERBS = ("inspect", "read", "use", "manage")

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<pattern>/[^/\s]*/)"""
    r"""|(?P<sign>!=|[={}(),])|(?P<word>[^\s'"{}(),=!]+))"""
)
_SUBJECTS = ("group", "dynamic-group", "service")
_CROSS_TENANCY = re.compile(
    r"define\s+\S.*\s+as\s+\S+|(?:endorse|admit)\s+\S.*\s+to\s+\S.*\s+in\s+\S.*", re.I | re.S
)
# Variables that the members of a dynamic group can be picked by.
_MEMBER_VARIABLE = re.compile(r"(?:resource|instance|tag|request|target|cluster)\.[\w.\-/]+", re.I)
_OPERATORS = ("=", "!=", "in", "before", "after", "between")


@dataclass(frozen=True)
class Location:
    """Where a statement holds: the tenancy, or a compartment by OCID or by its path of names."""

    compartment_id: str = ""
    compartment_path: tuple[str, ...] = ()


def check_statement(statement: str, where: str) -> Location | None:
    """Check a policy statement and return where it holds (None beyond this tenancy).

    :raises InvalidParameter: names the statement, and the place in it.
    """
    return _Parser(statement, where).statement()


def check_matching_rule(rule: str) -> None:
    """Check a dynamic group's rule: one expression, on one line.

    OCI takes rules with line breaks too, and has made rules of them that match anything; here
    they are refused.

    :raises InvalidParameter: not one rule.
    """
    if "\n" in rule.strip() or "\r" in rule.strip():
        raise InvalidParameter(
            "matchingRule must be one expression on one line: join several as any {all {…}, …}"
        )
    parser = _Parser(rule, "matchingRule")
    parser.condition(member=True)
    parser.end()


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._tokens = self._split()
        self._at = 0

    def statement(self) -> Location | None:
        if self._take("allow", "deny"):
            self._subject()
            self._expect("to")
            self._permissions()
            self._expect("in")
            location = self._location()
            if self._take("where"):
                self.condition()
            self.end()
            return location
        if self._take("define", "endorse", "admit"):
            # Cross-tenancy statements: the mock has one tenancy, so only their frame is looked at.
            if not _CROSS_TENANCY.fullmatch(self._text.strip()):
                raise self._fault("'… as …' or '… to … in …'")
            return None
        raise self._fault("Allow, Deny, Define, Endorse or Admit")

    def condition(self, *, member: bool = False) -> None:
        """``a = 'b'``, or several in ``any {…}`` or ``all {…}``."""
        if self._take("any", "all"):
            self._expect("{")
            self.condition(member=member)
            while self._take(","):
                # Oracle's own pages write further values of the same variable so.
                if self._kind() == "text":
                    self._at += 1
                else:
                    self.condition(member=member)
            self._expect("}")
            return
        variable = self._word("a condition such as target.bucket.name='…'")
        if member and not _MEMBER_VARIABLE.fullmatch(variable):
            raise self._fault("a variable such as resource.type", back=1)
        if member and variable.lower().startswith("tag.") and self._value() not in _OPERATORS:
            # A tag without a value: whatever carries it.
            return
        if not self._take(*_OPERATORS):
            raise self._fault("=, != or in")
        self._operand()

    def end(self) -> None:
        if self._kind() != "end":
            raise self._fault("the end")

    def _subject(self) -> None:
        if self._take("any-user", "any-group"):
            return
        if not self._take(*_SUBJECTS):
            raise self._fault("any-user, any-group, group, dynamic-group or service")
        while True:
            if self._take("id"):
                identifier = self._word("an OCID")
                if not identifier.startswith("ocid1."):
                    raise self._fault("an OCID", back=1)
            else:
                self._name()
            if not self._take(","):
                return

    def _name(self) -> None:
        """A name, bare or in quotes, or domain/name."""
        if self._kind() == "text":
            self._at += 1
        else:
            self._word("a name")
        # 'domain'/'name' is cut at its quotes.
        while self._kind() in ("word", "text") and self._value().startswith(("/", "'")):
            self._at += 1

    def _permissions(self) -> None:
        if self._take("{"):
            self._word("a permission")
            while self._take(","):
                self._word("a permission")
            self._expect("}")
            return
        if not self._take(*VERBS):
            raise self._fault(f"a verb ({', '.join(VERBS)})")
        self._word("a resource type")

    def _location(self) -> Location:
        if self._take("tenancy"):
            return Location()
        if not self._take("compartment"):
            raise self._fault("tenancy or compartment")
        if self._take("id"):
            return Location(compartment_id=self._word("an OCID"))
        if self._kind() == "text":
            self._at += 1
            path = str(self._tokens[self._at - 1][1])[1:-1]
        else:
            path = self._word("a compartment's name")
        return Location(compartment_path=tuple(path.split(":")))

    def _operand(self) -> None:
        if self._kind() in ("text", "pattern"):
            self._at += 1
            if self._take("and"):
                self._operand()
            return
        if self._take("("):
            self._operand()
            while self._take(","):
                self._operand()
            self._expect(")")
            return
        raise self._fault("a value in single quotes")

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _value(self) -> str:
        return self._tokens[self._at][1]

    def _take(self, *words: str) -> bool:
        if self._kind() in ("word", "sign") and self._value().lower() in words:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._fault(f"'{word}'")

    def _word(self, wanted: str) -> str:
        if self._kind() != "word":
            raise self._fault(wanted)
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _fault(self, wanted: str, back: int = 0) -> InvalidParameter:
        kind, value = self._tokens[self._at - back]
        found = "the end" if kind == "end" else value
        return InvalidParameter(
            f"{self._where}: {wanted} expected, '{found}' found in: {self._text}"
        )

    def _split(self) -> Sequence[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while self._text[at:].strip():
            found = _TOKEN.match(self._text, at)
            if found is None:
                rest = self._text[at:].strip()
                raise InvalidParameter(f"{self._where}: '{rest[:20]}' can't be read: {self._text}")
            tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            at = found.end()
        return [*tokens, ("end", "")]
