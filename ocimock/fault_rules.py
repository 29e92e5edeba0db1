"""The language of fault rules: one line of text, or JSON with the same fields.

::

    429 on 20 % of POST /jobRuns, seed 7
    503 on every 3rd POST /jobs
    500 on the first 2 GET /n/*/b/*/o/*
    409 IncorrectState on delete_bucket, 2 times
    429 on create_job_run, retry after 5 s
    drop the answer of 10 % of POST /jobRuns, seed 3
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from .fault_matching import Rule, unversioned
from .wire.errors import InvalidParameter

if TYPE_CHECKING:
    from .wire.routes import Operation

# The codes that a rule may answer with, the usual one of a status first, and what OCI says then.
# Source: OCI documentation, "API Errors" and "Request Throttling".
_NOT_FOUND = "Authorization failed or requested resource not found."
ERRORS: dict[int, dict[str, str]] = {
    400: {
        "InvalidParameter": "A parameter of the request is not valid.",
        "LimitExceeded": "The following service limits were exceeded.",
        "QuotaExceeded": "The compartment quota was exceeded.",
    },
    401: {
        "NotAuthenticated": "The required information to complete authentication was not provided "
        "or was incorrect."
    },
    403: {"NotAllowed": "The operation is not allowed."},
    404: {"NotAuthorizedOrNotFound": _NOT_FOUND, "NotFound": "The resource was not found."},
    409: {
        "IncorrectState": "The requested state for the resource conflicts with its current state.",
        "Conflict": "The resource is in conflict with another operation.",
        "LockConflict": "The resource is locked by another operation.",
    },
    412: {"NoEtagMatch": "The If-Match header does not match the current entity tag."},
    429: {"TooManyRequests": "User-rate limit exceeded."},
    500: {
        "InternalServerError": "Internal server error.",
        "InternalError": "Out of host capacity.",
    },
    502: {"BadGateway": "Bad gateway."},
    503: {"ServiceUnavailable": "The service is currently unavailable."},
    504: {"GatewayTimeout": "Gateway timeout."},
}
_VERBS = ("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "*")
_EXAMPLES = "429 on 20 % of POST /jobRuns, seed 7; 503 on every 3rd create_job; 500 on the first 2 "
_HELP = f"write for instance: {_EXAMPLES}GET /n/*/b/*/o/*; drop the answer of 10 % of POST /jobRuns"

_ACTION = re.compile(r"(?:(\d+)(?: +([A-Za-z]+))? +on|(drop) +the +answer +of) +(.+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?% +of +(.+)")
_EVERY = re.compile(r"every +(\d+)(?:st|nd|rd|th) +(.+)")
_FIRST = re.compile(r"the +first +(\d+) +(.+)")
_EACH = re.compile(r"(?:every|each) +(.+)")
_SEED = re.compile(r"seed +(\d+)")
_TIMES = re.compile(r"(\d+) +times?")
_RETRY_AFTER = re.compile(r"retry +after +(\d+) ?(?:s|seconds?)")


def parse(given: str | dict[str, Any]) -> Rule:
    """A rule from its text, or from the JSON fields of :class:`Rule`.

    :raises InvalidParameter: it is not well-formed, or no operation of the mock could match it;
        the message says what is allowed.
    """
    fields = _fields_of_text(given) if isinstance(given, str) else _fields_of_json(given)
    rule = _checked(Rule(**fields))
    _refuse_unmatchable(rule)
    return rule


def parse_body(body: bytes) -> Rule:
    """A rule as an HTTP body: its text, a JSON string of it, ``{"rule": text}``, or its fields.

    :raises InvalidParameter: see :func:`parse`.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidParameter(f"a fault rule is text in UTF-8; {_HELP}") from None
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict) and set(value) == {"rule"}:
        value = value["rule"]
    if not isinstance(value, (str, dict)):
        raise InvalidParameter(f"a fault rule is a text or a JSON object; {_HELP}")
    return parse(value)


def _fields_of_text(text: str) -> dict[str, Any]:
    head, *options = [part.strip() for part in text.split(",")]
    found = _ACTION.fullmatch(head)
    if found is None:
        raise InvalidParameter(f"'{text}' is not a fault rule; {_HELP}")
    status, code, drop, rest = found.groups()
    fields: dict[str, Any] = {"drop": True} if drop else {"status": int(status)}
    if code:
        fields["code"] = code
    fields |= _share(rest)
    for option in options:
        fields |= _option(option)
    return fields


