"""The OCI SDK's models, found by the names that Terraform gives to their fields.

Oracle generates the SDK and the provider from the same API specification, so a field's two
names differ only in where the underscores stand (`ipv6_cidr_blocks`, `ipv6cidr_blocks`). The
few that really differ are in `RENAMED`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

#: Terraform's name -> the SDK's, where the two are different words.
RENAMED = {
    "access_type": "public_access_type",
    "enabled": "is_enabled",
    "enable_auto_generation": "is_auto_generation_enabled",
    "inactive_state": "inactive_status",
    "state": "lifecycle_state",
    "stateless": "is_stateless",
}

_LIST = re.compile(r"list\[(.+)\]")


@dataclass(frozen=True)
class Field:
    """One field of an SDK model: its name there and its swagger type, e.g. `list[RouteRule]`."""

    name: str
    type: str

    @property
    def is_list(self) -> bool:
        return _LIST.fullmatch(self.type) is not None

    @property
    def item(self) -> str:
        """The type of a list's members, else the type itself."""
        match = _LIST.fullmatch(self.type)
        return match[1] if match else self.type


@dataclass(frozen=True)
class Models:
    """The models of one service, e.g. `Models("core")` for `oci.core.models`."""

    service: str

    def module(self) -> ModuleType:
        return importlib.import_module(f"oci.{self.service}.models")

    def cls(self, name: str) -> Any:
        """The model class; AttributeError if the SDK has none of this name."""
        return getattr(self.module(), name)

    def has(self, name: str) -> bool:
        return hasattr(self.module(), name)

    def fields(self, name: str) -> Mapping[str, Field]:
        """A class's fields by their squashed names."""
        return _fields(self.service, name)

    def fields_of_family(self, name: str) -> Mapping[str, Field]:
        """The fields of a class and of all its subtypes."""
        return _fields_of_family(self.service, name)

    def subtype(self, name: str, values: Mapping[str, Any]) -> str:
        """The class to use for these Terraform values: `name`, or the subtype they choose."""
        cls = self.cls(name)
        if not hasattr(cls, "get_subtype"):
            return name
        wire_names = cls().attribute_map
        document = {}
        for terraform_name, value in values.items():
            field = find(self.fields(name), terraform_name)
            if field is not None and isinstance(value, str):
                document[wire_names[field.name]] = value
        return str(cls.get_subtype(document))


def find(fields: Mapping[str, Field], terraform_name: str) -> Field | None:
    """The field that a Terraform attribute or block stands for."""
    field = fields.get(squash(terraform_name))
    if field is None and terraform_name in RENAMED:
        field = fields.get(squash(RENAMED[terraform_name]))
    return field


def squash(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def _fields(service: str, name: str) -> dict[str, Field]:
    types: Mapping[str, str] = Models(service).cls(name)().swagger_types
    return {squash(field): Field(field, kind) for field, kind in types.items()}


@cache
def _fields_of_family(service: str, name: str) -> dict[str, Field]:
    models = Models(service)
    base = models.cls(name)
    fields = dict(_fields(service, name))
    if hasattr(base, "get_subtype"):
        for other in dir(models.module()):
            cls = getattr(models.module(), other)
            if isinstance(cls, type) and issubclass(cls, base):
                fields = {**_fields(service, other), **fields}
    return fields
