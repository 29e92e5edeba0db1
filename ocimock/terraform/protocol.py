# ruff: noqa: ARG002, N802 - the protocol gives the methods their names and arguments
"""Terraform's plugin protocol 6 on the one side, `provider.Provider` on the other."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from ocimock.terraform import BANNER
from ocimock.terraform.exceptions import StandInError
from ocimock.terraform.provider import Provider
from ocimock.terraform.replacement import Steps
from ocimock.terraform.schema import Block, Schema
from ocimock.terraform.values import Value, decode, encode, known

_LOG = logging.getLogger(__name__)
_NESTING = {
    "single": pb.Schema.NestedBlock.SINGLE,
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
    "map": pb.Schema.NestedBlock.MAP,
}
#: As Oracle's provider: Terraform then tolerates what the old plugin SDK did with plans.
_LEGACY = {"legacy_type_system": True}


def _answering(response: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Turn an error of ours into a diagnostic on the given response type."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def answer(self: Servicer, request: Any, context: Any) -> Any:
            try:
                return method(self, request, context)
            except StandInError as error:
                return response(diagnostics=[_diagnostic(error)])
            except Exception as error:  # noqa: BLE001 - Terraform needs an answer to everything
                _LOG.exception("%s failed", method.__name__)
                return response(diagnostics=[_defect(method.__name__, error)])

        return answer

    return decorate


class Servicer(rpc.ProviderServicer):  # type: ignore[misc] # the protocol has no types
    """One method for each of the protocol's calls; the names are the protocol's."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def GetMetadata(self, request: Any, context: Any) -> Any:
        schema = self._provider.schema
        return pb.GetMetadata.Response(
            server_capabilities=_capabilities(),
            resources=[
                pb.GetMetadata.ResourceMetadata(type_name=name) for name in schema.resources
            ],
            data_sources=[
                pb.GetMetadata.DataSourceMetadata(type_name=name) for name in schema.data_sources
            ],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        schema = self._provider.schema
        return pb.GetProviderSchema.Response(
            server_capabilities=_capabilities(),
            provider=_schema(schema.provider),
            resource_schemas={name: _schema(item) for name, item in schema.resources.items()},
            data_source_schemas={name: _schema(item) for name, item in schema.data_sources.items()},
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    @_answering(pb.ConfigureProvider.Response)
    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        self._provider.configure(_value(request.config))
        warning = pb.Diagnostic(
            severity=pb.Diagnostic.WARNING,
            summary=BANNER[0].upper() + BANNER[1:],
            detail="Nothing that this plan says or does reaches Oracle Cloud.",
        )
        return pb.ConfigureProvider.Response(diagnostics=[warning])

    @_answering(pb.UpgradeResourceState.Response)
    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        state = self._provider.upgrade(request.type_name, request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=_dynamic(state))

    @_answering(pb.ReadResource.Response)
    def ReadResource(self, request: Any, context: Any) -> Any:
        state = self._provider.read(request.type_name, _value(request.current_state))
        return pb.ReadResource.Response(new_state=_dynamic(state), private=request.private)

    @_answering(pb.PlanResourceChange.Response)
    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        if _value(request.proposed_new_state) is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        plan = self._provider.plan(
            request.type_name, _value(request.config), _value(request.prior_state)
        )
        return pb.PlanResourceChange.Response(
            planned_state=_dynamic(plan.state),
            requires_replace=[_path(steps) for steps in plan.replace],
            planned_private=request.prior_private,
            **_LEGACY,
        )

    @_answering(pb.ApplyResourceChange.Response)
    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        applied = self._provider.apply(
            request.type_name,
            _value(request.config),
            _value(request.planned_state),
            _value(request.prior_state),
        )
        return pb.ApplyResourceChange.Response(
            new_state=_dynamic(applied.state),
            diagnostics=[] if applied.error is None else [_diagnostic(applied.error)],
            private=request.planned_private,
            **_LEGACY,
        )

    @_answering(pb.ImportResourceState.Response)
    def ImportResourceState(self, request: Any, context: Any) -> Any:
        state = self._provider.import_state(request.type_name, request.id)
        imported = pb.ImportResourceState.ImportedResource(
            type_name=request.type_name, state=_dynamic(state)
        )
        return pb.ImportResourceState.Response(imported_resources=[imported])

    @_answering(pb.ReadDataSource.Response)
    def ReadDataSource(self, request: Any, context: Any) -> Any:
        state = self._provider.read_data(request.type_name, known(_value(request.config)))
        return pb.ReadDataSource.Response(state=_dynamic(state))

    def MoveResourceState(self, request: Any, context: Any) -> Any:
        return pb.MoveResourceState.Response(
            diagnostics=[
                _error(
                    "The stand-in for oracle/oci does not do this",
                    f"It cannot move {request.source_type_name} to {request.target_type_name}.",
                )
            ]
        )

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return pb.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


def _capabilities() -> Any:
    return pb.ServerCapabilities(plan_destroy=False, get_provider_schema_optional=False)


def _schema(schema: Schema) -> Any:
    return pb.Schema(version=schema.version, block=_block(schema.block))


def _block(block: Block) -> Any:
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(attribute.type).encode(),
                required=attribute.required,
                optional=attribute.optional,
                computed=attribute.computed,
                sensitive=attribute.sensitive,
            )
            for name, attribute in block.attributes.items()
        ],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=_NESTING[nested.nesting],
                block=_block(nested.block),
                min_items=nested.min_items,
                max_items=nested.max_items,
            )
            for name, nested in block.blocks.items()
        ],
    )


def _value(dynamic: Any) -> Value:
    return decode(dynamic.msgpack) if dynamic.msgpack else json.loads(dynamic.json or b"null")


def _dynamic(value: Value) -> Any:
    return pb.DynamicValue(msgpack=encode(value))


def _path(steps: Steps) -> Any:
    return pb.AttributePath(
        steps=[
            pb.AttributePath.Step(attribute_name=step)
            if isinstance(step, str)
            else pb.AttributePath.Step(element_key_int=step)
            for step in steps
        ]
    )


def _diagnostic(error: StandInError) -> Any:
    attribute = None if error.attribute is None else _path((error.attribute,))
    return _error(error.summary, str(error), attribute)


def _defect(method: str, error: Exception) -> Any:
    # The text of an unforeseen error may hold a value; the log has it, the diagnostic does not.
    return _error(
        "The stand-in for oracle/oci failed",
        f"{method}: {type(error).__name__}. This is a defect of the stand-in; its log "
        "(TF_LOG_PROVIDER=ERROR) has the details.",
    )


def _error(summary: str, detail: str, attribute: Any = None) -> Any:
    return pb.Diagnostic(
        severity=pb.Diagnostic.ERROR, summary=summary, detail=detail, attribute=attribute
    )
