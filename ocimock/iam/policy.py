"""The languages of IAM, parsed: policy statements and the matching rules of dynamic groups.

One parser for both, and for every use: what the API refuses is what the evaluation could not
read. It is written by hand and not taken from ``oci-lexer-parser``, whose ANTLR runtime would be
imported by everybody who enforces policies and takes milliseconds where this takes tens of
microseconds; that parser is the tests' oracle instead.

Sources: OCI documentation, "Policy Syntax", "Conditions", "Deny Policies" and "Writing Matching
Rules to Define Dynamic Groups".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from ..wire.errors import InvalidParameter
from .syntax import (
    Comparison,
    Condition,
    Junction,
    Location,
    Operand,
    Statement,
    Subject,
    SubjectKind,
)

VERBS = ("inspect", "read", "use", "manage")

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<pattern>/[^\s'"{}(),]*/)"""
    r"""|(?P<sign>!=|[={}(),])|(?P<word>[^\s'"{}(),=!]+))"""
)
_CROSS_TENANCY = re.compile(
    r"define\s+\S.*\s+as\s+\S+|(?:endorse|admit)\s+\S.*\s+to\s+\S.*\s+in\s+\S.*", re.I | re.S
)
# Variables that the members of a dynamic group can be picked by.
_MEMBER_VARIABLE = re.compile(r"(?:resource|instance|tag|request|target|cluster)\.[\w.\-/]+", re.I)
# What may stand on a condition's right side without quotes: another variable.
_VARIABLE = re.compile(r"(?:request|target)\.[\w.\-]+", re.I)
_OPERATORS = ("=", "!=", "in", "before", "after", "between")
_NAMED: dict[str, SubjectKind] = {
    "group": "group",
    "dynamic-group": "dynamic-group",
    "service": "service",
}


def check_statement(statement: str, where: str) -> Location | None:
    """Check a policy statement and return where it holds (None beyond this tenancy).

    :raises InvalidParameter: names the statement, and the place in it.
    """
    parsed = _Parser(statement, where).statement()
    return parsed.location if parsed else None


def check_matching_rule(rule: str) -> None:
    """Check a dynamic group's rule: one expression, on one line.

    OCI takes rules with line breaks too, and has made rules of them that match anything; here
    they are refused.

    :raises InvalidParameter: not one rule.
    """
    parse_matching_rule(rule)


@functools.lru_cache(maxsize=4096)
def parse_statement(statement: str) -> Statement | None:
    """*statement* parsed; None for Define, Endorse and Admit, which are about other tenancies.

    :raises InvalidParameter: not a statement, and where it goes wrong.
    """
    return _Parser(statement, "statement").statement()


