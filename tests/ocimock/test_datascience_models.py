"""The model catalog: entries, artifacts, provenance, transfers, version sets."""

from __future__ import annotations

import json
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import pages, refused
from tests.ocimock.workbench import NS, Workbench, workbench

M = oci.data_science.models
NOWHERE = "ocid1.nothing.oc1.fra.nowhere"


@pytest.fixture
def bench(mocked: MockedTenancy) -> Workbench:
    return workbench(mocked)


def work(bench: Workbench, answer: Any) -> Any:
    return bench.science.get_work_request(answer.headers["opc-work-request-id"]).data


def export(bench: Workbench, model: Any, name: str) -> Any:
    details = M.ArtifactExportDetailsObjectStorage(
        namespace=NS,
        source_bucket=bench.bucket,
        source_object_name=name,
        source_region=bench.mocked.config["region"],
    )
    return bench.science.export_model_artifact(
        model.id, M.ExportModelArtifactDetails(artifact_export_details=details)
    )


def describe(bench: Workbench, *objects: dict[str, Any]) -> bytes:
    place = {
        "namespace": NS,
        "bucketName": bench.bucket,
        "prefix": "merged/",
        "objects": list(objects),
    }
    return json.dumps({"type": "modelOSSReferenceDescription", "models": [place]}).encode()


def test_a_model_is_created_listed_updated_deleted_and_gone(bench: Workbench) -> None:
    metadata = [M.Metadata(key="k", value="v", category="other")]
    model = bench.model(custom_metadata_list=metadata)
    assert (model.lifecycle_state, model.category) == ("ACTIVE", "USER")
    assert not model.is_model_by_reference
    update = M.UpdateModelDetails(display_name="new", freeform_tags={"a": "1"})
    bench.science.update_model(model.id, update)
    listed = bench.science.list_models(bench.compartment, project_id=bench.project).data
    assert [(found.id, found.display_name) for found in listed] == [(model.id, "new")]
    assert bench.science.get_model(model.id).data.custom_metadata_list[0].key == "k"
    bench.science.delete_model(model.id)
    # ADS reads a model once more after it deleted it.
    assert bench.science.get_model(model.id).data.lifecycle_state == "DELETED"
    assert bench.science.list_models(bench.compartment).data == []
    assert bench.mocked.bodies() == 0


@pytest.mark.parametrize("field", ["project_id", "compartment_id", "model_version_set_id"])
def test_a_model_refers_to_what_is_there(bench: Workbench, field: str) -> None:
    with refused(404, "NotAuthorizedOrNotFound", NOWHERE):
        bench.model(**{field: NOWHERE})


def test_models_come_in_pages(bench: Workbench) -> None:
    made = [bench.model().id for _ in range(3)]
    found = pages(bench.science.list_models, bench.compartment, limit=2)
    assert [[item.id for item in page] for page in found] == [made[:0:-1], made[:1]]


def test_a_model_is_switched_off_and_on(bench: Workbench) -> None:
    model = bench.model()
    assert bench.science.deactivate_model(model.id).data.lifecycle_state == "INACTIVE"
    with refused(409, "IncorrectState", "INACTIVE"):
        bench.science.deactivate_model(model.id)
    assert bench.science.activate_model(model.id).data.lifecycle_state == "ACTIVE"


def test_an_artifact_is_named_without_quotes(bench: Workbench) -> None:
    """ADS sends quotes, and reads the ending of the file off the end of what it gets."""
    model = bench.model(artifact=b"0123456789")
    head = bench.science.head_model_artifact(model.id).headers
    assert head["content-disposition"] == "attachment; filename=model.zip"
    assert head["content-length"] == "10"
    assert bench.science.get_model_artifact_content(model.id).data.content == b"0123456789"
    with refused(409, "IncorrectState", model.id):
        bench.science.create_model_artifact(model.id, b"another")


def test_a_model_without_artifact_has_none(bench: Workbench) -> None:
    model = bench.model(artifact=None)
    with refused(404, "NotAuthorizedOrNotFound", "artifact"):
        bench.science.get_model_artifact_content(model.id)


def test_a_description_of_objects_makes_a_model_by_reference(bench: Workbench) -> None:
    model = bench.model(artifact=describe(bench, {"name": "merged/a", "version": "1"}))
    assert bench.science.get_model(model.id).data.is_model_by_reference


@pytest.mark.parametrize("broken", [{"models": []}, {"models": [{"namespace": NS}]}, {}])
def test_a_broken_description_is_refused(bench: Workbench, broken: dict[str, Any]) -> None:
    body = json.dumps({"type": "modelOSSReferenceDescription", **broken}).encode()
    with refused(400, "InvalidParameter", "models"):
        bench.model(artifact=body)
    model = bench.science.list_models(bench.compartment).data[0]
    with refused(404, "NotAuthorizedOrNotFound", "artifact"):
        bench.science.get_model_artifact_content(model.id)


def test_provenance_is_created_once_then_updated(bench: Workbench) -> None:
    model = bench.model()
    with refused(404, "NotAuthorizedOrNotFound", "provenance"):
        bench.science.get_model_provenance(model.id)
    details = M.CreateModelProvenanceDetails(training_id="run", git_commit="abc")
    bench.science.create_model_provenance(model.id, details)
    with refused(409, "ResourceAlreadyExists", model.id):
        bench.science.create_model_provenance(model.id, details)
    bench.science.update_model_provenance(
        model.id, M.UpdateModelProvenanceDetails(git_commit="def")
    )
    found = bench.science.get_model_provenance(model.id).data
    assert (found.training_id, found.git_commit) == ("run", "def")


# --- by way of Object Storage --------------------------------------------------------------


