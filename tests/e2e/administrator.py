"""What Terraform stands up of the bundle, made through the SDK by the tenancy's administrator."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import oci

from infra import statements as identity
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from infra.tenancy.schema import Tenancy
from ocimock.inprocess import MockedCloud

DEMO = Path(__file__).resolve().parents[2] / "tenancies" / "demo.yaml"
# An image of one's own, which is what the repository and its rights are for.
IMAGE = "fra.ocir.io/ocimock/demo/vllm:1"


@dataclass(frozen=True)
class Statement:
    """One policy statement of the bundle: *name* says of whom it is, and what it gives."""

    name: str
    text: str


def tenancy() -> Tenancy:
    """The demo's tenancy file, serving with an image of its own, training with checkpoints."""
    found = load(DEMO)
    serving = found.serving.model_copy(update={"image": IMAGE})
    finetune = found.finetune.model_copy(update={"recipe": "sft"})
    return found.model_copy(update={"serving": serving, "finetune": finetune})


def statements(wanted: Tenancy, scope: identity.Scope) -> list[Statement]:
    """Every statement that the bundle writes, in order."""
    group = wanted.user_group
    assert group is not None
    assert wanted.policies == "least-privilege"
    texts = [
        *identity.workload_statements(scope),
        *identity.service_statements(scope),
        *identity.people_statements(group, scope),
    ]
    return [Statement(_name(text), text) for text in texts]


def names() -> list[str]:
    """What the statements are called, before anything stands."""
    found = tenancy()
    nowhere = replace(identity.Scope(*(["…"] * 9)), region=found.region)
    return [statement.name for statement in statements(found, nowhere)]


def _name(text: str) -> str:
    """``dynamic-group: read buckets``, ``service datascience: manage object-family``."""
    found = re.match(r"Allow (?P<who>(?:service )?\S+) .*?\bto (?P<what>\w+ \S+) in ", text)
    assert found is not None, text
    return f"{found['who']}: {found['what']}"


