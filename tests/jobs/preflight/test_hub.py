"""The token in the Vault, and what the hub gives to its account."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest
import requests

from demo.hub import Access, Hub, running_hub
from jobs.preflight.check import State
from jobs.preflight.checks.hub import HubAccess, Token
from jobs.preflight.looking import look
from jobs.preflight.subject import Subject
from jobs.recipes.stage.manifest import NAME, Manifest
from ocimock.inprocess import MockedCloud
from tests.jobs.preflight.subjects import bench_subject, findings, only
from tests.jobs.workbench import BUCKET, Faults, Workbench, storage

MODEL, DATASET = "meta-llama/Llama-2-13b-hf", "knkarthick/samsum"
TOKEN, STRANGER = "hf_" + "m" * 20, "hf_" + "s" * 20
SECRET = "hf-token"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    for name in (MODEL, "org/open", "org/pickled"):
        (folder / "models" / name).mkdir(parents=True)
        (folder / "models" / name / "config.json").write_text("{}")
    for name in (MODEL, "org/open"):
        (folder / "models" / name / "model.safetensors").write_bytes(b"weights")
    (folder / "datasets" / DATASET).mkdir(parents=True)
    (folder / "datasets" / DATASET / "train.jsonl").write_text("{}\n")
    (folder / "datasets" / "org" / "script").mkdir(parents=True)
    (folder / "datasets" / "org" / "script" / "script.py").write_text("")
    members, strangers = frozenset({TOKEN}), frozenset({STRANGER})
    with running_hub(folder, Access(members, strangers, gated=("meta-llama/*",))) as running:
        yield running


class Vault:
    """The vault that stage.yaml names, with the token in it."""

    def __init__(self, cloud: MockedCloud) -> None:
        self._cloud = cloud
        vaults = oci.key_management.KmsVaultClient(cloud.config)
        models = oci.key_management.models
        made = vaults.create_vault(
            models.CreateVaultDetails(
                compartment_id=cloud.compartment_id, display_name="v", vault_type="DEFAULT"
            )
        ).data
        self.id: str = made.id
        keys = oci.key_management.KmsManagementClient(
            cloud.config, service_endpoint=vaults.get_vault(made.id).data.management_endpoint
        )
        shape = models.KeyShape(algorithm="AES", length=32)
        self._key = keys.create_key(
            models.CreateKeyDetails(
                compartment_id=cloud.compartment_id, display_name="k", key_shape=shape
            )
        ).data.id
        self.secrets = oci.vault.VaultsClient(cloud.config)

    def store(self, token: str) -> str:
        models = oci.vault.models
        made: str = self.secrets.create_secret(
            models.CreateSecretDetails(
                compartment_id=self._cloud.compartment_id,
                vault_id=self.id,
                key_id=self._key,
                secret_name=SECRET,
                secret_content=models.Base64SecretContentDetails(
                    content=base64.b64encode(token.encode()).decode()
                ),
            )
        ).data.id
        return made


@pytest.fixture
def vault(bench: Workbench, cloud: MockedCloud) -> Vault:
    return Vault(cloud)


@pytest.fixture
def wanted(bench: Workbench, vault: Vault, hub: Hub) -> Any:
    """A pipeline that stages from the hub, with changes to the words of its command."""

    def make(*, endpoint: str = hub.url, env: Any = None, **words: str) -> Subject:
        def change(spec: dict[str, Any]) -> None:
            inner = spec["runtime"]["spec"]
            for old, new in words.items():
                inner["command"] = inner["command"].replace(WORDS[old], new)
            inner["env"] = (
                env
                if env is not None
                else [
                    {"name": "HF_TOKEN_SECRET_NAME", "value": SECRET},
                    {"name": "HF_TOKEN_VAULT_ID", "value": vault.id},
                    {"name": "HF_ENDPOINT", "value": endpoint},
                ]
            )

        return bench_subject(bench, {"stage": change})

    return make


WORDS = {"model": f"--model {MODEL}", "dataset": f"--dataset {DATASET}"}


# --- the token ------------------------------------------------------------------------------------


def test_a_token_is_read_and_never_shown(wanted: Any, vault: Vault) -> None:
    vault.store(TOKEN)
    looked_at = wanted()
    found = only(Token(), looked_at)
    assert found.state is State.PASS
    assert TOKEN not in repr(found) + repr(looked_at)


def test_a_vault_without_the_secret(wanted: Any) -> None:
    found = only(Token(), wanted())
    assert found.state is State.FAIL
    assert f"no secret '{SECRET}'" in found.said
    assert "python -m jobs secret set hf-token" in found.remedy


def test_a_secret_that_is_to_be_deleted(wanted: Any, vault: Vault) -> None:
    secret = vault.store(TOKEN)
    details = oci.vault.models.ScheduleSecretDeletionDetails(
        time_of_deletion=datetime.now(UTC) + timedelta(days=3)
    )
    vault.secrets.schedule_secret_deletion(secret, details)
    found = only(Token(), wanted())
    assert found.state is State.FAIL
    assert "PENDING_DELETION" in found.said
    assert f"cancel-secret-deletion --secret-id {secret}" in found.remedy


def test_a_secret_that_one_may_not_read(wanted: Any, vault: Vault, faults: Faults) -> None:
    """The job runs may, perhaps: they are not asked here."""
    vault.store(TOKEN)
    faults.answer("POST", "/secretbundles/", 404)
    found = only(Token(), wanted())
    assert found.state is State.WARN
    assert "is ACTIVE" in found.said
    assert "read secret-bundles" in found.remedy


@pytest.mark.parametrize(("held", "said"), [("  ", "no token"), ("two words", "more than a token")])
def test_a_secret_that_holds_no_token(wanted: Any, vault: Vault, held: str, said: str) -> None:
    vault.store(held)
    found = only(Token(), wanted())
    assert found.state is State.FAIL
    assert said in found.said
    assert "two words" not in repr(found)


def test_no_token_wanted_and_half_of_one(wanted: Any) -> None:
    assert only(Token(), wanted(env=[])).state is State.PASS
    half = [{"name": "HF_TOKEN_SECRET_NAME", "value": SECRET}]
    found = only(Token(), wanted(env=half))
    assert found.state is State.FAIL
    assert "no HF_TOKEN_VAULT_ID" in found.said


# --- the hub --------------------------------------------------------------------------------------


def test_model_and_data_set_can_be_fetched(wanted: Any, vault: Vault, hub: Hub) -> None:
    vault.store(TOKEN)
    hub.asked.clear()
    assert [each.state for each in findings(HubAccess(), wanted())] == [State.PASS, State.PASS]
    # No content: a HEAD tells whether it may be had.
    assert [each.split()[0] for each in hub.asked] == ["GET", "HEAD"] * 2


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        ({"model": "--model org/none"}, "there is no model org/none", "Mend 'model'"),
        (
            {"model": f"--model {MODEL} --model-revision v9"},
            "has no revision 'v9'",
            "'model_revision' in the tenancy file",
        ),
        ({"dataset": "--dataset org/none"}, "there is no dataset org/none", "Mend 'dataset'"),
        ({"model": "--model org/pickled"}, "has no safetensors", "refs/pr/N"),
        ({"dataset": "--dataset org/script"}, "can't be staged", "another 'dataset'"),
    ],
)
def test_what_the_hub_does_not_have(
    wanted: Any, vault: Vault, words: dict[str, str], said: str, remedy: str
) -> None:
    vault.store(TOKEN)
    failed = [each for each in findings(HubAccess(), wanted(**words)) if each.state is State.FAIL]
    assert len(failed) == 1
    assert said in failed[0].said
    assert remedy in failed[0].remedy


def test_a_licence_that_the_tokens_account_has_not_accepted(
    wanted: Any, vault: Vault, hub: Hub
) -> None:
    vault.store(STRANGER)
    model, data = findings(HubAccess(), wanted())
    assert (model.state, data.state) == (State.FAIL, State.PASS)
    assert f"{MODEL} is gated (403)" in model.said
    assert f"Accept the licence at {hub.url}/{MODEL}" in model.remedy
    assert STRANGER not in repr((model, data))


def test_a_token_that_the_hub_does_not_know(wanted: Any, vault: Vault) -> None:
    vault.store("hf_" + "u" * 20)
    model, _ = findings(HubAccess(), wanted())
    assert model.state is State.FAIL
    assert "does not know the token" in model.said


def test_an_open_model_needs_no_token(wanted: Any, hub: Hub) -> None:
    env = [{"name": "HF_ENDPOINT", "value": hub.url}]
    found = findings(HubAccess(), wanted(env=env, model="--model org/open"))
    assert {each.state for each in found} == {State.PASS}
    gated, _ = findings(HubAccess(), wanted(env=env))
    assert gated.state is State.FAIL
    assert "hub: token: true" in gated.remedy


def test_without_the_token_a_gated_model_is_a_warning(
    wanted: Any, vault: Vault, faults: Faults
) -> None:
    vault.store(TOKEN)
    faults.answer("POST", "/secretbundles/", 404)
    states = [each.state for each in findings(HubAccess(), wanted())]
    assert states == [State.WARN, State.PASS, State.WARN]
    missing = findings(HubAccess(), wanted(model=f"--model {MODEL} --model-revision v9"))
    assert missing[0].state is State.FAIL


def test_a_hub_that_does_not_answer_is_a_warning(wanted: Any, vault: Vault) -> None:
    vault.store(TOKEN)
    found = findings(HubAccess(), wanted(endpoint="http://127.0.0.1:9"))
    assert {each.state for each in found} == {State.WARN}
    assert "does not answer" in found[0].said


def test_what_is_staged_is_not_asked_for(
    wanted: Any, vault: Vault, cloud: MockedCloud, hub: Hub
) -> None:
    vault.store(STRANGER)
    for kind, name, folder in (
        ("model", MODEL, "base/llama2-13b"),
        ("dataset", DATASET, "data/samsum"),
    ):
        manifest = Manifest(kind, name, "main", "c" * 40, ()).to_json()
        storage(cloud).put_object(cloud.namespace, BUCKET, f"{folder}/{NAME}", manifest)
    hub.asked.clear()
    assert only(HubAccess(), wanted()).state is State.PASS
    assert hub.asked == []
    other = wanted(model=f"--model {MODEL} --model-revision {'d' * 40}")
    assert State.FAIL in [each.state for each in findings(HubAccess(), other)]


def test_the_hub_is_not_asked_where_the_token_fails(wanted: Any) -> None:
    token, hub = look([Token(), HubAccess()], wanted())
    assert (token.state, hub.state) == (State.FAIL, State.SKIPPED)


def test_a_logging_sdk_does_not_print_the_token(
    wanted: Any, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's log_requests is a setting of Python's HTTP client, for the whole process."""
    import http.client

    vault.store(TOKEN)
    looked_at = wanted()
    findings(HubAccess(), looked_at)  # each client of the SDK that is made sets it anew
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with redirect_stdout(io.StringIO()) as printed:
        found = findings(HubAccess(), looked_at)
    assert found[0].state is State.PASS
    assert TOKEN not in printed.getvalue()


@pytest.mark.parametrize("status", [403, 407, 429, 503])
def test_what_stands_before_the_hub_says_nothing_of_it(
    wanted: Any, vault: Vault, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    vault.store(TOKEN)
    answer = requests.Response()
    answer.status_code = status
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: answer)
    found = findings(HubAccess(), wanted())
    assert {each.state for each in found} == {State.WARN}
    assert f"answered {status}" in found[0].said
