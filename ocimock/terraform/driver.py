"""The common way of a resource: create, read, update and delete through the SDK."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from ocimock.terraform.calls import Calls
from ocimock.terraform.convert import from_model, to_model
from ocimock.terraform.exceptions import ImportIdError, ServiceFailure, UnsupportedError
from ocimock.terraform.models import find
from ocimock.terraform.planning import differing
from ocimock.terraform.resource import Resource
from ocimock.terraform.schema import Block
from ocimock.terraform.values import Value, is_zero

State = dict[str, Value]


@dataclass(frozen=True)
class Change:
    """A resource as the configuration wants it and as the plan does. `prior`: before an update."""

    config: State
    planned: State
    prior: State = field(default_factory=dict)


#: Lifecycle states in which a deleted resource stays readable for a while.
_GONE = frozenset({"DELETED", "TERMINATED", "PENDING_DELETION"})


class Driver:
    """Does what Terraform asks for one resource. It holds no state between calls."""

    def __init__(self, resource: Resource, block: Block, calls: Calls) -> None:
        self.resource = resource
        self.block = block
        self.calls = calls

    # What Terraform asks

    def create(self, change: Change) -> State:
        """Create the resource; the state returned identifies it, `settle` completes it."""
        planned = change.planned
        self.refuse_unsupported(planned)
        details = self.details(self.resource.create, planned)
        response = self.create_call(planned, details)
        if response.data is not None:
            return self.state(response.data, planned)
        identifier = self.calls.finish(self.resource.service, response, self.resource.noun)
        return {**planned, "id": identifier}

    def settle(self, state: State, change: Change) -> State:  # noqa: ARG002 - some drivers need it
        """Wait until a created or updated resource is ready, and read it."""
        model = self.calls.settled(lambda: self.fetch(state), self.resource.failed)
        return self.state(model, state)

    def read(self, state: State) -> State | None:
        """The resource as it is, or None if it is gone."""
        model = self.calls.or_none(lambda: self.fetch(state))
        if model is None or getattr(model, "lifecycle_state", None) in _GONE:
            return None
        return self.state(model, state)

    def update(self, change: Change) -> State:
        """Bring the changes about; `settle` waits for them."""
        prior, planned = change.prior, change.planned
        changed = differing(self.block, planned, prior)
        if "compartment_id" in changed and self.resource.change_compartment:
            self.change_compartment(prior, planned)
        self.refuse_unsupported({name: planned[name] for name in changed})
        fields = self.resource.models.fields_of_family(self.resource.update)
        sent = {name: planned[name] for name in changed if find(fields, name) is not None}
        if sent:
            details = self.details(self.resource.update, sent)
            response = self.update_call(prior, details)
            self.calls.finish(self.resource.service, response, self.resource.noun)
        return {**planned, "id": prior["id"]}

    def delete(self, state: State) -> None:
        """Delete the resource and wait until it is gone. One that is gone already is no error."""
        try:
            if self.calls.or_none(lambda: self.delete_call(state)) is None:
                return
        except ServiceFailure:
            # A deletion that is scheduled already is refused, and is what we want.
            if self.read(state) is None:
                return
            raise
        self.calls.gone(lambda: self.fetch(state), _GONE)

    def imported(self, given: str) -> State:
        """The least state from which `read` can go on."""
        match = re.fullmatch(self.resource.import_format, given)
        if match is None:
            raise ImportIdError(f'"{given}" should be: {self.resource.import_hint}')
        state: State = dict.fromkeys(self.block.attributes)
        state.update(
            {n: None if b.nesting == "single" else [] for n, b in self.block.blocks.items()}
        )
        state.update({name: unquote(text) for name, text in match.groupdict().items()})
        state["id"] = state["id"] or self.identity(state)
        return state

    # The calls behind it

    def create_call(self, planned: State, details: Any) -> Any:
        path = [planned[name] for name in self.resource.create_path]
        return self.call(f"create_{self.resource.noun}", planned, *path, details)

    def fetch(self, state: State) -> Any:
        """The SDK's model of the resource."""
        return self.call(f"get_{self.resource.noun}", state, *self.path(state)).data

    def update_call(self, prior: State, details: Any) -> Any:
        return self.call(f"update_{self.resource.noun}", prior, *self.path(prior), details)

    def delete_call(self, state: State) -> Any:
        path = self.path(state)
        if self.resource.schedule_deletion:
            details = self.details(self.resource.schedule_deletion, state)
            return self.call(f"schedule_{self.resource.noun}_deletion", state, *path, details)
        response = self.call(f"delete_{self.resource.noun}", state, *path)
        self.calls.finish(self.resource.service, response, self.resource.noun)
        return response

    def change_compartment(self, prior: State, planned: State) -> None:
        details = self.details(self.resource.change_compartment or "", planned)
        operation = f"change_{self.resource.noun}_compartment"
        response = self.call(operation, prior, *self.path(prior), details)
        self.calls.finish(self.resource.service, response, self.resource.noun)

    def call(self, operation: str, state: Mapping[str, Value], *arguments: Any, **more: Any) -> Any:
        """Call an operation at the endpoint where this resource lives."""
        endpoint = state.get(self.resource.endpoint) if self.resource.endpoint else None
        return self.calls.call(
            self.resource.service, operation, *arguments, endpoint=endpoint, **more
        )

    # Values

    def path(self, state: Mapping[str, Value]) -> list[Value]:
        return [state[name] for name in self.resource.path]

    def identity(self, values: Mapping[str, Value]) -> str:
        """The state's `id`, with each part escaped as in a URL."""
        escaped = {name: quote(str(value), safe="") for name, value in values.items()}
        return self.resource.id_format.format(**escaped)

    def details(self, name: str, values: State) -> Any:
        """The SDK model `name` from what in `values` it has a field for."""
        own = {n: v for n, v in values.items() if n not in self.resource.own}
        fields = self.resource.models.fields_of_family(name)
        sent = {n: v for n, v in own.items() if find(fields, n) is not None and n != "id"}
        return to_model(self.resource.models, name, self.block, sent)

    def state(self, model: Any, carry: State) -> State:
        """The state that a model of the resource gives."""
        state = from_model(self.resource.models, self.block, model, carry)
        if self.resource.id_format != "{id}":
            state["id"] = self.identity(state)
        return state

    def refuse_unsupported(self, values: State) -> None:
        """UnsupportedError if the configuration sets something that would not be sent."""
        models = self.resource.models
        known = dict(models.fields_of_family(self.resource.create))
        known.update(models.fields_of_family(self.resource.update))
        for name, value in values.items():
            attribute = self.block.attributes.get(name)
            if is_zero(value) or name in self.resource.own or name in ("id", "timeouts"):
                continue
            if attribute is not None and attribute.computed and not attribute.optional:
                continue
            if find(known, name) is None and self.is_set(name, value):
                raise UnsupportedError(
                    f"{name}: the stand-in does not send this. Leave it out, or use the real "
                    "provider.",
                    name,
                )

    def is_set(self, name: str, value: Value) -> bool:
        """Whether the value asks for something: a default that merely fills the state does not."""
        return not (
            name in self.resource.rules.defaults and self.resource.rules.defaults[name] == value
        )
