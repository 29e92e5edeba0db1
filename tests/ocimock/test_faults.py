"""Faults on demand: the rules' language, what they strike, what the SDK's retries recover."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import oci
import pytest
import requests
from typer.testing import CliRunner

from ocimock import MockedCloud, MockedTenancy, Settings, mock_oci
from ocimock import cli as command_line
from ocimock import faults as pages
from ocimock.fault_rules import parse, parse_body
from ocimock.registry import services
from ocimock.service import Call
from ocimock.wire.errors import InvalidParameter
from ocimock.wire.message import Response
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import Workbench, workbench

M = oci.data_science.models
NS = "ocimock"


@pytest.fixture
def tenancy() -> Iterator[MockedCloud]:
    with mock_oci() as found:
        yield found


@pytest.fixture
def bench(tenancy: MockedCloud) -> Workbench:
    return workbench(tenancy)


def _hand(bench: Workbench) -> MockedCloud:
    """The mock around *bench*, which is in this process."""
    assert isinstance(bench.mocked, MockedCloud)
    return bench.mocked


def _retrying(tenancy: MockedTenancy, sdk_class: Any, attempts: int = 8) -> Any:
    """A client that tries again as the SDK's default strategy does, but waits for nothing."""
    strategy = oci.retry.RetryStrategyBuilder(
        max_attempts=attempts,
        retry_base_sleep_time_seconds=0,
        retry_max_wait_between_calls_seconds=0,
    ).get_retry_strategy()
    breaker = oci.circuit_breaker.NoCircuitBreakerStrategy()
    return client(tenancy, sdk_class, retry_strategy=strategy, circuit_breaker_strategy=breaker)


