"""What Terraform made, as the definitions name it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """OCIDs and names; CDKTF tokens mostly, which Terraform fills in at apply."""

    project_id: str
    subnet_id: str
    log_group_id: str
    job_log_id: str
    predict_log_id: str
    access_log_id: str
    bucket: str
    namespace: str
    vault_id: str

    def uri(self, prefix: str) -> str:
        """``oci://<bucket>@<namespace>/<prefix>/``."""
        return f"{self.folder(prefix)}/"

    def folder(self, prefix: str) -> str:
        """The same without the slash at its end, as the recipes' commands name it."""
        return f"oci://{self.bucket}@{self.namespace}/{prefix}"
