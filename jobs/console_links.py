"""Where a resource is in OCI's web console. Source of the form: ``ads.common.utils``."""

from __future__ import annotations

from urllib.parse import quote

from . import ocid

# What the console calls each kind of OCID that an entry has.
PLACES = {
    "job": "jobs",
    "job_run": "job-runs",
    "model": "models",
    "deployment": "model-deployments",
}
# Other realms have consoles of their own.
_REALM = "oc1"


def console_link(kind: str, identifier: str) -> str:
    """The address of a resource; '' where the console has no page for it, or is another one.

    *kind* is as in an entry's OCIDs: job, job_run, model, deployment.
    """
    parts = identifier.split(".")
    region = ocid.region(identifier)
    if kind not in PLACES or not region or parts[2] != _REALM:
        return ""
    from oci.regions import REGIONS_SHORT_NAMES

    named = REGIONS_SHORT_NAMES.get(region, region)
    return (
        f"https://cloud.oracle.com/data-science/{PLACES[kind]}/{quote(identifier, safe='.')}"
        f"?region={quote(named)}"
    )
