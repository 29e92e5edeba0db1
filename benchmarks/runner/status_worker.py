"""A tenancy file and a ledger of five steps that OCI knows, for ``jobs status``.

python -m benchmarks.runner.status_worker FOLDER
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from oci.data_science import models

from jobs.clock import SystemClock
from jobs.ledger import Ledger
from jobs.record import Entry

from . import tenancy

_SHAPE = "VM.Standard2.1"


def main() -> None:
    home = Path(sys.argv[1])
    (home / "tenancies").mkdir()
    (home / "tenancies" / "demo.yaml").touch()
    ledger = Ledger(home / ".tunestack" / "demo" / "ledger.db", SystemClock())
    ledger.begin("")
    client = tenancy.science()
    project = tenancy.project(client)
    job = tenancy.job(client, project)
    runs = tenancy.job_runs(client, project, job, 3)
    for step, run in zip(("stage", "finetune", "merge"), runs, strict=True):
        _put(ledger, step, {"job": job, "job_run": run})
    where = {"compartment_id": tenancy.COMPARTMENT, "project_id": project}
    model = client.create_model(models.CreateModelDetails(**where)).data.id
    _put(ledger, "register", {"model": model})
    named = "attachment; filename=model.zip"
    client.create_model_artifact(model, b"model", content_disposition=named)
    configuration = models.SingleModelDeploymentConfigurationDetails(
        model_configuration_details=models.ModelConfigurationDetails(
            model_id=model,
            instance_configuration=models.InstanceConfiguration(instance_shape_name=_SHAPE),
        )
    )
    details = models.CreateModelDeploymentDetails(
        **where, model_deployment_configuration_details=configuration
    )
    deployment = client.create_model_deployment(details).data.id
    _put(ledger, "deploy", {"deployment": deployment, "model": model})
    print("{}")


def _put(ledger: Ledger, step: str, ids: dict[str, str]) -> None:
    ledger.put(Entry(step=step, state="ACCEPTED", ids=ids, submitted=datetime.now(UTC)))


if __name__ == "__main__":
    main()
