"""A folder of small objects in a bucket that several machines write to.

Every write says what it replaces (``If-Match``, ``If-None-Match``): who holds an older state is
refused by OCI, however slow or confused the machine is. The bucket keeps versions; those that a
write supersedes are deleted, or a run of two days would leave thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from .auth import storage
from .definitions import bucket_path
from .errors import JobsError, RefusedError, StaleWriteError, UnreachableError, attempting

# The SDK's own strategy goes on for ten minutes: what waits here is the pipeline.
_TRIES = 3
_TRY_SECONDS = 20
# Object Storage's answers to a condition that does not hold, and to two writes at once.
_STALE = (409, 412)
_PAGE = 1000


@dataclass(frozen=True)
class Stored:
    """An object as it was read or written. *age* is in seconds, by OCI's own clock: a machine's
    clock may be wrong."""

    name: str
    text: str
    etag: str
    version: str
    age: float = 0.0


class BucketFolder:
    """The objects below ``oci://BUCKET@NAMESPACE/PREFIX``. Signed in as the process is.

    Every method raises :class:`RefusedError` or :class:`UnreachableError` when OCI does not serve.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/") + "/"
        self._namespace, self._bucket, self._prefix = bucket_path(self.uri)
        self._versioned = True
        self._unanswered: dict[str, set[str]] = {}

    def names(self, below: str = "") -> dict[str, str]:
        """The etags of the objects by their names in this folder."""
        prefix = self._prefix + below
        found: dict[str, str] = {}
        start = None
        with attempting(f"list {self.uri}{below}"):
            while True:
                page = self._client.list_objects(
                    self._namespace, self._bucket, prefix=prefix, start=start,
                    fields="name,etag", limit=_PAGE, retry_strategy=self._retries,
                ).data  # fmt: skip
                for each in page.objects:
                    found[each.name.removeprefix(self._prefix)] = each.etag
                if not page.next_start_with:
                    return found
                start = page.next_start_with

    def read(self, name: str) -> Stored | None:
        """The object; None where there is none."""
        try:
            with attempting(f"read {self.uri}{name}"):
                answer = self._client.get_object(*self._place(name), retry_strategy=self._retries)
                text = answer.data.content.decode()
        except RefusedError as error:
            # Without the bucket, or without a policy, the code says so too: the list tells them
            # apart, and who reads here has listed or will write.
            if error.status == 404 and "ObjectNotFound" in error.what:
                return None
            raise
        headers = answer.headers
        return Stored(name, text, headers["etag"], headers.get("version-id", ""), _age(headers))

    def write(self, name: str, text: str, replacing: Stored | None) -> Stored:
        """Put *text* in the place of *replacing*, or where nothing is yet.

        Raises:
            StaleWriteError: something else is there.
        """
        try:
            written = self._put(name, text, replacing)
        except StaleWriteError:
            written = self._after_all(name, text)
        self._unanswered.pop(name, None)
        if replacing is not None and replacing.version != written.version:
            self._delete_version(name, replacing.version)
        return written

    def delete(self, name: str) -> None:
        """Delete the object, if it is there; a versioned bucket keeps what it was."""
        try:
            with attempting(f"delete {self.uri}{name}"):
                self._client.delete_object(*self._place(name), retry_strategy=self._retries)
        except RefusedError as error:
            if error.status != 404:
                raise

    def tidy(self) -> None:
        """Delete the superseded versions that a killed process left behind."""
        page = None
        with attempting(f"list the versions in {self.uri}"):
            current = set(self.names())
            latest: set[str] = set()
            while True:
                answer = self._client.list_object_versions(
                    self._namespace, self._bucket, prefix=self._prefix, page=page,
                    limit=_PAGE, retry_strategy=self._retries,
                )  # fmt: skip
                for each in answer.data.items:  # the newest of a name comes first
                    name = each.name.removeprefix(self._prefix)
                    if name in current and name in latest:
                        self._delete_version(name, each.version_id)
                    latest.add(name)
                page = answer.headers.get("opc-next-page")
                if not page:
                    return

    def _put(self, name: str, text: str, replacing: Stored | None) -> Stored:
        condition = {"if_match": replacing.etag} if replacing else {"if_none_match": "*"}
        try:
            with attempting(f"write {self.uri}{name}"):
                headers = self._client.put_object(
                    *self._place(name), text.encode(), content_type=_type(name),
                    retry_strategy=self._retries, **condition,
                ).headers  # fmt: skip
        except UnreachableError:
            self._unanswered.setdefault(name, set()).add(text)
            raise
        except RefusedError as error:
            if error.status in _STALE:
                raise StaleWriteError(
                    f"{self.uri}{name} was written by somebody else meanwhile.\n{error.what}"
                ) from None
            if error.passing:
                self._unanswered.setdefault(name, set()).add(text)
            raise
        return Stored(name, text, headers["etag"], headers.get("version-id", ""))

    def _after_all(self, name: str, text: str) -> Stored:
        """After a refusal: what lies there may be this process's own, written by a try whose
        answer was lost. Raises :class:`StaleWriteError` if it is not."""
        present = self.read(name)
        if present is not None and present.text == text:
            return present
        if present is not None and present.text in self._unanswered.get(name, ()):
            return self._put(name, text, present)
        raise StaleWriteError(f"{self.uri}{name} was written by somebody else meanwhile.")

    def _delete_version(self, name: str, version: str) -> None:
        """Best effort: :meth:`tidy` finds what stays."""
        if not version or not self._versioned:
            return
        try:
            with attempting(f"delete a version of {self.uri}{name}"):
                # In a context of its own: while a step is submitted, what ADS deletes is kept.
                Context().run(
                    self._client.delete_object,
                    *self._place(name),
                    version_id=version,
                    retry_strategy=self._retries,
                )
        except RefusedError as error:
            # A bucket without versioning says so of every version.
            self._versioned = error.status != 404
        except JobsError:
            return

    def _place(self, name: str) -> tuple[str, str, str]:
        return self._namespace, self._bucket, self._prefix + name

    @property
    def _client(self) -> Any:
        return storage()

    @cached_property
    def _retries(self) -> Any:
        from oci.retry import RetryStrategyBuilder

        return RetryStrategyBuilder(
            max_attempts=_TRIES,
            total_elapsed_time_seconds=_TRY_SECONDS,
            retry_base_sleep_time_seconds=1,
            retry_max_wait_between_calls_seconds=5,
        ).get_retry_strategy()


def _age(headers: Mapping[str, str]) -> float:
    """Seconds between the write and the answer, both stamped by OCI."""
    answered, written = headers.get("date"), headers.get("last-modified")
    if not answered or not written:
        return 0.0
    return (parsedate_to_datetime(answered) - parsedate_to_datetime(written)).total_seconds()


def _type(name: str) -> str:
    return "application/json" if name.endswith(".json") else "application/yaml"
