"""A client of the soak: writes, reads, and keeps account of what it was told."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import oci
import urllib3

NS = "ocimock"
BUCKET = "soak"
ABSENT = "absent"
_NAMES = 30
_MOST_BYTES = 3 * 1024 * 1024
_M = oci.data_science.models

# What comes instead of an answer where the connection ends.
_LOST = (
    oci.exceptions.RequestException,
    oci._vendor.requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)
# What the faults answer with, in place of the operation.
_REFUSED = (429, 503)


class LostError(Exception):
    """The connection ended without an answer: whether it happened is not known."""


class RefusedError(Exception):
    """The server said that it did not do it."""


@dataclass
class Ledger:
    """What must be there.

    :param objects: for each name the digests that its content may have; :data:`ABSENT` is one. More
        than one only where an answer was lost.
    :param created: by kind and display name the OCID that was acknowledged; empty if none was.
    :param acknowledged: how many writes were.
    """

    objects: dict[str, set[str]] = field(default_factory=dict)
    created: dict[tuple[str, str], str] = field(default_factory=dict)
    acknowledged: int = 0


@dataclass(frozen=True)
class Signals:
    """How the test and its clients tell each other: the server is up; it is enough."""

    up: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)


class Clients:
    """The SDK's clients of one server, which try nothing again by themselves."""

    def __init__(self, config: dict[str, str], url: str) -> None:
        options: dict[str, Any] = {
            "signer": oci.signer.Signer.from_config(config),
            "service_endpoint": url,
            "retry_strategy": oci.retry.NoneRetryStrategy(),
            "circuit_breaker_strategy": oci.circuit_breaker.NoCircuitBreakerStrategy(),
        }
        self.storage = oci.object_storage.ObjectStorageClient(config, **options)
        self.science = oci.data_science.DataScienceClient(config, **options)


class SoakClient:
    """Does one thing after the other, at random, until it is enough.

    Its objects' names are its own, so that it knows what each may hold.
    """

    def __init__(
        self, number: int, clients: Clients, ids: dict[str, str], signals: Signals
    ) -> None:
        self.ledger = Ledger()
        self._number = number
        self._clients = clients
        self._ids = ids
        self._signals = signals
        self._random = random.Random(number)
        self._count = 0

    def run(self) -> None:
        """:raises AssertionError: a read showed what was never, or no longer, there."""
        acts: list[Callable[[], None]] = [
            self._put,
            self._put,
            self._delete,
            self._upload,
            self._read,
            self._create_project,
            self._create_run,
        ]
        while not self._signals.enough.is_set():
            self._random.choice(acts)()

    def _put(self) -> None:
        body = self._body()
        name = self._name()
        put = self._clients.storage.put_object
        self._write(name, digest(body), lambda: put(NS, BUCKET, name, body))

    def _delete(self) -> None:
        name = self._name()
        delete = self._clients.storage.delete_object

        def gone() -> None:
            try:
                delete(NS, BUCKET, name)
            except oci.exceptions.ServiceError as fault:
                if fault.code != "ObjectNotFound":
                    raise

        self._write(name, ABSENT, gone)

    def _upload(self) -> None:
        """In two parts. Before they are committed nothing of them may be seen."""
        storage, name = self._clients.storage, self._name()
        parts = [self._body() + b"1", self._body() + b"2"]
        details = oci.object_storage.models.CreateMultipartUploadDetails(object=name)
        try:
            begun = _told(lambda: storage.create_multipart_upload(NS, BUCKET, details))
            upload = begun.data.upload_id
            etags = [self._upload_part(name, upload, *part) for part in enumerate(parts, start=1)]
        except RefusedError:
            return
        except LostError:
            self._signals.up.wait()
            return
        commit = oci.object_storage.models.CommitMultipartUploadDetails(
            parts_to_commit=[
                oci.object_storage.models.CommitMultipartUploadPartDetails(
                    part_num=number, etag=etag
                )
                for number, etag in enumerate(etags, start=1)
            ]
        )
        self._write(
            name,
            digest(b"".join(parts)),
            lambda: storage.commit_multipart_upload(NS, BUCKET, name, upload, commit),
        )

    def _upload_part(self, name: str, upload: str, number: int, part: bytes) -> str:
        """The part's etag."""
        send = self._clients.storage.upload_part
        answer = _told(lambda: send(NS, BUCKET, name, upload, number, part))
        return str(answer.headers["etag"])

    def _read(self) -> None:
        name = self._name()
        try:
            seen = _told(lambda: content(self._clients.storage, name))
        except RefusedError:
            return
        except LostError:
            self._signals.up.wait()
            return
        assert seen in self._may_hold(name), f"{name} holds what it never did, or no more"
        self.ledger.objects[name] = {seen}

    def _create_project(self) -> None:
        self._create(
            "project",
            lambda name, token: self._clients.science.create_project(
                _M.CreateProjectDetails(compartment_id=self._ids["compartment"], display_name=name),
                opc_retry_token=token,
            ),
        )

    def _create_run(self) -> None:
        self._create(
            "run",
            lambda name, token: self._clients.science.create_job_run(
                _M.CreateJobRunDetails(
                    compartment_id=self._ids["compartment"],
                    project_id=self._ids["project"],
                    job_id=self._ids["job"],
                    display_name=name,
                ),
                opc_retry_token=token,
            ),
        )

    def _create(self, kind: str, create: Callable[[str, str], Any]) -> None:
        """With one retry token until it is acknowledged, over lost answers and a dead server."""
        self._count += 1
        name = token = f"client{self._number}-{self._count}"
        self.ledger.created[kind, name] = ""
        while not self._signals.enough.is_set():
            try:
                self.ledger.created[kind, name] = _told(lambda: create(name, token)).data.id
            except RefusedError:
                continue
            except LostError:
                self._signals.up.wait()
                continue
            self.ledger.acknowledged += 1
            return

    def _write(self, name: str, outcome: str, call: Callable[[], Any]) -> None:
        before = self._may_hold(name)
        try:
            _told(call)
        except RefusedError:
            return
        except LostError:
            self.ledger.objects[name] = before | {outcome}
            self._signals.up.wait()
            return
        self.ledger.objects[name] = {outcome}
        self.ledger.acknowledged += 1

    def _may_hold(self, name: str) -> set[str]:
        return self.ledger.objects.get(name, {ABSENT})

    def _name(self) -> str:
        return f"client{self._number}/{self._random.randrange(_NAMES)}"

    def _body(self) -> bytes:
        size = self._random.choice([0, 1, 1024, 1024, 100_000, self._random.randrange(_MOST_BYTES)])
        return self._random.randbytes(size)


def content(storage: Any, name: str) -> str:
    """The digest of what the object holds; :data:`ABSENT` where there is none."""
    try:
        return digest(storage.get_object(NS, BUCKET, name).data.content)
    except oci.exceptions.ServiceError as fault:
        if fault.code != "ObjectNotFound":
            raise
        return ABSENT


def digest(body: bytes) -> str:
    return f"{len(body)} bytes {hashlib.sha256(body).hexdigest()}"


def _told(call: Callable[[], Any]) -> Any:
    """What *call* returns.

    :raises RefusedError: a fault was answered.
    :raises LostError: nothing was.
    """
    try:
        return call()
    except oci.exceptions.ServiceError as fault:
        if fault.status not in _REFUSED:
            raise
        raise RefusedError from None
    except _LOST as fault:
        raise LostError(str(fault)) from None
