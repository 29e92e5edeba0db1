"""An object of 2 GiB through the server, in one request and in parts: the server's memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import oci
from oci.object_storage import ObjectStorageClient as _Client
from oci.object_storage.models import CreateBucketDetails

from .figures import Plan, console, table, verdict
from .processes import Server, ocimock_server

_BYTES = 2 * 1024**3
_QUICK_BYTES = 64 * 1024**2
_PIECE = b"ocimock!" * 8192  # 64 KiB
_READ = 1024 * 1024
_NAMESPACE = "ocimock"
_COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaocimockcompartment"
# MB that the server may grow by, whatever the object's size.
_GROWTH = 100.0


def run(plan: Plan) -> None:
    """Measure and print."""
    if not Path("/proc/self/clear_refs").exists():
        console.print("\nA large object: peak memory is read from /proc, which is not here")
        return
    size = _QUICK_BYTES if plan.quick else _BYTES
    shown = table(
        f"\nAn object of {size / 1024**2:,.0f} MiB through the server",
        "",
        "seconds",
        "MB/s",
        "server's peak RSS",
        "more than idle",
        f"< {_GROWTH:.0f} MB more",
    )
    with ocimock_server() as server:
        client = _client(server)
        idle = _megabytes(server.pid, "VmRSS")
        steps: dict[str, Callable[[_Client, int], None]] = {
            "put in one request": _put,
            "put in parts (UploadManager)": _upload,
            "get": _get,
        }
        for title, step in steps.items():
            _forget_peak(server.pid)
            started = time.monotonic()
            step(client, size)
            seconds = time.monotonic() - started
            peak = _megabytes(server.pid, "VmHWM")
            shown.add_row(
                title,
                f"{seconds:.1f}",
                f"{size / seconds / 1e6:,.0f}",
                f"{peak:,.0f} MB",
                f"{peak - idle:,.0f} MB",
                verdict(peak - idle < _GROWTH),
            )
    console.print(shown)


class _Zeros:
    """A file of *size* bytes that lies nowhere. Its reader gets no more than a piece at a time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def __len__(self) -> int:
        return self._size

    def read(self, count: int = -1) -> bytes:
        wanted = min(len(_PIECE) if count < 0 else count, self._size - self._at)
        self._at += wanted
        whole, rest = divmod(wanted, len(_PIECE))
        return _PIECE * whole + _PIECE[:rest]

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = {0: 0, 1: self._at, 2: self._size}[whence] + offset
        return self._at


def _client(server: Server) -> _Client:
    client = _Client(
        oci.config.from_file(f"{server.home}/config"),
        service_endpoint=server.url,
        retry_strategy=oci.retry.NoneRetryStrategy(),
        timeout=(10, 600),
    )
    details = CreateBucketDetails(name="large", compartment_id=_COMPARTMENT)
    client.create_bucket(_NAMESPACE, details)
    return client


def _put(client: _Client, size: int) -> None:
    client.put_object(_NAMESPACE, "large", "one", _Zeros(size), content_length=size)


def _upload(client: _Client, size: int) -> None:
    manager = oci.object_storage.UploadManager(client, allow_parallel_uploads=True)
    manager.upload_stream(_NAMESPACE, "large", "parts", _Zeros(size), part_size=64 * 1024**2)


def _get(client: _Client, size: int) -> None:
    response = client.get_object(_NAMESPACE, "large", "one")
    got = sum(len(piece) for piece in response.data.raw.stream(_READ))
    assert got == size, f"{got} bytes of {size} came back"


def _megabytes(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1]) / 1024
    raise LookupError(name)


def _forget_peak(pid: int) -> None:
    """Have the kernel count the peak from here on ("5" to clear_refs; see proc(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
