"""Where things are written: logs, and the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...definitions import Definition, bucket_path
from ..check import Finding, failed, passed, warned
from ..patience import every_page
from ..subject import Subject
from .account import EMIT, there

_LIVE = "ACTIVE"
# Fields of a definition's infrastructure that name a log, a deployment's within a part of its own.
_OF_DEPLOYMENTS = ("accessLog", "predictLog")
_WHY = "A training on several nodes finds its main node by its log; a person reads it."


@dataclass(frozen=True)
class _Named:
    """A log, as a definition names it; *field* is '' for a job's own."""

    file: str
    field: str
    group: str
    log: str

    @property
    def place(self) -> str:
        return f"{self.file}, {self.field}" if self.field else self.file


class Logs:
    """Whether the logs take lines: of several nodes, those but the first find it by its log."""

    name = "logs"
    question = "Are the log group and the logs there, and enabled?"
    right = "read log-groups in compartment …"
    offline = False
    after = ("compartment",)
    steps = ("stage", "finetune", "merge", "deploy")

    def look(self, subject: Subject) -> Iterator[Finding]:
        looked_at: set[tuple[str, str]] = set()
        for definition in _to_submit(subject, self.steps):
            if definition.kind == "job" and not definition.infrastructure.get("logId"):
                yield _without(definition)
            for named in _logs(definition):
                if (named.group, named.log) not in looked_at:
                    looked_at.add((named.group, named.log))
                    yield from _log(subject, named)
        if not looked_at:
            yield passed("No deployment names a log.")


class Bucket:
    """Whether the bucket is there, and takes and keeps what the steps write."""

    name = "bucket"
    question = "Is the bucket there, versioned, and to be written to?"
    right = "read buckets in compartment …"
    offline = False
    after = ("compartment",)
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> list[Finding]:
        from oci.object_storage import ObjectStorageClient

        storage = subject.client(ObjectStorageClient)
        own = str(subject.get("read the tenancy's namespace", storage.get_namespace))
        found: list[Finding] = []
        for namespace, bucket in sorted(_buckets(subject)):
            if namespace != own:
                found.append(
                    failed(
                        f"The definitions name the namespace '{namespace}'; the tenancy's is "
                        f"'{own}'.",
                        "They are of another tenancy: run 'python -m jobs emit' on this one's.",
                    )
                )
            else:
                found += _bucket(subject, storage, namespace, bucket)
        return found


def _to_submit(subject: Subject, steps: tuple[str, ...]) -> Iterator[Definition]:
    for step in steps:
        yield from subject.of_step(step)


def _logs(definition: Definition) -> Iterator[_Named]:
    spec, file = definition.infrastructure, definition.path.name
    if group := spec.get("logGroupId"):
        yield _Named(file, "", str(group), str(spec.get("logId") or ""))
    for field in _OF_DEPLOYMENTS:
        named = spec.get(field) or {}
        if named.get("logGroupId"):
            yield _Named(file, field, str(named["logGroupId"]), str(named.get("logId") or ""))


def _without(definition: Definition) -> Finding:
    remedy = f"Set 'logGroupId' and 'logId' in {definition.path.name}: {EMIT}."
    said = f"{definition.path.name} names no log"
    if definition.replicas > 1:
        return failed(f"{said}, by which its {definition.replicas} nodes find each other.", remedy)
    return warned(f"{said}: nobody can read why it fails, if it does.", remedy)


def _log(subject: Subject, named: _Named) -> Iterator[Finding]:
    from oci.logging import LoggingManagementClient

    logging = subject.client(LoggingManagementClient)
    group = there(
        subject,
        f"the log group {named.group}",
        lambda: logging.get_log_group(named.group),
        lambda: every_page(logging.list_log_groups, subject.pipeline.compartment_id),
        named.group,
    )
    if group is None or group.lifecycle_state != _LIVE:
        state = "not there" if group is None else group.lifecycle_state
        yield failed(
            f"The log group {named.group} is {state}.",
            f"Make it anew: {EMIT}. {_WHY}",
        )
        return
    if not named.log:
        return
    log = there(
        subject,
        f"the log {named.log}",
        lambda: logging.get_log(named.group, named.log),
        lambda: every_page(logging.list_logs, named.group),
        named.log,
    )
    if log is None or log.lifecycle_state not in (_LIVE, "INACTIVE"):
        state = "not there" if log is None else log.lifecycle_state
        yield failed(
            f"The log {named.log} ({named.place}) is {state}.", f"Make it anew: {EMIT}. {_WHY}"
        )
    elif not log.is_enabled:
        yield failed(
            f"The log {log.display_name} ({named.place}) is disabled.",
            f"'oci logging log update --log-group-id {named.group} --log-id {named.log} "
            f"--is-enabled true'. {_WHY}",
        )
    elif log.log_type != "CUSTOM":
        yield failed(
            f"The log {log.display_name} ({named.place}) is a {log.log_type} log; Data Science "
            "writes to CUSTOM ones.",
            f"Make one: {EMIT}.",
        )
    else:
        yield passed(f"{log.display_name} in {group.display_name} takes lines.")


def _buckets(subject: Subject) -> set[tuple[str, str]]:
    """(namespace, name) of what the ledger and the steps that are still to run write and read."""
    uris = [subject.pipeline.ledger]
    for definition in _to_submit(subject, tuple(sorted(subject.steps))):
        uris += [str(mount["src"]) for mount in definition.infrastructure.get("storageMount", ())]
        uris.append(str(definition.content["spec"].get("artifact") or ""))
    return {bucket_path(uri)[:2] for uri in uris if uri.startswith("oci://")}


def _bucket(subject: Subject, storage: Any, namespace: str, name: str) -> Iterator[Finding]:
    def every() -> Any:
        compartment = subject.pipeline.compartment_id
        return every_page(storage.list_buckets, namespace, compartment)

    found = there(
        subject,
        f"the bucket {name}",
        lambda: storage.get_bucket(namespace, name),
        every,
        name,
        key="name",
    )
    if found is None:
        yield failed(
            f"There is no bucket '{name}' in the compartment, in {subject.pipeline.region}.",
            f"Make it anew: {EMIT}.",
        )
        return
    update = f"oci os bucket update --namespace {namespace} --name {name}"
    bad = list(_wrong(found, update))
    yield from bad or [passed(f"{name} is there, versioned, in {subject.pipeline.region}.")]


def _wrong(bucket: Any, update: str) -> Iterator[Finding]:
    if bucket.versioning != "Enabled":
        yield failed(
            f"The bucket {bucket.name} is not versioned (versioning: {bucket.versioning}): a model "
            "is registered by the versions of its objects.",
            f"'{update} --versioning Enabled'.",
        )
    if bucket.storage_tier == "Archive":
        yield failed(
            f"The bucket {bucket.name} is of the Archive tier: nothing can be read from it before "
            "it was restored.",
            "A bucket's tier can't be changed: write another name as 'bucket' into the "
            "tenancy file, and deploy.",
        )
    if bucket.is_read_only:
        yield failed(
            f"The bucket {bucket.name} is read-only: it is the target of a replication.",
            "Stop the replication (console: the bucket > Replication policy, 'Make writable'), or "
            "'oci os replication make-bucket-writable --bucket-name " + bucket.name + "'.",
        )
