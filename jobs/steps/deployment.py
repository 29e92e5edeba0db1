"""Serving the registered model: a model deployment."""

from __future__ import annotations

from typing import Any

from ..auth import sign_in_ads
from ..errors import attempting
from ..idempotency import Submission, submitting
from ..record import Entry
from ..states import model_deployment, of_deployment, science


def submit(submission: Submission, model_id: str) -> Entry:
    """The submission's deployment of *model_id*: the one that OCI has, else a new one.

    Returns while it is still CREATING. ADS's own waiting returns normally when the work request
    FAILED; so nothing waits here, and whoever follows the entry reads its state.

    Raises:
        RefusedError, UnreachableError: OCI refused, or did not answer.
    """
    found = find(submission)
    if found is not None:
        submission.note("deployment found", deployment=found.ids["deployment"])
        return found
    submission.note("creating deployment", display_name=submission.name, model=model_id)
    deployment = _created(submission, model_id)
    work_request = deployment.dsc_model_deployment.workflow_req_id or ""
    ids = {"deployment": deployment.id, "model": model_id, "work_request": work_request}
    submission.note("deployment created", **ids)
    entry = Entry(state="", ids=ids, **submission.fields)
    return of_deployment(entry, deployment.dsc_model_deployment)


def find(submission: Submission) -> Entry | None:
    """The submission's deployment, if OCI has it, however far it has come."""
    mine = submission.found("deployment", science().list_model_deployments)
    if mine is None:
        return None
    deployment = model_deployment(mine.id)
    model = deployment.model_deployment_configuration_details.model_configuration_details.model_id
    ids = {"deployment": mine.id, "model": model, "work_request": _work_request(submission, mine)}
    return of_deployment(Entry(state="", ids=ids, **submission.fields), deployment)


def _created(submission: Submission, model_id: str) -> Any:
    from ads.model.deployment import ModelDeployment

    with attempting(f"create the deployment '{submission.name}'"):
        sign_in_ads()
        deployment: Any = ModelDeployment.from_yaml(submission.text)
        deployment.runtime.with_model_uri(model_id)
        with submitting(submission.key):
            deployment.deploy(wait_for_completion=False)
    return deployment


def _work_request(submission: Submission, deployment: Any) -> str:
    """The OCID of the work that creates it; '' where OCI keeps it no more."""
    from oci.pagination import list_call_get_all_results

    with attempting(f"look for the work request of the deployment '{submission.name}'"):
        listed = list_call_get_all_results(
            science().list_work_requests,
            submission.compartment_id,
            operation_type="MODEL_DEPLOYMENT_CREATE",
        ).data
    about = (
        str(each.id)
        for each in listed
        if any(touched.identifier == deployment.id for touched in each.resources or ())
    )
    return next(about, "")
