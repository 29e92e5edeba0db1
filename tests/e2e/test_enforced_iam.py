"""The bundle's own policies carry the whole way with IAM enforced, and not one of them is too many.

The way is gone in this process, once whole and once without each single statement; test_gitops.py
goes it against a server, with Terraform and the runner's command line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.iam.decisions import Decision
from ocimock.iam.permissions import FAMILIES
from tests.e2e.administrator import names
from tests.e2e.enforced import TOKEN, Broken, Way

pytestmark = pytest.mark.e2e

_STRICT = Settings(verify_signatures=True, enforce_iam=True)

_BOOTSTRAP = "Job run bootstrap failure: could not "
_CODE = "Job run artifact execution failed with exit code 1: could not "
_NO_LIST = "Could not look for the job 'llama2-13b-stage-"
_NO_JOB = "Could not create the job 'llama2-13b-stage-"
_NO_SECRET = "Could not put the secret 'huggingface-token' into the vault"

# What leads to a look at all that may fail, without a run.
LOOKING = ("stand up", "secret set", "emit", "preflight")

# Which step breaks without a statement, with which words, and on which resource type of its own.
BREAKS = {
    "dynamic-group: manage data-science-family": ("notebook: stage", _NO_LIST),
    "dynamic-group: use virtual-network-family": ("notebook: stage", _NO_JOB),
    "dynamic-group: read data-science-jobs": ("stage", _BOOTSTRAP + "read its job"),
    "dynamic-group: read data-science-job-runs": ("stage", _BOOTSTRAP + "read itself"),
    "dynamic-group: read buckets": ("stage", _BOOTSTRAP + "mount bucket 'demo-models'"),
    "dynamic-group: manage objects": ("stage", _BOOTSTRAP + "mount bucket 'demo-models'"),
    "dynamic-group: use logging-family": ("stage", _BOOTSTRAP + "write to log ocid1.log."),
    "dynamic-group: use metrics": ("logs", "could not post metrics to namespace finetune_"),
    "dynamic-group: read repos": ("deploy", "could not pull image fra.ocir.io/ocimock/demo/vllm"),
    "dynamic-group: read secret-bundles": ("stage", _CODE + "read secret 'huggingface-token'"),
    "service datascience: use virtual-network-family": (
        "stand up",
        "FAILED: could not attach a VNIC to subnet ocid1.subnet.",
    ),
    "service datascience: manage object-family": (
        "register",
        "could not read the model's objects in bucket 'demo-models'",
    ),
    "service objectstorage-eu-frankfurt-1: manage object-family": (
        "notebook: large model",
        "in bucket 'demo-models' as objectstorage-eu-frankfurt-1",
    ),
    "group: manage data-science-family": ("stage", _NO_LIST),
    "group: use virtual-network-family": ("stage", _NO_JOB),
    "group: manage log-groups": ("log itself", "Authorization failed or requested resource not"),
    "group: manage log-content": ("logs", "Could not read the log of 'finetune'"),
    "group: read metrics": ("metrics", "compartment ocid1.compartment."),
    "group: read buckets": ("register", "Either the bucket named 'demo-models' does not exist"),
    "group: manage objects": ("ledger", "ledger/demo/lease.json: OCI answered 404"),
    "group: manage repos": ("repository", "container_repository ocid1.containerrepo."),
    "any-user: use log-content": ("deploy", "could not write to log ocid1.log."),
    "group: manage secret-family": ("secret set", _NO_SECRET),
    "group: use vaults": ("secret set", _NO_SECRET),
    "group: use keys": ("secret set", _NO_SECRET),
    # What preflight could not look at without it.
    "group: inspect repos": ("preflight", "{'image': "),
    "group: inspect tenancies": ("preflight", "{'region': "),
    "group: inspect compartments": ("preflight", "{'compartment': "),
    "group: inspect policies": ("preflight", "{'iam': "),
    "group: inspect dynamic-groups": ("preflight", "{'iam': "),
    "group: inspect groups": ("preflight", "{'iam': "),
    "group: inspect users": ("preflight", "{'iam': "),
    "group: inspect limits": ("preflight", "{'limits': "),
    "group: inspect resource-availability": ("preflight", "{'limits': "),
    "group: manage compute-capacity-reports": ("preflight", "{'capacity': "),
}


def go(folder: Path, **options: Any) -> tuple[Way, Broken | None]:
    with mock_oci(_STRICT) as mocked:
        way = Way(mocked, folder, **options)
        return way, way.go()


def test_the_bundles_policies_carry_the_whole_way(tmp_path: Path) -> None:
    way, broken = go(tmp_path)
    assert broken is None, broken
    assert way.denials() == []


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_without_a_statement_a_step_breaks(name: str, tmp_path: Path) -> None:
    step, words = BREAKS[name]
    only = LOOKING if step == "preflight" else ()
    way, broken = go(tmp_path, left_out=name, only=only)
    assert broken is not None, "nothing broke"
    assert broken.step == step, broken.error
    assert words in str(broken.error)
    assert TOKEN not in str(broken.error)
    denials = way.denials()
    assert denials
    for denial in denials:
        check_named(name, denial)


def test_without_the_token_in_the_vault_the_staging_ends(tmp_path: Path) -> None:
    """By policy all may read it, but OCI says the same of what is not there."""
    way, broken = go(tmp_path, skipped="secret set")
    assert broken is not None
    assert broken.step == "stage"
    assert _CODE + "read secret 'huggingface-token'" in str(broken.error)
    assert way.denials() == []


def test_every_statement_of_the_bundle_is_tried() -> None:
    assert sorted(names()) == sorted(BREAKS)


def check_named(name: str, denial: Decision) -> None:
    """The reason names the statement that was taken away: whose, what, and where."""
    subject, _, given = name.partition(": ")
    verb, resource_type = given.split()
    workloads = "dynamic-group workloads"
    who = {
        "group": "group data-scientists",
        "dynamic-group": workloads,
        # Whom it is for is in the dynamic group; that would be the narrower statement.
        "any-user": workloads,
    }
    assert denial.principal == who.get(subject, subject)
    missing = denial.missing.partition(" (conditions")[0]
    verbs = ("inspect", "read", "use", "manage")
    for sentence in missing.split("; "):
        found = re.fullmatch(
            rf"Allow {denial.principal} to (\w+) (\S+) in (tenancy|compartment id (\S+))", sentence
        )
        assert found is not None, sentence
        assert verbs.index(found[1]) <= verbs.index(verb)
        assert found[2] in FAMILIES.get(resource_type, (resource_type,))
        assert found[4] in (None, Settings().compartment_id)
