"""What a job run, a deployment and OCI's services do by themselves, for a pipeline.

Sources: OCI documentation, "Data Science Policies", "Model Deployment Policies", "Creating Logs for
Model Deployments".
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..definitions import Definition, bucket_path
from .iam_call import IMAGE, Call, Who, log_of, logs_of_deployment, on_objects, on_science
from .iam_places import On, Places
from .subject import Subject

_SECRET, _VAULT = "_SECRET_NAME", "_VAULT_ID"
_PULL = (
    "read_docker_repository_metadata",
    "read_docker_repository_manifest",
    "pull_docker_layer",
)


def job_run(definition: Definition, places: Places) -> Iterator[Call]:
    """What the runs of a job do, and Data Science for them."""
    who, env = Who.RUN, definition.env
    if subnet := definition.infrastructure.get("subnetId"):
        yield _attaching(str(subnet), places)
    yield from on_science(
        who, "read what they are to do", definition,
        "get_job", "get_job_run", "get_job_artifact_content",
    )  # fmt: skip
    if log := log_of(definition):
        yield Call(who, "write to the log", "logging.put_logs", places.log_group(log[0]))
    if image := env.get("CONTAINER_CUSTOM_IMAGE"):
        yield from _pulling(who, image, places)
    for mount in definition.infrastructure.get("storageMount") or ():
        yield from _mounting(str(mount["src"]), places)
    yield from _secrets(definition, places)
    for uri in _named_objects(definition):
        what = "read and write bucket"
        yield from on_objects(who, what, uri, places, "list_objects", "get_object", "put_object")
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
    yield from on_objects(Who.RUN, "mount bucket", uri, places, *does)


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


def deployment(subject: Subject, definition: Definition, places: Places) -> Iterator[Call]:
    """What a deployment does, and Data Science for it."""
    who = Who.DEPLOYMENT
    if subnet := definition.infrastructure.get("subnetId"):
        yield _attaching(str(subnet), places)
    yield from _pulling(who, str(definition.runtime.get("image", "")), places)
    artifact = str(subject.definitions["model"].content["spec"]["artifact"])
    what = "read the merged model in bucket"
    yield from on_objects(who, what, artifact, places, "list_objects", "get_object")
    for log in logs_of_deployment(definition):
        yield Call(who, "write to its logs", "logging.put_logs", places.log_group(log[0]))


def _pulling(who: Who, image: str, places: Places) -> Iterator[Call]:
    """An image of this tenancy's registry; others are pulled without its policies."""
    found = IMAGE.fullmatch(image)
    if found is None or found["namespace"] != places.namespace:
        return
    on = On(places.compartment, (("target.repo.name", found["repository"]),))
    for operation in _PULL:
        yield Call(who, f"pull image {image}", f"artifacts.{operation}", on)


def _attaching(subnet: str, places: Places) -> Call:
    what = f"attach a VNIC to subnet {subnet}"
    return Call(Who.DATA_SCIENCE, what, "core.attach_to_subnet", places.subnet(subnet))
