"""Logging: groups and logs by work requests, lines in, lines out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, MockedTenancy
from ocimock.cloud import Cloud
from ocimock.services.logging.management import create_custom_log
from ocimock.services.logging.records import append
from ocimock.wire.errors import AlreadyExists
from tests.ocimock.support import client, pages, refused

m = oci.logging.models
RUN = "ocid1.datasciencejobrun.oc1.fra.run"


class Logs:
    """Short ways to make log groups and logs, and to search them."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        self.compartment = mocked.compartment_id
        self.api = client(mocked, oci.logging.LoggingManagementClient)
        self.searching = client(mocked, oci.loggingsearch.LogSearchClient)
        self.writing = client(mocked, oci.loggingingestion.LoggingClient)

    def made(self, response: Any) -> str:
        """The OCID that a create's work request names."""
        work = self.api.get_work_request(response.headers["opc-work-request-id"]).data
        return str(work.resources[0].identifier)

    def group(self, name: str = "group") -> str:
        details = m.CreateLogGroupDetails(compartment_id=self.compartment, display_name=name)
        return self.made(self.api.create_log_group(details))

    def log(self, group: str, name: str = "log", **fields: Any) -> str:
        fields.setdefault("log_type", "CUSTOM")
        details = m.CreateLogDetails(display_name=name, **fields)
        return self.made(self.api.create_log(group, details))

    def put(self, log: str, *texts: str, source: str = "me", **fields: Any) -> None:
        """Write lines, now unless *defaultlogentrytime* says when."""
        models = oci.loggingingestion.models
        entries = [models.LogEntry(id=str(n), data=text) for n, text in enumerate(texts)]
        fields = {"type": "my.type", "defaultlogentrytime": datetime.now(UTC), **fields}
        batch = models.LogEntryBatch(entries=entries, source=source, **fields)
        details = models.PutLogsDetails(specversion="1.0", log_entry_batches=[batch])
        self.writing.put_logs(log, details)

    def search(self, query: str, **options: Any) -> Any:
        now = datetime.now(UTC)
        details = oci.loggingsearch.models.SearchLogsDetails(
            time_start=options.pop("start", now - timedelta(hours=1)),
            time_end=options.pop("end", now),
            search_query=query,
        )
        return self.searching.search_logs(details, **options)

    def messages(self, query: str, **options: Any) -> list[str]:
        found = self.search(query, **options).data.results
        return [line.data["logContent"]["data"]["message"] for line in found]


@pytest.fixture
def logs(mocked: MockedTenancy) -> Logs:
    return Logs(mocked)


@pytest.fixture
def stream(logs: Logs) -> tuple[str, str]:
    """A log with four lines of two sources, and the stream that names it."""
    group = logs.group()
    log = logs.log(group)
    start = datetime.now(UTC) - timedelta(seconds=1)
    for number, source in enumerate((RUN, RUN, "other", RUN)):
        moment = start + timedelta(milliseconds=number)
        logs.put(log, f"line {number}", source=source, defaultlogentrytime=moment)
    return log, f'SEARCH "{logs.compartment}/{group}/{log}"'


def test_group_create_list_update_delete_gone(logs: Logs) -> None:
    group = logs.group()
    assert logs.api.get_log_group(group).data.lifecycle_state == "ACTIVE"
    assert [g.id for g in logs.api.list_log_groups(logs.compartment).data] == [group]
    logs.api.update_log_group(group, m.UpdateLogGroupDetails(description="changed"))
    assert logs.api.get_log_group(group).data.description == "changed"
    logs.api.delete_log_group(group)
    # Terraform's provider asks until 404.
    with refused(404, "NotAuthorizedOrNotFound", group):
        logs.api.get_log_group(group)
    assert logs.api.list_log_groups(logs.compartment).data == []