class Administrator:
    """Stands up a tenancy whose policies lack the statement *left_out*.

    *places* holds what was made: OCIDs and names.
    """

    def __init__(self, cloud: MockedCloud, left_out: str) -> None:
        self.cloud, self.left_out = cloud, left_out
        self.tenancy = tenancy()
        self.places: dict[str, str] = {}

    def stand_up(self) -> None:
        self._make_network()
        self._make_data()
        self._make_identity()
        self._make_workbench()

    def emitted(self) -> Places:
        """What Terraform would hand to the definitions."""
        return Places(
            project_id=self.places["project"],
            subnet_id=self.places["subnet"],
            log_group_id=self.places["log group"],
            job_log_id=self.places["jobs log"],
            predict_log_id=self.places["predict log"],
            access_log_id=self.places["access log"],
            bucket=self.places["bucket"],
            namespace=self.cloud.namespace,
            vault_id=self.places["vault"],
        )

    def admin(self, sdk_class: Any, **options: Any) -> Any:
        """A client of the administrator."""
        return self._admin(sdk_class, **options)

    def _admin(self, sdk_class: Any, **options: Any) -> Any:
        """Clients of the administrator; identity is written in the home region."""
        config = dict(self.cloud.config)
        if sdk_class is oci.identity.IdentityClient:
            config["region"] = self.cloud.settings.home_region
        return sdk_class(config, signer=self._admin_signer, **options)

    @cached_property
    def _admin_signer(self) -> Any:
        return oci.signer.Signer.from_config(self.cloud.config)

    def _make_network(self) -> None:
        network, models = self._admin(oci.core.VirtualNetworkClient), oci.core.models
        where = self.cloud.compartment_id
        vcn = network.create_vcn(
            models.CreateVcnDetails(compartment_id=where, cidr_blocks=["10.0.0.0/16"])
        ).data.id
        self.places["subnet"] = network.create_subnet(
            models.CreateSubnetDetails(compartment_id=where, vcn_id=vcn, cidr_block="10.0.1.0/24")
        ).data.id

    def _make_data(self) -> None:
        where, prefix = self.cloud.compartment_id, self.tenancy.prefix
        self.places["bucket"] = plan_for(self.tenancy).bucket
        self._admin(oci.object_storage.ObjectStorageClient).create_bucket(
            self.cloud.namespace,
            oci.object_storage.models.CreateBucketDetails(
                name=self.places["bucket"], compartment_id=where, versioning="Enabled"
            ),
        )
        models = oci.key_management.models
        vaults = self._admin(oci.key_management.KmsVaultClient)
        vault = vaults.create_vault(
            models.CreateVaultDetails(
                compartment_id=where, display_name=prefix, vault_type="DEFAULT"
            )
        ).data
        endpoint = vaults.get_vault(vault.id).data.management_endpoint
        keys = self._admin(oci.key_management.KmsManagementClient, service_endpoint=endpoint)
        shape = models.KeyShape(algorithm="AES", length=32)
        details = models.CreateKeyDetails(
            compartment_id=where, display_name=prefix, key_shape=shape
        )
        self.places |= {"vault": vault.id, "key": keys.create_key(details).data.id}
        self.places["repository"] = f"{prefix}/vllm"
        details = oci.artifacts.models.CreateContainerRepositoryDetails(
            compartment_id=where, display_name=self.places["repository"]
        )
        made = self._admin(oci.artifacts.ArtifactsClient).create_container_repository(details)
        self.places["repository id"] = made.data.id

    def _make_identity(self) -> None:
        client, models = self._admin(oci.identity.IdentityClient), oci.identity.models
        root, group = self.cloud.tenancy_id, self.tenancy.user_group
        assert group is not None

        def fields(name: str) -> dict[str, str]:
            return {"compartment_id": root, "name": name, "description": "of the bundle"}

        people = client.create_group(models.CreateGroupDetails(**fields(group.name))).data.id
        person = client.create_user(models.CreateUserDetails(**fields("ada"))).data.id
        client.add_user_to_group(models.AddUserToGroupDetails(user_id=person, group_id=people))
        rule = identity.matching_rule(self.cloud.compartment_id)
        dynamic = models.CreateDynamicGroupDetails(**fields("workloads"), matching_rule=rule)
        self.places |= {
            "person": person,
            "dynamic group": client.create_dynamic_group(dynamic).data.id,
        }
        texts = [text for name, text in self.bundle().items() if name != self.left_out]
        client.create_policy(models.CreatePolicyDetails(**fields("bundle"), statements=texts))

    def bundle(self) -> dict[str, str]:
        """Every statement by its name; once the places stand."""
        return {each.name: each.text for each in statements(self.tenancy, self._scope())}

    def _scope(self) -> identity.Scope:
        return identity.Scope(
            region=self.tenancy.region,
            compartment=self.tenancy.compartment_ocid,
            subnet_compartment=self.tenancy.compartment_ocid,
            dynamic_group=self.places["dynamic group"],
            bucket=self.places["bucket"],
            vault=self.places["vault"],
            key=self.places["key"],
            secret_name=self.tenancy.vault.secret_name,
            repository=self.places["repository"],
        )

    def _make_workbench(self) -> None:
        where, models = self.cloud.compartment_id, oci.data_science.models
        logging = self._admin(oci.logging.LoggingManagementClient)
        group = oci.logging.models.CreateLogGroupDetails(compartment_id=where, display_name="demo")
        logging.create_log_group(group)
        self.places["log group"] = logging.list_log_groups(where).data[0].id
        for name in ("jobs", "predict", "access"):
            logging.create_log(
                self.places["log group"],
                oci.logging.models.CreateLogDetails(display_name=name, log_type="CUSTOM"),
            )
        for log in logging.list_logs(self.places["log group"]).data:
            self.places[f"{log.display_name} log"] = log.id
        science = self._admin(oci.data_science.DataScienceClient)
        self.places["project"] = science.create_project(
            models.CreateProjectDetails(compartment_id=where)
        ).data.id
        configuration = models.NotebookSessionConfigDetails(
            shape=self.tenancy.notebook.shape, subnet_id=self.places["subnet"]
        )
        session = science.create_notebook_session(
            models.CreateNotebookSessionDetails(
                project_id=self.places["project"],
                compartment_id=where,
                notebook_session_config_details=configuration,
            )
        ).data.id
        stands = science.get_notebook_session(session).data
        if stands.lifecycle_state != "ACTIVE":
            raise RuntimeError(f"{stands.lifecycle_state}: {stands.lifecycle_details}")
        self.places["notebook"] = session
