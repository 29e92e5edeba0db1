"""The table of failures: what is broken, what the command says of it, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jobs.clock import SystemClock
from jobs.lead_lock import LeadLock, own_leader
from tests.jobs import workbench
from tests.jobs.broken import Broken


@dataclass(frozen=True)
class Row:
    """What is broken, how the command ends, and every line that it complains with.

    *runs* is how many job runs were started.
    """

    name: str
    says: str
    breaks: Callable[[Broken], object] = lambda made: None
    code: int = 1
    runs: int = 0
    command: tuple[str, ...] = ("run",)
    fail_runs: str = ""
    run_seconds: float = 6.0
    pace: float = 0.0
    versioned: bool = True

    @property
    def lines(self) -> list[str]:
        return self.says.strip("\n").splitlines()


def _cancel_what_runs(made: Broken) -> None:
    """A person does, in the console, while the runner waits between two looks."""
    science = workbench.science(made.cloud)

    def cancel() -> None:
        for run in science.list_job_runs(made.cloud.compartment_id).data:
            if run.lifecycle_state in ("ACCEPTED", "IN_PROGRESS"):
                science.cancel_job_run(run.id)
        made.cloud.advance(10)

    made.on_sleep.append(cancel)


def _press_ctrl_c(made: Broken) -> None:
    """In the first wait."""

    def press() -> None:
        raise KeyboardInterrupt

    made.cloud.capacity.exhaust("VM.Standard.E4.Flex")
    made.on_sleep.append(press)


def _spoil_the_ledger(made: Broken) -> None:
    made.ledger.parent.mkdir(parents=True)
    made.ledger.write_bytes(b"this is no database, and long enough to be told from an empty one")


def _take_the_lead(made: Broken) -> None:
    made.ledger.parent.mkdir(parents=True)
    lock = LeadLock(made.ledger.parent)
    assert lock.take(own_leader(SystemClock().now()))
    made.held.append(lock)


ROWS = [
    Row(
        "no config file",
        """
There is no OCI config file nowhere/config.
Make one with 'oci setup config', or name yours in OCI_CONFIG_LOCATION.
""",
        breaks=lambda made: made.patch.setenv("OCI_CONFIG_LOCATION", "nowhere/config"),
    ),
    Row(
        "session expired",
        """
Could not create the job 'llama2-13b-stage-KEY': OCI answered 401 NotAuthenticated.
OCI's message: The required information to complete authentication was not provided or was \
incorrect. (ocimock, by the rule: 401 NotAuthenticated on POST /jobs)
opc-request-id: ID
Check the key, its fingerprint and this machine's clock; a session token may have run out, or \
the tenancy may not be subscribed to the region.
""",
        breaks=lambda made: made.cloud.faults.add("401 on POST /jobs"),
    ),
    Row(
        "region that the tenancy has not",
        """
Could not read oci://demo-bucket@ocimock/ledger/demo/lease.json: OCI answered 401 \
NotAuthenticated.
OCI's message: The required information to complete authentication was not provided or was \
incorrect. (ocimock: the tenancy is subscribed to us-ashburn-1, eu-frankfurt-1, not to \
eu-amsterdam-1.)
opc-request-id: ID
Check the key, its fingerprint and this machine's clock; a session token may have run out, or \
the tenancy may not be subscribed to the region.
""",
        breaks=lambda made: made.edit(
            "pipeline.yaml", "region: eu-frankfurt-1", "region: eu-amsterdam-1"
        ),
    ),
    Row(
        "no network",
        """
Could not sign in with api_key: nothing listens at 127.0.0.1:1, which HTTPS_PROXY names.
If that was the embedded OCI, it has ended: start it anew ('make demo', 'python -m ocimock \
serve') and take its 'python -m ocimock env'; else mend HTTPS_PROXY.
""",
        breaks=lambda made: made.patch.setenv("HTTPS_PROXY", "http://127.0.0.1:1"),
    ),
    Row(
        "no definitions",
        """
definitions/demo has no pipeline.yaml.
Run 'python -m jobs emit' after the deploy.
""",
        breaks=lambda made: (made.home / "definitions/demo/pipeline.yaml").unlink(),
    ),
    Row(
        "definition with a typo",
        """
definitions/demo/finetune.yaml, line 28, spec.runtime.spec: 'replicas' is missing
definitions/demo/finetune.yaml, line 38, spec.runtime.spec: 'replica' is not a key that ADS \
reads; did you mean 'replicas'?
Nothing was submitted.
""",
        breaks=lambda made: made.edit("finetune.yaml", "      replicas: 6", "      replica: 6"),
    ),
    Row(
        "no policy",
        """
