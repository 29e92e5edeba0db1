"""The scripts that run inside a job, as far as they go without a GPU or PyTorch."""

from __future__ import annotations

import ast
import base64
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ocimock import mock_oci
from tests.jobs.samples import imports_restored

RECIPES = Path(__file__).resolve().parents[2] / "jobs" / "recipes"
SCRIPTS = {
    "with_hf_token": RECIPES / "llama_recipes" / "with_hf_token.py",
    "samsum_dataset": RECIPES / "llama_recipes" / "samsum_dataset.py",
    "merge": RECIPES / "merge.py",
}
TOKEN = "hf_madeUpForThisTest"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"recipe_{name}", SCRIPTS[name])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SCRIPTS)
def test_they_keep_to_the_jobs_python(name: str) -> None:
    ast.parse(SCRIPTS[name].read_text(), feature_version=(3, 9))


# --- the token -------------------------------------------------------------------------------


@pytest.fixture
def with_token(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_SECRET_NAME", "HF_TOKEN_VAULT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["torchrun"])
    before = dict(os.environ)
    with imports_restored("llama_recipes"):
        yield _load("with_hf_token")
    os.environ.clear()
    os.environ.update(before)


class Vault:
    """As much of the SDK's client as is asked."""

    def __init__(self, token: str = "", error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._token = token
        self._error = error

    def get_secret_bundle_by_name(self, name: str, vault: str) -> Any:
        self.asked.append((name, vault))
        if self._error:
            raise self._error
        content = base64.b64encode(self._token.encode()).decode()
        bundle = SimpleNamespace(secret_bundle_content=SimpleNamespace(content=content))
        return SimpleNamespace(data=bundle)


def _secret(monkeypatch: pytest.MonkeyPatch, module: Any, vault: Vault) -> None:
    monkeypatch.setenv("HF_TOKEN_SECRET_NAME", "hf-token")
    monkeypatch.setenv("HF_TOKEN_VAULT_ID", "ocid1.vault.x")
    monkeypatch.setattr(module, "_secrets_client", lambda: vault)


def _script(folder: Path, text: str) -> str:
    path = folder / "examples" / "finetuning.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


REPORT = """
import os, sys, json, pathlib
pathlib.Path(os.environ["REPORT"]).write_text(json.dumps(
    [__name__, sys.argv, sys.path[0], os.environ.get("HF_TOKEN"),
     os.environ.get("HUGGING_FACE_HUB_TOKEN")]))
"""


def test_the_script_runs_with_the_vaults_token(
    with_token: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import json

    vault = Vault(f"{TOKEN}\n")
    _secret(monkeypatch, with_token, vault)
    monkeypatch.setenv("REPORT", str(tmp_path / "report"))
    script = _script(tmp_path, REPORT)
    monkeypatch.chdir(tmp_path)

    with_token.main([script, "--enable_fsdp", "--model_name", "m"])

    name, argv, first, token, old_name = json.loads((tmp_path / "report").read_text())
    assert name == "__main__"
    assert argv == [script, "--enable_fsdp", "--model_name", "m"]
    assert first == str(Path(script).parent)
    assert (token, old_name) == (TOKEN, TOKEN)
    assert vault.asked == [("hf-token", "ocid1.vault.x")]
    printed = capfd.readouterr()
    assert TOKEN not in printed.out + printed.err


def test_the_checkouts_own_package_goes_before_the_installed_one(
    with_token: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release of llama-recipes on PyPI has no custom data sets; the pinned commit has."""
    installed, checkout = tmp_path / "site-packages", tmp_path / "checkout"
    for folder, value in ((installed, "release"), (checkout / "src", "commit")):
        (folder / "llama_recipes").mkdir(parents=True)
        (folder / "llama_recipes" / "which.py").write_text(f"VALUE = {value!r}\n")
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.chdir(checkout)
    script = _script(
        checkout, "from llama_recipes.which import VALUE\nopen('found', 'w').write(VALUE)\n"
    )
    with imports_restored("llama_recipes.which"):
        with_token.main([script])
    assert (checkout / "found").read_text() == "commit"


def test_a_token_that_is_there_is_kept(with_token: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault("another")
    _secret(monkeypatch, with_token, vault)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", TOKEN)
    with_token.set_token()
    assert os.environ["HF_TOKEN"] == TOKEN
    assert vault.asked == []


def test_an_open_model_needs_none(with_token: Any) -> None:
    with_token.set_token()
    assert "HF_TOKEN" not in os.environ


@pytest.mark.parametrize("given", ["HF_TOKEN_SECRET_NAME", "HF_TOKEN_VAULT_ID"])
def test_half_given_settings_are_told(
    given: str, with_token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(given, "x")
    with pytest.raises(with_token.TokenError, match=r"HF_TOKEN_\w+ is not set"):
        with_token.set_token()


def test_a_refusal_ends_the_run_before_the_script(
    with_token: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oci.exceptions import ServiceError

    error = ServiceError(404, "NotAuthorizedOrNotFound", {"opc-request-id": "R1"}, "not found")
    _secret(monkeypatch, with_token, Vault(error=error))
    script = _script(tmp_path, "raise AssertionError('ran')")
    with pytest.raises(SystemExit) as caught:
        with_token.main([script])
    said = str(caught.value)
    assert "secret hf-token in ocid1.vault.x could not be read: 404" in said
    assert "opc-request-id R1" in said
    assert "read secret-bundles" in said


def test_the_token_comes_out_of_a_real_vault(
    with_token: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through the SDK's own client, against ocimock; signed by a config file, as a rehearsal is."""
    import oci

    with mock_oci() as cloud:
        vaults = oci.key_management.KmsVaultClient(cloud.config)
        vault = vaults.create_vault(
            oci.key_management.models.CreateVaultDetails(
                compartment_id=cloud.compartment_id, display_name="v", vault_type="DEFAULT"
            )
        ).data
        endpoint = vaults.get_vault(vault.id).data.management_endpoint
        keys = oci.key_management.KmsManagementClient(cloud.config, endpoint)
        key = keys.create_key(
            oci.key_management.models.CreateKeyDetails(
                compartment_id=cloud.compartment_id,
                display_name="k",
                key_shape=oci.key_management.models.KeyShape(algorithm="AES", length=32),
            )
        ).data
        content = base64.b64encode(TOKEN.encode()).decode()
        oci.vault.VaultsClient(cloud.config).create_secret(
            oci.vault.models.CreateSecretDetails(
                compartment_id=cloud.compartment_id,
                vault_id=vault.id,
                key_id=key.id,
                secret_name="hf-token",
                secret_content=oci.vault.models.Base64SecretContentDetails(content=content),
            )
        )
        monkeypatch.setenv("HF_TOKEN_SECRET_NAME", "hf-token")
        monkeypatch.setenv("HF_TOKEN_VAULT_ID", vault.id)
        with_token.set_token()
        assert os.environ["HF_TOKEN"] == TOKEN

        del os.environ["HF_TOKEN"], os.environ["HUGGING_FACE_HUB_TOKEN"]
        monkeypatch.setenv("HF_TOKEN_SECRET_NAME", "another")
        with pytest.raises(
            with_token.TokenError, match=r"secret another in .+ could not be read: 404"
        ):
            with_token.set_token()
    printed = capfd.readouterr()
    assert TOKEN not in printed.out + printed.err


def test_an_empty_secret_is_told(with_token: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _secret(monkeypatch, with_token, Vault("\n"))
    with pytest.raises(with_token.TokenError, match="is empty"):
        with_token.set_token()


@pytest.mark.parametrize("argv", [[], ["examples/nowhere.py"]])
def test_nothing_to_run_is_told(argv: list[str], with_token: Any) -> None:
    with pytest.raises(SystemExit, match=r"usage|no script at"):
        with_token.main(argv)


# --- the data set ----------------------------------------------------------------------------


class Tokenizer:
    """One token a character; 1 begins and 2 ends."""

    bos_token_id = 1
    eos_token_id = 2

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert add_special_tokens is False
        return [ord(letter) for letter in text]


@pytest.fixture
def samsum(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("SAMSUM_PATH", raising=False)
    return _load("samsum_dataset")


def test_only_the_summary_and_its_end_are_learnt(samsum: Any) -> None:
    sample = samsum.tokenize(Tokenizer(), "A: hi", "Hi.")

    prompt = "Summarize this dialog:\nA: hi\n---\nSummary:\n"
    ids = [1, *map(ord, prompt), *map(ord, "Hi."), 2]
    assert sample["input_ids"] == ids
    assert sample["attention_mask"] == [1] * len(ids)
    assert sample["labels"] == [-100] * (1 + len(prompt)) + [*map(ord, "Hi."), 2]


def test_packing_loses_nothing_but_the_tail(samsum: Any) -> None:
    samples = [samsum.tokenize(Tokenizer(), "A: hi", text) for text in ("one", "two", "three")]
    joined = [token for sample in samples for token in sample["input_ids"]]

    packed = samsum.pack(samples, 50)

    assert len(packed) == len(joined) // 50
    assert [token for sample in packed for token in sample["input_ids"]] == joined[
        : 50 * len(packed)
    ]
    assert all(len(values) == 50 for sample in packed for values in sample.values())
    assert [len(sample["input_ids"]) for sample in samsum.pack(samples, 10**6)] == [len(joined)]
    assert samsum.pack([], 50) == []


ROWS = [
    {"dialogue": "A: hi", "summary": "Hi."},
    {"dialogue": None, "summary": "Nothing."},
    {"dialogue": "B: bye", "summary": ""},
    {"dialogue": "B: bye", "summary": "Bye."},
]


@pytest.mark.parametrize(("packs_itself", "count"), [(True, 2), (False, 1)])
def test_the_hook(
    packs_itself: bool, count: int, samsum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer llama-recipes packs by itself; for an older one it is done here."""
    monkeypatch.setattr(samsum, "load_rows", lambda split: ROWS)
    monkeypatch.setattr(samsum, "trainer_batches", lambda: packs_itself)
    found = samsum.get_custom_dataset(SimpleNamespace(), Tokenizer(), "train")
    assert len(found) == count


@pytest.mark.parametrize(
    ("attributes", "batches"), [({"batching_strategy": "packing"}, True), ({}, False)]
)
def test_whether_the_trainer_packs_is_read_from_its_config(
    attributes: dict[str, str], batches: bool, samsum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = ModuleType("llama_recipes.configs")
    configs.train_config = SimpleNamespace(**attributes)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_recipes", ModuleType("llama_recipes"))
    monkeypatch.setitem(sys.modules, "llama_recipes.configs", configs)
    assert samsum.trainer_batches() is batches


def test_a_staged_copy_is_preferred_to_the_hub(
    samsum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    datasets = ModuleType("datasets")
    datasets.load_dataset = lambda name, **how: asked.append((name, how))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", datasets)

    samsum.load_rows("validation")
    (tmp_path / "validation.jsonl").write_text("")
    monkeypatch.setenv("SAMSUM_PATH", str(tmp_path))
    samsum.load_rows("validation")

    staged = {"data_files": str(tmp_path / "validation.jsonl"), "split": "train"}
    assert asked == [("knkarthick/samsum", {"split": "validation"}), ("json", staged)]


def test_a_staged_copy_without_the_split_is_told(
    samsum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMSUM_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no SAMSum split 'train'.+train\.csv"):
        samsum.staged_file("train")


# --- the merge -------------------------------------------------------------------------------


@pytest.fixture
def merge() -> Any:
    return _load("merge")


ARGUMENTS = ["--base-model", "m", "--output", "out"]


def test_merge_arguments(merge: Any) -> None:
    options = merge.parse([*ARGUMENTS, "--adapter", "/mnt/outputs"])
    assert (options.adapter, options.fsdp_checkpoint) == (Path("/mnt/outputs"), None)
    assert options.dtype == "bfloat16"


@pytest.mark.parametrize(
    "extra",
    [[], ["--adapter", "a", "--fsdp-checkpoint", "b"], ["--adapter", "a", "--dtype", "int3"]],
)
def test_wrong_merge_arguments(extra: list[str], merge: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        merge.parse([*ARGUMENTS, *extra])
    assert caught.value.code == 2


def test_a_checkpoint_is_found_below_its_models_name(merge: Any, tmp_path: Path) -> None:
    deep = tmp_path / "fine-tuned-meta-llama" / "Llama-2-7b-hf"
    deep.mkdir(parents=True)
    (deep / ".metadata").write_text("")
    assert merge.find_one(tmp_path, ".metadata") == deep
    assert merge.find_one(deep, ".metadata") == deep


def test_missing_and_doubtful_inputs_are_told(
    merge: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*ARGUMENTS, "--adapter", str(tmp_path)]
    assert merge.main(arguments) == 2
    assert "no adapter_config.json at or under" in capsys.readouterr().err
    for name in ("epoch-1", "epoch-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text("{}")
    assert merge.main(arguments) == 2
    assert "2 folders under" in capsys.readouterr().err


def test_files_are_copied_whole_from_block_storage_to_the_mount(
    merge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))

    def saver(name: str) -> Any:
        def save_pretrained(folder: str, **how: Any) -> None:
            assert Path(folder).parent == home
            (Path(folder) / name).write_text(f"{name} {sorted(how)}")

        return SimpleNamespace(save_pretrained=save_pretrained)

    merge.save(saver("model.safetensors"), saver("tokenizer.json"), tmp_path / "out")

    found = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert found == {
        "model.safetensors": "model.safetensors ['max_shard_size', 'safe_serialization']",
        "tokenizer.json": "tokenizer.json []",
    }
    assert not list(home.iterdir())
