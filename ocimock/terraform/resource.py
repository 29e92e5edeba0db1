"""What a resource type is to us: its client, its SDK model, its departures from the common way."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from ocimock.terraform import times
from ocimock.terraform.clients import Service
from ocimock.terraform.models import Models
from ocimock.terraform.planning import Rules
from ocimock.terraform.values import Value

Strings = frozenset[str]
NONE: Final[Strings] = frozenset()


@dataclass(frozen=True)
class Resource:
    """One resource type."""

    service: Service
    #: The SDK model that a get returns, e.g. `Vcn`. The operations are named after it.
    model: str
    rules: Rules = field(default_factory=Rules)
    create_details: str = ""
    update_details: str = ""
    #: Attributes passed, in order, before the details of a create.
    create_path: tuple[str, ...] = ()
    #: Attributes that identify the resource in get, update and delete.
    path: tuple[str, ...] = ("id",)
    #: How the state's `id` is put together, where it is not the model's own.
    id_format: str = "{id}"
    #: What `terraform import` takes; its groups become attributes. Default: the id.
    import_format: str = r"(?P<id>.+)"
    #: The same for a reader.
    import_hint: str = "OCID"
    #: Attributes that change in place although the update's details lack them.
    in_place: Strings = NONE
    #: Attributes that force a replacement although the update's details have them.
    force_new: Strings = NONE
    #: Attributes and blocks that concern the provider alone, or that a driver sends by itself.
    own: Strings = NONE
    #: The attribute that holds this resource's endpoint (keys live at their vault's).
    endpoint: str = ""
    #: Set where a delete is really `schedule_…_deletion`, with these details.
    schedule_deletion: str = ""
    #: Lifecycle states in which a create has failed.
    failed: Strings = frozenset({"FAILED"})
    #: The driver, as `module:class` so that nothing is imported before it is used.
    driver: str = "driver:Driver"

    @cached_property
    def noun(self) -> str:
        """The model's name as operations spell it: `NatGateway` -> `nat_gateway`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.model).lower()

    @cached_property
    def models(self) -> Models:
        return Models(self.service.module)

    @cached_property
    def create(self) -> str:
        return self.create_details or f"Create{self.model}Details"

    @cached_property
    def update(self) -> str:
        return self.update_details or f"Update{self.model}Details"

    @cached_property
    def change_compartment(self) -> str | None:
        """The details of the operation that moves the resource, if there is one."""
        name = f"Change{self.model}CompartmentDetails"
        return name if self.models.has(name) else None


def md5_of(content: Value) -> Value:
    """What the state holds of an object's `content`: its MD5 in hex, "" for none."""
    return hashlib.md5(str(content).encode(), usedforsecurity=False).hexdigest() if content else ""


def file_state(source: Value) -> Value:
    """What the state holds of an object's `source`: the path and when the file last changed."""
    path = Path(str(source)).expanduser()
    if not path.is_file():
        return source
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return f"{source} {times.to_state(changed)}"