Could not create the job 'llama2-13b-stage-KEY': OCI answered 404 NotAuthorizedOrNotFound.
OCI's message: Authorization failed or requested resource not found. (ocimock, by the rule: 404 \
NotAuthorizedOrNotFound on POST /jobs)
opc-request-id: ID
OCI says the same for 'not there' and 'not allowed': check the OCID and its region, then the \
policies. A new policy takes some minutes to work.
""",
        breaks=lambda made: made.cloud.faults.add("404 on POST /jobs"),
    ),
    Row(
        "service limit",
        """
Could not start a run of the job 'LLAMA2-Fine-Tuning-lora-samsum-13b-KEY': OCI answered 400 \
LimitExceeded.
OCI's message: The following service limits were exceeded: ds-gpu-a10-count. Request a service \
limit increase from the service limits page in the console.
opc-request-id: ID
The job itself was deleted again.
A service limit is used up: see 'Limits, quotas and usage' in the console, or choose another \
shape or fewer replicas in the tenancy file.
""",
        breaks=lambda made: made.cloud.limits.set("ds-gpu-a10-count", 0),
        runs=1,
    ),
    Row(
        "budget",
        """
'finetune' was not submitted: it could pass the spending limit of $100.00.
  spent so far          $0.00  all attempts of this pipeline, at list prices
  this one            $288.00  at most: 6 x VM.GPU.A10.2, $24.00 an hour for 720 min of maximum \
runtime
  together            $288.00
Set 'pipeline: spending_limit' in the tenancy file higher, or take it out; or give the step a \
smaller shape, fewer nodes or a lower maximum runtime. Then deploy, 'python -m jobs emit' and \
'python -m jobs run'.
""",
        breaks=lambda made: made.edit("pipeline.yaml", "spendingLimit: 500", "spendingLimit: 100"),
        runs=1,
    ),
    Row(
        "no capacity until the deadline",
        """
stage ended FAILED (simulated). OCI says: Job run infrastructure provisioning failed: Out of \
host capacity for shape VM.Standard.E4.Flex (simulated by ocimock: no code ran).
OCID
It is not submitted again: there was no capacity for 120 minutes, and the tenancy file allows \
120 minutes of waiting.
The region has no such machines free just now. Try again later, or take another availability \
domain, shape or region in the tenancy file.
""",
        breaks=lambda made: made.cloud.capacity.exhaust("VM.Standard.E4.Flex"),
        runs=12,
    ),
    Row(
        "503 for a quarter of an hour",
        """
Could not create the job 'llama2-13b-stage-KEY': OCI answered 503 ServiceUnavailable.
OCI's message: The service is currently unavailable. (ocimock, by the rule: 503 \
ServiceUnavailable on POST /jobs)
opc-request-id: ID
It is not tried again: OCI has taken no submission for 15 minutes.
The fault is OCI's: try again, and give the request id to its support if it stays.
""",
        breaks=lambda made: made.cloud.faults.add("503 on POST /jobs"),
    ),
    Row(
        "the code's own error",
        """
stage ended FAILED (simulated). OCI says: Job run artifact execution failed with exit code 1 \
(simulated by ocimock: no code ran).
OCID
Its log says last (4 lines):
  | [node 0] [simulated by ocimock: no code ran] infrastructure provisioned: VM.Standard.E4.Flex
  | [node 0] [simulated by ocimock: no code ran] would start driver_pytorch.py now
  | [node 0] [simulated by ocimock: no code ran] half of the simulated time has passed
  | [node 0] [simulated by ocimock: no code ran] failing, as the mock's settings ask \
(fail_runs): exit code 1
It is not submitted again: its own code failed: it would fail again.
Mend what its log says, then 'python -m jobs run' goes on.
Read its log with 'python -m jobs logs stage'.
""",
        fail_runs="stage: exit code 1",
        runs=1,
    ),
    Row(
        "node lost once more than the retries",
        """
