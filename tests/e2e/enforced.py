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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import oci

from infra.definitions import definitions
from infra.plan import plan_for
from jobs import emit, secret
from jobs import tenancy as named
from jobs.auth import client as signed_in
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.definitions import read_all, read_pipeline
from jobs.ledger import Ledger
from jobs.predict import DIALOGUE, predict
from jobs.preflight.checks import all_checks
from jobs.preflight.looking import look
from jobs.preflight.subject import Subject
from jobs.record import STEPS
from jobs.run_log import tail
from jobs.runner import Runner
from jobs.teardown import delete
from jobs.watch import require_success
from ocimock.credentials import write_private
from ocimock.iam.decisions import Decision
from ocimock.iam.enforcement import decisions
from ocimock.inprocess import MockedCloud
from tests.e2e import looking_after
from tests.e2e.administrator import Administrator
from tests.jobs.samples import OwnedClock, Recorder

# No real one: its form alone.
TOKEN = "hf_" + "x" * 20

# The checks that ask OCI, and those that a notebook session is refused something by.
ASKING = {
    "credentials", "region", "compartment", "project", "limits", "capacity", "iam", "subnet",
    "security-list", "gateways", "addresses", "logs", "bucket", "token", "image",
}  # fmt: skip
NOT_FOR_NOTEBOOKS = {"region", "compartment", "limits", "capacity", "iam", "token", "image"}

_CREDENTIALS = ("OCI_IAM_TYPE", "OCI_CONFIG_LOCATION", "OCI_CONFIG_FILE")


@dataclass(frozen=True)
class Broken:
    """Where the way ended, and with which error."""

    step: str
    error: Exception


class Way:
    """The whole way. The policies lack the statement *left_out*, the way the step *skipped*; *only*
    names the steps that are taken at all."""

    def __init__(
        self,
        cloud: MockedCloud,
        folder: Path,
        *,
        left_out: str = "",
        skipped: str = "",
        only: Collection[str] = (),
    ) -> None:
        self.cloud, self.folder, self.skipped, self.only = cloud, folder, skipped, only
        self.administrator = Administrator(cloud, left_out)
        self.tenancy, self.places = self.administrator.tenancy, self.administrator.places
        self.records = Ledger(folder / "people.db", SystemClock())
        self._expected: list[Decision] = []

    def go(self) -> Broken | None:
        """Every step in order, up to the first that fails."""
        for name, step in self._steps():
            if name == self.skipped or (self.only and name not in self.only):
                continue
            try:
                step()
            except Exception as error:  # noqa: BLE001 - which it is, the test asks
                return Broken(name, error)
        return None

    def denials(self) -> list[Decision]:
        """What IAM refused on the way, and should not have."""
        found = [found for found in decisions(self.cloud.cloud) if not found.allowed]
        return [each for each in found if each not in self._expected]

    def _steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "stand up", self.administrator.stand_up
        with self.as_person():
            yield "secret set", self._set_secret
            yield "emit", self.emit
            yield from self._runner("", self.records)
            yield "repository", self._read_repository
            yield "preflight", self._look_before
        with self.as_resource(self.places["notebook"]):
            own = Ledger(self.folder / "notebook.db", SystemClock())
            yield from self._runner("notebook: ", own)
            yield "notebook: large model", self._export_model
            yield "notebook: preflight", self._look_before_from_the_notebook

    def _runner(self, who: str, records: Ledger) -> Iterator[tuple[str, Callable[[], None]]]:
        """All that the runner does, in whoever's name."""
        definitions = self.folder / "definitions"
        home = self.folder / f"lead of {who or 'a person'}"
        yield f"{who}ledger", lambda: looking_after.keep_a_ledger(definitions, home)
        for step in STEPS:
            yield f"{who}{step}", lambda step=step: self._run(step, records)  # type: ignore[misc]
        yield f"{who}logs", lambda: self._read_logs(records)
        yield f"{who}log itself", self._read_log
        yield f"{who}predict", lambda: self._predict(records)
        yield f"{who}metrics", lambda: looking_after.look(list(records.read().entries.values()))
        yield (
            f"{who}stop",
            lambda: looking_after.ask_to_stop(definitions, records.read().need("finetune")),
        )
        yield f"{who}clean", lambda: looking_after.clean(definitions, records)
        yield f"{who}delete", lambda: delete(records, Recorder(), OwnedClock(), 1.0)
        yield f"{who}weights", lambda: looking_after.delete_weights(definitions)

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

    def emit(self) -> None:
        texts = definitions(self.tenancy, plan_for(self.tenancy), self.administrator.emitted())
        outputs = self.folder / "outputs.json"
        outputs.write_text(json.dumps({"definitions": texts}))
        emit.emit(named.Tenancy("demo"), outputs, self.folder / "definitions")

    def _run(self, step: str, records: Ledger) -> None:
        folder = self.folder / "definitions"
        runner = Runner(read_pipeline(folder), read_all(folder), records, Recorder(), OwnedClock())
        require_success(runner.follow(runner.submit(step)))

    def _read_logs(self, records: Ledger) -> None:
        lines = [line.text for line in tail(records.read().need("finetune"))]
        assert lines
        refused = [line for line in lines if "could not" in line]
        assert not refused, refused

    def _read_log(self) -> None:
        """As ADS's own ``watch`` does, and the console, before they show what is in it."""
        client = signed_in(oci.logging.LoggingManagementClient)
        client.get_log(self.places["log group"], self.places["jobs log"])

    def _predict(self, records: Ledger) -> None:
        assert predict(records.read().need("deploy"), DIALOGUE).simulated

    def _read_repository(self) -> None:
        """To whom the image is pushed; OCI shows a list only to who may see all of them."""
        client = signed_in(oci.artifacts.ArtifactsClient)
        client.get_container_repository(self.places["repository id"])

    def _look_before(self) -> None:
        """Of what preflight asks OCI, nothing is refused."""
        assert not (refused := self._refused()), refused

    # --- the notebook session ---------------------------------------------------------------------

    def _look_before_from_the_notebook(self) -> None:
        """It may not read the tenancy's policies and limits, which is told, and stops nothing."""
        before = len(self.denials())
        refused = self._refused()
        self._expected = self.denials()[before:]
        assert set(refused) == NOT_FOR_NOTEBOOKS, refused

    def _refused(self) -> dict[str, str]:
        """What the checks that ask OCI were refused, by their names."""
        folder = self.folder / "definitions"
        subject = Subject(read_pipeline(folder), read_all(folder))
        chosen = [check for check in all_checks() if check.name in ASKING]
        return {
            answer.check.name: finding.said
            for answer in look(chosen, subject)
            for finding in answer.findings
            if "OCI answered 4" in finding.said or finding.said.startswith("not told")
        }

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
    def as_person(self) -> Iterator[None]:
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
    def as_resource(self, resource_id: str) -> Iterator[None]:
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
