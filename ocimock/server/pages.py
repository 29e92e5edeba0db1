"""``/ocimock/…``: the mock's own pages, for tests to look behind its answers and to set it up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from .. import capacity, faults, images, limits
from ..execute import executor_pages
from ..iam import enforcement
from ..impersonation import resource_principal, user_config
from ..tenancy import standing
from ..wire.errors import (
    CannotParseRequest,
    InvalidParameter,
    MethodNotAllowed,
    NotFound,
    ServiceError,
)
from ..wire.message import Request, Response

if TYPE_CHECKING:
    from ..cloud import Cloud
    from .app import Application

PREFIX = "/ocimock/"

Page = Callable[["Application", Request], Response]
_PAGES: dict[tuple[str, str], Page] = {}


class _Rules(Protocol):
    """A module whose rules have pages."""

    @property
    def show(self) -> Callable[[Any], Any]: ...

    @property
    def add(self) -> Callable[[Any, bytes], Any]: ...

    @property
    def clear(self) -> Callable[[Any], None]: ...


def answer(application: Application, request: Request) -> Response:
    """The page that *request* is for; errors are answers too."""
    name = request.path.removeprefix(PREFIX)
    try:
        page = _PAGES.get((request.method, name))
        if page is None:
            raise _unknown(request.method, name)
        with application.cloud.lock:
            return page(application, request)
    except ServiceError as fault:
        return fault.response()
    except RecursionError:
        return CannotParseRequest("the body is nested too deep").response()


def _unknown(method: str, name: str) -> ServiceError:
    verbs = [verb for verb, page in _PAGES if page == name]
    if verbs:
        return MethodNotAllowed(f"{PREFIX}{name}: only {', '.join(verbs)} here, not {method}")
    names = ", ".join(sorted({page for _, page in _PAGES}))
    return NotFound(f"{PREFIX}{name} is no page of ocimock; there are {names}")


def _page(method: str, name: str) -> Callable[[Page], Page]:
    def register(page: Page) -> Page:
        _PAGES[method, name] = page
        return page

    return register


@_page("GET", "health")
def _health(application: Application, _request: Request) -> Response:
    executes = executor_pages.executes(application.cloud.execution)
    return Response.of_json({"status": "ok", "mock": "ocimock", "executes": executes})


@_page("GET", "state")
def _state(application: Application, _request: Request) -> Response:
    cloud = application.cloud
    return Response.of_json({"standing": standing(cloud), "bodies": cloud.blobs.count()})


@_page("GET", "calls")
def _calls(application: Application, _request: Request) -> Response:
    return Response.of_json([asdict(call) for call in application.cloud.calls])


@_page("GET", "decisions")
def _decisions(application: Application, _request: Request) -> Response:
    return Response.of_json([asdict(found) for found in enforcement.decisions(application.cloud)])


@_page("POST", "reset")
def _reset(application: Application, _request: Request) -> Response:
    application.reset()
    return Response(204)


@_page("GET", "clock")
def _clock(application: Application, _request: Request) -> Response:
    clock = application.cloud.clock
    return Response.of_json({"now": clock.timestamp(), "ahead": clock.ahead, "pace": clock.pace})


@_page("POST", "clock")
def _advance(application: Application, request: Request) -> Response:
    cloud = application.cloud
    try:
        seconds = float(json.loads(request.body)["advance"])
        with cloud.transaction():
            cloud.clock.advance(seconds)
    except (ValueError, KeyError, TypeError) as fault:
        message = f'POST {{"advance": seconds}}, seconds of 0 or more: {fault}'
        raise InvalidParameter(message) from None
    cloud.run_due_events()
    return _clock(application, request)


@_page("GET", "nodes")
def _nodes(application: Application, _request: Request) -> Response:
    return Response.of_json(executor_pages.show(application.cloud.execution))


@_page("POST", "nodes")
def _kill(application: Application, request: Request) -> Response:
    return Response.of_json(executor_pages.kill(application.cloud.execution, request.body))


@_page("POST", "principals")
def _impersonate(application: Application, request: Request) -> Response:
    """What clients need to call as another user, or as a resource of the tenancy."""
    try:
        ((kind, identifier),) = json.loads(request.body).items()
        make = {"user": user_config, "resource": resource_principal}[kind]
    except (ValueError, KeyError, TypeError, AttributeError):
        message = 'POST {"user": an OCID} or {"resource": an OCID}'
        raise InvalidParameter(message) from None
    return Response.of_json(make(application.cloud, str(identifier)), 201)


def _rules(name: str, rules: _Rules, of: Callable[[Cloud], Any]) -> None:
    """Register the pages of what tests set up: all that stands, one more, none."""

    @_page("GET", name)
    def _show(application: Application, _request: Request) -> Response:
        return Response.of_json(rules.show(of(application.cloud)))

    @_page("POST", name)
    def _add(application: Application, request: Request) -> Response:
        cloud = application.cloud
        with cloud.transaction():
            return Response.of_json(rules.add(of(cloud), request.body), 201)

    @_page("DELETE", name)
    def _clear(application: Application, _request: Request) -> Response:
        cloud = application.cloud
        with cloud.transaction():
            rules.clear(of(cloud))
        return Response(204)


_rules("faults", faults, lambda cloud: cloud.faults)
_rules("limits", limits, lambda cloud: cloud.limits)
_rules("capacity", capacity, lambda cloud: cloud.capacity)
_rules("images", images, lambda cloud: cloud.images)