stage ended FAILED (simulated). OCI says: Job run artifact execution failed with exit code 137: \
node 0 was killed (simulated by ocimock: no code ran).
OCID
Its log says last (4 lines):
  | [node 0] [simulated by ocimock: no code ran] infrastructure provisioned: VM.Standard.E4.Flex
  | [node 0] [simulated by ocimock: no code ran] would start driver_pytorch.py now
  | [node 0] [simulated by ocimock: no code ran] half of the simulated time has passed
  | [node 0] [simulated by ocimock: no code ran] failing, as the mock's settings ask \
(fail_runs): exit code 137: node 0 was killed
It is not submitted again: it was lost 3 times, and the tenancy file allows 2 retries.
'python -m jobs run' tries again; if it stays, tell Oracle's support.
Read its log with 'python -m jobs logs stage'.
""",
        fail_runs="stage: exit code 137: node 0 was killed",
        runs=3,
    ),
    Row(
        "out of memory",
        """
stage ended FAILED (simulated). OCI says: Job run artifact execution failed with exit code 137: \
node 0 used more memory than its 64 GB (simulated by ocimock: no code ran).
OCID
Its log says last (4 lines):
  | [node 0] [simulated by ocimock: no code ran] infrastructure provisioned: VM.Standard.E4.Flex
  | [node 0] [simulated by ocimock: no code ran] would start driver_pytorch.py now
  | [node 0] [simulated by ocimock: no code ran] half of the simulated time has passed
  | [node 0] [simulated by ocimock: no code ran] failing, as the mock's settings ask \
(fail_runs): exit code 137: node 0 used more memory than its 64 GB
It is not submitted again: its own code failed: it would fail again.
A process was killed, most likely because its node ran out of memory: a shape with more memory, \
or fewer processes, in the tenancy file.
Read its log with 'python -m jobs logs stage'.
""",
        fail_runs="stage: exit code 137: node 0 used more memory than its 64 GB",
        runs=1,
    ),
    Row(
        "maximum runtime",
        """
stage ended CANCELED (simulated). OCI says: Job run canceled: it exceeded the maximum runtime \
of 240 minute(s) (simulated by ocimock: no code ran).
OCID
It is not submitted again: it reached its maximum runtime.
Raise its maximum runtime in the tenancy file, deploy, 'python -m jobs emit', then 'python -m \
jobs run': a training goes on from its last checkpoint.
""",
        run_seconds=10 * 86400.0,
        runs=1,
    ),
    Row(
        "canceled by a person",
        """
stage ended CANCELED (simulated). OCI says: Job run canceled (simulated by ocimock: no code \
ran).
OCID
It is not submitted again: somebody ended it.
'python -m jobs run' goes on, from the last checkpoint if there is one.
""",
        breaks=_cancel_what_runs,
        run_seconds=3600.0,
        pace=1.0,
        runs=1,
    ),
    Row(
        "bucket without versions",
        """
The model 'llama-2-13b-lora-samsum-KEY' could not be registered: the bucket of \
oci://demo-bucket@ocimock/merged/ keeps no versions.
The incomplete catalog entry was deleted again.
Set versioning to Enabled on the bucket (the storage stack does).
""",
        versioned=False,
        runs=3,
    ),
    Row(
        "deployment failed",
        """
deploy ended FAILED (simulated). OCI says: Failing, as the mock's settings ask (fail_runs): the \
web server did not start (simulated by ocimock: no code ran).
OCID
It is not submitted again: its own code failed: it would fail again.
Read the deployment's log: 'python -m jobs logs deploy'.
""",
        fail_runs="13b-lora-samsum: the web server did not start",
        runs=3,
    ),
    Row(
        "answer of the endpoint",
        """
smoke ended FAILED (simulated). OCI says: \
https://modeldeployment.eu-frankfurt-1.oci.customer-oci.com/OCID/predict answered 500: {"code": \
"InternalServerError", "message": "as the test asks"}
opc-request-id: ID
It is not submitted again: it was lost 3 times, and the tenancy file allows 2 retries.
Read the deployment's log: 'python -m jobs logs deploy'.
""",
        breaks=lambda made: made.faults.answer("POST", "/predict$", 500),
        runs=3,
    ),
    Row(
        "ledger that is none",
        """
The ledger .tunestack/demo/ledger.db cannot be used: file is not a database.
Move it away to start anew; what runs in OCI is not touched by that.
""",
        breaks=_spoil_the_ledger,
    ),
    Row(
        "another leads",
        """
This tenancy's pipeline is led by SOMEBODY.
Follow it with 'python -m jobs run'; what else is to be done has to wait for its end: two at \
once would pay twice.
""",
        breaks=_take_the_lead,
        command=("submit", "stage"),
    ),
    Row(
        "Ctrl-C",
        """
Interrupted. What was submitted runs on: 'python -m jobs watch' follows it.
""",
        breaks=_press_ctrl_c,
        code=130,
        runs=1,
    ),
]