def test_a_large_artifact_comes_by_object_storage(bench: Workbench) -> None:
    bench.storage.put_object(NS, bench.bucket, "dir/large.zip", b"PK large")
    model = bench.model(artifact=None)
    done = work(bench, export(bench, model, "dir/large.zip"))
    assert (done.status, done.operation_type) == ("SUCCEEDED", "EXPORT_MODEL_ARTIFACT")
    assert bench.science.get_model_artifact_content(model.id).data.content == b"PK large"
    head = bench.science.head_model_artifact(model.id).headers
    assert head["content-disposition"] == "attachment; filename=large.zip"


def test_an_export_of_nothing_fails_and_says_why(bench: Workbench) -> None:
    model = bench.model(artifact=None)
    done = work(bench, export(bench, model, "missing.zip"))
    assert (done.status, done.percent_complete) == ("FAILED", 100.0)
    assert done.time_finished is not None
    errors = bench.science.list_work_request_errors(done.id).data
    assert "missing.zip" in errors[0].message
    logs = bench.science.list_work_request_logs(done.id).data
    assert "failed" in logs[-1].message


def test_an_artifact_goes_to_object_storage(bench: Workbench) -> None:
    model = bench.model(artifact=b"PK small")
    details = M.ArtifactImportDetailsObjectStorage(
        namespace=NS, destination_bucket=bench.bucket, destination_object_name="out.zip"
    )
    answer = bench.science.import_model_artifact(
        model.id, M.ImportModelArtifactDetails(artifact_import_details=details)
    )
    assert work(bench, answer).status == "SUCCEEDED"
    assert bench.storage.get_object(NS, bench.bucket, "out.zip").data.content == b"PK small"


def test_a_registered_reference_names_the_present_versions(bench: Workbench) -> None:
    bench.storage.put_object(NS, bench.bucket, "merged/a", b"old")
    new = bench.storage.put_object(NS, bench.bucket, "merged/a", b"new").headers["version-id"]
    model = bench.model(artifact=None)
    reference = M.OSSModelArtifactReferenceDetails(
        namespace=NS, bucket_name=bench.bucket, prefix="merged/"
    )
    details = M.RegisterModelArtifactReferenceDetails(model_artifact_references=[reference])
    answer = bench.science.register_model_artifact_reference(details, model.id)
    assert work(bench, answer).status == "SUCCEEDED"
    content = json.loads(bench.science.get_model_artifact_content(model.id).data.content)
    objects = content["models"][0]["objects"]
    assert objects == [{"name": "merged/a", "version": new, "sizeInBytes": 3}]
    assert bench.science.get_model(model.id).data.is_model_by_reference


# --- version sets --------------------------------------------------------------------------


def version_set(bench: Workbench, name: str = "llamas") -> Any:
    details = M.CreateModelVersionSetDetails(
        project_id=bench.project, compartment_id=bench.compartment, name=name
    )
    return bench.science.create_model_version_set(details).data


def test_models_of_a_version_set_are_numbered(bench: Workbench) -> None:
    made = version_set(bench)
    models = [bench.model(model_version_set_id=made.id) for _ in range(2)]
    found = [(model.version_id, model.model_version_set_name) for model in models]
    assert found == [(1, "llamas"), (2, "llamas")]


def test_the_name_of_a_version_set_is_taken_once(bench: Workbench) -> None:
    version_set(bench)
    with refused(409, "ResourceAlreadyExists", "llamas"):
        version_set(bench)


def test_a_version_set_is_updated_deleted_and_gone(bench: Workbench) -> None:
    made = version_set(bench)
    bench.science.update_model_version_set(
        made.id, M.UpdateModelVersionSetDetails(description="new")
    )
    assert bench.science.get_model_version_set(made.id).data.description == "new"
    done = work(bench, bench.science.delete_model_version_set(made.id))
    assert (done.status, done.resources[0].entity_type) == ("SUCCEEDED", "modelversionset")
    assert bench.science.get_model_version_set(made.id).data.lifecycle_state == "DELETED"
    assert bench.science.list_model_version_sets(bench.compartment).data == []


def test_a_version_set_with_models_stays_unless_they_may_go_too(bench: Workbench) -> None:
    made = version_set(bench)
    model = bench.model(model_version_set_id=made.id)
    with refused(409, "Conflict", model.id):
        bench.science.delete_model_version_set(made.id)
    bench.science.delete_model_version_set(made.id, is_delete_related_models=True)
    assert bench.science.get_model(model.id).data.lifecycle_state == "DELETED"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("create_model_artifact", b"zip"),
        (
            "export_model_artifact",
            M.ExportModelArtifactDetails(
                artifact_export_details=M.ArtifactExportDetailsObjectStorage(
                    namespace=NS, source_bucket="b", source_object_name="o", source_region="r"
                )
            ),
        ),
        (
            "import_model_artifact",
            M.ImportModelArtifactDetails(
                artifact_import_details=M.ArtifactImportDetailsObjectStorage(
                    namespace=NS, destination_bucket="b", destination_object_name="o"
                )
            ),
        ),
        (
            "register_model_artifact_reference",
            M.RegisterModelArtifactReferenceDetails(
                model_artifact_references=[
                    M.OSSModelArtifactReferenceDetails(namespace=NS, bucket_name="b", prefix="p")
                ]
            ),
        ),
    ],
)
def test_an_artifact_is_for_the_model_that_its_client_knows(
    bench: Workbench, operation: str, body: Any
) -> None:
    model = bench.model()
    # The SDK's order of arguments is not the same for all.
    arguments = (body, model.id) if operation.startswith("register") else (model.id, body)
    with refused(412, "NoEtagMatch"):
        getattr(bench.science, operation)(*arguments, if_match="an older one")
