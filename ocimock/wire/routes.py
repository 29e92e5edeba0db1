"""Routes, read off the installed SDK's own client classes, so that they cannot drift from it.

Each method of an SDK client holds its verb, path, parameters and types in its code object and
docstring. Both are read here without parsing source and without calling anything.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"})
_API_VERSION = re.compile(r"/(\d{8})?$")
_BODY = re.compile(r":param oci\.(?:\w+\.)+models\.(\w+) \w+: \((required|optional)\)")
_RETURNS = re.compile(
    r"with data of type (?:(list) of )?(?::class:`~oci\.(?:\w+\.)*models\.(\w+)`|(\w+))"
)
_PARAMETER = re.compile(r":param \S+ (\w+): \((?:required|optional)\)")
_CHOICES = re.compile(
    r":param str (\w+): \((?:required|optional)\)(?:(?!:param |:return).)*?"
    r"Allowed values are: ([^\n]+)",
    re.DOTALL,
)


_MOST = re.compile(r":param int limit:(?:(?!:param).)*1 (?:is the minimum, |and )(\d+)", re.DOTALL)
_MOST_ITEMS = 1000


@dataclass(frozen=True)
class Operation:
    """One API operation of one SDK client."""

    service: str
    client: str
    models: str
    name: str
    method: str
    path: str
    body_model: str | None
    body_required: bool
    response_model: str | None
    response_list: bool


def operations(service: str, client: str) -> Iterator[Operation]:
    """All operations of the SDK class *client*, given as ``package.ClassName``."""
    package_name, class_name = client.rsplit(".", 1)
    sdk_class = getattr(importlib.import_module(package_name), class_name)
    base = base_path(sdk_class)
    for name, function in vars(sdk_class).items():
        code = getattr(function, "__code__", None)
        if name.startswith("_") or code is None:
            continue
        found = _path_and_method(code)
        if found is not None:
            yield _operation(service, client, package_name, name, function, base, *found)


@functools.cache
def parameters(client: str, name: str) -> frozenset[str]:
    """Every parameter (path, query, header) of an operation, as :func:`plain_name` spells it."""
    package_name, class_name = client.rsplit(".", 1)
    function = getattr(getattr(importlib.import_module(package_name), class_name), name)
    return frozenset(plain_name(found) for found in _PARAMETER.findall(function.__doc__ or ""))


@functools.cache
def choices(client: str, name: str) -> dict[str, tuple[str, ...]]:
    """The values that an operation's enumerated parameters may have, by :func:`plain_name`."""
    package_name, class_name = client.rsplit(".", 1)
    function = getattr(getattr(importlib.import_module(package_name), class_name), name)
    return {
        plain_name(found): tuple(re.findall(r'"([^"]*)"', listed))
        for found, listed in _CHOICES.findall(function.__doc__ or "")
    }


@functools.cache
def most_items(client: str, name: str) -> int:
    """The highest ``limit`` that a list operation takes; 1000 where the SDK does not say."""
    package_name, class_name = client.rsplit(".", 1)
    function = getattr(getattr(importlib.import_module(package_name), class_name), name)
    found = _MOST.search(function.__doc__ or "")
    return int(found.group(1)) if found else _MOST_ITEMS


def plain_name(name: str) -> str:
    """A parameter's name the same from either spelling: ``compartmentId``, ``compartment_id``."""
    return name.replace("_", "").lower()


def base_path(sdk_class: Any) -> str:
    """What every path of *sdk_class* begins with: ``/20160918``, or nothing."""
    for constant in sdk_class.__init__.__code__.co_consts:
        if isinstance(constant, str) and _API_VERSION.fullmatch(constant):
            return constant.rstrip("/")
    return ""


def endpoint_label(sdk_class: Any) -> str:
    """The label before the region in the service's host name: ``iaas``, ``secrets.vaults``."""
    for constant in sdk_class.__init__.__code__.co_consts:
        if isinstance(constant, str) and constant.startswith("https://"):
            return constant.removeprefix("https://").split(".{region}")[0]
    return ""


def _operation(
    service: str,
    client: str,
    package: str,
    name: str,
    function: Any,
    base: str,
    path: str,
    method: str,
) -> Operation:
    doc = function.__doc__ or ""
    body = _BODY.search(doc)
    returns = _RETURNS.search(doc)
    return Operation(
        service=service,
        client=client,
        models=f"{package}.models",
        name=name,
        method=method,
        path=base + path,
        body_model=body.group(1) if body else None,
        body_required=bool(body and body.group(2) == "required"),
        response_model=(returns.group(2) or returns.group(3)) if returns else None,
        response_list=bool(returns and returns.group(1)),
    )


def _path_and_method(code: CodeType) -> tuple[str, str] | None:
    strings = [constant for constant in code.co_consts if isinstance(constant, str)]
    for path, method in itertools.pairwise(strings):
        if path.startswith("/") and method in _METHODS:
            return path, method
    return None


@functools.cache
def known_operations(service: str, clients: tuple[str, ...]) -> dict[str, Operation]:
    """Every operation of *service*, by the SDK's method name."""
    return {found.name: found for client in clients for found in operations(service, client)}
