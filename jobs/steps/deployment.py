"""Serving the registered model: a model deployment."""

from __future__ import annotations

from typing import Any

from ..definitions import Definition
from ..errors import RefusedError, attempting
from ..record import Entry
from . import where_it_ran


def deploy(definition: Definition, model_id: str) -> Entry:
    """Create the deployment of *model_id* and return while it is still CREATING.

    ADS's own waiting returns normally when the work request FAILED; so nothing waits here, and
    whoever follows the entry reads its state.
    """
    from ads.model.deployment import ModelDeployment

    with attempting(f"create the deployment '{definition.title}'"):
        deployment: Any = ModelDeployment.from_yaml(definition.text)
        deployment.runtime.with_model_uri(model_id)
        deployment.deploy(wait_for_completion=False)
    work_request = deployment.dsc_model_deployment.workflow_req_id
    return _filled(
        Entry(
            step="deploy",
            state="",
            ids={"deployment": deployment.id, "model": model_id, "work_request": work_request},
            digest=definition.digest,
            title=definition.title,
            **definition.machine,
        ),
        deployment,
    )


def observe(entry: Entry) -> Entry:
    """The entry with what OCI says now; for a failed one, with its work request's errors."""
    seen = _filled(entry, get(entry.ids["deployment"]))
    errors = _work_request_errors(entry) if seen.state == "FAILED" else []
    if errors:
        details = "; ".join(dict.fromkeys([seen.details, *errors] if seen.details else errors))
        return seen.changed(details=details)
    return seen


def get(deployment_id: str) -> Any:
    """The ``ModelDeployment`` itself."""
    from ads.model.deployment import ModelDeployment

    with attempting("read the deployment"):
        return ModelDeployment.from_id(deployment_id)


def state(deployment_id: str) -> str:
    """Its lifecycle state."""
    return str(get(deployment_id).lifecycle_state)


def delete(deployment_id: str) -> None:
    """Ask OCI to delete a deployment; one that is gone, or going, is fine."""
    try:
        with attempting("delete the deployment"):
            deployment = get(deployment_id)
            if deployment.lifecycle_state not in {"DELETED", "DELETING"}:
                deployment.delete(wait_for_completion=False)
    except RefusedError as error:
        if error.status != 404:
            raise


def _filled(entry: Entry, deployment: Any) -> Entry:
    return entry.changed(
        state=deployment.lifecycle_state,
        details=deployment.lifecycle_details or "",
        **where_it_ran(deployment.lifecycle_details, simulated=entry.simulated, local=entry.local),
        submitted=deployment.time_created,
        started=deployment.time_created,
        url=deployment.url or "",
    )


def _work_request_errors(entry: Entry) -> list[str]:
    """Why a deployment failed: the state alone says nothing."""
    from ads.model.service.oci_datascience_model_deployment import OCIDataScienceModelDeployment

    if not entry.ids.get("work_request"):
        return []
    with attempting("read why the deployment failed"):
        client = OCIDataScienceModelDeployment().client
        errors = client.list_work_request_errors(entry.ids["work_request"]).data
    return [str(error.message) for error in errors]
