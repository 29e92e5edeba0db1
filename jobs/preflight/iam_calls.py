"""The calls that a pipeline will make, each with who makes it and on what.

Those of the submitter are the runner's own (:mod:`jobs.steps`, the ledger's mirror, the log). What
a job run, a deployment and OCI's services do by themselves is what OCI's documentation lists
("Data Science Policies", "Model Deployment Policies", "Creating Logs for Model Deployments").
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..definitions import Definition, bucket_path
from .iam_places import On, Places
from .subject import Subject

JOBS = ("stage", "finetune", "merge")
_SECRET, _VAULT = "_SECRET_NAME", "_VAULT_ID"
_PULL = (
    "read_docker_repository_metadata",
    "read_docker_repository_manifest",
    "pull_docker_layer",
)
# <region's key>.ocir.io or ocir.<region>.oci.oraclecloud.com, then namespace/repository:tag@digest.
# Source: OCI documentation, "Container Registry Concepts".
_IMAGE = re.compile(
    r"(?:[a-z]{3}\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/"
    r"(?P<namespace>[^/]+)/(?P<repository>[^:@]+)(?::[^@]+)?(?:@.+)?"
)


class Who(Enum):
    """Who makes a call, in words."""

    SUBMITTER = "whoever submits"
    RUN = "the job runs"
    DEPLOYMENT = "the deployment"
    DATA_SCIENCE = "service datascience"
    OBJECT_STORAGE = "service objectstorage"


@dataclass(frozen=True)
class Call:
    """One call.

    *purpose* ends a sentence that begins with "may not". *operation* is ``service.operation``, with
    the names of the SDK's methods; *also* are permissions that it needs on other things, each with
    what. *spared*: why the pipeline goes on without it; '' where it does not.
    """

    who: Who
    purpose: str
    operation: str
    on: On
    also: tuple[tuple[str, On], ...] = ()
    spared: str = ""


def calls(subject: Subject, places: Places) -> list[Call]:
    """Those of the steps that are still to run, each once."""
    return list(dict.fromkeys(_all(subject, places)))


def _all(subject: Subject, places: Places) -> Iterator[Call]:
    if subject.steps:
        yield from _ledger(subject, places)
    for step in JOBS:
        for definition in subject.of_step(step):
            yield from _submitting_a_job(definition, places)
            yield from _job_run(definition, places)
    for definition in subject.of_step("register"):
        yield from _registering(definition, places)
    for definition in subject.of_step("deploy"):
        yield from _deploying(definition, places)
        yield from _deployment(subject, definition, places)
    for definition in subject.of_step("smoke"):
        yield from _science(Who.SUBMITTER, "ask the deployment", definition, "predict")


# --- whoever submits ------------------------------------------------------------------------------


def _ledger(subject: Subject, places: Places) -> Iterator[Call]:
    """The ledger's mirror, the lease of who leads, and what is superseded of both."""
    what = "keep the ledger in bucket"
    yield from _objects(
        Who.SUBMITTER, what, subject.pipeline.ledger, places,
        "list_objects", "get_object", "put_object", "list_object_versions",
    )  # fmt: skip
    _, name, _ = bucket_path(subject.pipeline.ledger)
    on = places.objects(subject.pipeline.ledger)
    also = (("OBJECT_VERSION_DELETE", on),)
    yield Call(Who.SUBMITTER, f"{what} '{name}'", "objectstorage.list_object_versions", on, also)


