"""A plan for other programs: sizes in bytes, time in hours, money in US dollars."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .planning import nearest

if TYPE_CHECKING:
    from sizing.choices import Choice
    from sizing.ranges import Range
    from sizing.serving import Serving

    from .planning import Plan


def as_json(plan: Plan) -> str:
    """The whole plan; every choice of the ranking, the best first."""
    near = None if plan.best else nearest(plan)
    content = {
        "tenancy": str(plan.written.file),
        "model": {"name": plan.model.name, "parameters": plan.model.parameters},
        "training": asdict(plan.training),
        "data": asdict(plan.data) if plan.data else None,
        "present": _choice(plan.present, terms=True),
        "best": _choice(plan.best, terms=True) if plan.best else None,
        "nearest": _choice(near) if near else None,
        "ranking": [_choice(one) for one in plan.ranking],
        "disk": asdict(plan.disk),
        "rule_of_thumb": {
            "shape": plan.rule.shape.name,
            "nodes": plan.rule.nodes,
            "fits": plan.rule.fits,
            "tight": plan.rule.tight,
        },
        "serving": {
            "present": _serving(plan.served),
            "ranking": [_serving(each) for each in plan.servings],
        },
        "refused_as_it_is": list(plan.written.unfit),
    }
    return json.dumps(content, indent=2)


def _choice(one: Choice, *, terms: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "shape": one.shape.name,
        "replicas": one.replicas,
        "gpus": one.gpus,
        "memory": _range(one.memory.total),
        "gpu_memory": one.shape.gpu_memory,
        "fit": asdict(one.fit),
        "hours": _range(one.duration.hours) if one.duration else None,
        "dollars": _range(one.dollars),
        "refused": one.refused,
    }
    if terms:
        found["terms"] = [asdict(term) for term in one.memory.terms]
        found["duration"] = asdict(one.duration) if one.duration else None
    return found


def _serving(each: Serving) -> dict[str, Any]:
    return {
        "shape": each.shape.name,
        "tensor_parallel": each.tensor_parallel,
        "max_model_len": each.max_model_len,
        "weights": each.weights,
        "kv_per_token": each.kv_per_token,
        "kv_tokens": _range(each.kv_tokens),
        "longest": each.longest,
        "concurrency": each.concurrency,
        "fit": asdict(each.fit),
        "dollars_per_hour": each.dollars_per_hour,
    }


def _range(found: Range | None) -> dict[str, float] | None:
    return asdict(found) if found else None
