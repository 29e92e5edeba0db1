"""Oracle's own bucket of service conda environments, as far as it is a list.

Data Science's conda environments lie as packs in a bucket of Oracle's, which every tenancy may
read; ADS looks up slugs in its ``service_pack/index.json``. The mock has the index, not the packs,
which are gigabytes each: they are refused by name. The bucket is no part of the tenancy, and
nothing can be written to it.

Sources: ``ads.config`` of oracle-ads 2.16.1 (bucket and namespace), ``ads.model.runtime.utils``
(what is read of the index); slugs as Oracle's documentation and public samples had them in
November 2026, with their packs' paths in the form of those samples.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass

from ...service import Call
from ...wire.body import Body
from ...wire.errors import (
    NotImplementedByMock,
    ObjectNotFound,
)
from ...wire.message import Response
from .conditions import ranged

NAMESPACE, BUCKET = "id19sfcrra6z", "service-conda-packs"
_INDEX = "service_pack/index.json"
# Not the time of Oracle's file, but of this list.
_MODIFIED = "Sun, 22 Nov 2026 00:00:00 GMT"


@dataclass(frozen=True)
class Pack:
    """A service conda environment: where its pack lies below ``service_pack/``, and its Python."""

    slug: str
    python: str
    folder: str

    @property
    def entry(self) -> dict[str, str]:
        """As the index has it."""
        path = f"oci://{BUCKET}@{NAMESPACE}/service_pack/{self.folder}/{self.slug}"
        return {"slug": self.slug, "python": self.python, "pack_path": path}


PACKS = (
    Pack(
        "dataexpl_p37_cpu_v3", "3.7", "cpu/Data_Exploration_and_Manipulation_for_CPU_Python_3.7/3.0"
    ),
    Pack("tensorflow27_p37_cpu_v1", "3.7", "cpu/TensorFlow_2.7_for_CPU_on_Python_3.7/1.0"),
    Pack(
        "automlx234_p38_cpu_x86_64_v1", "3.8", "cpu/Oracle_AutoMLx_v23.4_for_CPU_on_Python_3.8/1.0"
    ),
    Pack("pytorch20_p39_gpu_v2", "3.9", "gpu/PyTorch_2.0_for_GPU_on_Python_3.9/2.0"),
    Pack("pytorch21_p39_gpu_v1", "3.9", "gpu/PyTorch_2.1_for_GPU_on_Python_3.9/1.0"),
    Pack("pytorch28_p312_gpu_x86_64_v1", "3.12", "gpu/PyTorch_2.8_for_GPU_on_Python_3.12/1.0"),
)


def is_meant(call: Call) -> bool:
    """Whether the path names this bucket."""
    return (call.path.get("namespaceName"), call.path.get("bucketName")) == (NAMESPACE, BUCKET)


def get(call: Call) -> Response:
    """GET of an object."""
    body = _object(call)
    return ranged(call, _headers(body), body)


def head(call: Call) -> Response:
    """HEAD of an object."""
    return Response(200, _headers(_object(call)))


def names(prefix: str) -> list[str]:
    """The objects that a list shows."""
    return [_INDEX] if _INDEX.startswith(prefix) else []


def _object(call: Call) -> Body:
    name = call.path["objectName"]
    if name == _INDEX:
        return _index()
    slugs = {pack.slug for pack in PACKS}
    if slugs & set(name.split("/")):
        raise NotImplementedByMock(
            f"ocimock has the index of service conda environments, not the packs: '{name}'"
        )
    raise ObjectNotFound(f"The object '{name}' does not exist in bucket '{BUCKET}'")


@functools.cache
def _index() -> Body:
    return Body.of(json.dumps({"service_packs": [pack.entry for pack in PACKS]}).encode())


def _headers(body: Body) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "content-length": str(body.size),
        "content-type": "application/json",
        "etag": body.digest("md5").hex(),
        "last-modified": _MODIFIED,
        "storage-tier": "Standard",
        "version-id": "1",
    }