def test_log_create_list_update_delete_gone(logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    found = logs.api.get_log(group, log).data
    assert (found.lifecycle_state, found.retention_duration, found.is_enabled) == (
        "ACTIVE",
        30,
        True,
    )
    assert (found.compartment_id, found.log_group_id) == (logs.compartment, group)
    assert [item.id for item in logs.api.list_logs(group).data] == [log]
    logs.api.update_log(group, log, m.UpdateLogDetails(retention_duration=60, is_enabled=False))
    found = logs.api.get_log(group, log).data
    assert (found.retention_duration, found.is_enabled) == (60, False)
    logs.api.delete_log(group, log)
    with refused(404, "NotAuthorizedOrNotFound", log):
        logs.api.get_log(group, log)
    assert logs.api.list_logs(group).data == []


def test_changes_answer_202_and_a_finished_work_request(logs: Logs) -> None:
    details = m.CreateLogGroupDetails(compartment_id=logs.compartment, display_name="g")
    response = logs.api.create_log_group(details)
    assert (response.status, response.data) == (202, None)
    identifier = response.headers["opc-work-request-id"]
    work = logs.api.get_work_request(identifier).data
    assert (work.status, work.percent_complete) == ("SUCCEEDED", 100.0)
    # Terraform's provider retries for minutes while this is absent.
    assert work.time_finished is not None
    assert (work.resources[0].entity_type, work.resources[0].action_type) == (
        "loggroup",
        "CREATED",
    )
    assert logs.api.list_work_request_errors(identifier).data == []
    listed = logs.api.list_work_requests(logs.compartment).data
    assert [item.id for item in listed] == [identifier]
    with refused(404, "NotAuthorizedOrNotFound"):
        logs.api.get_work_request("ocid1.missing")


def test_work_requests_do_not_stand(logs: Logs) -> None:
    before = logs.mocked.standing()
    group = logs.group()
    logs.api.delete_log(group, logs.log(group))
    logs.api.delete_log_group(group)
    assert logs.mocked.standing() == before


def test_a_group_with_logs_stays(logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    with refused(409, "Conflict", log):
        logs.api.delete_log_group(group)


def test_names_are_taken_once(logs: Logs) -> None:
    group = logs.group()
    logs.log(group)
    with refused(409, "ResourceAlreadyExists", "group"):
        logs.group()
    with refused(409, "ResourceAlreadyExists", "log"):
        logs.log(group)
    other = logs.log(group, "other")
    with refused(409, "ResourceAlreadyExists", "log"):
        logs.api.update_log(group, other, m.UpdateLogDetails(display_name="log"))
    logs.log(logs.group("second"))


@pytest.mark.parametrize("days", [7, 45, 210])
def test_retention_comes_in_months(logs: Logs, days: int) -> None:
    with refused(400, "InvalidParameter", "retentionDuration", "30, 60, 90, 120, 150, 180"):
        logs.log(logs.group(), retention_duration=days)


def test_a_name_has_no_spaces(logs: Logs) -> None:
    with refused(400, "InvalidParameter", "displayName"):
        logs.group("my group")


def test_a_log_is_in_its_group_only(logs: Logs) -> None:
    log = logs.log(logs.group())
    with refused(404, "NotAuthorizedOrNotFound", log):
        logs.api.get_log(logs.group("second"), log)
    with refused(404, "NotAuthorizedOrNotFound", "ocid1.loggroup.oc1.fra.missing"):
        logs.log("ocid1.loggroup.oc1.fra.missing")


def test_a_log_moves_to_another_group(logs: Logs) -> None:
    log = logs.log(group := logs.group())
    target = logs.group("second")
    details = m.ChangeLogLogGroupDetails(target_log_group_id=target)
    logs.api.change_log_log_group(group, log, details)
    assert logs.api.get_log(target, log).data.log_group_id == target


def test_a_service_log_needs_its_source(logs: Logs) -> None:
    group = logs.group()
    with refused(400, "MissingParameter", "configuration"):
        logs.log(group, log_type="SERVICE")
    source = m.OciService(service="objectstorage", resource="b", category="write")
    wanted = m.Configuration(source=source, compartment_id=logs.compartment)
    log = logs.log(group, log_type="SERVICE", configuration=wanted)
    archived = m.UpdateConfigurationDetails(
        source=m.SourceUpdateDetails(parameters={"a": "b"}), archiving=m.Archiving(is_enabled=True)
    )
    logs.api.update_log(group, log, m.UpdateLogDetails(configuration=archived))
    kept = logs.api.get_log(group, log).data.configuration
    assert (kept.compartment_id, kept.archiving.is_enabled) == (logs.compartment, True)
    assert (kept.source.resource, kept.source.parameters) == ("b", {"a": "b"})
    listed = logs.api.list_logs(group, source_service="objectstorage").data
    assert [item.id for item in listed] == [log]
    assert logs.api.list_logs(group, source_service="other").data == []


def inside(logs: Logs) -> Cloud:
    """What the mock's own services write through."""
    assert isinstance(logs.mocked, MockedCloud)
    return logs.mocked.cloud


@pytest.mark.process_only("stands in for another service of the mock")
def test_a_log_made_by_another_service(logs: Logs) -> None:
    group = logs.group()
    with inside(logs).transaction():
        log = create_custom_log(inside(logs), group, RUN, "eu-frankfurt-1")
    assert logs.api.get_log(group, log).data.display_name == RUN
    with inside(logs).transaction():
        append(inside(logs), log, RUN, "hello")
    assert logs.messages(f'SEARCH "{logs.compartment}/{group}/{log}"') == ["hello"]


def test_a_line_as_ads_reads_it(logs: Logs, stream: tuple[str, str]) -> None:
    log, search = stream
    line = logs.search(search).data.results[-1].data
    content = line["logContent"]
    assert content["id"]
    assert content["time"].endswith("Z")
    assert content["data"] == {"message": "line 0"}
    assert (content["source"], content["oracle"]["logid"]) == (RUN, log)
    assert isinstance(line["datetime"], int)


@pytest.mark.parametrize(
    ("rest", "numbers"),
    [
        ("", [3, 2, 1, 0]),
        (" | SORT BY datetime ASC", [0, 1, 2, 3]),
        (f" | WHERE source = '*{RUN}' | SORT BY datetime DESC", [3, 1, 0]),
        (f" | where source = '{RUN}'", [3, 1, 0]),
        (" | WHERE source != 'other' AND data.message = '*3'", [3]),
        (" | WHERE data.message = 'line 1' OR data.message = 'line 2'", [2, 1]),
        (" | WHERE (source = 'other' OR data.message = '*1') AND NOT source = 'other'", [1]),
        (" | WHERE logContent.data.message in ('line 0', 'line 3')", [3, 0]),
        (" | WHERE datetime > 0", [3, 2, 1, 0]),
        (" | WHERE datetime < 0", []),
        (" | WHERE nothing = 'x'", []),
        (" | SORT BY source ASC, datetime DESC", [3, 1, 0, 2]),
        (" | SORT BY datetime ASC | LIMIT 2", [0, 1]),
    ],
)
def test_search(logs: Logs, stream: tuple[str, str], rest: str, numbers: list[int]) -> None:
    assert logs.messages(stream[1] + rest) == [f"line {number}" for number in numbers]


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (" WHERE a = 'b'", "'|' or the end"),
        (" | WHER a = 'b'", "sort by, head or limit"),
        (" | WHERE a", "comparison"),
        (" | WHERE a = b", "a text expected"),
        (" | WHERE (a = 'b'", "')' expected"),
        (" | SORT datetime", "'by' expected"),
        (" | WHERE a = 'b", "can't be read"),
    ],
)
def test_a_wrong_query(logs: Logs, stream: tuple[str, str], rest: str, words: str) -> None:
    with refused(400, "InvalidParameter", "searchQuery", words):
        logs.search(stream[1] + rest)