def _submitting_a_job(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "submit a job"
    yield from _science(who, what, definition, "list_jobs", "create_job_artifact", "list_job_runs")
    for operation in ("create_job", "create_job_run"):
        yield _creation(what, operation, definition, places)
    yield from _science(who, "follow a job run", definition, "get_job", "get_job_run")
    yield from _reading_logs(_log_of(definition), places)
    if namespace := definition.env.get("OCI__METRICS_NAMESPACE"):
        on = On(places.compartment, (("target.metrics.namespace", namespace),))
        yield Call(who, "read the GPUs' metrics", "monitoring.summarize_metrics_data", on)


def _registering(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "register a model"
    yield from _science(
        who, what, definition,
        "list_models", "create_model", "create_model_provenance", "create_model_artifact",
        "head_model_artifact", "get_model", "get_model_provenance",
    )  # fmt: skip
    artifact = str(definition.content["spec"]["artifact"])
    _, bucket, _ = bucket_path(artifact)
    on = places.bucket(artifact)
    yield Call(who, f"look whether bucket '{bucket}' is versioned", "objectstorage.get_bucket", on)
    what = "read the merged model, and write its manifest, in bucket"
    yield from _objects(who, what, artifact, places, "list_objects", "get_object", "put_object")
    # A model by reference stays where it is: Data Science reads it there.
    what, read = "read the merged model in bucket", ("list_objects", "get_object")
    yield from _objects(Who.DATA_SCIENCE, what, artifact, places, *read)
    spared = "only models that are copied into the catalog by way of the bucket need it"
    what = "copy large models from bucket"
    yield from _objects(Who.OBJECT_STORAGE, what, artifact, places, "get_object", spared=spared)


def _deploying(definition: Definition, places: Places) -> Iterator[Call]:
    who, what = Who.SUBMITTER, "deploy a model"
    yield from _science(who, what, definition, "list_model_deployments")
    on = On(places.compartment)
    creation = _creation(what, "create_model_deployment", definition, places)
    also = (*creation.also, ("DATA_SCIENCE_MODEL_READ", on))
    yield Call(who, what, creation.operation, on, also)
    yield from _science(who, "follow a deployment", definition, "get_model_deployment")
    for log in _logs_of_deployment(definition):
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


# --- the job runs ---------------------------------------------------------------------------------


def _job_run(definition: Definition, places: Places) -> Iterator[Call]:
    who, env = Who.RUN, definition.env
    if subnet := definition.infrastructure.get("subnetId"):
        yield _attaching(str(subnet), places)
    yield from _science(
        who, "read what they are to do", definition,
        "get_job", "get_job_run", "get_job_artifact_content",
    )  # fmt: skip
    if log := _log_of(definition):
        yield Call(who, "write to the log", "logging.put_logs", places.log_group(log[0]))
    if image := env.get("CONTAINER_CUSTOM_IMAGE"):
        yield from _pulling(who, image, places)
    for mount in definition.infrastructure.get("storageMount") or ():
        yield from _mounting(str(mount["src"]), places)
    yield from _secrets(definition, places)
    for uri in _named_objects(definition):
        what = "read and write bucket"
        yield from _objects(who, what, uri, places, "list_objects", "get_object", "put_object")
    if namespace := env.get("OCI__METRICS_NAMESPACE"):
        on = On(places.compartment, (("target.metrics.namespace", namespace),))
        yield Call(who, "post the GPUs' metrics", "monitoring.post_metric_data", on)


def _mounting(uri: str, places: Places) -> Iterator[Call]:
    """Who mounts a bucket does not say whether it is read or written."""
    if not uri.startswith("oci://"):
        return
    _, bucket, _ = bucket_path(uri)
    on = places.bucket(uri)
    yield Call(Who.RUN, f"mount bucket '{bucket}'", "objectstorage.get_bucket", on)
    does = ("list_objects", "get_object", "put_object")
    yield from _objects(Who.RUN, "mount bucket", uri, places, *does)


def _secrets(definition: Definition, places: Places) -> Iterator[Call]:
    """A token by its name and vault; a key for Git by its OCID."""
    env = definition.env
    for variable, name in env.items():
        vault = env.get(variable.removesuffix(_SECRET) + _VAULT)
        if variable.endswith(_SECRET) and vault:
            on = places.secret(name, vault)
            operation = "vault.get_secret_bundle_by_name"
            yield Call(Who.RUN, f"read secret '{name}'", operation, on)
    git = definition.runtime.get("git") or {}
    if ocid := git.get("gitSecretId"):
        on = On(places.compartment, (("target.secret.id", str(ocid)),))
        yield Call(Who.RUN, f"read secret {ocid}", "vault.get_secret_bundle", on)


def _named_objects(definition: Definition) -> list[str]:
    """The ``oci://`` places that the command and the environment name."""
    words = shlex.split(str(definition.runtime.get("command", "")))
    found = [*words, *definition.env.values(), str(definition.runtime.get("outputUri") or "")]
    parts = (word.partition("=")[2] if word.startswith("--") else word for word in found)
    return list(dict.fromkeys(part for part in parts if part.startswith("oci://")))


# --- the deployment, and OCI's services -----------------------------------------------------------


def _deployment(subject: Subject, definition: Definition, places: Places) -> Iterator[Call]:
    who = Who.DEPLOYMENT
    if subnet := definition.infrastructure.get("subnetId"):
        yield _attaching(str(subnet), places)
    yield from _pulling(who, str(definition.runtime.get("image", "")), places)
    artifact = str(subject.definitions["model"].content["spec"]["artifact"])
    what = "read the merged model in bucket"
    yield from _objects(who, what, artifact, places, "list_objects", "get_object")
    for log in _logs_of_deployment(definition):
        yield Call(who, "write to its logs", "logging.put_logs", places.log_group(log[0]))


def _pulling(who: Who, image: str, places: Places) -> Iterator[Call]:
    """An image of this tenancy's registry; others are pulled without its policies."""
    found = _IMAGE.fullmatch(image)
    if found is None or found["namespace"] != places.namespace:
        return
    on = On(places.compartment, (("target.repo.name", found["repository"]),))
    for operation in _PULL:
        yield Call(who, f"pull image {image}", f"artifacts.{operation}", on)


def _attaching(subnet: str, places: Places) -> Call:
    what = f"attach a VNIC to subnet {subnet}"
    return Call(Who.DATA_SCIENCE, what, "core.attach_to_subnet", places.subnet(subnet))


def repository_of(image: str) -> str:
    """The repository of Container Registry that *image* lies in; '' of one from elsewhere."""
    found = _IMAGE.fullmatch(image)
    return found["repository"] if found else ""


# --- what several of them do ----------------------------------------------------------------------


def _science(who: Who, what: str, definition: Definition, *operations: str) -> Iterator[Call]:
    on = On(str(definition.infrastructure["compartmentId"]))
    for operation in operations:
        yield Call(who, what, f"datascience.{operation}", on)


def _objects(
    who: Who, what: str, uri: str, places: Places, *operations: str, spared: str = ""
) -> Iterator[Call]:
    _, bucket, _ = bucket_path(uri)
    for operation in operations:
        on = places.objects(uri)
        yield Call(who, f"{what} '{bucket}'", f"objectstorage.{operation}", on, spared=spared)


def _log_of(definition: Definition) -> tuple[str, str] | None:
    return _log(definition.infrastructure)


def _logs_of_deployment(definition: Definition) -> list[tuple[str, str]]:
    found = (definition.infrastructure.get(name) or {} for name in ("accessLog", "predictLog"))
    return [log for log in map(_log, found) if log is not None]


def _log(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    """The log group and the log that *spec* names."""
    if not spec.get("logId"):
        return None
    return str(spec.get("logGroupId") or ""), str(spec["logId"])