def _share(rest: str) -> dict[str, Any]:
    """Which of the matching calls, and the match itself."""
    if found := _PERCENT.fullmatch(rest):
        return {"percent": float(found[1]), "match": found[2]}
    if found := _EVERY.fullmatch(rest):
        return {"every": _number(found[1]), "match": found[2]}
    if found := _FIRST.fullmatch(rest):
        return {"first": _number(found[1]), "match": found[2]}
    if found := _EACH.fullmatch(rest):
        return {"match": found[1]}
    return {"match": rest}


def _number(text: str) -> int:
    """*text* as a count; 0 would stand for a rule without one, which strikes every call."""
    if int(text) == 0:
        raise InvalidParameter("every and first count from 1")
    return int(text)


def _option(text: str) -> dict[str, Any]:
    for name, pattern in (("seed", _SEED), ("times", _TIMES), ("retryAfter", _RETRY_AFTER)):
        if found := pattern.fullmatch(text):
            return {name: int(found[1])}
    raise InvalidParameter(
        f"'{text}' is no option of a fault rule; there are: seed 7, 5 times, retry after 2 s"
    )


def _fields_of_json(given: dict[str, Any]) -> dict[str, Any]:
    allowed = {field.name: field for field in dataclasses.fields(Rule)}
    for name, value in given.items():
        if name not in allowed:
            raise InvalidParameter(
                f"'{name}' is no field of a fault rule; there are {', '.join(allowed)}"
            )
        if not _has_type(name, value):
            raise InvalidParameter(f"{name}: {value!r} is not what a fault rule takes there")
    if "match" not in given:
        raise InvalidParameter("match must be given: POST /jobRuns, or create_job_run")
    return dict(given)


def _has_type(name: str, value: Any) -> bool:
    if name in ("match", "code"):
        return isinstance(value, str)
    if name == "drop":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if name == "percent" else int)


def _checked(rule: Rule) -> Rule:
    """*rule* with its code, if everything in it fits together."""
    if not 0 < rule.percent <= 100:
        raise InvalidParameter(f"percent: {rule.percent:g} is not above 0 and up to 100")
    if min(rule.every, rule.first, rule.times, rule.seed, rule.retryAfter) < 0:
        raise InvalidParameter("every, first, times, seed and retryAfter are 0 or more")
    if sum((rule.every > 0, rule.first > 0, rule.percent < 100)) > 1:
        raise InvalidParameter("only one of percent, every and first can be given")
    rule = dataclasses.replace(rule, match=_checked_match(rule.match))
    if rule.drop:
        if rule.status is not None or rule.code or rule.retryAfter:
            raise InvalidParameter("a dropped answer has no status, code or retryAfter")
        return rule
    if rule.status not in ERRORS:
        allowed = ", ".join(str(status) for status in ERRORS)
        raise InvalidParameter(f"status: {rule.status} is not one of {allowed}")
    codes = ERRORS[rule.status]
    code = rule.code or next(iter(codes))
    if code not in codes:
        raise InvalidParameter(f"code: {rule.status} has no '{code}', but {', '.join(codes)}")
    return dataclasses.replace(rule, code=code)


def _checked_match(match: str) -> str:
    words = match.split()
    if len(words) == 1 and "/" not in words[0]:
        return words[0]
    if len(words) == 2 and words[0].upper() in _VERBS and words[1].startswith("/"):
        return f"{words[0].upper()} {words[1]}"
    raise InvalidParameter(
        f"match: '{match}' is neither a verb ({', '.join(_VERBS)}) and a path (POST /jobRuns) nor "
        "an operation (create_job_run)"
    )


def _refuse_unmatchable(rule: Rule) -> None:
    """:raises InvalidParameter: no operation that the mock knows could ever match."""
    from .registry import services

    known = [found for service in services().values() for found in service.known().values()]
    if any(rule.can_match(operation) for operation in known):
        return
    raise InvalidParameter(
        f"match: no operation that ocimock knows is '{rule.match}'{_nearest(rule, known)}"
    )


def _nearest(rule: Rule, known: list[Operation]) -> str:
    import difflib

    shown = [f"{found.method} {unversioned(found.path)}" for found in known]
    if "/" not in rule.match:
        shown = [found.name for found in known]
    close = difflib.get_close_matches(rule.match, sorted(set(shown)), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""
