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

from infra.recipes import packages as recipe_packages
from infra.recipes import texts as recipe_texts
from tests.infra.ads_requests import Sent, catch_requests
from tests.infra.synthesis import Stacks, applied

Synthesize = Callable[..., Stacks]

ROOT = Path(__file__).parents[2]
TUTORIAL = "finetune: {recipe: llama-recipes}\n"
TENANCIES = {
    "13b": "",
    "the tutorial's 13b": TUTORIAL,
    "the tutorial's 7b": f"model: 7b\n{TUTORIAL}",
    "another": (
        "model: Qwen/Qwen2.5-0.5B\ntags: {owner: me}\nfinetune: {extra_args: [--lr=1e-5]}\n"
        "hub: {endpoint: 'https://hub.example.com'}\n"
    ),
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
        ("the tutorial's 13b", "finetune.yaml"),
        ("the tutorial's 7b", "finetune.yaml"),
        ("another", "stage.yaml"),
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


def mounts(text: str) -> dict[str, str]:
    """Name under /mnt → folder of the bucket."""
    found = spec(text, "infrastructure")["storageMount"]
    assert all(re.fullmatch(r"oci://[^@/]+@[^@/]+/.+/", mount["src"]) for mount in found)
    return {mount["dest"]: folder_of(mount["src"]) for mount in found}


def folder_of(uri: str) -> str:
    return str(uri.rpartition("@")[2].partition("/")[2])


def env(text: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in spec(text, "runtime").get("env", [])}


def test_13b_is_the_tutorial_s_job_field_by_field(synthesize: Synthesize) -> None:
    text = emitted(synthesize, TUTORIAL)["finetune.yaml"]
    document = yaml.safe_load(text)
    infrastructure = spec(text, "infrastructure")
    runtime = spec(text, "runtime")

    assert (document["kind"], document["apiVersion"]) == ("job", "v1.0")
    assert document["spec"]["name"] == "LLAMA2-Fine-Tuning-lora-samsum-13b"
    assert document["spec"]["infrastructure"]["type"] == "dataScienceJob"
    assert document["spec"]["runtime"]["type"] == "pyTorchDistributed"
    assert mounts(text) == {
        "base": "base/llama2-13b/",
        "data": "data/samsum/",
        "code": "code/",
        "outputs": "llama2-ft-lora-13b/",
    }
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
        "examples/finetuning.py",
        "--enable_fsdp",
        "--use_peft",
        *("--peft_method", "lora"),
        "--pure_bf16",
        "--mixed_precision",
        *("--batch_size_training", "4"),
        *("--model_name", "/mnt/base"),
        *("--output_dir", "/mnt/outputs"),
        *("--num_epochs", "3"),
        "--save_model",
        *("--dataset", "custom_dataset"),
        *("--custom_dataset.file", "/mnt/code/recipes/llama_recipes/samsum_dataset.py"),
    ]
    assert runtime["replicas"] == 6
    assert runtime["conda"] == {"type": "service", "slug": "pytorch20_p39_gpu_v2"}
    assert env(text) == {
        "LD_LIBRARY_PATH": "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/opt/conda/lib",
        "PYTHONPATH": "src",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAMSUM_PATH": "/mnt/data",
        "OCI_LOG_LEVEL": "DEBUG",
        "OCI__METRICS_NAMESPACE": "finetune_llama2_13b",
    }
    assert runtime["maximumRuntimeInMinutes"] == 720
    assert "outputDir" not in runtime


def test_every_package_of_the_tutorial_is_installed(synthesize: Synthesize) -> None:
    runtime = spec(emitted(synthesize, TUTORIAL)["finetune.yaml"], "runtime")
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
    text = emitted(synthesize, f"model: 7b\n{TUTORIAL}")["finetune.yaml"]
    infrastructure = spec(text, "infrastructure")
    runtime = spec(text, "runtime")

    assert shlex.split(runtime["command"]) == [
        "torchrun",
        "examples/finetuning.py",
        "--enable_fsdp",
        "--pure_bf16",
        *("--batch_size_training", "1"),
        *("--micro_batch_size", "1"),
        *("--model_name", "/mnt/base"),
        *("--num_epochs", "3"),
        *("--dist_checkpoint_root_folder", "/home/datascience/outputs"),
        *("--dist_checkpoint_folder", "fine-tuned"),
        *("--dataset", "custom_dataset"),
        *("--custom_dataset.file", "/mnt/code/recipes/llama_recipes/samsum_dataset.py"),
    ]
    assert runtime["replicas"] == 3
    assert runtime["outputDir"] == "/home/datascience/outputs"
    assert runtime["outputUri"].endswith("/llama2-ft-full-7b/")
    assert list(mounts(text)) == ["base", "data", "code"]
    assert infrastructure["blockStorageSize"] == 256


