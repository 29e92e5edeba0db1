"""The calls that are measured, through OCI's SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import oci
from oci.data_science import DataScienceClient
from oci.data_science import models as data_science
from oci.identity import IdentityClient
from oci.identity.models import CreateGroupDetails
from oci.object_storage import ObjectStorageClient
from oci.object_storage.models import CreateBucketDetails

BODY = b"x" * 1024
LISTED = 1000
GROUPS = 20
# As much of an object as a list of S3's tells.
_FIELDS = "name,size,etag,timeModified"


class OciCalls:
    """Clients of one tenancy, and each measured call as a method.

    :param config: as the SDK's clients take it.
    :param endpoint: of a server, with scheme and port; None where calls stay in the process.
    """

    def __init__(
        self, config: Mapping[str, str], namespace: str, compartment: str, endpoint: str | None
    ) -> None:
        options: dict[str, Any] = {
            # One for all: to read a key takes longer than most calls.
            "signer": oci.signer.Signer.from_config(dict(config)),
            "retry_strategy": oci.retry.NoneRetryStrategy(),
        }
        if endpoint:
            options["service_endpoint"] = endpoint
        self.objects = ObjectStorageClient(dict(config), **options)
        self.identity = IdentityClient(dict(config), **options)
        self.science = DataScienceClient(dict(config), **options)
        self._namespace = namespace
        self._compartment = compartment
        self._tenancy = config["tenancy"]
        self._created: list[str] = []
        self._number = 0
        self._group = self._project = self._job = "none"

    @property
    def calls(self) -> dict[str, Callable[[], Any]]:
        return {
            "put": self.put,
            "get": self.get,
            "list": self.list_objects,
            "create_group": self.create_group,
            "get_group": self.get_group,
            "list_groups": self.list_groups,
            "create_job_run": self.create_job_run,
        }

    def clients(self) -> list[Any]:
        return [self.objects, self.identity, self.science]

    def prepare(self) -> None:
        """Make what the calls need: buckets and objects, groups, a project and a job."""
        for name in ("small", "many"):
            details = CreateBucketDetails(name=name, compartment_id=self._compartment)
            self.objects.create_bucket(self._namespace, details)
        self.put()
        for number in range(LISTED):
            self.objects.put_object(self._namespace, "many", f"objects/{number:06d}", BODY)
        for _ in range(GROUPS):
            self._group = self.create_group().data.id
        self._created.clear()
        self._prepare_job()

    def tidy(self) -> None:
        """Delete the groups that were created meanwhile, so that lists stay as long as they are."""
        for group in self._created:
            self.identity.delete_group(group)
        self._created.clear()

    def put(self) -> Any:
        return self.objects.put_object(self._namespace, "small", "one", BODY)

    def get(self) -> Any:
        response = self.objects.get_object(self._namespace, "small", "one")
        assert len(response.data.content) == len(BODY)
        return response

    def list_objects(self) -> Any:
        response = self.objects.list_objects(self._namespace, "many", fields=_FIELDS, limit=LISTED)
        assert len(response.data.objects) == LISTED
        return response

    def create_group(self) -> Any:
        self._number += 1
        response = self.identity.create_group(
            CreateGroupDetails(
                compartment_id=self._tenancy, name=f"group{self._number}", description="measured"
            )
        )
        self._created.append(response.data.id)
        return response

    def get_group(self) -> Any:
        return self.identity.get_group(self._group)

    def list_groups(self) -> Any:
        return self.identity.list_groups(self._tenancy, limit=100)

    def create_job_run(self) -> Any:
        return self.science.create_job_run(
            data_science.CreateJobRunDetails(
                project_id=self._project, compartment_id=self._compartment, job_id=self._job
            )
        )

    def _prepare_job(self) -> None:
        project = data_science.CreateProjectDetails(
            compartment_id=self._compartment, display_name="measured"
        )
        self._project = self.science.create_project(project).data.id
        job = data_science.CreateJobDetails(
            project_id=self._project,
            compartment_id=self._compartment,
            display_name="measured",
            job_configuration_details=data_science.DefaultJobConfigurationDetails(),
            job_infrastructure_configuration_details=(
                data_science.StandaloneJobInfrastructureConfigurationDetails(
                    job_infrastructure_type="ME_STANDALONE",
                    shape_name="VM.Standard.E4.Flex",
                    block_storage_size_in_gbs=50,
                    job_shape_config_details=data_science.JobShapeConfigDetails(
                        ocpus=1.0, memory_in_gbs=16.0
                    ),
                )
            ),
        )
        self._job = self.science.create_job(job).data.id
        self.science.create_job_artifact(
            self._job, b"print('measured')", content_disposition="attachment; filename=job.py"
        )