# What a rule says


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "429 on 20 % of POST /jobRuns, seed 7",
            {"status": 429, "percent": 20.0, "match": "POST /jobRuns", "seed": 7},
        ),
        (
            "503 on every 3rd post /20190101/jobs",
            {"status": 503, "every": 3, "match": "POST /20190101/jobs"},
        ),
        (
            "500 on the first 2 GET /n/…/o/*",
            {"status": 500, "first": 2, "match": "GET /n/…/o/*"},
        ),
        ("404 on create_job_run", {"status": 404, "match": "create_job_run"}),
        ("404 on each create_job_run", {"status": 404, "match": "create_job_run"}),
        (
            "409 LockConflict on datascience.list_*, 2 times",
            {"status": 409, "code": "LockConflict", "match": "datascience.list_*", "times": 2},
        ),
        (
            "503 on 0.5% of * /jobs/**, seed 1, 1 time, retry after 30 s",
            {
                "status": 503,
                "percent": 0.5,
                "match": "* /jobs/**",
                "seed": 1,
                "times": 1,
                "retryAfter": 30,
            },
        ),
        (
            "drop the answer of 10 % of POST /jobRuns, seed 3",
            {"drop": True, "percent": 10.0, "match": "POST /jobRuns", "seed": 3},
        ),
        ("drop the answer of put_object", {"drop": True, "match": "put_object"}),
    ],
)
def test_a_rule_is_a_text_or_its_fields(text: str, fields: dict[str, Any]) -> None:
    rule = parse(text)
    assert {name: value for name, value in dataclasses.asdict(rule).items() if name in fields} == (
        fields
    )
    assert parse(fields) == rule
    assert parse(str(rule)) == rule
    for body in (text, json.dumps(text), json.dumps({"rule": text}), json.dumps(fields)):
        assert parse_body(body.encode()) == rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("boom", ("'boom' is not a fault rule", "429 on 20 % of POST /jobRuns, seed 7")),
        ("418 on POST /jobs", ("status: 418 is not one of 400, 401",)),
        ("429 Slow on POST /jobs", ("429 has no 'Slow', but TooManyRequests",)),
        ("429 on POST jobs", ("match: 'POST jobs' is neither",)),
        ("429 on FETCH /jobs", ("match: 'FETCH /jobs' is neither", "PATCH")),
        ("429 on POST /jobRun", ("no operation", "did you mean POST /jobRuns")),
        ("429 on DELETE /jobRuns", ("no operation that ocimock knows is 'DELETE /jobRuns'",)),
        ("429 on create_jobrun", ("did you mean create_job_run",)),
        ("429 on POST /20200101/jobs", ("no operation",)),
        ("429 on POST /jobs, seeds 7", ("'seeds 7' is no option", "seed 7, 5 times")),
        ("429 on 0 % of POST /jobs", ("percent: 0 is not above 0",)),
        ("429 on 120 % of POST /jobs", ("percent: 120 is not above 0 and up to 100",)),
        ({"status": 429}, ("match must be given",)),
        ({"status": 429, "match": "create_job", "often": 2}, ("'often' is no field", "every")),
        ({"status": "429", "match": "create_job"}, ("status: '429'",)),
        ({"status": 429, "match": "create_job", "times": True}, ("times: True",)),
        ({"status": 429, "match": "create_job", "times": -1}, ("are 0 or more",)),
        ({"status": 429, "match": "create_job", "every": 2, "first": 2}, ("only one of",)),
        ({"status": 429, "match": "create_job", "drop": True}, ("a dropped answer has no",)),
        ({"match": "create_job"}, ("status: None is not one of",)),
    ],
)
def test_a_wrong_rule_says_what_is_allowed(rule: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse(rule)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize("body", [b"\xff", b"[1]", b"7", b""])
def test_a_body_that_is_no_rule(body: bytes) -> None:
    with pytest.raises(InvalidParameter, match="fault rule"):
        parse_body(body)


# Which calls it strikes


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ("POST /jobs", {"create_job"}),
        ("POST /20190101/jobs", {"create_job"}),
        ("POST /jobs/*/artifact", {"create_job_artifact"}),
        ("POST /jobs/{jobId}/artifact", {"create_job_artifact"}),
        ("* /jobs/**", {"create_job", "get_job", "create_job_artifact"}),
        ("GET /**", {"get_job", "get_object"}),
        ("GET /n/*/b/*/o/*", {"get_object"}),
        ("GET /n/ocimock/b/bucket/o/a/b", set()),
        ("GET /n/…/o/a*", {"get_object"}),
        ("GET /n/*/b/other/o/*", set()),
        ("*_job", {"create_job", "get_job"}),
        ("objectstorage.*", {"get_object"}),
        ("datascience.get_*", {"get_job"}),
    ],
)
def test_what_matches(bench: Workbench, match: str, struck: set[str]) -> None:
    bench.storage.put_object(NS, "bucket", "a/b", b"body")
    job = bench.job(artifact=None)
    calls = {
        "create_job": lambda: bench.science.create_job(bench.job_details()),
        "get_job": lambda: bench.science.get_job(job.id),
        "create_job_artifact": lambda: bench.science.create_job_artifact(
            job.id, b"x", content_disposition="attachment; filename=x.zip"
        ),
        "get_object": lambda: bench.storage.get_object(NS, "bucket", "a/b"),
    }
    if match == "GET /n/ocimock/b/bucket/o/a/b":
        # The name of an object is one segment, whatever slashes it has.
        with pytest.raises(InvalidParameter):
            _hand(bench).faults.add(f"503 on {match}")
        return
    _hand(bench).faults.add(f"503 on {match}")
    assert {name for name, call in calls.items() if _is_struck(call)} == struck


def _is_struck(call: Callable[[], Any]) -> bool:
    with contextlib.suppress(oci.exceptions.ServiceError):
        call()
        return False
    return True


def _pattern(tenancy: MockedCloud, count: int) -> str:
    """Which of *count* calls fail, as a line of 0 and 1."""
    api = client(
        tenancy,
        oci.object_storage.ObjectStorageClient,
        circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
    )
    return "".join(str(int(_is_struck(api.get_namespace))) for _ in range(count))


@pytest.mark.parametrize(
    ("rule", "pattern"),
    [
        ("429 on every 3rd get_namespace", "001001001"),
        ("429 on every 3rd get_namespace, 2 times", "001001000"),
        ("429 on the first 2 get_namespace", "110000000"),
        ("429 on get_namespace, 4 times", "111100000"),
        ("429 on get_namespace", "111111111"),
        ("429 on get_bucket", "000000000"),
    ],
)
def test_which_calls_in_a_row(tenancy: MockedCloud, rule: str, pattern: str) -> None:
    standing = tenancy.faults.add(rule)
    assert _pattern(tenancy, 9) == pattern
    assert standing.struck == pattern.count("1")