@pytest.mark.parametrize(
    ("fields", "length", "switches"),
    [
        ("", ("--epochs", "3"), ("--packing", "--gradient-checkpointing")),
        (
            "max_steps: 40, packing: false, gradient_checkpointing: false, shape: BM.GPU.H200.8",
            ("--max-steps", "40"),
            ("--no-packing", "--no-gradient-checkpointing"),
        ),
    ],
)
def test_sft_is_told_all_that_it_takes(
    fields: str, length: tuple[str, str], switches: tuple[str, str], synthesize: Synthesize
) -> None:
    text = emitted(synthesize, f"finetune: {{{fields}}}\n")["finetune.yaml"]
    runtime = spec(text, "runtime")

    command = shlex.split(runtime["command"])
    checkpoints = command.pop(command.index("--checkpoints") + 1)
    assert re.fullmatch(
        r"oci://[^@/]+@[^@/]+/checkpoints/llama2-ft-lora-13b/[0-9a-f]{8}", checkpoints
    )
    assert command == [
        *("torchrun", "--module", "recipes.sft"),
        *("--model", "/mnt/base"),
        *("--data", "/mnt/data"),
        *("--output", "/mnt/outputs"),
        "--checkpoints",
        *("--method", "lora"),
        *length,
        *("--batch-size", "4"),
        *("--gradient-accumulation", "1"),
        *("--max-length", "2048"),
        *switches,
        *("--precision", "bf16"),
        *("--checkpoint-every", "100"),
        *("--learning-rate", "0.0001"),
        *("--seed", "42"),
    ]
    assert runtime["conda"] == {"type": "service", "slug": "pytorch28_p312_gpu_x86_64_v1"}
    assert env(text) == {
        "PYTHONPATH": "/mnt/code",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        "OCI_LOG_LEVEL": "DEBUG",
        "OCI__METRICS_NAMESPACE": "finetune_llama2_13b",
    }
    assert list(mounts(text)) == ["base", "data", "code", "outputs"]
    assert "git" not in runtime
    assert "outputUri" not in runtime


def test_our_recipes_get_a_place_and_the_packages_of_their_requirements_file(
    synthesize: Synthesize,
) -> None:
    definitions = emitted(synthesize, "")
    for name in ("stage.yaml", "finetune.yaml", "merge.yaml"):
        runtime = spec(definitions[name], "runtime")
        assert shlex.split(runtime["dependencies"]["pipPackages"]) == list(recipe_packages())
        # The driver's own choice is a folder that a job without code of its own has not.
        assert runtime["workingDir"] == "/home/datascience"
    assert "transformers==4.57.6" in recipe_packages()


def test_staging_is_the_only_job_with_the_token_and_the_hub(synthesize: Synthesize) -> None:
    definitions = emitted(
        synthesize,
        "model_revision: main\ndataset: org/talks\nhub: {endpoint: 'https://hub.example.com/hf'}\n",
    )
    text = definitions["stage.yaml"]
    runtime, infrastructure = spec(text, "runtime"), spec(text, "infrastructure")

    command = shlex.split(runtime["command"])
    assert [folder_of(word) if "@" in word else word for word in command] == [
        *("python", "-m", "recipes.stage"),
        *("--model", "meta-llama/Llama-2-13b-hf"),
        *("--model-revision", "main"),
        *("--model-to", "base/llama2-13b"),
        *("--dataset", "org/talks"),
        *("--dataset-to", "data/talks"),
    ]
    assert infrastructure["shapeName"] == "VM.Standard.E4.Flex"
    assert infrastructure["shapeConfigDetails"] == {"ocpus": 4, "memoryInGBs": 64}
    assert runtime["replicas"] == 1
    variables = env(text)
    assert variables.pop("HF_TOKEN_VAULT_ID").startswith("ocid1.vault.")
    assert variables == {
        "PYTHONPATH": "/mnt/code",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OCI_LOG_LEVEL": "DEBUG",
        "HF_TOKEN_SECRET_NAME": "huggingface-token",
        "HF_ENDPOINT": "https://hub.example.com/hf",
    }
    others = [definitions[name] for name in definitions if name != "stage.yaml"]
    assert not [other for other in others if "HF_" in other or "huggingface" in other]


def test_an_open_model_needs_no_secret(synthesize: Synthesize) -> None:
    text = emitted(synthesize, "hub: {token: false}\n")["stage.yaml"]
    assert not [name for name in env(text) if name.startswith("HF_")]


def test_a_staging_shape_of_one_size_gets_none(synthesize: Synthesize) -> None:
    text = emitted(synthesize, "stage: {shape: VM.Standard2.4}\n")["stage.yaml"]
    assert "shapeConfigDetails" not in spec(text, "infrastructure")


