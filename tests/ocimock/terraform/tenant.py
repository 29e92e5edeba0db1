"""Terraform's part in the tests of the provider, without Terraform."""

from __future__ import annotations

from typing import Any

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE
from ocimock.terraform.provider import Provider
from ocimock.terraform.schema import Block

State = dict[str, Any]


class Tenant:
    """Terraform's part: it keeps states, asks for plans and has them applied."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._standing: list[tuple[str, State]] = []

    def config(self, type_name: str, /, **values: Any) -> State:
        """A whole configuration: null for each attribute, nothing for each block left out."""
        return filled(self.provider.schema.resources[type_name].block, values)

    def create(self, type_name: str, /, **values: Any) -> State:
        """Plan and apply a new resource; it is destroyed when the test is over."""
        config = self.config(type_name, **values)
        planned = self.provider.plan(type_name, config, None)
        applied = self.provider.apply(type_name, config, planned.state, None)
        if applied.state is not None:
            self._standing.append((type_name, applied.state))
        assert applied.error is None, applied.error
        state: State = applied.state
        return state

    def update(self, type_name: str, prior: State, /, **values: Any) -> State:
        config = self.config(type_name, **values)
        planned = self.provider.plan(type_name, config, prior)
        assert planned.state != prior, "nothing to update"
        assert planned.replace == []
        applied = self.provider.apply(type_name, config, planned.state, prior)
        assert applied.error is None, applied.error
        state: State = applied.state
        return state

    def assert_clean(self, type_name: str, state: State, /, **values: Any) -> State:
        """A refresh and a second plan find nothing to do."""
        fresh = self.provider.read(type_name, state)
        assert fresh is not None
        planned = self.provider.plan(type_name, self.config(type_name, **values), fresh)
        assert planned.state == fresh
        assert planned.replace == []
        return fresh

    def destroy(self, type_name: str, state: State) -> None:
        applied = self.provider.apply(type_name, None, None, state)
        assert applied.error is None, applied.error
        assert applied.state is None

    def forget(self, state: State) -> None:
        self._standing = [(kind, kept) for kind, kept in self._standing if kept is not state]

    def destroy_all(self) -> None:
        for type_name, state in reversed(self._standing):
            self.destroy(type_name, state)


def filled(block: Block, values: State) -> State:
    """The values as a whole configuration: null for what is left out."""
    unknown = values.keys() - {*block.attributes, *block.blocks}
    assert not unknown, f"no such attribute: {unknown}"
    whole: State = {name: values.get(name) for name in block.attributes}
    for name, nested in block.blocks.items():
        if nested.nesting == "single":
            whole[name] = values.get(name)
            continue
        whole[name] = [filled(nested.block, item) for item in values.get(name, [])]
    return whole


#: In the values, "{vcn.id}" stands for that fixture's attribute, "{unique}" for a new name.
HERE = {"compartment_id": COMPARTMENT_ID}
IN_VCN = {**HERE, "vcn_id": "{vcn.id}"}
IN_PROJECT = {**HERE, "project_id": "{project.id}"}
JOB = {
    **IN_PROJECT,
    "display_name": "fine-tune",
    "delete_related_job_runs": True,
    "job_configuration_details": [
        {
            "job_type": "DEFAULT",
            "environment_variables": {"EPOCHS": "3"},
            "maximum_runtime_in_minutes": "60",
        }
    ],
    "job_infrastructure_configuration_details": [
        {
            "job_infrastructure_type": "ME_STANDALONE",
            "shape_name": "VM.GPU.A10.2",
            "block_storage_size_in_gbs": 512,
        }
    ],
    "job_storage_mount_configuration_details_list": [
        {
            "storage_type": "OBJECT_STORAGE",
            "destination_directory_name": "outputs",
            "bucket": "{bucket.name}",
            "namespace": NAMESPACE,
        }
    ],
}
SECRET = {
    **HERE,
    "vault_id": "{vault.id}",
    "key_id": "{key.id}",
    "secret_name": "{unique}",
    "secret_content": [{"content_type": "BASE64", "content": "aGZfdG9rZW4="}],
}
NOTEBOOK = {
    **IN_PROJECT,
    "display_name": "bench",
    "notebook_session_configuration_details": [
        {
            "shape": "VM.Standard.E4.Flex",
            "subnet_id": "{subnet.id}",
            "block_storage_size_in_gbs": 100,
            "notebook_session_shape_config_details": [{"ocpus": 2, "memory_in_gbs": 32}],
        }
    ],
    "notebook_session_storage_mount_configuration_details_list": [
        {
            "storage_type": "OBJECT_STORAGE",
            "destination_directory_name": "models",
            "bucket": "{bucket.name}",
            "namespace": NAMESPACE,
        }
    ],
}
