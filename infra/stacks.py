"""Who stands where. Stacks are split by who applies them and what a mistake would cost.

``network`` is for whoever owns the network; ``data`` holds what can't be made again; ``identity``
takes an administrator's rights in the home region; ``workbench`` changes every day.
"""

from collections.abc import Mapping

from constructs import Construct

from infra import recipes
from infra.cdk import App, TerraformOutput, TerraformStack
from infra.definitions import definitions
from infra.identity import Identity
from infra.logs import Logs
from infra.network import Network
from infra.oci.generated.provider import OciProvider
from infra.places import Places
from infra.plan import Plan, plan_for
from infra.registry import Registry
from infra.state import use_backend
from infra.storage import Storage
from infra.tenancy.schema import Tenancy
from infra.vault import Vault
from infra.workbench import Workbench, put_texts


class NetworkStack(TerraformStack):
    """``<name>-network``."""

    def __init__(self, app: Construct, tenancy: Tenancy) -> None:
        super().__init__(app, f"{tenancy.name}-network")
        use_backend(self, tenancy.state)
        provider(self, tenancy)
        self.network = Network(self, tenancy)
        outputs(self, {"subnet_id": self.network.subnet_id})


class DataStack(TerraformStack):
    """``<name>-data``: bucket, vault with key, container repository."""

    def __init__(self, app: Construct, tenancy: Tenancy, plan: Plan) -> None:
        super().__init__(app, f"{tenancy.name}-data")
        use_backend(self, tenancy.state)
        provider(self, tenancy)
        self.bucket = Storage(self, tenancy, plan.bucket).bucket
        vault = Vault(self, tenancy)
        self.vault, self.key = vault.vault, vault.key
        self.repository = Registry(self, tenancy).repository
        outputs(
            self,
            {
                "bucket": self.bucket.name,
                "namespace": self.bucket.namespace,
                "vault_id": self.vault.id,
                "key_id": self.key.id,
                "repository": self.repository.display_name,
            },
        )


class IdentityStack(TerraformStack):
    """``<name>-identity``: dynamic group and policies, in the home region."""

    def __init__(self, app: Construct, tenancy: Tenancy, plan: Plan, data: DataStack) -> None:
        super().__init__(app, f"{tenancy.name}-identity")
        use_backend(self, tenancy.state)
        provider(self, tenancy)
        home = provider(self, tenancy, alias="home", region=plan.home_region)
        identity = Identity(
            self,
            tenancy,
            home=home,
            bucket=data.bucket.name,
            vault=data.vault.id,
            key=data.key.id,
            repository=data.repository.display_name,
        )
        outputs(self, {"dynamic_group_id": identity.dynamic_group.id})


class WorkbenchStack(TerraformStack):
    """``<name>-workbench``: logs, project, notebook, definitions."""

    def __init__(
        self, app: Construct, tenancy: Tenancy, plan: Plan, network: NetworkStack, data: DataStack
    ) -> None:
        super().__init__(app, f"{tenancy.name}-workbench")
        use_backend(self, tenancy.state)
        provider(self, tenancy)
        bucket, namespace = data.bucket.name, data.bucket.namespace
        subnet_id = network.network.subnet_id
        logs = Logs(self, tenancy)
        workbench = Workbench(
            self, tenancy, subnet_id=subnet_id, namespace=namespace, bucket=bucket
        )
        places = Places(
            project_id=workbench.project.id,
            subnet_id=subnet_id,
            log_group_id=logs.group.id,
            job_log_id=logs.job.id,
            predict_log_id=logs.predict.id,
            access_log_id=logs.access.id,
            bucket=bucket,
            namespace=namespace,
            vault_id=data.vault.id,
        )
        texts = definitions(tenancy, plan, places)
        put_texts(
            self,
            texts,
            folder="definitions",
            content_type="application/yaml",
            namespace=namespace,
            bucket=bucket,
        )
        put_texts(
            self,
            recipes.texts(),
            folder=recipes.MOUNT,
            content_type="text/plain",
            namespace=namespace,
            bucket=bucket,
        )
        notebook = workbench.notebook
        outputs(
            self,
            {
                "definitions": texts,
                "region": tenancy.region,
                "compartment_id": tenancy.compartment_ocid,
                "project_id": workbench.project.id,
                "bucket": bucket,
                "namespace": namespace,
                "vault_id": data.vault.id,
                "key_id": data.key.id,
                "secret_name": tenancy.vault.secret_name,
                "log_group_id": logs.group.id,
                "job_log_id": logs.job.id,
                "predict_log_id": logs.predict.id,
                "access_log_id": logs.access.id,
                "repository": data.repository.display_name,
                **({"notebook_url": notebook.notebook_session_url} if notebook else {}),
            },
        )


def build(app: App, tenancy: Tenancy) -> None:
    """Put the tenancy's four stacks into the app."""
    plan = plan_for(tenancy)
    network = NetworkStack(app, tenancy)
    data = DataStack(app, tenancy, plan)
    identity = IdentityStack(app, tenancy, plan, data)
    workbench = WorkbenchStack(app, tenancy, plan, network, data)
    # No reference says so, but a notebook that starts before its policies can reach nothing.
    workbench.add_dependency(identity)


def provider(
    scope: Construct, tenancy: Tenancy, *, alias: str | None = None, region: str | None = None
) -> OciProvider:
    """The provider's configuration: where, and how to sign in; never a credential."""
    return OciProvider(
        scope,
        alias or "oci",
        alias=alias,
        region=region or tenancy.region,
        auth=tenancy.provider.auth,
        config_file_profile=tenancy.provider.profile,
    )


def outputs(stack: TerraformStack, values: Mapping[str, object]) -> None:
    """One Terraform output per value, named as its key.

    They stand in a scope of their own, where a name may be a resource's as well.
    """
    scope = Construct(stack, "outputs")
    for name, value in values.items():
        TerraformOutput(scope, name, value=value, static_id=True)
