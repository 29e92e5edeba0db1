"""The recipe ``llama-recipes``: the tutorial's training code, its packages and its commands."""

from infra.plan import Plan
from infra.recipes import MOUNT
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
    "'accelerate==0.23.0'",
    "appdirs",
    "loralib",
    "bitsandbytes==0.39.1",
    "black",
    "'black[jupyter]'",
    "'datasets==2.14.5'",
    "fire",
    "'peft==0.5.0'",
    "--extra-index-url",
    "https://download.pytorch.org/whl/cu118",
    "'llama-recipes==0.0.1'",
    "'torch>=2.0.1,<2.2'",
    "'transformers==4.33.3'",
    "'pyarrow<15'",
    "'numpy<2'",
    "'sentencepiece==0.1.99'",
    "py7zr",
    "scipy",
    "'optimum==1.13.3'",
    "'huggingface_hub<0.26'",
    "'setuptools<70'",
)

RECIPES = f"/mnt/{MOUNT}"
OUTPUTS = "/mnt/outputs"
MERGED = "/mnt/merged"
"""Where the bucket's folders are mounted in a job."""

OUTPUT_FOLDER = "/home/datascience/outputs"
"""On the node's disk; ADS's driver copies it to the bucket when the run has ended well."""


def finetune_command(settings: Finetune, plan: Plan) -> str:
    """The tutorial's command for LoRA (its YAML) or for every parameter (its Python example).

    Two things are corrected: the token comes from the Vault (``with_hf_token.py``), and the data
    set from where it still is (``samsum_dataset.py``). The full-parameter example's script is the
    other one's too: ``llama_finetuning.py`` does not exist at the pinned commit.
    """
    method = _lora(settings, plan) if plan.method == "lora" else _full(settings, plan)
    words = [
        "torchrun",
        f"{RECIPES}/with_hf_token.py",
        "examples/finetuning.py",
        "--enable_fsdp",
        *method,
        "--dataset custom_dataset",
        f"--custom_dataset.file {RECIPES}/samsum_dataset.py",
        *settings.extra_args,
    ]
    return " ".join(words)


def merge_command(plan: Plan) -> str:
    """LoRA weights into the base model, or an FSDP checkpoint into a Hugging Face model."""
    source = "--adapter" if plan.method == "lora" else "--fsdp-checkpoint"
    words = [
        "python",
        f"{RECIPES}/with_hf_token.py",
        f"{RECIPES}/merge.py",
        f"--base-model {plan.model_id}",
        f"{source} {OUTPUTS}",
        f"--output {MERGED}",
    ]
    return " ".join(words)


def _lora(settings: Finetune, plan: Plan) -> list[str]:
    return [
        "--use_peft",
        "--peft_method lora",
        "--pure_bf16",
        "--mixed_precision",
        f"--batch_size_training {plan.batch_size}",
        f"--model_name {plan.model_id}",
        f"--output_dir {OUTPUTS}",
        f"--num_epochs {settings.epochs}",
        "--save_model",
    ]


def _full(settings: Finetune, plan: Plan) -> list[str]:
    return [
        "--pure_bf16",
        f"--batch_size_training {plan.batch_size}",
        # Newer llama-recipes warn of this flag and go on; older ones divide the batch by it.
        "--micro_batch_size 1",
        "--model_name $MODEL_NAME",
        f"--num_epochs {settings.epochs}",
        f"--dist_checkpoint_root_folder {OUTPUT_FOLDER}",
        "--dist_checkpoint_folder fine-tuned",
    ]
