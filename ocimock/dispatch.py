"""From a request to its operation and back: one dispatcher for the server and for the process."""

from __future__ import annotations

import functools
import hashlib
import re
import secrets
from dataclasses import dataclass

from .clock import http_date
from .cloud import CallRecord, Cloud
from .iam import enforcement, signatures
from .iam.principals import bears_token, identify
from .places import region_names, subscribed_regions
from .registry import services
from .service import Call, Handler, Service
from .wire.errors import (
    InvalidParameter,
    MethodNotAllowed,
    NotAuthenticated,
    NotImplementedByMock,
    ServiceError,
)
from .wire.message import LOOPBACK, Relay, Request, Response
from .wire.router import Router
from .wire.routes import Operation, choices, parameters, plain_name

# <label>.<region>[.oci|.ds].oraclecloud.com and <label>.<region>.oci.customer-oci.com
_HOST = re.compile(
    r"(?P<label>[a-z0-9-]+(?:\.[a-z0-9-]+)*?)\.(?P<region>[a-z]+-[a-z]+-\d)"
    r"(?:\.(?:ds|oci))*\.(?:oraclecloud|customer-oci)\.com"
)
_OCI_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:oraclecloud|customer-oci)\.com", re.IGNORECASE
)
_READING = frozenset({"GET", "HEAD"})
# Whoever knows a pre-authenticated request's token can use it.
_LINK_TOKEN = re.compile(r"(?<=^/p/)[^/]+")


class UnknownHostError(Exception):
    """The host is not one of OCI's, or not of a service that ocimock has."""


@dataclass(frozen=True)
class Target:
    """Where a host leads: the services behind it, and the region in its name."""

    services: tuple[Service, ...]
    region: str


def is_oci_host(host: str) -> bool:
    """Whether *host* is a well-formed name in Oracle Cloud's domains."""
    return _OCI_DOMAIN.fullmatch(host) is not None


def shown_path(path: str) -> str:
    """*path* without the secret that it may hold, for records and logs."""
    return _LINK_TOKEN.sub("…", path)


def target(cloud: Cloud, host: str) -> Target:
    """The services that *host* stands for. A loopback host stands for all of them.

    :raises UnknownHostError: no service of the mock answers there.
    """
    if LOOPBACK.fullmatch(host):
        return Target(tuple(services().values()), cloud.settings.region)
    found = _HOST.fullmatch(host)
    if found is None:
        raise UnknownHostError(f"{host} is not an Oracle Cloud host; ocimock lets no call leave")
    # A vault's own endpoints and a namespace's own Object Storage host carry a first label more.
    labels = found["label"].split(".")
    for start in range(len(labels)):
        named = _by_label().get(".".join(labels[start:]))
        if named:
            _refuse_unknown(found["region"], host)
            return Target(named, found["region"])
    raise UnknownHostError(
        f"{host}: ocimock has no service '{found['label']}'; it has {', '.join(_by_label())}"
    )


def _refuse_unknown(region: str, host: str) -> None:
    """:raises UnknownHostError: there is no such region, and so no such host."""
    if region not in region_names():
        raise UnknownHostError(f"{host}: the OCI SDK knows no region '{region}'")


def _refuse_unsubscribed(cloud: Cloud, place: Target) -> None:
    """:raises NotAuthenticated: the tenancy has not subscribed to the region.

    So OCI answers: its identities are replicated to the regions of a tenancy's subscriptions only,
    and elsewhere nobody knows them (source: reports of the SDK's users).
    """
    subscribed = subscribed_regions(cloud.settings)
    if place.region not in subscribed:
        raise NotAuthenticated(
            "The required information to complete authentication was not provided or was "
            f"incorrect. (ocimock: the tenancy is subscribed to {', '.join(subscribed)}, not to "
            f"{place.region}.)"
        )


@functools.cache
def _by_label() -> dict[str, tuple[Service, ...]]:
    by_label: dict[str, tuple[Service, ...]] = {}
    for service in services().values():
        for label in service.labels:
            by_label[label] = (*by_label.get(label, ()), service)
    return by_label


def dispatch(cloud: Cloud, request: Request) -> Response:
    """Answer *request*. Every OCI error comes back as a response; nothing is raised for it.

    :raises UnknownHostError: the host is none of the mock's.
    :raises AnswerDropped: a fault rule wants the connection to end without the answer.
    """
    place = target(cloud, request.host)
    request_id = request.headers.get_lower("opc-request-id") or secrets.token_hex(16).upper()
    name = "?"
    service = place.services[0].name if len(place.services) == 1 else "?"
    with cloud.transaction(reading=request.method in _READING):
        try:
            found, operation, path = _route(place, request)
            service, name = found.name, operation.name
            _refuse_unsubscribed(cloud, place)
            caller = identify(cloud, request)
            response = _answer(Call(cloud, operation, request, path, place.region, caller), found)
        except ServiceError as fault:
            response = fault.response()
        _record(cloud, response, (service, name, request.method, shown_path(request.path)))
        # Last of all: what happened is kept, only the answer is not to reach the client.
        cloud.faults.drop()
    response.headers.setdefault("opc-request-id", request_id)
    # Of the mock's clock: a client that compares it with a last-modified must find one time.
    response.headers["date"] = http_date(int(cloud.clock.now()))
    return response


