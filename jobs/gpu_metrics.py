"""How busy the GPUs of a job run are, from OCI Monitoring.

ADS's driver posts it, once a minute, to the namespace that the job names (``gpu.gpu_utilization``
and ``gpu.memory_usage``, in percent; its dimensions are ``job_run_ocid``, ``job_ocid`` and
``pci_bus``). They name no node: the GPUs of all nodes that sit in the same slot are one series, so
that the lowest value tells an idle one. Source: ``ads/jobs/templates/oci_metrics.py``.

A job that names none may have figures in OCI's own namespace ``oci_datascience_jobrun`` (dimension
``resourceId``). Which there are is asked of OCI: what they are called differs by shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import attempting

SERVICE_NAMESPACE = "oci_datascience_jobrun"
UTILISATION, MEMORY = "utilisation", "memory"
_POSTED = {UTILISATION: "gpu.gpu_utilization", MEMORY: "gpu.memory_usage"}
_NAMED = {
    UTILISATION: re.compile(r"gpu(?!.*mem).*util", re.IGNORECASE),
    MEMORY: re.compile(r"gpu.*mem", re.IGNORECASE),
}
# What was posted this long ago tells nothing of now.
_FRESH = timedelta(minutes=10)
# The longest time that a resolution may be asked for, and some hundred points at most. Source:
# OCI documentation, "Monitoring Query Language (MQL) Reference", interval.
_RESOLUTIONS = ((timedelta(hours=6), "1m"), (timedelta(days=1), "5m"), (timedelta(days=90), "1h"))


@dataclass(frozen=True)
class Source:
    """A run's metrics; *namespace* is '' where its job names none."""

    compartment: str
    run: str
    namespace: str

    @property
    def dimension(self) -> str:
        return f'{"job_run_ocid" if self.namespace else "resourceId"} = "{self.run}"'


@dataclass(frozen=True)
class GpuUse:
    """Of all GPUs of a run, in percent: the mean utilisation, the lowest, the mean memory."""

    at: datetime
    utilisation: float
    lowest: float
    memory: float | None = None

    def words(self) -> str:
        memory = f", memory {self.memory:.0f} %" if self.memory is not None else ""
        return f"GPU {self.utilisation:.0f} % (lowest {self.lowest:.0f} %){memory}"


@dataclass(frozen=True)
class GpuSeries:
    """One curve: *quantity* is utilisation or memory in percent, *gpu* its slot."""

    quantity: str
    gpu: str
    points: tuple[tuple[datetime, float], ...]


def latest(source: Source, now: datetime | None = None) -> GpuUse | None:
    """How busy the GPUs are now; None where nothing was posted in the last minutes.

    Raises:
        RefusedError, UnreachableError: Monitoring can't be read.
    """
    until = now or datetime.now(UTC)
    names = _names(source)
    if UTILISATION not in names:
        return None
    window = (until - _FRESH, until)
    mean = _last(_query(source, names[UTILISATION], "mean", *window))
    if not mean:
        return None
    low = _last(_query(source, names[UTILISATION], "min", *window))
    memory = _last(_query(source, names[MEMORY], "mean", *window)) if MEMORY in names else []
    return GpuUse(
        at=max(at for at, _ in mean),
        utilisation=_mean(mean),
        lowest=min(value for _, value in low or mean),
        memory=_mean(memory) if memory else None,
    )


def curves(source: Source, start: datetime, end: datetime | None = None) -> list[GpuSeries]:
    """Utilisation and memory over the whole run; none where none were posted.

    Raises:
        RefusedError, UnreachableError: Monitoring can't be read.
    """
    until = end or datetime.now(UTC)
    found = []
    for quantity, name in _names(source).items():
        for series in _query(source, name, "mean", start, until + timedelta(minutes=1)):
            points = tuple((point.timestamp, point.value) for point in series.aggregated_datapoints)
            if points:
                found.append(GpuSeries(quantity, _slot(series.dimensions), points))
    return sorted(found, key=lambda series: (series.quantity != UTILISATION, series.gpu))


def _names(source: Source) -> dict[str, str]:
    """Quantity → what its metric is called."""
    if source.namespace:
        return _POSTED
    from oci.monitoring.models import ListMetricsDetails

    details = ListMetricsDetails(
        namespace=SERVICE_NAMESPACE, dimension_filters={"resourceId": source.run}
    )
    with attempting("read which metrics there are"):
        listed = _client().list_metrics(source.compartment, details).data
    names = sorted({str(metric.name) for metric in listed})
    return {
        quantity: next(name for name in names if like.search(name))
        for quantity, like in _NAMED.items()
        if any(like.search(name) for name in names)
    }


def _query(source: Source, name: str, statistic: str, start: datetime, end: datetime) -> list[Any]:
    from oci.monitoring.models import SummarizeMetricsDataDetails

    step = next(
        (step for longest, step in _RESOLUTIONS if end - start <= longest), _RESOLUTIONS[-1][1]
    )
    details = SummarizeMetricsDataDetails(
        namespace=source.namespace or SERVICE_NAMESPACE,
        query=f"{name}[{step}]{{{source.dimension}}}.{statistic}()",
        start_time=start,
        end_time=end,
        resolution=step,
    )
    with attempting("read how busy the GPUs are"):
        return list(_client().summarize_metrics_data(source.compartment, details).data)


def _last(series: Iterable[Any]) -> list[tuple[datetime, float]]:
    """The last point of each series that has one."""
    points = (each.aggregated_datapoints for each in series)
    return [(found[-1].timestamp, float(found[-1].value)) for found in points if found]


def _mean(points: list[tuple[datetime, float]]) -> float:
    return sum(value for _, value in points) / len(points)


def _slot(dimensions: dict[str, str]) -> str:
    return dimensions.get("pci_bus") or dimensions.get("gpu") or ""


def _client() -> Any:
    from oci.monitoring import MonitoringClient

    from .auth import client

    return client(MonitoringClient)