@pytest.mark.parametrize("tenancy", TENANCIES.values(), ids=TENANCIES)
def test_training_and_merge_read_what_was_staged(synthesize: Synthesize, tenancy: str) -> None:
    definitions = emitted(synthesize, tenancy)
    command = shlex.split(spec(definitions["stage.yaml"], "runtime")["command"])

    for mount, flag in (("base", "--model-to"), ("data", "--dataset-to")):
        staged = folder_of(command[command.index(flag) + 1]) + "/"
        assert mounts(definitions["finetune.yaml"])[mount] == staged
    assert mounts(definitions["merge.yaml"])["base"] == mounts(definitions["finetune.yaml"])["base"]


@pytest.mark.parametrize("recipe", ["sft", "llama-recipes"])
@pytest.mark.parametrize(
    ("model", "source", "prefix"),
    [
        ("13b", "--adapter", "llama2-ft-lora-13b"),
        ("7b", "--fsdp-checkpoint", "llama2-ft-full-7b"),
    ],
)
def test_the_merge_reads_what_the_training_wrote(
    synthesize: Synthesize, recipe: str, model: str, source: str, prefix: str
) -> None:
    definitions = emitted(synthesize, f"model: {model}\nfinetune: {{recipe: {recipe}}}\n")
    text = definitions["merge.yaml"]
    runtime = spec(text, "runtime")
    found = mounts(text)

    assert shlex.split(runtime["command"]) == [
        *("python", "-m", "recipes.merge"),
        *("--base", "/mnt/base"),
        *(source, "/mnt/outputs"),
        *("--output", "/mnt/merged"),
    ]
    assert runtime["replicas"] == 1
    assert runtime["conda"]["slug"] == "pytorch28_p312_gpu_x86_64_v1"
    assert env(text) == {
        "PYTHONPATH": "/mnt/code",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OCI_LOG_LEVEL": "DEBUG",
    }
    assert spec(text, "infrastructure")["shapeName"] == "VM.GPU.A10.2"
    assert list(found) == ["base", "outputs", "code", "merged"]
    assert found["outputs"] == f"{prefix}/"
    assert folder_of(spec(definitions["model.yaml"])["artifact"]) == found["merged"]
    trained = definitions["finetune.yaml"]
    written = mounts(trained).get("outputs") or folder_of(spec(trained, "runtime")["outputUri"])
    assert written == found["outputs"]


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
        "SHM_SIZE": "10g",
    }
    assert "modelUri" not in runtime
    assert infrastructure["replica"] == 2
    assert infrastructure["shapeName"] == "VM.GPU.A10.2"
    assert infrastructure["bandwidthMbps"] == 10
    logs = [infrastructure[name]["logId"] for name in ("accessLog", "predictLog")]
    assert all(log.startswith("ocid1.log.") for log in logs)
    assert len(set(logs)) == 2


def test_one_gpu_that_serves_shares_no_memory(synthesize: Synthesize) -> None:
    # 7b's 13.5 GB leave one A10 room for requests; 13b does not fit it.
    text = emitted(synthesize, "model: 7b\nserving: {shape: VM.GPU.A10.1}\n")["deployment.yaml"]
    assert "SHM_SIZE" not in spec(text, "runtime")["env"]


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
        if one["object"].startswith("code/")
    }

    folder = ROOT / "jobs" / "recipes"
    tracked = [*folder.rglob("*.py"), *folder.rglob("requirements*.txt")]
    assert uploaded == {
        f"code/recipes/{file.relative_to(folder).as_posix()}": file.read_text() for file in tracked
    }
    assert all(uploaded.values()), "the provider takes no empty object"


@pytest.mark.parametrize("tenancy", TENANCIES.values(), ids=TENANCIES)
def test_every_file_that_a_command_names_is_uploaded(synthesize: Synthesize, tenancy: str) -> None:
    named = re.findall(r"/mnt/code/([\w./]+)", json.dumps(emitted(synthesize, tenancy)))
    assert set(named) <= set(recipe_texts())


@pytest.fixture
def own_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes in place of ours, with all that the definitions name."""
    from infra import recipes

    for name in recipes._NEEDED:
        file = tmp_path / (name if "." in name else f"{name}/__main__.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text('print("${HOME} %{ if }")')
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    return tmp_path


def test_terraform_s_own_marks_in_a_recipe_are_escaped(own_recipes: Path) -> None:
    assert set(recipe_texts().values()) == {'print("$${HOME} %%{ if }")'}


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("merge/__main__.py", "merge.py"),
        ("llama_recipes/samsum_dataset.py", "llama_recipes/samsum_dataset.py"),
    ],
)
def test_a_missing_recipe_is_named(lost: str, named: str, own_recipes: Path) -> None:
    from infra.recipes import RecipeMissingError

    (own_recipes / lost).unlink()

    with pytest.raises(RecipeMissingError) as caught:
        recipe_texts()
    assert str(caught.value).startswith(f"{own_recipes}/{named}: no such file.")


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
