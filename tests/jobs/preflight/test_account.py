"""Credentials, region, compartment, project: what is wrong with each, and what it is not."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import jwt
import oci
import pytest

from jobs import auth
from jobs.auth import sign_in
from jobs.clock import Clock
from jobs.errors import RefusedError
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.account import Compartment, Project, Region
from jobs.preflight.checks.credentials import Credentials
from jobs.preflight.subject import Subject
from ocimock import Settings, mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.workbench import Faults, Workbench


class At:
    """A clock that is off."""

    def __init__(self, **off: float) -> None:
        self.off = timedelta(**off)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def _subject(bench: Workbench, clock: Clock | None = None, **changed: Any) -> Subject:
    pipeline = replace(bench.pipeline(), **changed)
    return Subject(pipeline, bench.definitions(), clock=clock or At())


def _states(found: list[Finding]) -> list[str]:
    return [each.state.value for each in found]


def test_a_whole_account_passes(bench: Workbench) -> None:
    subject = _subject(bench)
    assert Credentials().look(subject).state is State.PASS
    assert _states(Region().look(subject)) == ["pass"]
    assert Compartment().look(subject).state is State.PASS
    assert Project().look(subject).state is State.PASS


def test_no_config_file(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCI_CONFIG_LOCATION", "/nowhere/config")
    found = Credentials().look(_subject(bench))
    assert found.state is State.FAIL
    assert "There is no OCI config file /nowhere/config" in found.said
    assert "oci setup config" in found.remedy


def test_a_key_that_oci_does_not_know() -> None:
    with mock_oci(Settings(verify_signatures=True)) as cloud:
        bench = workbench.build(cloud)
        identity = oci.identity.IdentityClient({**cloud.config, "region": "us-ashburn-1"})
        [key] = identity.list_api_keys(cloud.settings.user_id).data
        identity.delete_api_key(cloud.settings.user_id, key.fingerprint)
        found = Credentials().look(_subject(bench))
    assert found.state is State.FAIL
    assert "401" in found.said
    assert "fingerprint" in found.remedy


@pytest.mark.parametrize(
    ("minutes", "state", "said"),
    [(0, "pass", "signed in"), (3, "warn", "3 min ahead of OCI's"), (-4, "warn", "4 min behind")],
)
def test_a_clock_that_is_nearly_off(
    bench: Workbench, minutes: float, state: str, said: str
) -> None:
    found = Credentials().look(_subject(bench, At(minutes=minutes)))
    assert found.state.value == state
    assert said in found.said


def test_a_clock_that_is_off(bench: Workbench, faults: Faults) -> None:
    now = datetime.now(UTC)
    faults.answer("GET", "/n/?$", 401, headers={"date": format_datetime(now, usegmt=True)})
    found = Credentials().look(_subject(bench, At(minutes=-12)))
    assert found.state is State.FAIL
    assert found.said == "OCI refuses the signature: this machine's clock is 12 min behind OCI's."
    assert "timedatectl" in found.remedy


def test_a_refusal_of_the_question_is_an_answer(bench: Workbench, faults: Faults) -> None:
    faults.answer("GET", "/n/?$", 404)
    assert Credentials().look(_subject(bench)).state is State.PASS


def test_a_session_token_that_runs_out(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def session(minutes: float) -> auth.Session:
        token = tmp_path / "token"
        token.write_text(jwt.encode({"exp": time.time() + minutes * 60}, "k" * 32))
        config = {**_config(), "security_token_file": str(token)}
        return auth.Session("security_token", "", config, auth.session().signer, 0, "")

    def _config() -> dict[str, Any]:
        return dict(auth.session().config)

    for minutes, state in ((30.5, "pass"), (5.5, "warn")):
        made = session(minutes)
        monkeypatch.setattr(auth, "sign_in", lambda _region="": None)
        monkeypatch.setattr(auth, "session", lambda made=made: made)
        found = Credentials().look(_subject(bench))
        assert found.state.value == state
        assert "the session token runs out at" in found.said
        monkeypatch.undo()


def test_nothing_answers(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    found = Credentials().look(_subject(bench))
    assert found.state is State.FAIL
    assert "HTTPS_PROXY" in found.remedy


def test_a_region_without_subscription_is_the_regions_fault_alone(bench: Workbench) -> None:
    subject = _subject(bench, region="eu-amsterdam-1")
    assert Credentials().look(subject).state is State.PASS
    found = Region().look(subject)
    assert _states(found) == ["fail", "pass"]
    assert "not subscribed to eu-amsterdam-1; it is to eu-frankfurt-1, us-ashburn-1" in (
        found[0].said
    )
    assert "--region-key AMS" in found[0].remedy


def test_a_subscription_that_is_not_ready(bench: Workbench, faults: Faults) -> None:
    faults.answer(
        "GET",
        "regionSubscriptions",
        200,
        body=[
            {
                "regionKey": "FRA",
                "regionName": "eu-frankfurt-1",
                "status": "IN_PROGRESS",
                "isHomeRegion": True,
            }
        ],
    )
    [found] = Region().look(_subject(bench))
    assert (found.state, found.said) == (
        State.FAIL,
        "The subscription to eu-frankfurt-1 is IN_PROGRESS.",
    )


def test_a_compartment_that_is_not_there(bench: Workbench) -> None:
    ocid = "ocid1.compartment.oc1..aaaaaaaanowhere"
    found = Compartment().look(_subject(bench, compartment_id=ocid))
    assert found.state is State.FAIL
    assert f"{ocid} is not there" in found.said
    assert "compartment_ocid" in found.remedy


def test_a_project_that_is_deleted_and_one_that_is_not_there(
    bench: Workbench, cloud: MockedCloud
) -> None:
    ocid = bench.place("project")
    workbench.science(cloud).delete_project(ocid)
    found = Project().look(_subject(bench, project_id=ocid))
    assert found.state is State.FAIL
    assert "DELETED" in found.said
    found = Project().look(_subject(bench, project_id=ocid[:-4] + "none"))
    assert "is not there" in found.said


def test_what_may_not_be_seen_is_no_failure(bench: Workbench, faults: Faults) -> None:
    """OCI says 404 to both: only who may list knows that something is not there."""
    faults.answer("GET", "/projects/", 404)
    with pytest.raises(RefusedError):  # the list has it
        Project().look(_subject(bench))
    faults.answer("GET", "/projects", 404)
    with pytest.raises(RefusedError):  # nor may be listed
        Project().look(_subject(bench))


def test_the_root_is_a_compartment(bench: Workbench, cloud: MockedCloud) -> None:
    sign_in()
    subject = _subject(bench, compartment_id=cloud.settings.tenancy_id)
    assert Compartment().look(subject).state is State.PASS
