"""Where the things that a pipeline uses are: policies hold for compartments."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..definitions import bucket_path
from ..errors import JobsError
from .subject import Subject

_AT_ONCE = 6


@dataclass(frozen=True)
class On:
    """What a call is about: its compartment's OCID, and its variables for conditions."""

    compartment: str
    variables: tuple[tuple[str, str], ...] = ()


class Places:
    """Asked of OCI. What it does not tell is taken to be in the pipeline's own compartment, where
    the stacks put all but a subnet that was there before: whether it is there at all, other checks
    say."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.compartment = subject.pipeline.compartment_id
        self.namespace, _, _ = bucket_path(subject.pipeline.ledger)
        self._guessed: dict[str, None] = {}

    @property
    def guessed(self) -> list[str]:
        """What OCI did not tell of, for a reader."""
        return list(self._guessed)

    def subnet(self, ocid: str) -> On:
        from oci.core import VirtualNetworkClient

        network = self._subject.client(VirtualNetworkClient)
        return On(self._of(f"the subnet {ocid}", network.get_subnet, ocid))

    def bucket(self, uri: str) -> On:
        """The bucket itself."""
        from oci.object_storage import ObjectStorageClient

        namespace, name, _ = bucket_path(uri)
        storage = self._subject.client(ObjectStorageClient)
        asked = self._of(f"the bucket '{name}'", storage.get_bucket, namespace, name)
        return On(asked, (("target.bucket.name", name),))

    def objects(self, uri: str) -> On:
        """What lies under the place in the bucket."""
        _, _, path = bucket_path(uri)
        inside = (("target.object.name", path),) if path else ()
        bucket = self.bucket(uri)
        return On(bucket.compartment, (*bucket.variables, *inside))

    def log_group(self, ocid: str) -> On:
        from oci.logging import LoggingManagementClient

        logging = self._subject.client(LoggingManagementClient)
        asked = self._of(f"the log group {ocid}", logging.get_log_group, ocid)
        return On(asked, (("target.loggroup.id", ocid),))

    def secret(self, name: str, vault: str) -> On:
        variables = (("target.secret.name", name), ("target.vault.id", vault))
        return On(self.compartment, variables)

    def look(self) -> None:
        """Ask for all that the definitions name, side by side; the answers are kept."""
        asks: dict[tuple[Any, str], None] = {(self.bucket, self._subject.pipeline.ledger): None}
        for definition in self._subject.definitions.values():
            infrastructure = definition.infrastructure
            logs = [infrastructure.get(name) or {} for name in ("accessLog", "predictLog")]
            for spec in (infrastructure, *logs):
                if group := spec.get("logGroupId"):
                    asks[self.log_group, str(group)] = None
            if subnet := infrastructure.get("subnetId"):
                asks[self.subnet, str(subnet)] = None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda ask: ask[0](ask[1]), asks))

    def _of(self, what: str, call: Callable[..., Any], *names: str) -> str:
        try:
            found = self._subject.get(f"read {what}", call, *names)
        except JobsError:
            self._guessed[what] = None
            return self.compartment
        return str(found.compartment_id)