@functools.lru_cache(maxsize=1024)
def parse_matching_rule(rule: str) -> Condition:
    """A dynamic group's matching rule parsed.

    :raises InvalidParameter: not one rule, or not on one line.
    """
    if "\n" in rule.strip() or "\r" in rule.strip():
        raise InvalidParameter(
            "matchingRule must be one expression on one line: join several as any {all {…}, …}"
        )
    parser = _Parser(rule, "matchingRule")
    condition = parser.condition(member=True)
    parser.end()
    return condition


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._tokens = self._split()
        self._at = 0

    def statement(self) -> Statement | None:
        if self._peek("define", "endorse", "admit"):
            # Cross-tenancy statements: the mock has one tenancy, so only their frame is looked at.
            if not _CROSS_TENANCY.fullmatch(self._text.strip()):
                self._at += 1
                raise self._fault("'… as …' or '… to … in …'")
            return None
        effect = self._take("allow", "deny")
        if not effect:
            raise self._fault("Allow, Deny, Define, Endorse or Admit")
        subjects = self._subjects()
        self._expect("to")
        permissions, verb, resource_type = self._access()
        self._expect("in")
        location = self._location()
        condition = self.condition() if self._take("where") else None
        self.end()
        return Statement(
            text=self._text.strip(),
            deny=effect == "deny",
            subjects=subjects,
            location=location,
            verb=verb,
            resource_type=resource_type,
            permissions=permissions,
            condition=condition,
        )

    def condition(self, *, member: bool = False) -> Condition:
        """``a = 'b'``, or several in ``any {…}`` or ``all {…}``."""
        junction = self._take("any", "all")
        if not junction:
            return self._comparison(member)
        self._expect("{")
        members = [self.condition(member=member)]
        while self._take(","):
            last = members[-1]
            # Oracle's own pages write further values of the same variable so.
            if self._kind() == "text" and isinstance(last, Comparison):
                members.append(Comparison(last.variable, last.operator, (self._value(),)))
            else:
                members.append(self.condition(member=member))
        self._expect("}")
        return Junction(junction == "all", tuple(members))

    def end(self) -> None:
        if self._kind() != "end":
            raise self._fault("the end")

    def _comparison(self, member: bool) -> Comparison:
        variable = self._word("a condition such as target.bucket.name='…'")
        if member and not _MEMBER_VARIABLE.fullmatch(variable):
            raise self._fault("a variable such as resource.type", back=1)
        operator = self._take(*_OPERATORS)
        if not operator:
            if member and variable.lower().startswith("tag."):
                # A tag without a value: whatever carries it.
                return Comparison(variable.lower(), "present")
            raise self._fault("=, != or in")
        return Comparison(variable.lower(), operator, self._operands(operator))

    def _operands(self, operator: str) -> tuple[Operand, ...]:
        if operator == "between":
            first = self._value()
            self._expect("and")
            return (first, self._value())
        if not self._take("("):
            return (self._value(),)
        found = [self._value()]
        while self._take(","):
            found.append(self._value())
        self._expect(")")
        return tuple(found)

    def _value(self) -> Operand:
        kind, value = self._tokens[self._at]
        if kind == "text":
            self._at += 1
            return Operand("text", value[1:-1])
        if kind == "pattern":
            self._at += 1
            return Operand("pattern", value[1:-1])
        if kind == "word" and _VARIABLE.fullmatch(value):
            self._at += 1
            return Operand("variable", value.lower())
        raise self._fault("a value in single quotes")

    def _subjects(self) -> tuple[Subject, ...]:
        if self._take("any-user"):
            return (Subject("any-user"),)
        if self._take("any-group"):
            return (Subject("any-group"),)
        word = self._take(*_NAMED)
        if not word:
            raise self._fault("any-user, any-group, group, dynamic-group or service")
        kind = _NAMED[word]
        found = [self._subject(kind)]
        while self._take(","):
            found.append(self._subject(kind))
        return tuple(found)

    def _subject(self, kind: SubjectKind) -> Subject:
        if self._take("id"):
            identifier = self._word("an OCID")
            if not identifier.startswith("ocid1."):
                raise self._fault("an OCID", back=1)
            return Subject(kind, id=identifier)
        domain, _, name = self._name().rpartition("/")
        return Subject(kind, name=name, domain=domain)

    def _name(self) -> str:
        """A name, bare or in quotes, or domain/name."""
        if self._kind() == "text":
            name = self._tokens[self._at][1][1:-1]
            self._at += 1
        else:
            name = self._word("a name")
        # 'domain'/'name' is cut at its quotes.
        while self._kind() in ("word", "text") and self._tokens[self._at][1].startswith(("/", "'")):
            name += self._tokens[self._at][1].strip("'")
            self._at += 1
        return name

    def _access(self) -> tuple[frozenset[str], str, str]:
        """The permissions listed, or the verb and the resource type."""
        if self._take("{"):
            listed = [self._word("a permission")]
            while self._take(","):
                listed.append(self._word("a permission"))
            self._expect("}")
            return frozenset(name.upper() for name in listed), "", ""
        verb = self._take(*VERBS)
        if not verb:
            raise self._fault(f"a verb ({', '.join(VERBS)})")
        return frozenset(), verb, self._word("a resource type").lower()

    def _location(self) -> Location:
        if self._take("tenancy"):
            return Location()
        if not self._take("compartment"):
            raise self._fault("tenancy or compartment")
        if self._take("id"):
            return Location(compartment_id=self._word("an OCID"))
        if self._kind() == "text":
            self._at += 1
            path = self._tokens[self._at - 1][1][1:-1]
        else:
            path = self._word("a compartment's name")
        return Location(compartment_path=tuple(path.split(":")))

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _peek(self, *words: str) -> str:
        kind, value = self._tokens[self._at]
        return value.lower() if kind in ("word", "sign") and value.lower() in words else ""

    def _take(self, *words: str) -> str:
        """The next token, in lower case, if it is one of *words*; else nothing, and it stays."""
        found = self._peek(*words)
        if found:
            self._at += 1
        return found

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
