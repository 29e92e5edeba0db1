"""Resources of a tenancy, made one by one with the runner's tags, and the ledger beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from oci.data_science import models

from jobs.clock import SystemClock
from jobs.idempotency import KEY_TAG, STEP_TAG, TENANCY_TAG
from jobs.ledger import Ledger
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.workbench import Workbench

SHAPE = "VM.GPU.A10.2"


@dataclass
class Tenancy:
    """Makes things as the runner would, and has the ledger that should know them."""

    cloud: MockedCloud
    bench: Workbench
    ledger: Ledger

    @property
    def where(self) -> dict[str, str]:
        project = self.bench.place("project")
        return {"project_id": project, "compartment_id": self.cloud.compartment_id}

    def tags(self, step: str, **changed: str) -> dict[str, str]:
        return {TENANCY_TAG: "demo", STEP_TAG: step, KEY_TAG: f"key-of-{step}", **changed}

    def job(self, tags: dict[str, str]) -> str:
        science = workbench.science(self.cloud)
        job: str = science.create_job(
            models.CreateJobDetails(
                **self.where,
                display_name="a job",
                freeform_tags=tags,
                job_configuration_details=models.DefaultJobConfigurationDetails(),
                job_infrastructure_configuration_details=(
                    models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                        shape_name=SHAPE, block_storage_size_in_gbs=50
                    )
                ),
            )
        ).data.id
        science.create_job_artifact(job, b"1", content_disposition="attachment; filename=a.py")
        return job

    def run(self, job: str) -> str:
        details = models.CreateJobRunDetails(**self.where, job_id=job)
        return str(workbench.science(self.cloud).create_job_run(details).data.id)

    def model(self, tags: dict[str, str], *, empty: bool = False) -> str:
        science = workbench.science(self.cloud)
        model: str = science.create_model(
            models.CreateModelDetails(**self.where, display_name="a model", freeform_tags=tags)
        ).data.id
        if not empty:
            science.create_model_artifact(
                model, b"1", content_disposition="attachment; filename=a.zip"
            )
        return model

    def deployment(self, tags: dict[str, str], model: str) -> str:
        instance = models.InstanceConfiguration(instance_shape_name=SHAPE)
        scaling = models.FixedSizeScalingPolicy(instance_count=2)
        made: str = (
            workbench.science(self.cloud)
            .create_model_deployment(
                models.CreateModelDeploymentDetails(
                    **self.where,
                    display_name="a deployment",
                    freeform_tags=tags,
                    model_deployment_configuration_details=(
                        models.SingleModelDeploymentConfigurationDetails(
                            model_configuration_details=models.ModelConfigurationDetails(
                                model_id=model,
                                instance_configuration=instance,
                                scaling_policy=scaling,
                            )
                        )
                    ),
                )
            )
            .data.id
        )
        self.cloud.advance(1000)
        return made

    def standing(self) -> set[str]:
        """The OCIDs of all that is not deleted."""
        science = workbench.science(self.cloud)
        lists: list[Any] = [science.list_model_deployments, science.list_models, science.list_jobs]
        found = [each for listed in lists for each in listed(self.cloud.compartment_id).data]
        return {each.id for each in found if each.lifecycle_state not in {"DELETED", "DELETING"}}


def made(cloud: MockedCloud, home: Path, monkeypatch: pytest.MonkeyPatch) -> Tenancy:
    """The tenancy ``demo`` of the folder *home*, which becomes the working folder."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    (home / "tenancies").mkdir()
    (home / "tenancies" / "demo.yaml").write_text("")
    bench = workbench.build(cloud)
    bench.write(home / "definitions" / "demo")
    ledger = Ledger(home / ".tunestack" / "demo" / "ledger.db", SystemClock())
    return Tenancy(cloud, bench, ledger)