@functools.cache
def _router(names: tuple[str, ...]) -> Router:
    return Router(operation for name in names for operation in services()[name].known().values())


def _record(cloud: Cloud, response: Response, call: tuple[str, str, str, str]) -> None:
    """Note the call, with the status of its answer as soon as that is known."""
    if isinstance(response, Relay):
        response.told = lambda status: cloud.calls.append(CallRecord(*call, status))
        return
    cloud.calls.append(CallRecord(*call, response.status))


def _route(place: Target, request: Request) -> tuple[Service, Operation, dict[str, str]]:
    """The service and operation that *request* is for, and its path parameters.

    Several operations may match (an object named ``a/b`` against a longer path): one that is
    implemented wins, then the one with the most literal path.
    """
    candidates = _router(tuple(service.name for service in place.services)).match(request.path)
    fitting = [found for found in candidates if found[0].method == request.method]
    if not fitting:
        if candidates:
            verbs = ", ".join(sorted({operation.method for operation, _ in candidates}))
            raise MethodNotAllowed(f"{request.method} {request.path}: only {verbs} here")
        # No 404: to a client of the SDK that ocimock does not have (compute at the host of
        # networking) it would say that what it asked for is gone.
        raise NotImplementedByMock(
            f"ocimock knows no operation of {_names(place)} with the path "
            f"{request.method} {request.path}"
        )
    for operation, path in fitting:
        service = services()[operation.service]
        if operation.name in service.handlers:
            return service, operation, path
    operation, path = fitting[0]
    return services()[operation.service], operation, path


def _answer(call: Call, service: Service) -> Response:
    _guard(call)
    handler = service.handlers.get(call.operation.name)
    if handler is None:
        raise NotImplementedByMock(
            f"ocimock does not implement {service.name}.{call.operation.name} "
            f"({call.operation.method} {call.operation.path})"
        )
    _refuse_unknown_query(call)
    token = call.header("opc-retry-token")
    if not token or call.request.method != "POST":
        return handler(call)
    return _answer_once(call, service, handler, token)


def _guard(call: Call) -> None:
    """:raises ServiceError: a fault is due, the signature is wrong, or no policy allows it."""
    call.cloud.faults.strike(call)
    settings = call.cloud.settings
    # What a run that really runs says of itself is looked at in any case.
    if settings.verify_signatures or (call.cloud.execution and bears_token(call.request)):
        signatures.verify(call)
    if settings.enforce_iam:
        enforcement.authorize(call)


def _refuse_unknown_query(call: Call) -> None:
    """:raises InvalidParameter: a query parameter, or a value of one, that the SDK lacks.

    A compartment that is given twice is refused too: what IAM was asked about must be what is
    listed.
    """
    operation = call.operation
    if not call.request.query or not operation.client:
        return
    known = parameters(operation.client, operation.name)
    allowed = choices(operation.client, operation.name)
    for name, values in call.request.query.items():
        plain = plain_name(name)
        if plain not in known:
            raise InvalidParameter(f"{operation.name} has no query parameter '{name}'")
        if name == "compartmentId" and len(values) > 1:
            raise InvalidParameter("compartmentId must be given once")
        # Some take several values in one (fields=name,size).
        for value in ",".join(values).split(",") if plain in allowed else ():
            if value not in allowed[plain]:
                raise InvalidParameter(
                    f"{name}: '{value}' is not allowed; it is one of {', '.join(allowed[plain])}"
                )


def _answer_once(call: Call, service: Service, handler: Handler, token: str) -> Response:
    """A POST with a retry token happens once; sent again it gets the first answer again."""
    # Of one caller, in one region: nobody gets the answer to somebody else.
    key = f"{service.name}.{call.operation.name}/{call.region}/{call.principal.id}/{token}"
    request = call.request
    # Not of the body itself: an artifact may have gigabytes.
    digest = hashlib.sha256(f"{request.path}\n".encode() + request.content.digest("sha256"))
    tokens, now = call.cloud.retry_tokens, call.cloud.clock.now()
    if (first := tokens.find(key, digest.hexdigest(), now)) is not None:
        return first
    response = handler(call)
    if isinstance(response, Relay):
        return response  # not known yet, and too much to keep
    tokens.keep(key, digest.hexdigest(), response, now)
    return response


def _names(place: Target) -> str:
    return ", ".join(service.name for service in place.services)
