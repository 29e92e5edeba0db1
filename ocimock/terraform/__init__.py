"""A stand-in for the Terraform provider oracle/oci, for machines that cannot download it.

It speaks Terraform's plugin protocol 6, shows the real provider's schema and turns each
create, read, update, delete and import into calls of the OCI Python SDK. It talks to an
endpoint on loopback only: it stands before ocimock and never before a real tenancy.
"""

#: The provider's address without its host, as in `required_providers`.
SOURCE = "oracle/oci"
#: The host part that Terraform adds to a bare source.
HOST = "registry.terraform.io"
#: The version whose schema `schema.json` holds, and the one under which the mirror offers us.
VERSION = "8.28.0"
#: The full address, as it appears in state files and in error messages.
ADDRESS = f"{HOST}/{SOURCE}"
#: What the stand-in says of itself, in its log and as a warning in each plan.
BANNER = f"stand-in for {SOURCE} {VERSION}, talks to ocimock only"