def test_a_share_is_the_same_on_every_run() -> None:
    seen = []
    for seed in (7, 7, 8):
        with mock_oci(Settings(faults=(f"429 on 20 % of get_namespace, seed {seed}",))) as tenancy:
            seen.append(_pattern(tenancy, 100))
    assert seen[0] == seen[1] != seen[2]
    assert 10 <= seen[0].count("1") <= 30
    assert 10 <= seen[2].count("1") <= 30


def test_the_first_rule_that_strikes_answers(tenancy: MockedCloud) -> None:
    tenancy.faults.add("429 on every 2nd get_namespace")
    tenancy.faults.add("503 on get_namespace")
    api = client(tenancy, oci.object_storage.ObjectStorageClient)
    with refused(503, "ServiceUnavailable"):
        api.get_namespace()
    with refused(429, "TooManyRequests", "User-rate limit exceeded."):
        api.get_namespace()
    assert [(rule.matched, rule.struck) for rule in tenancy.faults.rules] == [(2, 1), (1, 1)]


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ("401 on get_namespace", 401, "NotAuthenticated"),
        ("404 on get_namespace", 404, "NotAuthorizedOrNotFound"),
        ("409 on get_namespace", 409, "IncorrectState"),
        ("500 on get_namespace", 500, "InternalServerError"),
        ("500 InternalError on get_namespace", 500, "InternalError"),
    ],
)
def test_the_error_names_its_rule(tenancy: MockedCloud, rule: str, status: int, code: str) -> None:
    tenancy.faults.add(rule)
    with refused(status, code, f"by the rule: {status} {code} on get_namespace") as caught:
        client(tenancy, oci.object_storage.ObjectStorageClient).get_namespace()
    assert caught.value.headers["opc-request-id"]
    assert "retry-after" not in caught.value.headers


def test_retry_after_where_the_rule_says_so(tenancy: MockedCloud) -> None:
    tenancy.faults.add("429 on get_namespace, retry after 9 s")
    with refused(429, "TooManyRequests") as caught:
        client(tenancy, oci.object_storage.ObjectStorageClient).get_namespace()
    assert caught.value.headers["retry-after"] == "9"


# What the SDK's retries recover


@pytest.mark.parametrize("what", ["429", "500", "502", "503", "504", "409 IncorrectState"])
def test_the_sdk_recovers(tenancy: MockedCloud, what: str) -> None:
    rule = tenancy.faults.add(f"{what} on the first 3 get_namespace")
    api = _retrying(tenancy, oci.object_storage.ObjectStorageClient)
    assert api.get_namespace().data == NS
    assert rule.struck == 3


@pytest.mark.parametrize("what", ["400", "401", "403", "404", "409 Conflict", "412"])
def test_the_sdk_does_not_recover(tenancy: MockedCloud, what: str) -> None:
    rule = tenancy.faults.add(f"{what} on the first 1 get_namespace")
    with pytest.raises(oci.exceptions.ServiceError):
        _retrying(tenancy, oci.object_storage.ObjectStorageClient).get_namespace()
    assert rule.matched == 1


def test_the_sdk_gives_up_in_the_end(tenancy: MockedCloud) -> None:
    rule = tenancy.faults.add("503 on get_namespace")
    with refused(503, "ServiceUnavailable"):
        _retrying(tenancy, oci.object_storage.ObjectStorageClient, attempts=4).get_namespace()
    assert rule.struck == 4


# Answers that never come


def test_a_dropped_answer_is_a_connection_error_and_the_operation_happened(
    bench: Workbench,
) -> None:
    _hand(bench).faults.add("drop the answer of create_job")
    with pytest.raises(oci.exceptions.RequestException) as caught:
        bench.science.create_job(bench.job_details())
    assert "drop the answer of create_job" in str(caught.value)
    assert len(bench.science.list_jobs(bench.compartment).data) == 1


