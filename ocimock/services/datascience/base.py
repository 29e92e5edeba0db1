"""The service, the names of its kinds, and what its modules share."""

from __future__ import annotations

from ...cloud import Cloud, event
from ...service import Service
from ...store import Record
from ...wire.errors import IncorrectState

SERVICE = Service(
    "datascience",
    ("oci.data_science.DataScienceClient", "oci.model_deployment.ModelDeploymentClient"),
    # The SDK spells a deployment's host otherwise than the URLs that the service hands out.
    labels=("datascience", "md.datascience", "modeldeployment"),
)

PROJECT = "datascienceproject"
NOTEBOOK = "datasciencenotebooksession"
JOB = "datasciencejob"
JOB_RUN = "datasciencejobrun"
MODEL = "datasciencemodel"
PRIVATE_ENDPOINT = "datascienceprivateendpoint"
MODEL_GROUP = "datasciencemodelgroup"
# The artifact of an entry of a model's metadata; no resource with an OCID.
METADATA_ARTIFACT = "datasciencemetadataartifact"
VERSION_SET = "datasciencemodelversionset"
DEPLOYMENT = "datasciencemodeldeployment"

# Whatever shows the state of something that would run code on OCI says this.
SIMULATED = "simulated by ocimock: no code ran"
# And what ran: this.
EXECUTED = "run by ocimock on this machine"


def settle_in(cloud: Cloud, seconds: float, record: Record, state: str) -> None:
    """Have *record* reach lifecycle state *state* in *seconds*, unless it is deleted by then."""
    cloud.clock.schedule(seconds, "datascience.settle", f"{record.kind}/{record.id}/{state}")


@event("datascience.settle")
def _settle(cloud: Cloud, subject: str) -> None:
    kind, identifier, state = subject.split("/")
    record = cloud.store.find(kind, identifier)
    if record is not None and not record.deleted:
        record.data["lifecycleState"] = state


def require_state(record: Record, *states: str, to: str) -> None:
    """:raises IncorrectState: *record* is in none of *states*, so nobody can do *to* with it."""
    state = record.data["lifecycleState"]
    if state not in states:
        raise IncorrectState(
            f"{record.id} is {state}; to {to} it, it must be {' or '.join(states)}"
        )
