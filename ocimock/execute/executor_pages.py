"""The nodes of a mock, for ``/ocimock/nodes``: what runs, and how to have a host fail."""

from __future__ import annotations

import json
from typing import Any

from ..wire.errors import InvalidParameter
from .executor import Execution
from .nodes import Node

_HOW = 'POST {"kill": {"run": OCID, "node": rank}}'


def executes(execution: Execution | None) -> dict[str, str] | None:
    """Whether job runs and deployments really run, and how they are kept apart; None: they don't.

    ``reason`` says why not as well as could be, if that is so.
    """
    if execution is None:
        return None
    machine = execution.machine
    return {"isolation": machine.isolation, "reason": machine.reason}


def show(execution: Execution | None) -> list[dict[str, Any]]:
    """The nodes of what works now, ended ones too; none of a mock that executes nothing."""
    if execution is None:
        return []
    return [
        _node(identifier, rank, node, execution.machine.isolation)
        for identifier, worker in execution.workers().items()
        for rank, node in enumerate(worker.nodes())
    ]


def kill(execution: Execution | None, body: bytes) -> dict[str, Any]:
    """Let a host fail: all of its node is gone at once.

    :raises InvalidParameter: the body is not of that form, or there is no such node.
    """
    try:
        wanted = json.loads(body)["kill"]
        identifier, rank = str(wanted["run"]), int(wanted["node"])
    except (ValueError, KeyError, TypeError):
        raise InvalidParameter(_HOW) from None
    worker = execution.worker(identifier) if execution else None
    nodes = worker.nodes() if worker else []
    if execution is None or not 0 <= rank < len(nodes):
        raise InvalidParameter(f"{identifier} has no node {rank} that runs now; {_HOW}")
    nodes[rank].kill()
    return _node(identifier, rank, nodes[rank], execution.machine.isolation)


def _node(identifier: str, rank: int, node: Node, isolation: str) -> dict[str, Any]:
    end = node.wait(0)
    return {
        "run": identifier,
        "node": rank,
        "name": node.spec.name,
        "pid": node.pid,
        "address": node.spec.address,
        "network": node.spec.network,
        "state": "running" if end is None else str(end.cause),
        "isolation": isolation,
    }
