"""The provider without its wire: Terraform's questions in Python values, answered."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ocimock.terraform import data_sources, schema
from ocimock.terraform.calls import Calls
from ocimock.terraform.clients import Clients, read_credentials, read_endpoints
from ocimock.terraform.driver import Change, Driver, State
from ocimock.terraform.exceptions import ServiceFailure, StandInError, UnsupportedError
from ocimock.terraform.models import squash
from ocimock.terraform.planning import plan
from ocimock.terraform.replacement import Steps, replacements
from ocimock.terraform.resource import Resource
from ocimock.terraform.resources import RESOURCES
from ocimock.terraform.schema import Block, ProviderSchema
from ocimock.terraform.values import Value, known, wholly_known

#: A word in a service's message that can be an attribute: camelCase or snake_case.
_ATTRIBUTE_LIKE = re.compile(r"\b[a-z]+(?:[A-Z_][A-Za-z0-9]*)+\b")


@dataclass(frozen=True)
class Plan:
    state: Value
    replace: list[Steps] = field(default_factory=list)


@dataclass(frozen=True)
class Applied:
    """The state after an apply, and the error that stopped it, if one did."""

    state: Value
    error: StandInError | None = None


class Provider:
    """Answers for one provider configuration. Calls may come ten at a time."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.schema: ProviderSchema = schema.load()
        self._environment = os.environ if environment is None else environment
        self._calls: Calls | None = None

    def configure(self, config: Mapping[str, Value]) -> None:
        """Take credentials and endpoints; EndpointError or CredentialsError say what is wrong."""
        endpoints = read_endpoints(self._environment)
        if not wholly_known(dict(config)):
            # Terraform configures with unknowns when an import's provider depends on a resource.
            config = known(dict(config))
        self._calls = Calls(Clients(read_credentials(config, self._environment), endpoints))

    def plan(self, type_name: str, config: Value, prior: Value) -> Plan:
        """Planned state. `prior` is null for a resource to create."""
        resource, block = self._resource(type_name)
        planned = plan(block, config, prior, resource.rules)
        if prior is None:
            return Plan(planned)
        return Plan(planned, replacements(resource, block, planned, prior))

    def apply(self, type_name: str, config: Value, planned: Value, prior: Value) -> Applied:
        """Create, update or delete: what planned and prior state say between them."""
        driver = self._driver(type_name)
        if planned is None:
            return self._delete(driver, prior)
        change = Change(known(config), known(planned), prior or {})
        try:
            state = driver.create(change) if prior is None else driver.update(change)
        except StandInError as error:
            return Applied(prior, self._placed(error, driver.block))
        try:
            return Applied(_whole(driver.block, driver.settle(state, change)))
        except StandInError as error:
            # It exists: with its id in the state, Terraform can still destroy it.
            return Applied(_whole(driver.block, known(state)), self._placed(error, driver.block))

    def read(self, type_name: str, state: State) -> State | None:
        """The resource as it is now; None if it is gone."""
        return self._driver(type_name).read(state)

    def import_state(self, type_name: str, identifier: str) -> State:
        """The state from which Terraform reads an imported resource."""
        return self._driver(type_name).imported(identifier)

    def read_data(self, type_name: str, config: Value) -> Value:
        """A data source's state."""
        block = self.schema.data_sources[type_name].block
        return data_sources.read(type_name, block, config, self._configured())

    def upgrade(self, type_name: str, raw: bytes) -> State:
        """A stored state in this schema's terms: what is missing is null, what is unknown goes."""
        return _whole(self.schema.resources[type_name].block, json.loads(raw))

    def _delete(self, driver: Driver, prior: State) -> Applied:
        try:
            driver.delete(prior)
        except StandInError as error:
            return Applied(prior, error)
        return Applied(None)

    def _resource(self, type_name: str) -> tuple[Resource, Block]:
        return RESOURCES[type_name], self.schema.resources[type_name].block

    def _driver(self, type_name: str) -> Driver:
        resource, block = self._resource(type_name)
        module, _, name = resource.driver.partition(":")
        cls = getattr(importlib.import_module(f"{__package__}.{module}"), name)
        driver = cls(resource, block, self._configured())
        assert isinstance(driver, Driver)
        return driver

    def _configured(self) -> Calls:
        if self._calls is None:
            raise UnsupportedError("Terraform asked before it configured the provider.")
        return self._calls

    def _placed(self, error: StandInError, block: Block) -> StandInError:
        """The error, with the attribute that the service's message names, if it names one."""
        if isinstance(error, ServiceFailure) and error.attribute is None:
            names = {squash(name): name for name in [*block.attributes, *block.blocks]}
            words = map(squash, _ATTRIBUTE_LIKE.findall(str(error).partition("\n")[0]))
            error.attribute = next((names[word] for word in words if word in names), None)
        return error


def _whole(block: Block, values: Mapping[str, Value]) -> State:
    """The values with every attribute of the block and no other; absent blocks are empty."""
    whole: State = {name: values.get(name) for name in block.attributes}
    for name, nested in block.blocks.items():
        found = values.get(name)
        if nested.nesting == "single":
            whole[name] = found
        else:
            whole[name] = [_whole(nested.block, item) for item in found or []]
    return whole
