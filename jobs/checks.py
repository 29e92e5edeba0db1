"""Would ADS do what a definition says? ADS checks nothing and drops what it does not know.

The shape is checked against ``data/definitions.schema.json``; what a schema cannot say (a token in
clear, a placeholder left, text that ADS would expand on the wrong machine) is checked here.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import pipeline_checks

SCHEMA = Path(__file__).parent / "data" / "definitions.schema.json"

# The names by which Hugging Face libraries read a token, and what a token looks like.
TOKEN_NAMES = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"})
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}\b")
IN_CLEAR = "holds a Hugging Face token in clear; keep it in the Vault"
TERRAFORM_TOKEN = re.compile(r"\$\{TfToken\[")
PLACEHOLDER = re.compile(r"<[a-z][^<>]*>|\.x{8,}")
CLIENT_EXPANSION = re.compile(r"\$\{(\w+)\}")

PIPELINE = "pipeline"
"""The one kind that our runner reads, and ADS does not."""

DataPath = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that ADS would do otherwise than the file says, and where it stands."""

    line: int
    field: str
    message: str

    def at(self, path: Path) -> str:
        where = f", {self.field}" if self.field else ""
        return f"{path}, line {self.line}{where}: {self.message}"


def check(text: str, kind: str, beside: Collection[str] | None = None) -> list[Problem]:
    """The problems of a definition's *text*, which should be of *kind*; in the file's order.

    *beside* are the files that a pipeline may name; None where that does not matter.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return [Problem(line, "", f"not YAML: {error.problem or error.context}")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return [Problem(line, "", f"not YAML: character #x{error.character:04x} is not allowed")]
    if not isinstance(content, dict):
        return [Problem(1, "", f"expected a mapping with 'kind: {kind}'")]

    lines = dict(_lines(root, ()))
    shape = list(_against_schema(content, kind))
    found = [*_duplicates(root, ()), *shape, *_rules(content)]
    if kind == PIPELINE and not shape:
        found += pipeline_checks.findings(content, beside)
    problems = [
        Problem(_line(lines, path), _dotted(path[:-1] if key else path), message)
        for path, key, message in found
    ]
    told = {problem.line for problem in problems if problem.message == IN_CLEAR}
    hidden = (Problem(line, "", IN_CLEAR) for line in _lines_with_a_token(text) if line not in told)
    return sorted({*problems, *hidden})


def _lines_with_a_token(text: str) -> Iterator[int]:
    """A comment is no value, but the file is kept in the ledger and in the bucket as it is."""
    for number, line in enumerate(text.splitlines(), start=1):
        if TOKEN.search(line):
            yield number


Finding = tuple[DataPath, bool, str]  # where, whether the last part is a key at fault, and what


def _against_schema(content: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    reader = "the runner" if kind == PIPELINE else "ADS"
    for error in _validator(kind).iter_errors(content):
        yield from _explain(error, reader)


@cache
def _validator(kind: str) -> Any:
    import jsonschema

    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    schema = {"$ref": f"#/$defs/{kind}", "$defs": definitions}
    return jsonschema.Draft202012Validator(schema)


def _explain(error: Any, reader: str) -> Iterator[Finding]:
    path: DataPath = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and error.validator_value is False:
        allowed = list(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(allowed)):
            yield (
                (*path, key),
                True,
                f"'{key}' is not a key that {reader} reads; {_nearest(key, allowed)}",
            )
        return
    if error.validator == "required":
        missing = error.message.split("'")[1]
        yield path, False, f"'{missing}' is missing"
        return
    yield path, False, f"found {_shown(error.instance)}; expected {_expected(error)}"


def _expected(error: Any) -> str:
    if error.validator == "const":
        return f"'{error.validator_value}'"
    if error.validator == "enum":
        return "one of " + ", ".join(f"'{value}'" for value in error.validator_value)
    if "description" in error.schema:
        return str(error.schema["description"])
    if error.validator == "type":
        types = error.validator_value
        return " or ".join(types) if isinstance(types, list) else str(types)
    return f"{error.validator} {error.validator_value}"


def _nearest(key: str, allowed: list[str]) -> str:
    by_case = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(key.lower(), by_case, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{by_case[near[0]]}'?"
    return f"it reads: {', '.join(sorted(allowed))}"


def _rules(content: Any) -> Iterator[Finding]:
    for path, value in _strings(content, ()):
        if TOKEN.search(value):
            yield path, False, IN_CLEAR
            continue
        if TERRAFORM_TOKEN.search(value):
            yield path, False, "holds a Terraform token: take the text from the stack's outputs"
        elif content.get("kind") == PIPELINE:  # its question may say what it likes
            continue
        elif match := CLIENT_EXPANSION.search(value):
            name = match.group(1)
            yield path, False, f"ADS expands ${{{name}}} on your machine; for the run write ${name}"
        if PLACEHOLDER.search(value):
            yield path, False, f"{_shown(value)} is a placeholder; fill it in"
    for path, name in _env_names(content):
        if name in TOKEN_NAMES:
            yield path, False, f"{name} would stand in clear in the job; name its Vault secret"
    yield from _tag_rule(content)


def _env_names(content: Any) -> Iterator[tuple[DataPath, str]]:
    """The names of environment variables, in either of the two forms that ADS reads."""
    path: DataPath = ("spec", "runtime", "spec", "env")
    env = _at(content, path)
    if isinstance(env, dict):
        yield from (((*path, str(name)), str(name)) for name in env)
    if isinstance(env, list):
        for number, item in enumerate(env):
            if isinstance(item, dict):
                yield (*path, number), str(item.get("name"))


def _tag_rule(content: Any) -> Iterator[Finding]:
    """ADS leaves a job's infrastructure tags out as soon as its runtime has tags of its own."""
    for tags in ("freeformTags", "definedTags"):
        path: DataPath = ("spec", "infrastructure", "spec", tags)
        other = _at(content, ("spec", "runtime", "spec", tags))
        if content.get("kind") == "job" and _at(content, path) and other:
            yield path, False, "ADS drops these, as the runtime has tags too: put all tags there"


def _strings(value: Any, path: DataPath) -> Iterator[tuple[DataPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, str(key)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, (*path, number))


def _at(content: Any, path: DataPath) -> Any:
    for part in path:
        if not isinstance(content, dict) or part not in content:
            return None
        content = content[part]
    return content


def _duplicates(node: Any, path: DataPath) -> Iterator[Finding]:
    """Keys written twice: YAML takes the last one without a word."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                yield here, True, f"'{key.value}' is written twice; YAML takes the last"
            seen.add(key.value)
            yield from _duplicates(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _duplicates(item, (*path, number))


def _lines(node: Any, path: DataPath) -> Iterator[tuple[DataPath, int]]:
    """Where each key and each item stands, counted from 1."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield (*path, number), item.start_mark.line + 1
            yield from _lines(item, (*path, number))


def _line(lines: Mapping[DataPath, int], path: DataPath) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _dotted(path: DataPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(
        "."
    )


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
