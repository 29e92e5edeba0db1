"""A project with jobs and job runs, on the ocimock server that this process's environment names."""

from __future__ import annotations

import os
from typing import Any

import oci
from oci.data_science import models

from jobs.record import Entry

COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"


def science() -> Any:
    config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"])
    return oci.data_science.DataScienceClient(config)


def project(client: Any) -> str:
    """A new one's OCID."""
    details = models.CreateProjectDetails(compartment_id=COMPARTMENT, display_name="speed")
    return str(client.create_project(details).data.id)


def job(client: Any, project_id: str) -> str:
    """A new one's OCID; it has an artifact."""
    machine = models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
        shape_name="VM.Standard2.1", block_storage_size_in_gbs=50
    )
    details = models.CreateJobDetails(
        compartment_id=COMPARTMENT,
        project_id=project_id,
        display_name="speed",
        job_configuration_details=models.DefaultJobConfigurationDetails(),
        job_infrastructure_configuration_details=machine,
    )
    made = str(client.create_job(details).data.id)
    named = "attachment; filename=speed.py"
    client.create_job_artifact(made, b"print()", content_disposition=named)
    return made


def job_runs(client: Any, project_id: str, job_id: str, count: int) -> list[str]:
    """The OCIDs of *count* new ones."""
    details = models.CreateJobRunDetails(
        compartment_id=COMPARTMENT, project_id=project_id, job_id=job_id
    )
    return [str(client.create_job_run(details).data.id) for _ in range(count)]


def entry(job_run: str) -> Entry:
    """A fine-tuning that has this run."""
    return Entry(step="finetune", state="IN_PROGRESS", ids={"job_run": job_run})
