"""Where the work happens: Data Science project and notebook session, and what the jobs read.

Definitions and recipes are objects in the bucket, so that a job, a notebook and a laptop see the
same ones.
"""

import re
from collections.abc import Mapping

from constructs import Construct

from infra.oci.generated.datascience import (
    NotebookSession,
    NotebookSessionNotebookSessionConfigDetails,
    Project,
)
from infra.oci.generated.objectstorage import Object
from infra.tenancy.schema import Tenancy
from infra.tenancy.tables import SHAPES

# A flexible shape has no size of its own; 2 OCPUs with 16 GB each is the usual notebook.
_DEFAULT_OCPUS = 2
_GB_PER_OCPU = 16


class Workbench:
    """The project, and the notebook session unless the tenancy file says no."""

    def __init__(
        self, scope: Construct, tenancy: Tenancy, *, subnet_id: str, namespace: str, bucket: str
    ) -> None:
        self.project = Project(
            scope,
            "project",
            compartment_id=tenancy.compartment_ocid,
            display_name=f"{tenancy.prefix}-project",
            description="Fine-tuning and serving large language models",
            freeform_tags=tenancy.tags or None,
        )
        self.notebook: NotebookSession | None = None
        if not tenancy.notebook.enabled:
            return
        self.notebook = NotebookSession(
            scope,
            "notebook",
            compartment_id=tenancy.compartment_ocid,
            project_id=self.project.id,
            display_name=f"{tenancy.prefix}-notebook",
            notebook_session_config_details=_notebook_config(tenancy, subnet_id),
            notebook_session_storage_mount_configuration_details_list=[
                {
                    "storage_type": "OBJECT_STORAGE",
                    "destination_directory_name": "bucket",
                    "bucket": bucket,
                    "namespace": namespace,
                }
            ],
            freeform_tags=tenancy.tags or None,
        )


def put_texts(
    scope: Construct,
    texts: Mapping[str, str],
    *,
    folder: str,
    content_type: str,
    namespace: str,
    bucket: str,
) -> None:
    """Put objects ``<folder>/<path>``, one per text; the texts are Terraform templates."""
    for name, text in texts.items():
        Object(
            scope,
            re.sub(r"[^A-Za-z0-9]+", "_", f"{folder}_{name}"),
            namespace=namespace,
            bucket=bucket,
            object=f"{folder}/{name}",
            content=text,
            content_type=content_type,
            # The bucket keeps versions; without this destroy would leave them, and the bucket.
            delete_all_object_versions=True,
        )


def _notebook_config(
    tenancy: Tenancy, subnet_id: str
) -> NotebookSessionNotebookSessionConfigDetails:
    notebook = tenancy.notebook
    config: NotebookSessionNotebookSessionConfigDetails = {
        "shape": notebook.shape,
        "block_storage_size_in_gbs": notebook.storage_gb,
        "subnet_id": subnet_id,
    }
    if SHAPES[notebook.shape].flexible:
        ocpus = notebook.ocpus or _DEFAULT_OCPUS
        config["notebook_session_shape_config_details"] = {
            "ocpus": ocpus,
            "memory_in_gbs": notebook.memory_gb or ocpus * _GB_PER_OCPU,
        }
    return config
