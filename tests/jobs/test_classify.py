"""Why a step failed, by real texts: of OCI, NCCL, PyTorch, CUDA, the mock and our recipe."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from jobs.classify import (
    DISK,
    GPU_MEMORY,
    GRANT,
    HOST_MEMORY,
    IMAGE,
    LIMIT,
    SERVER,
    classify,
    of_error,
)
from jobs.errors import OUT_OF_CAPACITY, RefusedError, UnreachableError
from jobs.policy import Cause
from tests.jobs.samples import START, entry

RUN = "Job run artifact execution failed with exit code {}."
LAUNCHER = [
    "Traceback (most recent call last):",
    '  File "/opt/conda/bin/torchrun", line 7, in <module>',
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
]
PEER_GONE = [
    "[rank8]: Traceback (most recent call last):",
    '[rank8]:   File "/mnt/code/recipes/sft/training.py", line 90, in _train_step',
    "[rank8]: torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1275, "
    "remote process exited or there was a network error, NCCL version 2.21.5",
    "[rank8]: ncclRemoteError: A call failed possibly due to a network error or a remote process "
    "exiting prematurely.",
]
KILLED = [
    "[rank1]:[W1122 22:38:41.508 TCPStore.cpp:125] [c10d] recvValue failed on SocketImpl(fd=14): "
    "Failed to recv, got 0 bytes. Connection was likely closed.",
    "Exception raised from recvBytes at c10d/Utils.hpp:787 (most recent call first):",
    "frame #2: c10::DistNetworkError::DistNetworkError(c10::SourceLocation) + 0x72 (0x7f91 in "
    "libc10.so)",
    "<omitting python frames>",
    "Traceback (most recent call last):",
    '  File "/mnt/code/recipes/sft/__main__.py", line 85, in _together',
    "RuntimeError: [gloo/transport/tcp/pair.cc:537] Read error [127.0.0.1]:165: Connection reset "
    "by peer. This is typically caused by a remote worker hanging or bugs in the application.",
    "sft: rank 1 of 2 on vm failed: RuntimeError: [gloo/transport/tcp/pair.cc:537] Read error "
    "[127.0.0.1]:165: Connection reset by peer.",
    "E1122 22:38:40.100 27673 torch/distributed/elastic/multiprocessing/api.py:1002] failed "
    "(exitcode: 1) local_rank: 0 (pid: 27724) of binary: python",
]
KEY_ERROR = [
    "[rank3]: Traceback (most recent call last):",
    '[rank3]:   File "train.py", line 3, in <module>',
    "[rank3]: KeyError: 'dialogue'",
]


@dataclass(frozen=True)
class Case:
    """How a run ended, and why. *source* is where its text stands."""

    name: str
    source: str
    details: str
    cause: Cause
    lines: tuple[str, ...] = ()
    advice: str = ""
    shown: str = ""
    state: str = "FAILED"
    step: str = "finetune"
    ran: bool = True


def _case(
    name: str, source: str, details: str, cause: Cause, *lines: str, **more: str | bool
) -> Case:
    return Case(name, source, details, cause, lines, **more)  # type: ignore[arg-type]


CASES = [
    # Before anything runs.
    _case("no host", "oracle-devrel/leagueoflegends-optimizer issue 34: 500-InternalError",
          "Out of host capacity.", Cause.CAPACITY, advice=OUT_OF_CAPACITY, ran=False),
    _case("no host of a shape", "clementalo9/n8n_oci issue 46: what the console says",
          "Out of capacity for shape VM.GPU.A10.2 in availability domain AD-1. Create the instance "
          "in a different availability domain or try again later.", Cause.CAPACITY, ran=False,
          advice=OUT_OF_CAPACITY),
    _case("no host, mocked", "ocimock: run_ends, capacity",
          "Job run infrastructure provisioning failed: Out of host capacity for shape "
          "VM.GPU.A10.2 (simulated by ocimock).", Cause.CAPACITY, ran=False,
          advice=OUT_OF_CAPACITY),
    _case("provisioning", "OCI's state before IN_PROGRESS; nothing has run",
          "Job run infrastructure provisioning failed.", Cause.INFRASTRUCTURE, ran=False),
    _case("no words, never started", "the API reference: lifecycleDetails is optional",
          "", Cause.INFRASTRUCTURE, ran=False),
    _case("no words, ran", "the API reference: lifecycleDetails is optional",
          "", Cause.USER_CODE),
    _case("service limit", "OCI's API errors: LimitExceeded",
          "LimitExceeded: The following service limits were exceeded: ds-gpu-a10-count.",
          Cause.REFUSED, ran=False, advice=LIMIT),
    _case("quota", "OCI's API errors: QuotaExceeded",
          "QuotaExceeded: compartment quota is exceeded", Cause.REFUSED, ran=False, advice=LIMIT),
    _case("log group", "docs.oracle.com data-science/using/tshoot-jobs.htm",
          "The specified log group is not found or not authorized. Cannot create log object on "
          "behalf of the user. Ensure the log group is valid and the user has appropriate "
          "permissions configured", Cause.REFUSED, ran=False, advice=GRANT),
    _case("bucket", "ocimock: simulation.obstacles",
          "Job run bootstrap failure: bucket 'demo' for outputs can't be mounted.", Cause.REFUSED,
          advice=GRANT),
    _case("no entry point", "ocimock: run_files",
          "Job run bootstrap failure: artifact job.zip has no file 'driver.py', which "
          "JOB_RUN_ENTRYPOINT names", Cause.REFUSED, advice=GRANT),
    _case("image", "docs.oracle.com tshoot-model-deploy-byoc.htm: Unable to Access",
          "Unable to access the container image fra.ocir.io/ns/vllm:0.6", Cause.REFUSED,
          advice=IMAGE, step="deploy"),
    _case("image, slow", "docs.oracle.com tshoot-model-deploy-byoc.htm: Download Timeout",
          "Container image download timed out.", Cause.INFRASTRUCTURE, step="deploy"),
    _case("bootstrap, service", "OCI's API errors: InternalServerError",
          "Job run bootstrap failure: Internal server error.", Cause.INFRASTRUCTURE),
    # While it runs: the service and its machines.
    _case("node killed", "ocimock: run_words",
          "Job run artifact execution failed with exit code 137: node 1 was killed; 2 of the 2 "
          "nodes of node-group had to succeed, so what still ran was stopped (run by ocimock on "
          "this machine).", Cause.INFRASTRUCTURE, *PEER_GONE),
    _case("mock ended", "ocimock: run_words",
          "Job run artifact execution failed: ocimock ended while it ran.", Cause.INFRASTRUCTURE),
    _case("peer lost", "NVIDIA/nccl issue 2076", RUN.format(1), Cause.INFRASTRUCTURE,
          "step 10", *PEER_GONE, *LAUNCHER, shown=PEER_GONE[0]),
    _case("peer lost, older NCCL", "NVIDIA/nccl issue 795", RUN.format(1), Cause.INFRASTRUCTURE,
          "a100-22:183006 [1] misc/socket.cc:538 NCCL WARN Net : Connection closed by remote peer "
          "a100-9<47861>", "ncclInternalError: Internal check failed."),
    _case("watchdog", "huggingface/open-r1 issue 620", RUN.format(1), Cause.INFRASTRUCTURE,
          "[rank2]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4, "
          "OpType=BROADCAST, Timeout(ms)=1800000) ran for 1800010 milliseconds before timing out."),
    _case("silent node", "jobs.recipes.sft.parallel", RUN.format(1), Cause.INFRASTRUCTURE,
          "sft: rank 0 ends: rank 9 failed: no sign of life for 60 s: its node or process is gone"),
    _case("node killed under torchrun", "two nodes of torchrun 2.13 over gloo, one of them killed",
          RUN.format(1), Cause.INFRASTRUCTURE, *KILLED, shown=KILLED[-3]),
    _case("ECC", "vllm-project/vllm issue 5222", RUN.format(1), Cause.INFRASTRUCTURE,
          "[rank3]: Traceback (most recent call last):",
          "[rank3]: RuntimeError: CUDA error: uncorrectable ECC error encountered", *PEER_GONE),
    _case("Xid 79", "wilicc/gpu-burn issue 1", RUN.format(1), Cause.INFRASTRUCTURE,
          "NVRM: Xid (PCI:0000:02:00): 79, GPU has fallen off the bus.", *KEY_ERROR,
          shown="NVRM: Xid (PCI:0000:02:00): 79, GPU has fallen off the bus."),
    _case("terminated", "signal(7): 128 + SIGTERM", RUN.format(143), Cause.INFRASTRUCTURE),
    _case("name resolution", "git, curl and glibc's gai_strerror", RUN.format(128),
          Cause.INFRASTRUCTURE,
          "fatal: unable to access 'https://github.com/a/b.git/': Could not resolve host: "
          "github.com"),
    # The code's own.
    _case("exception", "Python", RUN.format(1), Cause.USER_CODE, *KEY_ERROR, *PEER_GONE,
          *LAUNCHER, shown=KEY_ERROR[2]),
    _case("exception, others first", "clocks of nodes differ by a little", RUN.format(1),
          Cause.USER_CODE, *PEER_GONE, *KEY_ERROR, *LAUNCHER, shown=KEY_ERROR[2]),
    _case("exception, told by another node", "jobs.recipes.sft", RUN.format(1), Cause.USER_CODE,
          "sft: rank 0 ends: rank 9 failed: KeyError: 'dialogue'", *PEER_GONE),
    _case("GPU memory, told by another node", "jobs.recipes.sft", RUN.format(1), Cause.USER_CODE,
          "sft: rank 0 ends: rank 9 failed: OutOfMemoryError: CUDA out of memory.", *PEER_GONE,
          advice=GPU_MEMORY),
    _case("ECC, told by another node", "jobs.recipes.sft", RUN.format(1), Cause.INFRASTRUCTURE,
          "sft: rank 0 ends: rank 9 failed: CUDA error: uncorrectable ECC error encountered"),
    _case("lost peer, told by its neighbour", "jobs.recipes.sft", RUN.format(1),
          Cause.INFRASTRUCTURE,
          "sft: rank 9 of 12 on node-1 failed: DistBackendError: NCCL error, remote process exited "
          "or there was a network error", "sft: rank 0 ends: rank 9 failed: DistBackendError: NCCL "
          "error, remote process exited or there was a network error; CUDA out of memory"),
    _case("exit code alone", "the job's own", RUN.format(3), Cause.USER_CODE, "merge: no shards"),
    _case("wrong options", "jobs.recipes.sft", RUN.format(2), Cause.USER_CODE,
          "sft: --model /mnt/base is no folder on this node; is the bucket mounted?"),
    _case("lacking package", "ocimock: run_words; pip",
          "Job run artifact execution failed with exit code 1: node 0 ended with exit code 1, "
          "after pip found no 'petf'; install it in the environment", Cause.USER_CODE),
    _case("GPU memory", "PyTorch's CUDACachingAllocator", RUN.format(1), Cause.USER_CODE,
          "[rank0]: Traceback (most recent call last):",
          "[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 "
          "has a total capacity of 21.99 GiB of which 1.5 GiB is free.", *PEER_GONE,
          advice=GPU_MEMORY),
    _case("host memory, torchrun", "hpcaitech/ColossalAI issue 3172", RUN.format(1),
          Cause.USER_CODE, "ERROR:torch.distributed.elastic.multiprocessing.api:failed (exitcode: "
          "-9) local_rank: 0 (pid: 2410412) of binary: /opt/conda/bin/python", *LAUNCHER,
          advice=HOST_MEMORY),
    _case("host memory, exit code", "signal(7): 128 + SIGKILL", RUN.format(137), Cause.USER_CODE,
          "step 10", advice=HOST_MEMORY),
    _case("host memory, mocked", "ocimock: run_words",
          "Job run artifact execution failed with exit code 137: node 1 used more memory than its "
          "4 GB", Cause.USER_CODE, *PEER_GONE, advice=HOST_MEMORY),
    _case("disk", "strerror(ENOSPC)", RUN.format(1), Cause.USER_CODE,
          "OSError: [Errno 28] No space left on device", advice=DISK),
    _case("disk, mocked", "ocimock: run_words",
          "Job run artifact execution failed with exit code 1: node 0 wrote more than its 50 GB of "
          "block storage", Cause.USER_CODE, advice=DISK),
    _case("server", "docs.oracle.com tshoot-model-deploy.htm",
          "Error occurred when starting the web server", Cause.USER_CODE, advice=SERVER,
          step="deploy"),
    _case("server, mocked", "ocimock: deployment_execution",
          "GET /health on port 8080 was not answered with 200 within 10 minutes; it said nothing",
          Cause.USER_CODE, advice=SERVER, step="deploy"),
    _case("answer", "jobs.predict", "https://x/predict answered 503: busy", Cause.INFRASTRUCTURE,
          advice=SERVER, step="deploy"),
    _case("answer, of no use", "jobs.predict", "The endpoint's answer is no completion: {}",
          Cause.USER_CODE, step="deploy"),
    _case("network, survived", "urllib3", RUN.format(1), Cause.USER_CODE,
          "Temporary failure in name resolution; trying again", "[rank0]: Traceback (most recent "
          "call last):", "[rank0]: ValueError: batch_size"),
    _case("network, at last", "curl", RUN.format(1), Cause.INFRASTRUCTURE,
          "fatal: unable to access: Could not resolve host: github.com", *LAUNCHER),
    _case("network, an exception", "requests", RUN.format(1), Cause.INFRASTRUCTURE,
          "Traceback (most recent call last):", "ConnectionError: Max retries exceeded with url: /",
          "Traceback (most recent call last):", "KeyError: 'a'"),
    # Told to end.
    *(
        _case(f"other words: {words}", "what OCI may say as well", words, cause, advice=advice)
        for words, cause, advice in (
            ("Job run reached its maximum runtime", Cause.MAXIMUM_RUNTIME, ""),
            ("The service limit for ds-gpu-a10-count is exceeded", Cause.REFUSED, LIMIT),
            ("The reservation has no available capacity", Cause.CAPACITY, OUT_OF_CAPACITY),
            ("InternalServerError", Cause.INFRASTRUCTURE, ""),
            ("The instance was preempted", Cause.INFRASTRUCTURE, ""),
            ("The host goes into maintenance", Cause.INFRASTRUCTURE, ""),
        )
    ),
    _case("deleted", "jobs.states", "OCI has it no more", Cause.CANCELED, state="DELETED"),
    _case("too long, simulated", "ocimock: run_ends", "Job run canceled: it exceeded the maximum "
          "runtime of 30 minute(s) (simulated by ocimock).", Cause.MAXIMUM_RUNTIME,
          state="CANCELED"),
    _case("too long, executed", "ocimock: run_words", "Job run artifact execution failed: it "
          "exceeded the maximum runtime of 30 minute(s)", Cause.MAXIMUM_RUNTIME, *PEER_GONE),
    _case("canceled", "OCI's state", "Job run canceled.", Cause.CANCELED, state="CANCELED"),
    _case("signal", "jobs.recipes.sft", RUN.format(1), Cause.STOPPED,
          "sft: told to stop; did 9 steps; saved oci://b@n/c/step-9: the same command goes on from "
          "there", *LAUNCHER),
    _case("asked for the runtime", "jobs.recipes.sft", RUN.format(1), Cause.MAXIMUM_RUNTIME,
          "sft: told to stop (maximum runtime); did 9 steps; saved oci://b@n/c/step-9: the same "
          "command goes on from there", *LAUNCHER),
    _case("asked by a person", "jobs.recipes.sft", RUN.format(1), Cause.CANCELED,
          "sft: told to stop (asked by a person); did 9 steps; saved oci://b@n/c/step-9: the same "
          "command goes on from there", *LAUNCHER),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause(case: Case) -> None:
    ended = entry(case.step, case.state, details=case.details, started=START if case.ran else None)
    failure = classify(ended, case.lines)
    assert failure.cause is case.cause, failure
    assert failure.advice == case.advice
    assert failure.submitted
    assert failure.reason == (case.details or f"{case.state} without a word.")
    if case.shown:
        assert case.shown in failure.lines
    assert not [line for line in failure.lines if "frame #" in line or "[c10d]" in line]
    assert len(failure.lines) <= 20


def _refused(status: int, code: str, message: str) -> RefusedError:
    what = f"Could not create the job: OCI answered {status} {code}.\nOCI's message: {message}"
    return RefusedError(what, "advice", status=status)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (_refused(500, "InternalError", "Out of host capacity."), Cause.CAPACITY),
        (_refused(400, "LimitExceeded", "The following service limits were exceeded: x."),
         Cause.REFUSED),
        (_refused(429, "TooManyRequests", "slow down"), Cause.INFRASTRUCTURE),
        (_refused(503, "ServiceUnavailable", "later"), Cause.INFRASTRUCTURE),
        (_refused(409, "IncorrectState", "busy"), Cause.INFRASTRUCTURE),
        (_refused(404, "NotAuthorizedOrNotFound", "no"), Cause.REFUSED),
        (_refused(400, "InvalidParameter", "subnet"), Cause.REFUSED),
        (UnreachableError("Could not create the job: OCI did not answer."), Cause.INFRASTRUCTURE),
    ],
)  # fmt: skip
def test_the_cause_of_a_submission_that_was_turned_away(
    error: RefusedError | UnreachableError, cause: Cause
) -> None:
    failure = of_error(error)
    assert failure.cause is cause
    assert not failure.submitted
    assert failure.reason == error.what
