"""The emitted definitions: the tutorial's fields, and nothing that ADS would drop."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.recipes import texts as recipe_texts
from tests.infra.ads_requests import Sent, catch_requests
from tests.infra.synthesis import Stacks, applied

Synthesize = Callable[..., Stacks]

ROOT = Path(__file__).parents[2]
TENANCIES = {
    "13b": "",
    "7b": "model: 7b\n",
    "another": "model: Qwen/Qwen2.5-0.5B\ntags: {owner: me}\nfinetune: {extra_args: [--lr=1e-5]}\n",
}
# Says which kind of definition it is, and is not sent.
HEADER = ("kind", "type", "apiVersion")


def emitted(synthesize: Synthesize, text: str) -> dict[str, str]:
    """File name → YAML as it is after apply."""
    value = synthesize(text)["workbench"]["output"]["definitions"]["value"]
    found: dict[str, str] = applied(value)
    return found


def spec(text: str, *path: str) -> dict[str, Any]:
    document = yaml.safe_load(text)["spec"]
    for step in path:
        document = document[step]["spec"]
    return dict(document)


@pytest.fixture
def nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catch_requests(tmp_path, monkeypatch)


@pytest.mark.usefixtures("nothing_is_sent")
@pytest.mark.parametrize(
    ("tenancy", "name"),
    [
        ("13b", "finetune.yaml"),
        ("7b", "finetune.yaml"),
        ("13b", "merge.yaml"),
        ("another", "merge.yaml"),
        ("another", "deployment.yaml"),
    ],
)
def test_every_value_reaches_what_ads_would_send(
    synthesize: Synthesize, tenancy: str, name: str
) -> None:
    """Change one value after the other: the request that ADS makes of it has to change too.

    Reading a definition back proves nothing, since ADS keeps keys that it never looks at.
    """
    document = yaml.safe_load(emitted(synthesize, TENANCIES[tenancy])[name])
    if name == "deployment.yaml":  # what the runner adds once the model is registered
        document["spec"]["runtime"]["spec"]["modelUri"] = "ocid1.datasciencemodel.oc1..aaaa"
    original = request_for(document)

    unread = [
        path
        for path, value in leaves(document)
        if path[-1] not in HEADER or path[-2:] == ("conda", "type")
        if request_for(with_value(document, path, _another(value))) == original
    ]
    assert unread == []


@pytest.mark.usefixtures("nothing_is_sent")
def test_a_misspelt_key_would_be_found(synthesize: Synthesize) -> None:
    """The trap behind the test above: ADS takes the wrong key and says nothing."""
    document = yaml.safe_load(emitted(synthesize, "")["finetune.yaml"])
    runtime = document["spec"]["runtime"]["spec"]
    runtime["replica"] = runtime.pop("replicas")

    wrong = request_for(document)

    runtime["replica"] = 7
    assert request_for(document) == wrong


@pytest.mark.usefixtures("nothing_is_sent")
@pytest.mark.parametrize("text", TENANCIES.values(), ids=TENANCIES)
def test_ads_reads_the_whole_catalog_entry(synthesize: Synthesize, text: str) -> None:
    from ads.model.datascience_model import DataScienceModel

    definition = emitted(synthesize, text)["model.yaml"]
    written = spec(definition)

    entry = DataScienceModel.from_yaml(definition)

    assert {
        "compartmentId": entry.compartment_id,
        "projectId": entry.project_id,
        "displayName": entry.display_name,
        "description": entry.description,
        "artifact": entry.artifact,
        **({"freeformTags": entry.freeform_tags} if entry.freeform_tags else {}),
    } == written


def test_13b_is_the_tutorial_s_job_field_by_field(synthesize: Synthesize) -> None:
    text = emitted(synthesize, "")["finetune.yaml"]
    document = yaml.safe_load(text)
    infrastructure = spec(text, "infrastructure")
    runtime = spec(text, "runtime")

    assert (document["kind"], document["apiVersion"]) == ("job", "v1.0")
    assert document["spec"]["name"] == "LLAMA2-Fine-Tuning-lora-samsum-13b"
    assert document["spec"]["infrastructure"]["type"] == "dataScienceJob"
    assert document["spec"]["runtime"]["type"] == "pyTorchDistributed"
    mounts = infrastructure.pop("storageMount")
    assert [
        (mount["dest"], mount["src"].rpartition("@")[2].partition("/")[2]) for mount in mounts
    ] == [
        ("outputs", "llama2-ft-lora-13b/"),
        ("recipes", "recipes/"),
    ]
    assert all(re.fullmatch(r"oci://[^@/]+@[^@/]+/.+/", mount["src"]) for mount in mounts)
    ids = {name: value for name, value in infrastructure.items() if name.endswith("Id")}
    assert {name: value.split(".")[1] for name, value in ids.items()} == {
        "compartmentId": "compartment",
        "logGroupId": "loggroup",
        "logId": "log",
        "projectId": "project",
        "subnetId": "subnet",
    }
    assert infrastructure["blockStorageSize"] == 256
    assert infrastructure["shapeName"] == "VM.GPU.A10.2"
    assert runtime["git"] == {
        "url": "https://github.com/facebookresearch/llama-recipes.git",
        "commit": "1aecd00924738239f8d86f342b36bacad180d2b3",
    }
    assert shlex.split(runtime["command"]) == [
        "torchrun",
        "/mnt/recipes/with_hf_token.py",
        "examples/finetuning.py",
        "--enable_fsdp",
        "--use_peft",
        *("--peft_method", "lora"),
        "--pure_bf16",
        "--mixed_precision",
        *("--batch_size_training", "4"),
        *("--model_name", "meta-llama/Llama-2-13b-hf"),
        *("--output_dir", "/mnt/outputs"),
        *("--num_epochs", "3"),
        "--save_model",
        *("--dataset", "custom_dataset"),
        *("--custom_dataset.file", "/mnt/recipes/samsum_dataset.py"),
    ]
    assert runtime["replicas"] == 6
    assert runtime["conda"] == {"type": "service", "slug": "pytorch20_p39_gpu_v2"}
    variables = {one["name"]: one["value"] for one in runtime["env"]}
    vault = variables.pop("HF_TOKEN_VAULT_ID")
    assert vault.startswith("ocid1.vault.")
    assert variables == {
        "LD_LIBRARY_PATH": "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/opt/conda/lib",
        "OCI_LOG_LEVEL": "DEBUG",
        "HF_TOKEN_SECRET_NAME": "huggingface-token",
        "OCI__METRICS_NAMESPACE": "finetune_llama2_13b",
    }
    assert runtime["maximumRuntimeInMinutes"] == 720
    assert "outputDir" not in runtime


def test_every_package_of_the_tutorial_is_installed(synthesize: Synthesize) -> None:
    runtime = spec(emitted(synthesize, "")["finetune.yaml"], "runtime")
    packages = shlex.split(runtime["dependencies"]["pipPackages"])

    names = {re.split(r"[=<>]", package)[0] for package in packages}
    assert names >= {
        *("accelerate", "appdirs", "loralib", "bitsandbytes", "black", "black[jupyter]"),
        *("datasets", "fire", "peft", "llama-recipes", "transformers", "sentencepiece"),
        *("py7zr", "scipy", "optimum"),
    }
    assert "bitsandbytes==0.39.1" in packages
    assert {"pyarrow<15", "torch>=2.0.1,<2.2", "setuptools<70"} <= set(packages)
    assert not [package for package in packages if package.startswith("git+")]


def test_7b_trains_every_parameter_as_the_python_example_does(synthesize: Synthesize) -> None:
    text = emitted(synthesize, "model: 7b\n")["finetune.yaml"]
    infrastructure = spec(text, "infrastructure")
    runtime = spec(text, "runtime")

    assert shlex.split(runtime["command"]) == [
        "torchrun",
        "/mnt/recipes/with_hf_token.py",
        "examples/finetuning.py",
        "--enable_fsdp",
        "--pure_bf16",
        *("--batch_size_training", "1"),
        *("--micro_batch_size", "1"),
        *("--model_name", "$MODEL_NAME"),
        *("--num_epochs", "3"),
        *("--dist_checkpoint_root_folder", "/home/datascience/outputs"),
        *("--dist_checkpoint_folder", "fine-tuned"),
        *("--dataset", "custom_dataset"),
        *("--custom_dataset.file", "/mnt/recipes/samsum_dataset.py"),
    ]
    assert runtime["replicas"] == 3
    assert runtime["outputDir"] == "/home/datascience/outputs"
    assert runtime["outputUri"].endswith("/llama2-ft-full-7b/")
    assert [mount["dest"] for mount in infrastructure["storageMount"]] == ["recipes"]
    assert runtime["env"][0] == {"name": "MODEL_NAME", "value": "meta-llama/Llama-2-7b-hf"}
    assert infrastructure["blockStorageSize"] == 256


@pytest.mark.parametrize(
    ("text", "model", "source", "prefix"),
    [
        ("", "meta-llama/Llama-2-13b-hf", "--adapter", "llama2-ft-lora-13b"),
        ("model: 7b\n", "meta-llama/Llama-2-7b-hf", "--fsdp-checkpoint", "llama2-ft-full-7b"),
    ],
)
def test_the_merge_reads_what_the_training_wrote(
    synthesize: Synthesize, text: str, model: str, source: str, prefix: str
) -> None:
    definitions = emitted(synthesize, text)
    runtime = spec(definitions["merge.yaml"], "runtime")
    infrastructure = spec(definitions["merge.yaml"], "infrastructure")
    mounts = {mount["dest"]: mount["src"] for mount in infrastructure["storageMount"]}

    assert shlex.split(runtime["command"]) == [
        "python",
        "/mnt/recipes/with_hf_token.py",
        "/mnt/recipes/merge.py",
        *("--base-model", model),
        *(source, "/mnt/outputs"),
        *("--output", "/mnt/merged"),
    ]
    assert runtime["replicas"] == 1
    assert infrastructure["shapeName"] == "VM.GPU.A10.2"
    assert mounts["outputs"].endswith(f"/{prefix}/")
    assert spec(definitions["model.yaml"])["artifact"] == mounts["merged"]


def test_the_deployment_serves_the_merged_model(synthesize: Synthesize) -> None:
    text = "serving: {max_model_len: 2048, extra_args: [--seed, '42'], replicas: 2}\n"
    definitions = emitted(synthesize, text)
    infrastructure = spec(definitions["deployment.yaml"], "infrastructure")
    runtime = spec(definitions["deployment.yaml"], "runtime")

    assert runtime["image"] == "dsmc://odsc-vllm-serving:0.11.0"
    assert (runtime["serverPort"], runtime["healthCheckPort"]) == (8080, 8080)
    assert runtime["env"] == {
        "BASE_MODEL": "merged/llama2-ft-lora-13b",
        "PARAMS": "--served-model-name odsc-llm --max-model-len 2048 "
        "--tensor-parallel-size 2 --seed 42",
        "MODEL_DEPLOY_PREDICT_ENDPOINT": "/v1/completions",
    }
    assert "modelUri" not in runtime
    assert infrastructure["replica"] == 2
    assert infrastructure["shapeName"] == "VM.GPU.A10.2"
    assert infrastructure["bandwidthMbps"] == 10
    logs = [infrastructure[name]["logId"] for name in ("accessLog", "predictLog")]
    assert all(log.startswith("ocid1.log.") for log in logs)
    assert len(set(logs)) == 2


def test_the_same_texts_lie_in_the_bucket(synthesize: Synthesize) -> None:
    workbench = synthesize("")["workbench"]
    objects = workbench["resource"]["oci_objectstorage_object"].values()
    contents = {one["object"]: one["content"] for one in objects}

    output = workbench["output"]["definitions"]["value"]
    assert {
        f"definitions/{name}": text for name, text in output.items()
    }.items() <= contents.items()


def test_recipes_reach_the_bucket_as_they_are(synthesize: Synthesize) -> None:
    objects = synthesize("")["workbench"]["resource"]["oci_objectstorage_object"].values()
    uploaded = {
        one["object"]: one["content"].replace("$${", "${").replace("%%{", "%{")
        for one in objects
        if one["object"].startswith("recipes/")
    }

    folder = ROOT / "jobs" / "recipes"
    assert uploaded == {
        "recipes/with_hf_token.py": (folder / "llama_recipes" / "with_hf_token.py").read_text(),
        "recipes/samsum_dataset.py": (folder / "llama_recipes" / "samsum_dataset.py").read_text(),
        "recipes/merge.py": (folder / "merge.py").read_text(),
    }


def test_every_file_that_a_command_names_is_uploaded(synthesize: Synthesize) -> None:
    for text in TENANCIES.values():
        named = re.findall(r"/mnt/recipes/([\w.]+)", json.dumps(emitted(synthesize, text)))
        assert set(named) <= set(recipe_texts())


def test_terraform_s_own_marks_in_a_recipe_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra import recipes

    (tmp_path / "llama_recipes").mkdir()
    for name in ("llama_recipes/with_hf_token.py", "llama_recipes/samsum_dataset.py", "merge.py"):
        (tmp_path / name).write_text('print("${HOME} %{ if }")')
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)

    assert set(recipes.texts().values()) == {'print("$${HOME} %%{ if }")'}


def test_a_missing_recipe_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra import recipes

    monkeypatch.setattr(recipes, "FOLDER", tmp_path)

    with pytest.raises(recipes.RecipeMissingError) as caught:
        recipes.texts()
    assert str(caught.value).startswith(f"{tmp_path}/llama_recipes/with_hf_token.py: no such file.")


def request_for(document: dict[str, Any]) -> Any:
    """The body of the first request that ADS makes of the definition, or why it makes none."""
    from ads.jobs import Job
    from ads.model.deployment import ModelDeployment

    text = yaml.safe_dump(document)
    try:
        if document["kind"] == "job":
            Job.from_yaml(text).create()
        else:
            ModelDeployment.from_yaml(text).deploy(wait_for_completion=False)
    except Sent as sent:
        return json.loads(sent.body)
    except (TypeError, ValueError, KeyError) as error:
        return repr(error)
    raise AssertionError("ADS sent nothing")


def with_value(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of the document with one value changed."""
    changed = deepcopy(document)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def _another(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else f"{value}x"


def leaves(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """(path, value) of every value that is neither a mapping nor a list."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path, data
