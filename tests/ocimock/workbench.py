"""What Data Science needs around it in a mocked tenancy, made through the SDK's clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import oci

from ocimock import MockedTenancy
from tests.ocimock.support import client

M = oci.data_science.models
NS = "ocimock"
SHAPE = "VM.GPU.A10.2"
MARK = "simulated by ocimock: no code ran"


@dataclass(frozen=True)
class Workbench:
    """A project, a log group with a log, a subnet and a versioned bucket."""

    mocked: MockedTenancy
    science: Any
    storage: Any
    project: str
    group: str
    log: str
    subnet: str
    bucket: str

    @property
    def compartment(self) -> str:
        return self.mocked.compartment_id

    def job(self, **changes: Any) -> Any:
        """A new job of one node, with an artifact unless *artifact* is None."""
        artifact = changes.pop("artifact", b"the artifact")
        job = self.science.create_job(self.job_details(**changes)).data
        if artifact is not None:
            self.science.create_job_artifact(
                job.id, artifact, content_disposition="attachment; filename=code.zip"
            )
        return job

    def job_details(self, **changes: Any) -> Any:
        fields = {
            "project_id": self.project,
            "compartment_id": self.compartment,
            "display_name": "fine-tune",
            "job_configuration_details": M.DefaultJobConfigurationDetails(
                environment_variables={"JOB_RUN_ENTRYPOINT": "train.py"}
            ),
            "job_infrastructure_configuration_details": self.infrastructure(),
            "job_log_configuration_details": M.JobLogConfigurationDetails(
                enable_logging=True, log_group_id=self.group, log_id=self.log
            ),
            **changes,
        }
        return M.CreateJobDetails(**fields)

    def nodes_details(self, replicas: int = 6, **changes: Any) -> Any:
        """The details of a job of several nodes, as ADS makes them."""
        group = {
            "name": "node-group",
            "replicas": replicas,
            "minimum_success_replicas": replicas,
            "job_configuration_details": M.DefaultJobConfigurationDetails(),
            "job_infrastructure_configuration_details": (
                M.MultiNodeJobInfrastructureConfigurationDetails(
                    shape_name=SHAPE, block_storage_size_in_gbs=256
                )
            ),
            **changes,
        }
        nodes = M.MultiNodeJobNodeConfigurationDetails(
            startup_order="IN_PARALLEL",
            job_network_configuration=M.JobCustomNetworkConfiguration(subnet_id=self.subnet),
            job_node_group_configuration_details_list=[M.JobNodeGroupConfigurationDetails(**group)],
        )
        return self.job_details(
            job_configuration_details=None,
            job_infrastructure_configuration_details=None,
            job_node_configuration_details=nodes,
        )

    def infrastructure(self, **changes: Any) -> Any:
        fields = {
            "shape_name": SHAPE,
            "block_storage_size_in_gbs": 256,
            "subnet_id": self.subnet,
            **changes,
        }
        return M.StandaloneJobInfrastructureConfigurationDetails(**fields)

    def run(self, job: Any, **changes: Any) -> Any:
        fields = {
            "project_id": self.project,
            "compartment_id": self.compartment,
            "job_id": job.id,
            **changes,
        }
        return self.science.create_job_run(M.CreateJobRunDetails(**fields)).data

    def model(self, **changes: Any) -> Any:
        """A new model, with an artifact unless *artifact* is None."""
        artifact = changes.pop("artifact", b"PK the artifact")
        fields = {
            "project_id": self.project,
            "compartment_id": self.compartment,
            "display_name": "llama",
            **changes,
        }
        model = self.science.create_model(M.CreateModelDetails(**fields)).data
        if artifact is not None:
            self.science.create_model_artifact(
                model.id, artifact, content_disposition='attachment; filename="model.zip"'
            )
        return model

    def deployment_details(self, model: str, **changes: Any) -> Any:
        instance = {"instance_shape_name": SHAPE, **changes.pop("instance", {})}
        configuration = {
            "model_id": model,
            "instance_configuration": M.InstanceConfiguration(**instance),
            "scaling_policy": M.FixedSizeScalingPolicy(instance_count=1),
            **changes.pop("configuration", {}),
        }
        fields = {
            "project_id": self.project,
            "compartment_id": self.compartment,
            "display_name": "served",
            "model_deployment_configuration_details": M.SingleModelDeploymentConfigurationDetails(
                model_configuration_details=M.ModelConfigurationDetails(**configuration),
                environment_configuration_details=changes.pop("environment", None),
            ),
            **changes,
        }
        return M.CreateModelDeploymentDetails(**fields)

    def deploy(self, model: str, **changes: Any) -> Any:
        """A new deployment, as it is when its work request is done."""
        made = self.science.create_model_deployment(self.deployment_details(model, **changes))
        return self.science.get_model_deployment(made.data.id).data

    def lines(self, source: str = "") -> list[str]:
        """The messages in the log, of one source if asked."""
        searching = client(self.mocked, oci.loggingsearch.LogSearchClient)
        now = datetime.now(UTC)
        details = oci.loggingsearch.models.SearchLogsDetails(
            time_start=now - timedelta(hours=1),
            time_end=now,
            search_query=f'search "{self.compartment}/{self.group}/{self.log}" '
            "| sort by datetime asc",
        )
        found = searching.search_logs(details, limit=1000).data.results
        entries = [line.data["logContent"] for line in found]
        wanted = [entry for entry in entries if entry["source"] == source or not source]
        return [entry["data"]["message"] for entry in wanted]


def workbench(mocked: MockedTenancy) -> Workbench:
    """Set everything up in a fresh tenancy."""
    science = client(mocked, oci.data_science.DataScienceClient)
    storage = client(mocked, oci.object_storage.ObjectStorageClient)
    compartment = mocked.compartment_id
    details = M.CreateProjectDetails(compartment_id=compartment, display_name="project")
    project = science.create_project(details).data.id
    storage.create_bucket(
        NS,
        oci.object_storage.models.CreateBucketDetails(
            name="bucket", compartment_id=compartment, versioning="Enabled"
        ),
    )
    group, log = make_log(mocked)
    return Workbench(mocked, science, storage, project, group, log, make_subnet(mocked), "bucket")


def make_log(mocked: MockedTenancy, name: str = "job") -> tuple[str, str]:
    """A new log group with a log in it: their OCIDs."""
    logging = client(mocked, oci.logging.LoggingManagementClient)
    models = oci.logging.models
    logging.create_log_group(
        models.CreateLogGroupDetails(compartment_id=mocked.compartment_id, display_name=name)
    )
    group = logging.list_log_groups(mocked.compartment_id, display_name=name).data[0].id
    logging.create_log(group, models.CreateLogDetails(display_name=name, log_type="CUSTOM"))
    return group, logging.list_logs(group).data[0].id


def make_subnet(mocked: MockedTenancy) -> str:
    network = client(mocked, oci.core.VirtualNetworkClient)
    models = oci.core.models
    vcn = network.create_vcn(
        models.CreateVcnDetails(compartment_id=mocked.compartment_id, cidr_blocks=["10.0.0.0/16"])
    ).data
    details = models.CreateSubnetDetails(
        compartment_id=mocked.compartment_id, vcn_id=vcn.id, cidr_block="10.0.0.0/24"
    )
    return str(network.create_subnet(details).data.id)
