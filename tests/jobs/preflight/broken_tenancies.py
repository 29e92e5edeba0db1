"""Tenancies broken in one way each: what preflight must say of it, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.jobs.preflight import breaking_files as files
from tests.jobs.preflight import breaking_identity as identity
from tests.jobs.preflight import breaking_network as network
from tests.jobs.preflight import breaking_places as places
from tests.jobs.preflight.whole import Whole

Mend = Callable[[str], None]
Break = Callable[[Whole], Mend]


@dataclass(frozen=True)
class BrokenTenancy:
    """*breaks* breaks it and gives what mends it, which is told the remedy that preflight named;
    *check* is the one that must fail, *cause* and *remedy* are words that it must say.

    *late* is how a run without preflight ends: words of the command's complaint. *planted* is what
    the mock is told to let fail, and how, where only the job's own code can: the mock's simulated
    runs run no code. *minutes* is how long after its submission that run fails then.
    """

    name: str
    check: str
    cause: str
    remedy: str
    breaks: Break
    late: str
    planted: str = ""
    minutes: int = 0


_CODE = "exit code 1"
# Minutes from the submission: a quarter of an hour for the node, five for conda and pip, ten until
# the weights are read; a merge writes its 26 GB last.
_AT_START, _WHEN_INSTALLED, _WHEN_LOADED, _AT_END = 16, 20, 30, 28

BROKEN = [
    BrokenTenancy(
        "API key deleted",
        "credentials",
        "OCI does not know what requests are signed with",
        "key",
        identity.delete_key,
        "401 NotAuthenticated",
    ),
    BrokenTenancy(
        "region not subscribed",
        "region",
        "eu-amsterdam-1",
        "subscribe",
        files.in_a_region_without_subscription,
        "401 NotAuthenticated",
    ),
    BrokenTenancy(
        "compartment of another tenancy",
        "compartment",
        "compartment",
        "compartment_ocid",
        files.in_no_compartment,
        "404 NotAuthorizedOrNotFound",
    ),
    BrokenTenancy(
        "project deleted",
        "project",
        "project",
        "deploy",
        places.delete_project,
        "404 NotAuthorizedOrNotFound",
    ),
    BrokenTenancy(
        "GPU limit below the nodes",
        "limits",
        "ds-gpu-a10-count",
        "12",
        places.lower_limit("ds-gpu-a10-count", 8),
        "LimitExceeded",
    ),
    BrokenTenancy(
        "compartment quota below the nodes",
        "limits",
        "ds-gpu-a10-count",
        "12",
        places.write_quota("set data-science quota ds-gpu-a10-count to 4 in compartment {where}"),
        "QuotaExceeded",
    ),
    BrokenTenancy(
        "block storage limit",
        "limits",
        "ds-block-volume-gb",
        "ds-block-volume-gb",
        places.lower_limit("ds-block-volume-gb", 300),
        "LimitExceeded",
    ),
    BrokenTenancy(
        "dynamic group without job runs",
        "iam",
        "dynamic",
        "datasciencejobrun",
        identity.match_notebooks_only,
        "could not write to log",
    ),
    BrokenTenancy(
        "job runs may not use the bucket's objects",
        "iam",
        "objects",
        "manage objects",
        identity.without("dynamic-group: manage objects"),
        "could not mount bucket",
    ),
    BrokenTenancy(
        "job runs may not read the token",
        "iam",
        "secret",
        "read secret-bundles",
        identity.without("dynamic-group: read secret-bundles"),
        "could not read secret",
    ),
    BrokenTenancy(
        "job runs may not write logs",
        "iam",
        "log",
        "log-content",
        identity.without("dynamic-group: use logging-family"),
        "could not write to log",
    ),
    BrokenTenancy(
        "Data Science may not read the model's objects",
        "iam",
        "datascience",
        "service datascience",
        identity.without("service datascience: manage object-family"),
        "could not read the model's objects",
    ),
    BrokenTenancy(
        "deployments may not pull the image",
        "iam",
        "repos",
        "read repos",
        identity.without("dynamic-group: read repos"),
        "could not pull image",
    ),
    BrokenTenancy(
        "deployments may not write logs",
        "iam",
        "log",
        "log-content",
        identity.without("any-user: use log-content"),
        "could not write to log",
    ),
    BrokenTenancy(
        "a Deny statement",
        "iam",
        "Deny",
        "Deny",
        identity.deny("Deny dynamic-group workloads to manage objects in tenancy"),
        "could not mount bucket",
    ),
    BrokenTenancy(
        "subnet deleted",
        "subnet",
        "subnet",
        "deploy",
        network.delete_subnet,
        "404 NotAuthorizedOrNotFound",
    ),
    BrokenTenancy(
        "no way between the nodes",
        "security-list",
        "29400",
        "10.0.1.0/24",
        network.close_ingress,
        "no node reached another on port 29400",
    ),
    BrokenTenancy(
        "only the rendezvous' port between the nodes",
        "security-list",
        "32768",
        "10.0.1.0/24",
        network.open_rendezvous_only,
        "no node reached another on ports 32768-60999",
    ),
    BrokenTenancy(
        "no way out by the security list",
        "security-list",
        "443",
        "443",
        network.close_egress,
        "can't be reached",
    ),
    BrokenTenancy(
        "no NAT gateway in the routes",
        "gateways",
        "NAT",
        "0.0.0.0/0",
        network.without_nat,
        _CODE,
    ),
    BrokenTenancy(
        "NAT gateway blocked",
        "gateways",
        "block",
        "block",
        network.block_nat,
        _CODE,
    ),
    BrokenTenancy(
        "subnet smaller than the nodes",
        "addresses",
        "6",
        "subnet",
        network.move_to_a_small_subnet,
        "not enough private IPs",
    ),
    BrokenTenancy(
        "log deleted",
        "logs",
        "log",
        "deploy",
        places.delete_log,
        "404 NotAuthorizedOrNotFound",
    ),
    BrokenTenancy(
        "bucket deleted",
        "bucket",
        "demo-models",
        "deploy",
        places.delete_bucket,
        "bucket",
    ),
    BrokenTenancy(
        "bucket without versions",
        "bucket",
        "version",
        "versioning",
        places.suspend_versioning,
        "ersion",
    ),
    BrokenTenancy(
        "the token's secret is to be deleted",
        "token",
        "huggingface-token",
        "deletion",
        places.schedule_deletion_of_the_secret,
        "could not read secret",
    ),
    BrokenTenancy(
        "licence not accepted",
        "hub",
        "meta-llama/Llama-2-13b-hf",
        "accept",
        files.token_of_a_stranger,
        _CODE,
        planted="stage: exit code 1: 403 of the hub: access to meta-llama/Llama-2-13b-hf is "
        "restricted",
        minutes=_WHEN_INSTALLED,
    ),
    BrokenTenancy(
        "model revision that is not there",
        "hub",
        "no-such-branch",
        "model_revision",
        files.wrong_revision,
        _CODE,
        planted="stage: exit code 1: 404 of the hub: revision no-such-branch",
        minutes=_WHEN_INSTALLED,
    ),
    BrokenTenancy(
        "git commit that is not there",
        "git",
        "commit",
        "commit",
        files.wrong_commit,
        _CODE,
        planted="Fine-Tuning: exit code 1: git checkout: reference is not a tree",
        minutes=_AT_START,
    ),
    BrokenTenancy(
        "the tutorial's packages on Python 3.12",
        "packages",
        "torch",
        "3.12",
        files.torch_without_wheels,
        _CODE,
        planted="Fine-Tuning: exit code 1: No matching distribution found for torch==2.1.0",
        minutes=_WHEN_INSTALLED,
    ),
    BrokenTenancy(
        "image that was never pushed",
        "image",
        "demo/vllm:2",
        "push",
        files.unpushed_image,
        "could not pull image",
    ),
    BrokenTenancy(
        "13b with every parameter on one node",
        "memory",
        "does not fit",
        "finetune",
        files.too_large_a_training,
        "memory",
        planted="Fine-Tuning: exit code 1: torch.OutOfMemoryError: CUDA out of memory",
        minutes=_WHEN_LOADED,
    ),
    BrokenTenancy(
        "13b served by one A10",
        "serving",
        "max_model_len",
        "serving",
        files.too_small_a_deployment,
        "KV cache",
        planted="llama2-13b-lora: No memory for the KV cache",
        minutes=_WHEN_INSTALLED,
    ),
    BrokenTenancy(
        "block storage too small for the merge",
        "disk",
        "GB",
        "block_storage_gb",
        files.too_small_a_disk,
        _CODE,
        planted="-merge: exit code 1: No space left on device",
        minutes=_AT_END,
    ),
    BrokenTenancy(
        "maximum runtime below the training's",
        "runtime",
        "min",
        "max_runtime_minutes",
        files.too_short_a_runtime,
        "maximum runtime",
    ),
    BrokenTenancy(
        "spending limit below the training",
        "budget",
        "spending limit",
        "spending_limit",
        files.too_small_a_budget,
        "spending limit",
    ),
]
