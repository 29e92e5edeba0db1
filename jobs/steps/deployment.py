"""Serving the registered model: a model deployment."""

from __future__ import annotations

from typing import Any

from ..auth import sign_in_ads
from ..definitions import Definition
from ..errors import attempting
from ..record import Entry
from ..states import of_deployment


def deploy(definition: Definition, model_id: str) -> Entry:
    """Create the deployment of *model_id* and return while it is still CREATING.

    ADS's own waiting returns normally when the work request FAILED; so nothing waits here, and
    whoever follows the entry reads its state.
    """
    sign_in_ads()
    from ads.model.deployment import ModelDeployment

    with attempting(f"create the deployment '{definition.title}'"):
        deployment: Any = ModelDeployment.from_yaml(definition.text)
        deployment.runtime.with_model_uri(model_id)
        deployment.deploy(wait_for_completion=False)
    work_request = deployment.dsc_model_deployment.workflow_req_id
    return of_deployment(
        Entry(
            step="deploy",
            state="",
            ids={"deployment": deployment.id, "model": model_id, "work_request": work_request},
            digest=definition.digest,
            title=definition.title,
            **definition.machine,
        ),
        deployment.dsc_model_deployment,
    )
