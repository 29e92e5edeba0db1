"""Logs and bucket: what must stand before something is written there."""

from __future__ import annotations

from dataclasses import replace

import oci
import pytest

from jobs.definitions import Definition
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.places import Bucket, Logs
from jobs.preflight.subject import Subject
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.preflight.subjects import findings
from tests.jobs.workbench import BUCKET, Faults, Workbench


def _subject(bench: Workbench, **texts: str) -> Subject:
    """With other texts of definitions, by name."""
    found = bench.definitions()
    for name, text in texts.items():
        found[name] = Definition(name, found[name].path, text)
    return Subject(bench.pipeline(), found)


def _bad(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.state is not State.PASS]


def _logging(cloud: MockedCloud) -> oci.logging.LoggingManagementClient:
    return oci.logging.LoggingManagementClient(cloud.config)


def test_all_stand(bench: Workbench) -> None:
    assert [each.said for each in findings(Logs(), _subject(bench))] == [
        "job in demo takes lines.",
        "access in demo takes lines.",
        "predict in demo takes lines.",
    ]
    [found] = Bucket().look(_subject(bench))
    assert (found.state, found.said) == (
        State.PASS,
        "demo-bucket is there, versioned, in eu-frankfurt-1.",
    )


def test_a_log_that_is_disabled(bench: Workbench, cloud: MockedCloud) -> None:
    group, log = bench.place("group"), bench.place("log")
    _logging(cloud).update_log(group, log, oci.logging.models.UpdateLogDetails(is_enabled=False))
    [found] = _bad(findings(Logs(), _subject(bench)))
    assert (found.state, found.said) == (State.FAIL, "The log job (stage.yaml) is disabled.")
    assert f"--log-group-id {group} --log-id {log} --is-enabled true" in found.remedy


def test_a_log_that_is_deleted(bench: Workbench, cloud: MockedCloud) -> None:
    _logging(cloud).delete_log(bench.place("group"), bench.place("predict"))
    [found] = _bad(findings(Logs(), _subject(bench)))
    assert found.state is State.FAIL
    assert f"{bench.place('predict')} (deployment.yaml, predictLog) is not there" in found.said


def test_a_missing_log_group_is_told_once(bench: Workbench) -> None:
    gone = bench.place("group")[:-4] + "none"
    texts = {
        name: bench.text(name).replace(bench.place("group"), gone)
        for name in ("stage", "finetune", "merge", "deployment")
    }
    [found] = dict.fromkeys(_bad(findings(Logs(), _subject(bench, **texts))))
    assert f"The log group {gone} is not there." in found.said


@pytest.mark.parametrize(("name", "state"), [("finetune", "fail"), ("merge", "warn")])
def test_several_nodes_need_a_log_and_a_person_misses_it(
    bench: Workbench, name: str, state: str
) -> None:
    lines = [line for line in bench.text(name).splitlines() if "logId" not in line]
    lines = [line for line in lines if "logGroupId" not in line]
    [found] = _bad(findings(Logs(), _subject(bench, **{name: "\n".join(lines)})))
    assert found.state.value == state
    assert found.said.startswith(f"{name}.yaml names no log")


def test_only_what_is_still_to_run_counts(bench: Workbench, cloud: MockedCloud) -> None:
    _logging(cloud).delete_log(bench.place("group"), bench.place("predict"))
    subject = replace(_subject(bench), steps=frozenset({"merge"}))
    assert _bad(findings(Logs(), subject)) == []


def test_a_bucket_without_versions(bench: Workbench, cloud: MockedCloud) -> None:
    workbench.storage(cloud).update_bucket(
        "ocimock", BUCKET, oci.object_storage.models.UpdateBucketDetails(versioning="Suspended")
    )
    [found] = Bucket().look(_subject(bench))
    assert found.state is State.FAIL
    assert "not versioned (versioning: Suspended)" in found.said
    assert found.remedy == (
        "'oci os bucket update --namespace ocimock --name demo-bucket --versioning Enabled'."
    )


def test_a_bucket_that_is_not_there(bench: Workbench, cloud: MockedCloud) -> None:
    workbench.storage(cloud).delete_bucket("ocimock", BUCKET)
    [found] = Bucket().look(_subject(bench))
    assert (found.state, found.said) == (
        State.FAIL,
        "There is no bucket 'demo-bucket' in the compartment, in eu-frankfurt-1.",
    )


def test_another_tenancys_namespace(bench: Workbench) -> None:
    pipeline = replace(bench.pipeline(), ledger="oci://demo-bucket@elsewhere/ledger/demo/")
    found = Bucket().look(Subject(pipeline, bench.definitions()))
    assert [each.state.value for each in found] == ["fail", "pass"]
    assert "namespace 'elsewhere'; the tenancy's is 'ocimock'" in found[0].said


def test_a_bucket_that_takes_nothing(bench: Workbench, faults: Faults) -> None:
    faults.answer(
        "GET",
        f"/b/{BUCKET}$",
        200,
        body={
            "name": BUCKET,
            "namespace": "ocimock",
            "versioning": "Enabled",
            "storageTier": "Archive",
            "isReadOnly": True,
        },
    )
    archive, read_only = Bucket().look(_subject(bench))
    assert "Archive tier" in archive.said
    assert "read-only" in read_only.said
