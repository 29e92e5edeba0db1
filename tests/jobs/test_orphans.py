"""What nobody needs any more: found by its tags, listed, deleted when that is wanted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import cli, orphans
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.idempotency import KEY_TAG, TENANCY_TAG
from jobs.leading import Leadership
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs.samples import entry
from tests.jobs.standing import Tenancy, made
from tests.jobs.workbench import BUCKET, Faults


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci(Settings(run_seconds=3600, deploy_seconds=1), pace=1) as mocked:
        sign_in()
        yield mocked


@pytest.fixture
def tenancy(cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tenancy:
    return made(cloud, tmp_path, monkeypatch)


def _listed(capfd: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    capfd.readouterr()
    assert cli.main(["clean", "--json"]) == 0
    return {each["id"]: each for each in json.loads(capfd.readouterr().out)}


def test_what_the_ledger_does_not_know_is_listed_and_deleted(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str]
) -> None:
    job = tenancy.job(tenancy.tags("finetune"))
    model = tenancy.model(tenancy.tags("register"))
    deployment = tenancy.deployment(tenancy.tags("deploy"), model)
    known = tenancy.job(tenancy.tags("stage"))
    tenancy.ledger.put(entry("stage", ids={"job": known, "job_run": tenancy.run(known)}))
    others = tenancy.job({})
    elsewhere = tenancy.job(tenancy.tags("finetune", **{TENANCY_TAG: "prod"}))

    found = _listed(capfd)
    assert list(found) == [deployment, model, job]
    assert {each["reason"] for each in found.values()} == {orphans.UNKNOWN}
    assert found[deployment]["per_hour"] == 2 * 4.0
    assert found[model]["per_hour"] == found[job]["per_hour"] == 0
    assert {job, model, deployment} <= tenancy.standing(), "--json alone deletes nothing"

    assert cli.main(["clean", "--yes", "--interval", "0.1"]) == 0
    printed = capfd.readouterr().out
    assert "$8.00/h" in printed
    assert f"deleted the deployment {deployment}" in printed
    assert tenancy.standing() == {known, others, elsewhere}
    assert cli.main(["clean"]) == 0
    assert "Nothing to clean" in capfd.readouterr().out


def test_it_asks_and_a_no_deletes_nothing(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tenancy.job(tenancy.tags("finetune"))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert cli.main(["clean"]) == 1
    assert "Delete this?" in capfd.readouterr().out
    assert tenancy.standing() == {job}


def test_what_runs_is_cancelled_only_when_that_is_wanted(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str]
) -> None:
    job = tenancy.job(tenancy.tags("finetune"))
    run = tenancy.run(job)
    tenancy.cloud.advance(1000)
    [found] = _listed(capfd).values()
    assert found["runs"] == [run]
    assert found["per_hour"] == 4.0
    assert cli.main(["clean", "--yes"]) == 1
    assert "clean --cancel" in capfd.readouterr().err
    assert tenancy.standing() == {job}
    assert cli.main(["clean", "--yes", "--cancel", "--interval", "0.1"]) == 0
    assert tenancy.standing() == set()


def test_what_was_replaced_or_is_not_whole(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str]
) -> None:
    old, idle, new = (tenancy.job(tenancy.tags("stage", **{KEY_TAG: str(n)})) for n in range(3))
    empty = tenancy.model(tenancy.tags("register"), empty=True)
    tenancy.run(old)
    ids = {"job": new, "job_run": tenancy.run(new)}
    tenancy.ledger.note("job created", "stage", job=idle)
    tenancy.ledger.note("model created", "register", model=empty)
    tenancy.ledger.put(entry("stage", ids=ids, replaced=(old,)))
    reasons = {ocid: each["reason"] for ocid, each in _listed(capfd).items()}
    assert reasons == {
        old: orphans.REPLACED,
        idle: orphans.NEVER_RAN,
        empty: orphans.EMPTY,
    }


def test_what_a_pipeline_that_is_not_over_has_begun_is_left(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str]
) -> None:
    """It was killed before it heard the answer: 'jobs run' goes on with it."""
    tenancy.ledger.begin("fingerprint")
    tenancy.ledger.note("creating job", "finetune", key="key-of-finetune")
    job = tenancy.job(tenancy.tags("finetune"))
    assert _listed(capfd) == {}
    tenancy.ledger.end("FAILED")
    assert list(_listed(capfd)) == [job]


def test_while_another_process_leads_nothing_is_cleaned(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it is making just now is in no ledger yet."""
    job = tenancy.job(tenancy.tags("finetune"))
    with Leadership(tenancy.ledger.path.parent, None, SystemClock(), print) as lead:
        lead.require()
        assert cli.main(["clean", "--yes"]) == 1
    assert "is led by" in capfd.readouterr().err
    assert tenancy.standing() == {job}


def test_what_another_machine_made_must_be_known(
    tenancy: Tenancy, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deployment would be taken for nobody's."""
    job = tenancy.job(tenancy.tags("finetune"))
    tenancy.ledger.begin("fingerprint")
    faults = Faults(monkeypatch)
    for method in ("GET", "PUT"):
        faults.answer(method, f"/b/{BUCKET}/o/", 500)
    assert cli.main(["clean", "--yes"]) == 1
    assert "does not answer" in capfd.readouterr().err
    assert tenancy.standing() == {job}