def test_a_retry_token_makes_a_dropped_answer_harmless(bench: Workbench) -> None:
    job = bench.job()
    rule = _hand(bench).faults.add("drop the answer of the first 2 POST /jobRuns")
    science = _retrying(bench.mocked, oci.data_science.DataScienceClient)
    details = M.CreateJobRunDetails(
        project_id=bench.project, compartment_id=bench.compartment, job_id=job.id
    )
    run = science.create_job_run(details).data
    assert rule.struck == 2
    assert [found.id for found in science.list_job_runs(bench.compartment).data] == [run.id]


def test_an_answer_is_dropped_on_both_faces(mocked: MockedTenancy) -> None:
    """In the process a ConnectionError, behind the port a connection that ends."""
    mocked.faults.add("drop the answer of the first 2 create_project")
    details = M.CreateProjectDetails(compartment_id=mocked.compartment_id)
    api = client(mocked, oci.data_science.DataScienceClient)
    with pytest.raises(oci.exceptions.RequestException):
        api.create_project(details)
    again = _retrying(mocked, oci.data_science.DataScienceClient).create_project(details).data
    found = {project.id for project in api.list_projects(mocked.compartment_id).data}
    assert again.id in found
    # The first had no token that the second could have had; the second's own two tries made one.
    assert len(found) == 2
    assert [(rule.matched, rule.struck) for rule in mocked.faults.rules] == [(2, 2)]
    mocked.faults.clear()


def test_without_a_token_the_second_try_finds_the_first_one_done(tenancy: MockedCloud) -> None:
    tenancy.faults.add("drop the answer of create_bucket, 1 time")
    storage = _retrying(tenancy, oci.object_storage.ObjectStorageClient)
    details = oci.object_storage.models.CreateBucketDetails(
        name="twice", compartment_id=tenancy.compartment_id
    )
    with refused(409, "BucketAlreadyExists"):
        storage.create_bucket(NS, details)
    assert storage.get_bucket(NS, "twice").data.name == "twice"


def test_a_refusal_can_be_dropped_too(tenancy: MockedCloud) -> None:
    tenancy.faults.add("drop the answer of get_bucket, 1 time")
    storage = client(tenancy, oci.object_storage.ObjectStorageClient)
    with pytest.raises(oci.exceptions.RequestException):
        storage.get_bucket(NS, "nosuch")
    with refused(404, "BucketNotFound"):
        storage.get_bucket(NS, "nosuch")


def test_a_fault_of_the_mock_itself_leaves_no_drop_behind(
    tenancy: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_call: Call) -> Response:
        raise RuntimeError("a bug")

    tenancy.faults.add("drop the answer of get_bucket, 1 time")
    monkeypatch.setitem(services()["objectstorage"].handlers, "get_bucket", fails)
    storage = client(tenancy, oci.object_storage.ObjectStorageClient)
    with pytest.raises(Exception, match="a bug"):
        storage.get_bucket(NS, "any")
    assert storage.get_namespace().data == NS


def test_each_copy_of_requests_gets_its_own_connection_error(tenancy: MockedCloud) -> None:
    tenancy.faults.add("drop the answer of get_namespace")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get("https://objectstorage.eu-frankfurt-1.oraclecloud.com/n", timeout=5)


# Asking the mock


def test_the_rules_say_what_they_did(tenancy: MockedCloud) -> None:
    shown = pages.add(tenancy.faults, b"429 on every 2nd get_namespace, 1 time")
    assert shown["rule"] == "429 TooManyRequests on every 2nd get_namespace, 1 time"
    _pattern(tenancy, 3)
    assert pages.show(tenancy.faults) == [{**shown, "matched": 2, "struck": 1, "spent": True}]
    json.dumps(pages.show(tenancy.faults))
    pages.clear(tenancy.faults)
    assert pages.show(tenancy.faults) == []
    assert _pattern(tenancy, 3) == "000"


def test_serve_refuses_a_wrong_rule_before_it_serves() -> None:
    answer = CliRunner().invoke(command_line.app, ["serve", "--fault", "429 on POST /jobRun"])
    assert answer.exit_code == 2
    # The help is boxed and wrapped: look for words.
    assert "/jobRuns" in answer.output
