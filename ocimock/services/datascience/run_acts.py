"""What a job run would do with its resource principal, step by step of its course."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ... import acts
from ...acts import Act
from ...cloud import Cloud
from ...iam.enforcement import context_of
from ...iam.principals import Principal, of_resource
from ...store import Record
from ..objectstorage.acts import on_bucket
from . import acting

_OBJECT_URI = re.compile(r"oci://(?P<bucket>[^@/]+)@(?P<namespace>[^/]+)/?(?P<path>.*)")
_INPUTS = "OCI__INPUT_MAPPINGS"
# Variables of ADS's drivers that name where outputs go, and where the code comes from.
_OUTPUTS = ("OUTPUT_URI",)
_SOURCES = ("OCI__RUNTIME_URI",)


def refusal(cloud: Cloud, run: Record, job: Record, step: str) -> str | None:
    """Why the run can't do what belongs to *step* of its course, if it can't."""
    return acts.refusal(cloud, run.private["region"], _acts(cloud, run, job, step))


def may_log(cloud: Cloud, run: Record) -> bool:
    """Whether the run's lines reach its log."""
    who = of_resource(cloud, run)
    return acts.refusal(cloud, run.private["region"], _log(cloud, run, who)) is None


def environment(run: Record, job: Record) -> dict[str, str]:
    """All environment variables of a run: its node groups', its job's, and its own over them."""
    found: dict[str, str] = {}
    nodes = job.data.get("jobNodeConfigurationDetails") or {}
    groups = nodes.get("jobNodeGroupConfigurationDetailsList") or []
    for part in (*groups, job.data):
        found |= (part.get("jobConfigurationDetails") or {}).get("environmentVariables") or {}
    override = run.data.get("jobConfigurationOverrideDetails") or {}
    return found | (override.get("environmentVariables") or {})


def _acts(cloud: Cloud, run: Record, job: Record, step: str) -> Iterator[Act]:
    who = of_resource(cloud, run)
    variables = environment(run, job)
    if step == "start":
        for subnet in dict.fromkeys((*subnets(job.data), *subnets(run.data))):
            yield acting.use_subnet(cloud, acting.service(), subnet)
        yield from _log(cloud, run, who)
        yield from _bootstrap(run, job, who)
        for image in _images(job, variables):
            yield from acting.pull(cloud, who, image)
        yield from _mounts(cloud, run, who)
    elif step == "execute":
        yield from _secrets(cloud, who, variables)
        yield from _reads(cloud, run, who, variables)
    elif step == "half-way":
        yield from _metrics(run, who, variables)
    elif step == "finish":
        yield from _writes(cloud, run, who, variables)


def _bootstrap(run: Record, job: Record, who: Principal) -> Iterator[Act]:
    """The run reads what it is: ADS's driver asks for both."""
    where, of_job = job.data["compartmentId"], context_of(job)
    yield Act(f"read its job {job.id}", who, "datascience.get_job", where, of_job)
    own, of_run = run.data["compartmentId"], context_of(run)
    yield Act(f"read itself, {run.id}", who, "datascience.get_job_run", own, of_run)
    if "artifact" in job.private:
        operation = "datascience.get_job_artifact_content"
        yield Act(f"download the artifact of {job.id}", who, operation, where, of_job)


def _log(cloud: Cloud, run: Record, who: Principal) -> Iterator[Act]:
    log_id = (run.data.get("logDetails") or {}).get("logId")
    if log_id:
        yield acting.write_log(cloud, who, log_id)


def _mounts(cloud: Cloud, run: Record, who: Principal) -> Iterator[Act]:
    """A mounted bucket is read and written: who mounts it does not say which."""
    region = run.private["region"]
    for mount in mounts(run):
        if bucket := mount.get("bucket"):
            path = str(mount.get("prefix") or "")
            purpose = f"mount bucket '{bucket}' at {mount['destinationDirectoryName']}"
            yield on_bucket(cloud, who, region, bucket, "get_bucket", purpose, "")
            for operation in ("list_objects", "get_object", "put_object"):
                yield on_bucket(cloud, who, region, bucket, operation, purpose, path)


def mounts(run: Record) -> list[dict[str, Any]]:
    """The run's own storage mounts, or those of its job."""
    override = run.data.get("jobStorageMountConfigurationOverrideDetailsList")
    return override or run.data.get("jobStorageMountConfigurationDetailsList") or []