def test_an_operator_that_the_mock_lacks(logs: Logs, stream: tuple[str, str]) -> None:
    with refused(501, "NotImplemented", "rollup"):
        logs.search(stream[1] + " | rollup count by source")


@pytest.mark.parametrize("depth", [1, 2])
def test_a_stream_may_be_wider_than_a_log(logs: Logs, stream: tuple[str, str], depth: int) -> None:
    wide = "/".join(stream[1].split('"')[1].split("/")[:depth])
    assert len(logs.messages(f'search "{wide}"')) == 4


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_stream_must_stand(logs: Logs, stream: tuple[str, str], wrong: int) -> None:
    parts = stream[1].split('"')[1].split("/")
    parts[wrong] = f"ocid1.{('compartment', 'loggroup', 'log')[wrong]}.oc1.fra.missing"
    with refused(404, "NotAuthorizedOrNotFound"):
        logs.search(f'SEARCH "{"/".join(parts)}"')


def test_search_comes_in_pages(logs: Logs, stream: tuple[str, str]) -> None:
    first = logs.search(stream[1], limit=3)
    assert (len(first.data.results), first.data.summary.result_count) == (3, 3)
    second = logs.search(stream[1], limit=3, page=first.next_page)
    assert [line.data["logContent"]["data"]["message"] for line in second.data.results] == [
        "line 0"
    ]
    assert second.next_page is None
    with refused(400, "InvalidParameter", "limit"):
        logs.search(stream[1], limit=1001)


