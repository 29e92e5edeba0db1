"""How a service folder declares itself: its SDK clients and the operations it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cloud import Cloud
from .iam.principals import Principal
from .wire import models
from .wire.errors import CannotParseRequest, InvalidParameter
from .wire.message import Request, Response
from .wire.numbers import whole
from .wire.routes import Operation, known_operations, most_items

Handler = Callable[["Call"], Response]

# Characters of a wrong value that an error shows.
_SHOWN = 80
# An escape of one of the two halves that make a character beyond U+FFFF.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


@dataclass(frozen=True)
class Call:
    """One request on its way to its operation."""

    cloud: Cloud
    operation: Operation
    request: Request
    path: Mapping[str, str]
    region: str
    principal: Principal

    def query(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        values = self.request.query.get(name)
        return values[0] if values else default

    def header(self, name: str, default: str = "") -> str:
        return self.request.headers.get_lower(name, default)

    def body(self) -> dict[str, Any]:
        """The JSON body, checked against the SDK model that the operation takes.

        :raises CannotParseRequest: not JSON, or not an object.
        :raises InvalidParameter, MissingParameter: see :func:`ocimock.wire.models.validate`.
        """
        if not self.request.body and not self.operation.body_required:
            return {}
        try:
            value = _JSON.decode(self.request.body.decode())
            _refuse_half_characters(value, self.request.body)
        except ValueError as fault:
            raise CannotParseRequest(f"the body is not JSON: {fault}") from None
        except RecursionError:
            raise CannotParseRequest("the body is nested too deep") from None
        if not isinstance(value, dict):
            raise CannotParseRequest("the body must be a JSON object")
        # A null stands for a field that was not set: Go clients and the Python SDK send them.
        fields: dict[str, Any] = _without_nulls(value)
        if self.operation.body_model:
            models.validate(self.operation.models, self.operation.body_model, fields)
        return fields

    def limit(self, default: int) -> int:
        """How many items the client wants in a page.

        :raises InvalidParameter: not a whole number, or none that the operation takes.
        """
        if self.query("limit") is None:
            return default
        most = most_items(self.operation.client, self.operation.name)
        limit = self.int_query("limit", default)
        if limit > most:
            raise InvalidParameter(f"limit must be from 1 to {most}, not {limit}")
        return limit

    def int_query(self, name: str, default: int) -> int:
        value = self.query(name)
        if value is None:
            return default
        number = whole(value)
        if not number:
            shown = value[:_SHOWN]
            raise InvalidParameter(f"{name} must be a whole number of 1 or more, not '{shown}'")
        return number


@dataclass
class Service:
    """A service: ``clients`` are SDK classes, from which every known operation is read.

    *labels* are what stands before the region in its host names. They are in the clients too, but
    whoever asks for one service should not have to import the clients of all.
    """

    name: str
    clients: tuple[str, ...]
    labels: tuple[str, ...] = ()
    handlers: dict[str, Handler] = field(default_factory=dict)
    extra: dict[str, Operation] = field(default_factory=dict)

    def operation(self, *names: str) -> Callable[[Handler], Handler]:
        """Register a handler under the SDK's method name(s).

        :raises KeyError: the SDK's clients have no such operation. Checked on first dispatch,
            since reading the SDK takes time that an import should not.
        """

        def register(handler: Handler) -> Handler:
            for name in names:
                self.handlers[name] = handler
            return handler

        return register

    def extra_operation(self, name: str, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register a handler for a path that no SDK client has, such as a deployment's predict."""

        def register(handler: Handler) -> Handler:
            self.extra[name] = Operation(
                service=self.name,
                client="",
                models="",
                name=name,
                method=method,
                path=path,
                body_model=None,
                body_required=False,
                response_model=None,
                response_list=False,
            )
            self.handlers[name] = handler
            return handler

        return register

    def known(self) -> dict[str, Operation]:
        """Every operation that the SDK knows of this service, and the extra ones."""
        found = {**known_operations(self.name, self.clients), **self.extra}
        if missing := sorted(set(self.handlers) - set(found)):
            raise KeyError(f"{self.name}: the SDK has no operation {', '.join(missing)}")
        return found


def _refuse_half_characters(value: Any, body: bytes) -> None:
    """:raises ValueError: a text of *value* can't be written as UTF-8."""
    if _HALF.search(body):
        json.dumps(value, ensure_ascii=False).encode()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
