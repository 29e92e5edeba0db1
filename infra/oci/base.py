"""The classes that every generated resource, data source and the provider derive from.

At run time a constructor takes any keyword and checks it against the schema, so that a mistake is
told in the provider's terms at the line that wrote it. Type checkers and editors see the typed
signature of the generated class instead.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import jsii
from constructs import Construct

from infra.cdk import (
    ITerraformDependable,
    TerraformDataSource,
    TerraformProvider,
    TerraformProviderGeneratorMetadata,
    TerraformResource,
    TerraformResourceLifecycle,
)
from infra.oci.check import clean, problems
from infra.oci.errors import ResourceArgumentError
from infra.oci.schema import PROVIDER_SOURCE, PROVIDER_VERSION, Kind, block_of

# Frames between a constructor's check and the line that wrote the argument.
_INTERNAL = (str(Path(__file__).parent), str(Path(jsii.__file__).parent))
_VERSION_CONSTRAINT = f"~> {PROVIDER_VERSION.rpartition('.')[0]}"


class MetaArguments(TypedDict, total=False):
    """Terraform's meta-arguments, which every resource and data source takes."""

    depends_on: Sequence[ITerraformDependable]
    lifecycle: TerraformResourceLifecycle
    provider: TerraformProvider
    count: float


class OciResource(TerraformResource):
    """A resource of oracle/oci. Raises ResourceArgumentError for arguments it does not take."""

    TYPE: ClassVar[str]

    def __init__(self, scope: Construct, id: str, /, **arguments: Any) -> None:
        meta, own = _split(arguments)
        _check("resource", self.TYPE, id, own)
        super().__init__(
            scope,
            id,
            terraform_resource_type=self.TYPE,
            terraform_generator_metadata=_generator(),
            **meta,
        )
        self._arguments: Mapping[str, Any] = clean(own)

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        return self._arguments

    @property
    def id(self) -> str:
        """The OCID (or the identifier the provider composes), known after apply."""
        return self.get_string_attribute("id")


class OciDataSource(TerraformDataSource):
    """A data source of oracle/oci. Raises ResourceArgumentError for arguments it does not take."""

    TYPE: ClassVar[str]

    def __init__(self, scope: Construct, id: str, /, **arguments: Any) -> None:
        meta, own = _split(arguments)
        _check("data", self.TYPE, id, own)
        super().__init__(
            scope,
            id,
            terraform_resource_type=self.TYPE,
            terraform_generator_metadata=_generator(),
            **meta,
        )
        self._arguments: Mapping[str, Any] = clean(own)

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        return self._arguments

    @property
    def id(self) -> str:
        """The identifier the provider composes for this query."""
        return self.get_string_attribute("id")


class OciProviderBase(TerraformProvider):
    """The provider block of oracle/oci; ``alias`` makes it a second configuration."""

    TYPE: ClassVar[str] = "oci"

    def __init__(
        self, scope: Construct, id: str, /, *, alias: str | None = None, **arguments: Any
    ) -> None:
        _check("provider", self.TYPE, id, arguments)
        super().__init__(
            scope,
            id,
            terraform_resource_type=self.TYPE,
            terraform_provider_source=PROVIDER_SOURCE,
            terraform_generator_metadata=_generator(),
        )
        self._alias = alias
        self._arguments: Mapping[str, Any] = clean(arguments)

    @property
    def alias(self) -> str | None:
        """CDKTF asks for it to write the block, and the reference to it in each resource."""
        return self._alias

    @alias.setter
    def alias(self, value: str | None) -> None:
        self._alias = value

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        return self._arguments


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    meta = {name: arguments[name] for name in MetaArguments.__annotations__ if name in arguments}
    own = {name: value for name, value in arguments.items() if name not in meta}
    return meta, own


def _check(kind: Kind, terraform_type: str, construct: str, arguments: Mapping[str, Any]) -> None:
    # What a provider block takes beside its own is `alias`, which is no meta-argument.
    meta = ("alias",) if kind == "provider" else tuple(MetaArguments.__annotations__)
    found = list(problems(block_of(kind, terraform_type), arguments, meta=meta))
    if found:
        raise ResourceArgumentError(terraform_type, construct, _caller(), found)


def _caller() -> str:
    """``file:line`` of the nearest frame outside this package and jsii: who wrote the argument."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if not frame.f_code.co_filename.startswith(_INTERNAL):
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _generator() -> TerraformProviderGeneratorMetadata:
    return TerraformProviderGeneratorMetadata(
        provider_name="oci", provider_version_constraint=_VERSION_CONSTRAINT
    )