def test_the_searched_time(logs: Logs, stream: tuple[str, str]) -> None:
    log, search = stream
    now = datetime.now(UTC)
    logs.put(log, "old", defaultlogentrytime=now - timedelta(hours=2))
    assert "old" not in logs.messages(search)
    window = {"start": now - timedelta(hours=3), "end": now - timedelta(hours=1)}
    assert logs.messages(search, **window) == ["old"]
    with refused(400, "InvalidParameter", "14 days"):
        logs.search(search, start=now - timedelta(days=15), end=now)
    with refused(400, "InvalidParameter", "timeEnd"):
        logs.search(search, start=now, end=now - timedelta(hours=1))


@pytest.mark.process_only("stands in for another service of the mock")
def test_now_is_the_mocks_now(logs: Logs, stream: tuple[str, str]) -> None:
    """A client whose clock the mock's has overtaken still sees what just happened."""
    log, search = stream
    logs.mocked.advance(3600)
    append(inside(logs), log, RUN, "later")
    assert logs.messages(search)[0] == "later"


def test_lines_that_are_lost(logs: Logs, stream: tuple[str, str]) -> None:
    log, search = stream
    group = search.split("/")[1]
    logs.api.update_log(group, log, m.UpdateLogDetails(is_enabled=False))
    logs.put(log, "disabled")
    assert logs.messages(search)[0] == "line 3"


@pytest.mark.process_only("stands in for another service of the mock")
def test_a_line_to_a_log_that_is_not_there_is_lost(logs: Logs) -> None:
    append(inside(logs), "ocid1.log.oc1.fra.missing", RUN, "missing")
    logs.group()
    assert logs.messages(f'SEARCH "{logs.compartment}"') == []