def _secrets(cloud: Cloud, who: Principal, variables: dict[str, str]) -> Iterator[Act]:
    """The secrets that the environment names: a token by vault and name, git's key by OCID."""
    for variable, name in variables.items():
        vault = variables.get(variable.removesuffix("_SECRET_NAME") + "_VAULT_ID")
        if variable.endswith("_SECRET_NAME") and vault:
            secret = _by_name(cloud, name, vault)
            operation = "vault.get_secret_bundle_by_name"
            yield _bundle(who, secret, f"read secret '{name}'", operation)
    if git := variables.get("OCI__RUNTIME_GIT_SECRET_ID"):
        secret = cloud.store.find("vaultsecret", git)
        yield _bundle(who, secret, f"read secret {git}", "vault.get_secret_bundle")


def _bundle(who: Principal, secret: Record | None, purpose: str, operation: str) -> Act:
    if secret is None:
        return Act(purpose, who, operation, None)
    return Act(purpose, who, operation, secret.data["compartmentId"], context_of(secret))


def _by_name(cloud: Cloud, name: str, vault_id: str) -> Record | None:
    wanted = (name, vault_id, "ACTIVE")  # one that is to be deleted is not given out any more
    for secret in cloud.store.live("vaultsecret"):
        data = secret.data
        if (data["secretName"], data["vaultId"], data["lifecycleState"]) == wanted:
            return secret
    return None


def _reads(cloud: Cloud, run: Record, who: Principal, variables: dict[str, str]) -> Iterator[Act]:
    uris = [variables[name] for name in _SOURCES if name in variables]
    uris += _sources(variables.get(_INPUTS, ""))
    for bucket, path, uri in _objects(uris):
        for operation in ("list_objects", "get_object"):
            purpose = f"read {uri}"
            region = run.private["region"]
            yield on_bucket(cloud, who, region, bucket, operation, purpose, path)


def _writes(cloud: Cloud, run: Record, who: Principal, variables: dict[str, str]) -> Iterator[Act]:
    uris = [variables[name] for name in _OUTPUTS if name in variables]
    for bucket, path, uri in _objects(uris):
        purpose, region = f"write to {uri}", run.private["region"]
        yield on_bucket(cloud, who, region, bucket, "put_object", purpose, path)


def _metrics(run: Record, who: Principal, variables: dict[str, str]) -> Iterator[Act]:
    """ADS's driver posts how busy the GPUs are, where a namespace for it is named."""
    if namespace := variables.get("OCI__METRICS_NAMESPACE"):
        yield Act(
            f"post metrics to namespace {namespace}",
            who,
            "monitoring.post_metric_data",
            run.data["compartmentId"],
            {"target.metrics.namespace": namespace},
        )


def _objects(uris: list[str]) -> Iterator[tuple[str, str, str]]:
    for uri in uris:
        if found := _OBJECT_URI.fullmatch(uri):
            yield found["bucket"], found["path"], uri


def _sources(mappings: str) -> list[str]:
    """What ADS's driver copies to the node: the keys of a JSON object."""
    try:
        found = json.loads(mappings)
    except ValueError:
        return []
    return [str(source) for source in found] if isinstance(found, dict) else []


def subnets(job: dict[str, Any]) -> list[str]:
    """The subnets that a job names for its nodes; *job* is its data."""
    nodes = job.get("jobNodeConfigurationDetails") or {}
    groups = nodes.get("jobNodeGroupConfigurationDetailsList") or []
    parts = [nodes.get("jobNetworkConfiguration") or {}]
    for part in (job, *groups):
        parts.append(part.get("jobInfrastructureConfigurationDetails") or {})
    return list(dict.fromkeys(part["subnetId"] for part in parts if part.get("subnetId")))


def _images(job: Record, variables: dict[str, str]) -> Iterator[str]:
    nodes = job.data.get("jobNodeConfigurationDetails") or {}
    groups = nodes.get("jobNodeGroupConfigurationDetailsList") or []
    details = [part.get("jobEnvironmentConfigurationDetails") or {} for part in (job.data, *groups)]
    named = [str(part["image"]) for part in details if part.get("image")]
    if image := variables.get("CONTAINER_CUSTOM_IMAGE"):
        named.append(image)
    yield from dict.fromkeys(named)
