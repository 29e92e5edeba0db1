"""The bundle at work in a tenancy whose policies are enforced: who does what, in order.

An administrator stands up what Terraform would, with the bundle's own statements; one of the
people goes the runner's way; the notebook session goes it again as itself. All through real
clients, each signed by whoever it is; what runs, deployments and services do on their own, ocimock
asks for.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import oci

from infra.definitions import definitions
from infra.places import Places
from infra.plan import plan_for
from jobs import emit, secret
from jobs import tenancy as named
from jobs.auth import client as signed_in
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.definitions import read_all
from jobs.ledger import Ledger
from jobs.predict import DIALOGUE, predict
from jobs.record import STEPS
from jobs.run_log import tail
from jobs.runner import Runner
from jobs.watch import require_success
from ocimock.credentials import write_private
from ocimock.iam.decisions import Decision
from ocimock.iam.enforcement import decisions
from ocimock.inprocess import MockedCloud
from tests.e2e.administrator import Administrator
from tests.jobs.samples import OwnedClock, Recorder

# No real one: its form alone.
TOKEN = "hf_" + "x" * 20

_CREDENTIALS = ("OCI_IAM_TYPE", "OCI_CONFIG_LOCATION", "OCI_CONFIG_FILE")


@dataclass(frozen=True)
class Broken:
    """Where the way ended, and with which error."""

    step: str
    error: Exception


class Way:
    """The whole way. The policies lack the statement *left_out*, the way the step *skipped*."""

    def __init__(
        self, cloud: MockedCloud, folder: Path, *, left_out: str = "", skipped: str = ""
    ) -> None:
        self.cloud, self.folder, self.skipped = cloud, folder, skipped
        self.administrator = Administrator(cloud, left_out)
        self.tenancy, self.places = self.administrator.tenancy, self.administrator.places
        self.records = Ledger(folder / "people.db", SystemClock())

    def go(self) -> Broken | None:
        """Every step in order, up to the first that fails."""
        for name, step in self._steps():
            if name == self.skipped:
                continue
            try:
                step()
            except Exception as error:  # noqa: BLE001 - which it is, the test asks
                return Broken(name, error)
        return None

    def denials(self) -> list[Decision]:
        """What IAM refused on the way."""
        return [found for found in decisions(self.cloud.cloud) if not found.allowed]

    def _steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "stand up", self.administrator.stand_up
        with self._as_person():
            yield "secret set", self._set_secret
            yield "emit", self._emit
            for step in STEPS:
                yield step, lambda step=step: self._run(step, self.records)  # type: ignore[misc]
            yield "logs", self._read_logs
            yield "predict", self._predict
            yield "metrics", self._read_metrics
            yield "repository", self._read_repository
        with self._as_resource(self.places["notebook"]):
            own = Ledger(self.folder / "notebook.db", SystemClock())
            for step in STEPS:
                yield (
                    f"notebook: {step}",
                    lambda step=step: self._run(step, own),  # type: ignore[misc]
                )
            yield "notebook: large model", self._export_model

    # --- the people, and whoever signed in as they do ---------------------------------------------

    def _set_secret(self) -> None:
        outputs = {
            "vault_id": self.places["vault"],
            "key_id": self.places["key"],
            "secret_name": self.tenancy.vault.secret_name,
            "compartment_id": self.cloud.compartment_id,
        }
        with mock.patch.object(secret, "output", lambda _tenancy, name: outputs[name]):
            secret.put(named.Tenancy("demo"), TOKEN)

    def _emit(self) -> None:
        found = Places(
            project_id=self.places["project"],
            subnet_id=self.places["subnet"],
            log_group_id=self.places["log group"],
            job_log_id=self.places["jobs log"],
            predict_log_id=self.places["predict log"],
            access_log_id=self.places["access log"],
            bucket=self.places["bucket"],
            namespace=self.cloud.namespace,
            vault_id=self.places["vault"],
        )
        texts = definitions(self.tenancy, plan_for(self.tenancy), found)
        outputs = self.folder / "outputs.json"
        outputs.write_text(json.dumps({"definitions": texts}))
        emit.emit(named.Tenancy("demo"), outputs, self.folder / "definitions")

    def _run(self, step: str, records: Ledger) -> None:
        chosen = read_all(self.folder / "definitions")
        runner = Runner(chosen, records, Recorder(), OwnedClock())
        require_success(runner.follow(runner.submit(step)))

    def _read_logs(self) -> None:
        lines = [line.text for line in tail(self.records.read().need("finetune"))]
        assert lines
        refused = [line for line in lines if "could not" in line]
        assert not refused, refused

    def _predict(self) -> None:
        assert predict(self.records.read().need("deploy"), DIALOGUE).simulated

    def _read_metrics(self) -> None:
        details = oci.monitoring.models.SummarizeMetricsDataDetails(
            namespace=f"finetune_{plan_for(self.tenancy).slug.replace('-', '_')}",
            query="gpu.gpu_utilization[1m].mean()",
        )
        client = signed_in(oci.monitoring.MonitoringClient)
        client.summarize_metrics_data(self.cloud.compartment_id, details)

    def _read_repository(self) -> None:
        """To whom the image is pushed; OCI shows a list only to who may see all of them."""
        client = signed_in(oci.artifacts.ArtifactsClient)
        client.get_container_repository(self.places["repository id"])

    # --- the notebook session ---------------------------------------------------------------------

    def _export_model(self) -> None:
        """A model too large for one request: its artifact goes by way of the bucket."""
        signed_in(oci.object_storage.ObjectStorageClient).put_object(
            self.cloud.namespace, self.places["bucket"], "large.zip", b"a model of 7 GB"
        )
        client = signed_in(oci.data_science.DataScienceClient)
        models = oci.data_science.models
        entry = models.CreateModelDetails(
            compartment_id=self.cloud.compartment_id, project_id=self.places["project"]
        )
        model = client.create_model(entry).data.id
        details = models.ArtifactExportDetailsObjectStorage(
            artifact_source_type="ORACLE_OBJECT_STORAGE",
            namespace=self.cloud.namespace,
            source_bucket=self.places["bucket"],
            source_object_name="large.zip",
            source_region=self.tenancy.region,
        )
        work = client.export_model_artifact(
            model, models.ExportModelArtifactDetails(artifact_export_details=details)
        ).headers["opc-work-request-id"]
        if client.get_work_request(work).data.status != "SUCCEEDED":
            [error] = client.list_work_request_errors(work).data
            raise RuntimeError(error.message)

    @contextmanager
    def _as_person(self) -> Iterator[None]:
        """Signed in by a config file, as the runner finds one."""
        config = self.cloud.user_config(self.places["person"])
        with tempfile.TemporaryDirectory() as folder:
            key, file = Path(folder) / "key.pem", Path(folder) / "config"
            write_private(key, config.pop("key_content").encode())
            lines = [f"{name}={text}" for name, text in {**config, "key_file": str(key)}.items()]
            write_private(file, "\n".join(["[DEFAULT]", *lines, ""]).encode())
            with _environment({"OCI_CONFIG_LOCATION": str(file), "OCI_IAM_TYPE": "api_key"}):
                sign_in(self.tenancy.region)
                yield

    @contextmanager
    def _as_resource(self, resource_id: str) -> Iterator[None]:
        """Signed in by the resource principal that OCI's images find in their environment."""
        with _environment(self.cloud.resource_principal(resource_id)):
            sign_in(self.tenancy.region)
            yield


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Those of *variables*, and no other credentials."""
    kept = {name: text for name, text in os.environ.items() if name not in _CREDENTIALS}
    with mock.patch.dict(os.environ, {**kept, **variables}, clear=True):
        yield
