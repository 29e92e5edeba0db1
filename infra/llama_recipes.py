"""The recipe ``llama-recipes``: the tutorial's training code, its packages and its commands."""

from typing import Any

from infra.plan import Plan
from infra.recipes import BASE, CODE, DATA, NO_BYTECODE, OUTPUTS, PACKAGE, SAMSUM, pip_words
from infra.tenancy.schema import Finetune

GIT_URL = "https://github.com/facebookresearch/llama-recipes.git"
GIT_COMMIT = "1aecd00924738239f8d86f342b36bacad180d2b3"
"""2023-10-16, the last state of ``examples/finetuning.py`` that Oracle's page pins; the path was
removed in March 2024."""

# The tutorial's list, held at the releases of that commit's date, on Python 3.9. Unpinned, it
# resolves and dies at import: datasets of that time can't load pyarrow 15 and later, today's peft
# and optimum no longer have what the code imports, today's transformers wants a newer PyTorch than
# the environment has, and setuptools 70 dropped the pkg_resources.packaging that the code imports.
# PyTorch itself stays where the environment has it: llama-recipes asks for 2.0.1 or later, and pip
# might go to 2.8, built for CUDA 12.8. The index is that of PyTorch's releases, not of its tests.
PIP_PACKAGES = (
    "accelerate==0.23.0",
    "appdirs",
    "loralib",
    "bitsandbytes==0.39.1",
    "black",
    "black[jupyter]",
    "datasets==2.14.5",
    "fire",
    "peft==0.5.0",
    "--extra-index-url",
    "https://download.pytorch.org/whl/cu118",
    "llama-recipes==0.0.1",
    "torch>=2.0.1,<2.2",
    "transformers==4.33.3",
    "pyarrow<15",
    "numpy<2",
    "sentencepiece==0.1.99",
    "py7zr",
    "scipy",
    "optimum==1.13.3",
    "huggingface_hub<0.26",
    "setuptools<70",
)

OUTPUT_FOLDER = "/home/datascience/outputs"
"""On the node's disk; ADS's driver copies it to the bucket when the run has ended well."""

LIBRARY_PATH = "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/opt/conda/lib"


def runtime(settings: Finetune, plan: Plan) -> dict[str, Any]:
    """What is particular to the recipe in the training's runtime."""
    return {
        "git": {"url": GIT_URL, "commit": GIT_COMMIT},
        "command": command(settings, plan),
        "conda": {"type": "service", "slug": plan.conda},
        "dependencies": {"pipPackages": pip_words(PIP_PACKAGES)},
    }


def variables() -> dict[str, str]:
    """The environment of the training, beside what every job has."""
    return {
        "LD_LIBRARY_PATH": LIBRARY_PATH,
        # The checkout's own package comes before the release that pip found; the driver starts
        # the command in the checkout.
        "PYTHONPATH": "src",
        **NO_BYTECODE,
        "SAMSUM_PATH": DATA,
    }


def command(settings: Finetune, plan: Plan) -> str:
    """The tutorial's command for LoRA (its YAML) or for every parameter (its Python example).

    Two things are corrected: model and data set come from the bucket, where ``stage.yaml`` put
    them, so that no node downloads them and none needs a token. The full-parameter example's
    script is the other one's too: ``llama_finetuning.py`` does not exist at the pinned commit.
    """
    method = _lora(plan) if plan.method == "lora" else _full(plan)
    words = [
        "torchrun",
        "examples/finetuning.py",
        "--enable_fsdp",
        *method,
        "--dataset custom_dataset",
        f"--custom_dataset.file {CODE}/{PACKAGE}/{SAMSUM}",
        *settings.extra_args,
    ]
    return " ".join(words)


def _lora(plan: Plan) -> list[str]:
    return [
        "--use_peft",
        "--peft_method lora",
        "--pure_bf16",
        "--mixed_precision",
        f"--batch_size_training {plan.batch_size}",
        f"--model_name {BASE}",
        f"--output_dir {OUTPUTS}",
        f"--num_epochs {plan.epochs}",
        "--save_model",
    ]


def _full(plan: Plan) -> list[str]:
    return [
        "--pure_bf16",
        f"--batch_size_training {plan.batch_size}",
        # Newer llama-recipes warn of this flag and go on; older ones divide the batch by it.
        "--micro_batch_size 1",
        f"--model_name {BASE}",
        f"--num_epochs {plan.epochs}",
        f"--dist_checkpoint_root_folder {OUTPUT_FOLDER}",
        "--dist_checkpoint_folder fine-tuned",
    ]
