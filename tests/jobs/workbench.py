"""A tenancy on ocimock with what the definitions name, made through the SDK as Terraform would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import oci
import pytest
import yaml

from infra.definitions import definitions
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from jobs.definitions import FILES, KINDS, Definition
from jobs.pipeline import Pipeline, pipeline_of
from ocimock import inprocess
from ocimock.dispatch import dispatch
from ocimock.tenancy import MockedTenancy
from ocimock.wire.message import Request, Response
from tests.jobs.samples import text

BUCKET = "demo-bucket"


@dataclass(frozen=True)
class Workbench:
    """The OCIDs that take the samples' places."""

    places: dict[str, str]

    def place(self, sample: str) -> str:
        """The OCID that stands for the sample's that ends in ``aaaa<sample>``."""
        return next(made for old, made in self.places.items() if old.endswith(f"aaaa{sample}"))

    def emitted(self, tenancy_file: Path) -> dict[str, str]:
        """What the stacks emit for a tenancy whose resources are this bench's."""
        tenancy = load(tenancy_file)
        places = Places(
            project_id=self.place("project"),
            subnet_id=self.place("subnet"),
            log_group_id=self.place("group"),
            job_log_id=self.place("log"),
            predict_log_id=self.place("predict"),
            access_log_id=self.place("access"),
            bucket=BUCKET,
            namespace="ocimock",
            vault_id="ocid1.vault.oc1.eu-frankfurt-1.aaaavault",
        )
        return definitions(tenancy, plan_for(tenancy), places)

    def text(self, name: str) -> str:
        changed = text(name)
        for sample, made in self.places.items():
            changed = changed.replace(sample, made)
        return changed

    def definitions(self) -> dict[str, Definition]:
        return {name: Definition(name, Path(f"{name}.yaml"), self.text(name)) for name in KINDS}

    def pipeline(self) -> Pipeline:
        return pipeline_of(yaml.safe_load(self.text("pipeline")))

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_text(self.text(Path(name).stem), encoding="utf-8")


def build(cloud: MockedTenancy, *, versioned: bool = True) -> Workbench:
    """Network, logs, project and bucket."""
    subnet = _subnet(cloud)
    group, log, access, predict = _logs(cloud)
    science = oci.data_science.DataScienceClient(cloud.config)
    project = science.create_project(
        oci.data_science.models.CreateProjectDetails(
            compartment_id=cloud.compartment_id, display_name="demo"
        )
    ).data.id
    _bucket(cloud, versioned)
    return Workbench(
        {
            "ocid1.subnet.oc1.eu-frankfurt-1.aaaasubnet": subnet,
            "ocid1.loggroup.oc1.eu-frankfurt-1.aaaagroup": group,
            "ocid1.log.oc1.eu-frankfurt-1.aaaalog": log,
            "ocid1.log.oc1.eu-frankfurt-1.aaaaaccess": access,
            "ocid1.log.oc1.eu-frankfurt-1.aaaapredict": predict,
            "ocid1.datascienceproject.oc1.eu-frankfurt-1.aaaaproject": project,
        }
    )


def storage(cloud: MockedTenancy) -> Any:
    return oci.object_storage.ObjectStorageClient(cloud.config)


def science(cloud: MockedTenancy) -> Any:
    return oci.data_science.DataScienceClient(cloud.config)


def _subnet(cloud: MockedTenancy) -> str:
    client = oci.core.VirtualNetworkClient(cloud.config)
    vcn = client.create_vcn(
        oci.core.models.CreateVcnDetails(
            compartment_id=cloud.compartment_id, cidr_blocks=["10.0.0.0/16"]
        )
    ).data.id
    made: str = client.create_subnet(
        oci.core.models.CreateSubnetDetails(
            compartment_id=cloud.compartment_id, vcn_id=vcn, cidr_block="10.0.1.0/24"
        )
    ).data.id
    return made


def _logs(cloud: MockedTenancy) -> list[str]:
    client = oci.logging.LoggingManagementClient(cloud.config)
    models = oci.logging.models
    client.create_log_group(
        models.CreateLogGroupDetails(compartment_id=cloud.compartment_id, display_name="demo")
    )
    group = client.list_log_groups(cloud.compartment_id).data[0].id
    for name in ("job", "access", "predict"):
        client.create_log(
            group, models.CreateLogDetails(display_name=name, log_type="CUSTOM", is_enabled=True)
        )
    by_name = {log.display_name: log.id for log in client.list_logs(group).data}
    return [group, by_name["job"], by_name["access"], by_name["predict"]]


def _bucket(cloud: MockedTenancy, versioned: bool) -> None:
    storage(cloud).create_bucket(
        cloud.namespace,
        oci.object_storage.models.CreateBucketDetails(
            name=BUCKET,
            compartment_id=cloud.compartment_id,
            versioning="Enabled" if versioned else "Disabled",
        ),
    )


def owned_time(slept: list[float]) -> Any:
    """The module ``time``, but for sleeping."""
    owned = ModuleType("time")
    owned.__dict__.update({**vars(time), "sleep": slept.append})
    return owned


class Faults:
    """Answers of our own in place of the mock's, for calls that match."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._plans: list[_Plan] = []
        self.slept: list[float] = []
        patch.setattr(inprocess, "dispatch", self._dispatch(dispatch))
        # The SDK waits between its tries.
        patch.setattr(oci.retry.retry, "time", owned_time(self.slept))

    def answer(
        self,
        method: str,
        path: str,
        status: int,
        *,
        times: int = 10**6,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next *times* calls of *method* to a path that matches with *status*."""
        content = {"code": CODES.get(status, "InvalidParameter"), "message": "as the test asks"}
        response = Response.of_json(content if body is None else body, status)
        response.headers.update(headers or {})
        self._plans.append(_Plan(method, re.compile(path), response, times))

    def _dispatch(self, original: Callable[..., Response]) -> Callable[..., Response]:
        def answered(cloud: Any, request: Request) -> Response:
            for plan in self._plans:
                if plan.times and plan.method == request.method and plan.path.search(request.path):
                    plan.times -= 1
                    return plan.response
            return original(cloud, request)

        return answered


CODES = {404: "NotAuthorizedOrNotFound", 429: "TooManyRequests", 500: "InternalServerError"}


@dataclass
class _Plan:
    method: str
    path: re.Pattern[str]
    response: Response
    times: int
