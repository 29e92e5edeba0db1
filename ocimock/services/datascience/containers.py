"""The containers that Oracle keeps for deployments (``dsmc://<name>:<tag>``).

A few of them: those of vLLM, with tags that stand in Oracle's samples
(oracle-samples/oci-data-science-ai-samples). OCI has more.
"""

from __future__ import annotations

from typing import Any

from ...resources import page
from ...service import Call
from ...wire.message import Response
from .base import SERVICE

_VLLM = "odsc-vllm-serving"
# The newest first.
_TAGS = ("0.11.0", "0.8.1.2", "0.7.4.1", "0.6.4.post1.2")


@SERVICE.operation("list_containers")
def _containers(call: Call) -> Response:
    wanted = {
        "containerName": call.query("containerName"),
        "displayName": call.query("displayName"),
        "lifecycleState": call.query("lifecycleState"),
        "tag": call.query("tagQueryParam"),
    }
    latest, workload = call.query("isLatest"), call.query("targetWorkload")
    usage = call.query("usageQueryParam")
    found = [
        shown
        for shown in map(_shown, _TAGS)
        if all(value in (None, shown[name]) for name, value in wanted.items())
        and (latest is None or shown["isLatest"] == (latest.lower() == "true"))
        and (workload is None or workload in shown["targetWorkloads"])
        and (usage is None or usage in shown["usages"])
    ]
    return page(call, found, collection=False)


def _shown(tag: str) -> dict[str, Any]:
    return {
        "containerName": _VLLM,
        "displayName": f"vLLM {tag}",
        "familyName": _VLLM,
        "description": "vLLM, as Oracle keeps it for deployments of large language models",
        "isLatest": tag == _TAGS[0],
        "targetWorkloads": ["MODEL_DEPLOYMENT"],
        "usages": ["INFERENCE"],
        "tag": tag,
        "lifecycleState": "ACTIVE",
        "workloadConfigurationDetailsList": [],
        "tagConfigurationList": [],
        "freeformTags": {},
        "definedTags": {},
    }
