"""The model catalog beside its artifacts: metadata's own artifacts, retention and backup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy, mock_oci
from tests.ocimock.support import refused
from tests.ocimock.workbench import Workbench, workbench

M = oci.data_science.models
DAY = 86400.0


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


@pytest.fixture
def timed() -> Iterator[tuple[MockedTenancy, Workbench]]:
    """A tenancy whose clock the test owns, and what stands in it."""
    with mock_oci() as found:
        yield found, workbench(found)


def described(bench: Workbench) -> Any:
    return bench.model(
        custom_metadata_list=[M.Metadata(key="readme", value="v", category="other")],
        defined_metadata_list=[M.Metadata(key="license", value="w")],
    )


def operation(bench: Workbench, verb: str, which: str) -> Any:
    suffix = "_content" if verb == "get" else ""
    return getattr(bench.science, f"{verb}_model_{which}_metadatum_artifact{suffix}")


def has_artifact(bench: Workbench, model: str, which: str) -> bool:
    found = getattr(bench.science.get_model(model).data, f"{which}_metadata_list")
    return bool(found[0].has_artifact)


@pytest.mark.parametrize(("which", "key"), [("custom", "readme"), ("defined", "license")])
def test_a_metadata_artifact_is_created_read_replaced_deleted(
    bench: Workbench, which: str, key: str
) -> None:
    model = described(bench).id
    assert not has_artifact(bench, model, which)
    with refused(404, "NotAuthorizedOrNotFound", key):
        operation(bench, "get", which)(model, key)
    disposition = "attachment; filename=readme.md"
    made = operation(bench, "create", which)(model, key, b"# hi", content_disposition=disposition)
    assert has_artifact(bench, model, which)
    head = operation(bench, "head", which)(model, key)
    assert head.headers["etag"] == made.headers["etag"]
    assert head.headers["content-disposition"].endswith("readme.md")
    assert operation(bench, "get", which)(model, key).data.content == b"# hi"
    with refused(409, "IncorrectState"):
        operation(bench, "create", which)(model, key, b"again")

    with refused(412, "NoEtagMatch"):
        operation(bench, "update", which)(model, key, b"# ho", if_match="another")
    operation(bench, "update", which)(model, key, b"# ho", if_match=made.headers["etag"])
    assert operation(bench, "get", which)(model, key).data.content == b"# ho"
    assert operation(bench, "get", which)(model, key, range="bytes=2-3").data.content == b"ho"

    operation(bench, "delete", which)(model, key)
    assert not has_artifact(bench, model, which)
    with refused(404, "NotAuthorizedOrNotFound", key):
        operation(bench, "get", which)(model, key)


def test_only_what_is_in_the_metadata_has_an_artifact(bench: Workbench) -> None:
    model = described(bench).id
    with refused(404, "NotAuthorizedOrNotFound", "'license'"):
        operation(bench, "create", "custom")(model, "license", b"text")


def test_provenance_has_an_etag(bench: Workbench) -> None:
    model = bench.model().id
    bench.science.create_model_provenance(model, M.CreateModelProvenanceDetails(git_branch="main"))
    etag = bench.science.get_model_provenance(model).headers["etag"]
    details = M.UpdateModelProvenanceDetails(git_commit="abc")
    bench.science.update_model_provenance(model, details, if_match=etag)
    with refused(412, "NoEtagMatch"):
        bench.science.update_model_provenance(model, details, if_match=etag)
    found = bench.science.get_model_provenance(model).data
    assert (found.git_branch, found.git_commit) == ("main", "abc")


def test_a_model_is_archived_restored_and_deleted_in_time(
    timed: tuple[MockedTenancy, Workbench],
) -> None:
    clock, bench = timed
    kept = M.RetentionSetting(archive_after_days=30, delete_after_days=60)
    model = bench.model(retention_setting=kept).id

    def state() -> Any:
        return bench.science.get_model(model).data.retention_operation_details

    assert (state().archive_state, state().delete_state) == ("PENDING", "PENDING")
    with refused(409, "IncorrectState", "not archived"):
        bench.science.restore_archived_model_artifact(model)

    clock.advance(29 * DAY)
    assert bench.science.get_model_artifact_content(model).data.content
    clock.advance(2 * DAY)
    assert state().archive_state == "SUCCEEDED"
    with refused(409, "IncorrectState", "archived"):
        bench.science.get_model_artifact_content(model)

    work = bench.science.restore_archived_model_artifact(
        model, restore_model_for_hours_specified=2
    ).headers["opc-work-request-id"]
    assert bench.science.get_work_request(work).data.status == "SUCCEEDED"
    assert bench.science.get_model_artifact_content(model).data.content
    clock.advance(3 * 3600)
    with refused(409, "IncorrectState", "archived"):
        bench.science.get_model_artifact_content(model)

    clock.advance(60 * DAY)
    assert bench.science.get_model(model).data.lifecycle_state == "DELETED"


def test_new_settings_replace_the_old_dates(timed: tuple[MockedTenancy, Workbench]) -> None:
    clock, bench = timed
    model = bench.model(retention_setting=M.RetentionSetting(archive_after_days=10)).id
    later = M.RetentionSetting(archive_after_days=20)
    bench.science.update_model(model, M.UpdateModelDetails(retention_setting=later))
    clock.advance(11 * DAY)
    assert bench.science.get_model_artifact_content(model).data.content
    clock.advance(10 * DAY)
    with refused(409, "IncorrectState", "archived"):
        bench.science.get_model_artifact_content(model)


def test_a_model_is_backed_up(bench: Workbench) -> None:
    wanted = M.BackupSetting(is_backup_enabled=True, backup_region="us-ashburn-1")
    model = bench.model(backup_setting=wanted).id
    done = bench.science.get_model(model).data.backup_operation_details
    assert done.backup_state == "SUCCEEDED"
    assert done.time_last_backup is not None


@pytest.mark.parametrize(
    ("field", "setting", "word"),
    [
        ("retention_setting", M.RetentionSetting(archive_after_days=0), "archiveAfterDays"),
        (
            "backup_setting",
            M.BackupSetting(is_backup_enabled=True, backup_region="moon"),
            "backupRegion",
        ),
    ],
)
def test_wrong_settings_are_named(bench: Workbench, field: str, setting: Any, word: str) -> None:
    with refused(400, "InvalidParameter", word):
        bench.model(**{field: setting})