def test_put_logs(logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    logs.put(log, "plain", '{"message": "object", "level": "INFO"}', '"a string"', subject="s")
    search = f'SEARCH "{logs.compartment}/{group}/{log}" | SORT BY id ASC'
    assert logs.messages(search) == ["plain", "object", '"a string"']
    content = logs.search(search).data.results[1].data["logContent"]
    assert content["data"]["level"] == "INFO"
    assert (content["source"], content["type"], content["subject"]) == ("me", "my.type", "s")


def test_put_logs_into_what_takes_none(logs: Logs) -> None:
    with refused(404, "NotAuthorizedOrNotFound"):
        logs.put("ocid1.log.oc1.fra.missing", "x")
    source = m.OciService(service="objectstorage", resource="b", category="write")
    configuration = m.Configuration(source=source)
    log = logs.log(logs.group(), log_type="SERVICE", configuration=configuration)
    with refused(400, "InvalidParameter", "custom logs"):
        logs.put(log, "x")


def test_a_list_reaches_down_where_it_is_asked_to(mocked: MockedTenancy, logs: Logs) -> None:
    group = logs.group()
    assert logs.api.list_log_groups(mocked.tenancy_id).data == []
    below = logs.api.list_log_groups(
        mocked.tenancy_id, is_compartment_id_in_subtree=True, display_name="group"
    ).data
    assert [item.id for item in below] == [group]


def test_lists_come_in_pages(logs: Logs) -> None:
    names = {f"g{number}" for number in range(3)}
    for name in names:
        logs.group(name)
    found = pages(logs.api.list_log_groups, logs.compartment, limit=2)
    assert [len(page) for page in found] == [2, 1]
    assert {item.display_name for page in found for item in page} == names


def test_an_old_etag_is_refused(logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    old = {"if_match": "old"}
    changes: tuple[Callable[[], Any], ...] = (
        lambda: logs.api.update_log_group(group, m.UpdateLogGroupDetails(), **old),
        lambda: logs.api.delete_log_group(group, **old),
        lambda: logs.api.update_log(group, log, m.UpdateLogDetails(), **old),
        lambda: logs.api.delete_log(group, log, **old),
    )
    for change in changes:
        with refused(412, "NoEtagMatch"):
            change()


def test_an_update_is_checked_like_a_create(logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    with refused(400, "InvalidParameter", "retentionDuration"):
        logs.api.update_log(group, log, m.UpdateLogDetails(retention_duration=45))
    changes: tuple[Callable[[], Any], ...] = (
        lambda: logs.log(group, "a log"),
        lambda: logs.api.update_log(group, log, m.UpdateLogDetails(display_name="a log")),
        lambda: logs.api.update_log_group(group, m.UpdateLogGroupDetails(display_name="a b")),
    )
    for change in changes:
        with refused(400, "InvalidParameter", "displayName"):
            change()


def test_a_group_moves_with_its_logs(mocked: MockedTenancy, logs: Logs) -> None:
    group = logs.group()
    log = logs.log(group)
    missing = m.ChangeLogGroupCompartmentDetails(compartment_id="ocid1.compartment.oc1..missing")
    with refused(404, "NotAuthorizedOrNotFound", "missing"):
        logs.api.change_log_group_compartment(group, missing)
    target = m.ChangeLogGroupCompartmentDetails(compartment_id=mocked.tenancy_id)
    logs.api.change_log_group_compartment(group, target)
    assert logs.api.get_log(group, log).data.compartment_id == mocked.tenancy_id


def test_names_stay_unique_however_a_log_comes(logs: Logs) -> None:
    first, second = logs.group(), logs.group("second")
    log = logs.log(first)
    logs.log(second)
    with refused(409, "ResourceAlreadyExists", "log"):
        details = m.ChangeLogLogGroupDetails(target_log_group_id=second)
        logs.api.change_log_log_group(first, log, details)


@pytest.mark.process_only("stands in for another service of the mock")
def test_another_services_log_has_a_name_of_its_own(logs: Logs) -> None:
    group = logs.group()
    logs.log(group)
    with pytest.raises(AlreadyExists):
        create_custom_log(inside(logs), group, "log", "eu-frankfurt-1")


@pytest.mark.process_only("looks where no call can")
def test_a_deleted_log_keeps_no_lines(logs: Logs, stream: tuple[str, str]) -> None:
    log, search = stream
    logs.api.delete_log(search.split("/")[1], log)
    record = inside(logs).store.find("log", log)
    assert record is not None
    assert "lines" not in record.private
