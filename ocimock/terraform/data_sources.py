"""The data sources: lists that the service gives, filtered as the real provider filters."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ocimock.terraform import clients
from ocimock.terraform.calls import Calls
from ocimock.terraform.clients import Service
from ocimock.terraform.convert import from_model, text_of
from ocimock.terraform.exceptions import ConversionError
from ocimock.terraform.models import Models
from ocimock.terraform.schema import Attribute, Block
from ocimock.terraform.values import Value

#: Arguments of the SDK's list operation: by position and by name.
Arguments = tuple[list[Value], dict[str, Value]]


@dataclass(frozen=True)
class DataSource:
    """A list operation and the attribute that takes its items."""

    service: Service
    operation: str
    items: str
    arguments: Callable[[Mapping[str, Value]], Arguments]


def _compartment_only(config: Mapping[str, Value]) -> Arguments:
    return [config["compartment_id"]], {}


def _compartments(config: Mapping[str, Value]) -> Arguments:
    names = {
        "access_level": "access_level",
        "compartment_id_in_subtree": "compartment_id_in_subtree",
        "name": "name",
        "state": "lifecycle_state",
    }
    more = {sdk: config[name] for name, sdk in names.items() if config.get(name) is not None}
    return [config["compartment_id"]], more


DATA_SOURCES: Final[Mapping[str, DataSource]] = {
    "oci_core_services": DataSource(clients.CORE, "list_services", "services", lambda _: ([], {})),
    "oci_datascience_notebook_session_shapes": DataSource(
        clients.DATA_SCIENCE,
        "list_notebook_session_shapes",
        "notebook_session_shapes",
        _compartment_only,
    ),
    "oci_identity_availability_domains": DataSource(
        clients.IDENTITY,
        "list_availability_domains",
        "availability_domains",
        _compartment_only,
    ),
    "oci_identity_compartments": DataSource(
        clients.IDENTITY, "list_compartments", "compartments", _compartments
    ),
}
NAMESPACE: Final = "oci_objectstorage_namespace"


def read(type_name: str, block: Block, config: Mapping[str, Value], calls: Calls) -> Value:
    """The data source's state. ServiceFailure as for resources."""
    state: dict[str, Value] = {name: config.get(name) for name in block.attributes}
    state.update({name: config.get(name) or [] for name in block.blocks})
    state["id"] = _identity(type_name, config)
    if type_name == NAMESPACE:
        more = {"compartment_id": config["compartment_id"]} if config["compartment_id"] else {}
        response = calls.call(clients.OBJECT_STORAGE, "get_namespace", endpoint=None, **more)
        state["namespace"] = response.data
        return state
    source = DATA_SOURCES[type_name]
    items = [
        _item(Models(source.service.module), block.attributes[source.items], model)
        for model in _all(source, config, calls)
    ]
    for wanted in config.get("filter") or []:
        items = [item for item in items if _matches(item, wanted)]
    state[source.items] = items
    return state


def _all(source: DataSource, config: Mapping[str, Value], calls: Calls) -> list[Any]:
    positional, named = source.arguments(config)
    found: list[Any] = []
    page = None
    while True:
        more = named if page is None else {**named, "page": page}
        answer = calls.call(source.service, source.operation, *positional, endpoint=None, **more)
        found.extend(answer.data)
        page = answer.headers.get("opc-next-page")
        if page is None:
            return found


def _item(models: Models, attribute: Attribute, model: Any) -> Value:
    _, (_, fields) = attribute.type
    block = Block({name: Attribute(kind, computed=True) for name, kind in fields.items()})
    return from_model(models, block, model, {})


def _matches(item: Mapping[str, Value], wanted: Mapping[str, Value]) -> bool:
    name = wanted["name"]
    if name not in item:
        raise ConversionError(
            f'filter: there is no field "{name}". Fields are: {", ".join(sorted(item))}', "filter"
        )
    if item[name] is None:
        return False
    text = text_of(item[name])
    if wanted.get("regex"):
        return any(re.search(pattern, text) for pattern in wanted["values"])
    return text in wanted["values"]


def _identity(type_name: str, config: Mapping[str, Value]) -> str:
    """The same for the same question, so that a second plan finds nothing changed."""
    question = {name: value for name, value in config.items() if name != "id"}
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    return f"{type_name}-{digest[:16]}"
