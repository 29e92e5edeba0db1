"""The calls that a pipeline will make, each with who makes it and on what.

Those of the submitter are the runner's own (:mod:`jobs.steps`, the ledger's mirror, the log).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..definitions import Definition, bucket_path
from .iam_acts import deployment, job_run
from .iam_call import Call, Who, log_of, logs_of_deployment, on_objects, on_science
from .iam_places import On, Places
from .subject import Subject

JOBS = ("stage", "finetune", "merge")


def calls(subject: Subject, places: Places) -> list[Call]:
    """Those of the steps that are still to run, each once."""
    return list(dict.fromkeys(_all(subject, places)))


def _all(subject: Subject, places: Places) -> Iterator[Call]:
    if subject.steps:
        yield from _ledger(subject, places)
    for step in JOBS:
        for definition in subject.of_step(step):
            yield from _submitting_a_job(definition, places)
            yield from job_run(definition, places)
    for definition in subject.of_step("register"):
        yield from _registering(definition, places)
    for definition in subject.of_step("deploy"):
        yield from _deploying(definition, places)
        yield from deployment(subject, definition, places)
    for definition in subject.of_step("smoke"):
        yield from on_science(Who.SUBMITTER, "ask the deployment", definition, "predict")


def _ledger(subject: Subject, places: Places) -> Iterator[Call]:
    """The ledger's mirror, the lease of who leads, and what is superseded of both."""
    what = "keep the ledger in bucket"
    yield from on_objects(
        Who.SUBMITTER, what, subject.pipeline.ledger, places,
        "list_objects", "get_object", "put_object", "list_object_versions",
    )  # fmt: skip
    _, name, _ = bucket_path(subject.pipeline.ledger)
    on = places.objects(subject.pipeline.ledger)
    also = (("OBJECT_VERSION_DELETE", on),)
    yield Call(Who.SUBMITTER, f"{what} '{name}'", "objectstorage.list_object_versions", on, also)


def _submitting_a_job(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "submit a job"
    yield from on_science(
        who, what, definition, "list_jobs", "create_job_artifact", "list_job_runs"
    )
    for operation in ("create_job", "create_job_run"):
        yield _creation(what, operation, definition, places)
    yield from on_science(who, "follow a job run", definition, "get_job", "get_job_run")
    yield from _reading_logs(log_of(definition), places)
    if namespace := definition.env.get("OCI__METRICS_NAMESPACE"):
        on = On(places.compartment, (("target.metrics.namespace", namespace),))
        yield Call(who, "read the GPUs' metrics", "monitoring.summarize_metrics_data", on)


def _registering(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "register a model"
    yield from on_science(
        who, what, definition,
        "list_models", "create_model", "create_model_provenance", "create_model_artifact",
        "head_model_artifact", "get_model", "get_model_provenance",
    )  # fmt: skip
    artifact = str(definition.content["spec"]["artifact"])
    _, bucket, _ = bucket_path(artifact)
    on = places.bucket(artifact)
    yield Call(who, f"look whether bucket '{bucket}' is versioned", "objectstorage.get_bucket", on)
    what = "read the merged model, and write its manifest, in bucket"
    yield from on_objects(who, what, artifact, places, "list_objects", "get_object", "put_object")
    # A model by reference stays where it is: Data Science reads it there.
    what, read = "read the merged model in bucket", ("list_objects", "get_object")
    yield from on_objects(Who.DATA_SCIENCE, what, artifact, places, *read)
    spared = "only models that are copied into the catalog by way of the bucket need it"
    what = "copy large models from bucket"
    yield from on_objects(Who.OBJECT_STORAGE, what, artifact, places, "get_object", spared=spared)


def _deploying(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "deploy a model"
    yield from on_science(who, what, definition, "list_model_deployments")
    on = On(places.compartment)
    creation = _creation(what, "create_model_deployment", definition, places)
    also = (*creation.also, ("DATA_SCIENCE_MODEL_READ", on))
    yield Call(who, what, creation.operation, on, also)
    yield from on_science(who, "follow a deployment", definition, "get_model_deployment")
    for log in logs_of_deployment(definition):
        yield from _reading_logs(log, places)


def _creation(what: str, operation: str, definition: Definition, places: Places) -> Call:
    """What is made in the project, in a subnet if the definition names one."""
    subnet = definition.infrastructure.get("subnetId")
    also = (("SUBNET_ATTACH", places.subnet(str(subnet))),) if subnet else ()
    on = On(places.compartment)
    return Call(Who.SUBMITTER, what, f"datascience.{operation}", on, also)


def _reading_logs(log: tuple[str, str] | None, places: Places) -> Iterator[Call]:
    if log is not None:
        for operation in ("get_log", "search_logs"):
            on = places.log_group(log[0])
            yield Call(Who.SUBMITTER, "read the log", f"logging.{operation}", on)
