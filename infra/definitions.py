"""The job definitions, in ADS's own YAML, with Terraform filling in what only it knows.

Each is a Python dict whose leaves may be CDKTF tokens; ``render`` dumps it to the text that
``ads opctl run -f`` takes unchanged. ADS drops keys that it does not know without a word, so the
spelling here is checked by tests that read every definition back through ADS.
"""

import yaml

from infra import fallbacks, llama_recipes, sft
from infra.job import Definition, Machine, env, job, own_environment
from infra.pipeline import FILE as PIPELINE
from infra.pipeline import pipeline
from infra.places import Places
from infra.plan import Plan, plan_for
from infra.recipes import MOUNT
from infra.serving import deployment, model
from infra.tenancy.schema import Tenancy
from infra.tenancy.sizes import PRESETS


def definitions(tenancy: Tenancy, plan: Plan, places: Places) -> dict[str, str]:
    """File name → YAML text: every definition in the order in which they run, and the pipeline.

    After a definition stand its fallbacks, in the order in which they are tried.
    """
    texts = {}
    for name, build, fallbacks_of in _BUILT:
        texts[f"{name}.yaml"] = render(build(tenancy, plan, places))
        variants = fallbacks_of(tenancy, places) if fallbacks_of else ()
        for number, (other, there) in enumerate(variants, start=1):
            text = render(build(other, plan_for(other), there))
            texts[f"{name}.fallback-{number}.yaml"] = text
    return {PIPELINE: render(pipeline(tenancy, plan, places, list(texts))), **texts}


def render(definition: Definition) -> str:
    """YAML in the order it was written in; no line is folded, since a token may stand in it."""
    return yaml.safe_dump(definition, sort_keys=False, width=2**20, allow_unicode=True)


def stage(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The one-node job that brings model and data set into the bucket, without a GPU.

    The only one that names the token's secret: all that come after read the bucket.
    """
    settings = tenancy.stage
    variables = {**sft.variables(), **_log_level(tenancy), **_token(tenancy, places)}
    if tenancy.hub.endpoint:
        variables["HF_ENDPOINT"] = tenancy.hub.endpoint
    return job(
        tenancy,
        places,
        name=f"{plan.slug}-stage",
        machine=Machine(settings.shape, plan.stage_storage_gb, plan.stage_size),
        mounts={MOUNT: MOUNT},
        runtime={
            "command": sft.stage_command(tenancy, plan, places),
            "replicas": 1,
            **own_environment(plan.own_conda),
            "env": env(variables),
            "maximumRuntimeInMinutes": settings.max_runtime_minutes,
        },
    )


def finetune(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The distributed training job."""
    settings = tenancy.finetune
    mounts = {"base": plan.base_prefix, "data": plan.data_prefix, MOUNT: MOUNT}
    outputs: Definition = {}
    if settings.recipe == "sft":
        recipe = sft.runtime(settings, plan, places)
        variables = sft.training_variables()
    else:
        recipe = llama_recipes.runtime(settings, plan)
        variables = llama_recipes.variables()
    if settings.recipe == "llama-recipes" and plan.method == "full":
        # It has all ranks write shards at once, which a mounted bucket does not take: they go to
        # the node's disk, and the driver copies them when the run has ended.
        outputs["outputDir"] = llama_recipes.OUTPUT_FOLDER
        outputs["outputUri"] = places.uri(plan.outputs_prefix)
    else:
        mounts["outputs"] = plan.outputs_prefix
    variables |= {
        **_log_level(tenancy),
        "OCI__METRICS_NAMESPACE": f"finetune_{plan.slug.replace('-', '_')}",
    }
    return job(
        tenancy,
        places,
        name=_job_name(tenancy, plan),
        machine=Machine(settings.shape, plan.finetune_storage_gb),
        mounts=mounts,
        runtime={
            **recipe,
            "replicas": plan.replicas,
            "env": env(variables),
            **outputs,
            "maximumRuntimeInMinutes": settings.max_runtime_minutes,
        },
    )


def merge(tenancy: Tenancy, plan: Plan, places: Places) -> Definition:
    """The one-node job that makes one Hugging Face model of base and weights.

    It always runs in the environment of our own recipes, whichever recipe has trained.
    """
    settings = tenancy.merge
    return job(
        tenancy,
        places,
        name=f"{plan.slug}-merge",
        machine=Machine(settings.shape, plan.merge_storage_gb),
        mounts={
            "base": plan.base_prefix,
            "outputs": plan.outputs_prefix,
            MOUNT: MOUNT,
            "merged": plan.merged_prefix,
        },
        runtime={
            "command": sft.merge_command(settings, plan),
            "replicas": 1,
            **own_environment(plan.own_conda),
            "env": env({**sft.variables(), **_log_level(tenancy)}),
            "maximumRuntimeInMinutes": settings.max_runtime_minutes,
        },
    )


# A catalog entry runs on no machine, and so on no other one.
_BUILT = (
    ("stage", stage, fallbacks.of_stage),
    ("finetune", finetune, fallbacks.of_finetune),
    ("merge", merge, fallbacks.of_merge),
    ("model", model, None),
    ("deployment", deployment, fallbacks.of_deployment),
)


def _job_name(tenancy: Tenancy, plan: Plan) -> str:
    if tenancy.model in PRESETS:
        return f"LLAMA2-Fine-Tuning-{plan.method}-{plan.dataset}-{tenancy.model}"
    return f"{plan.slug}-Fine-Tuning-{plan.method}-{plan.dataset}"


def _log_level(tenancy: Tenancy) -> dict[str, str]:
    # At DEBUG the driver logs the whole environment; that is why no secret is in it.
    return {"OCI_LOG_LEVEL": tenancy.finetune.log_level}


def _token(tenancy: Tenancy, places: Places) -> dict[str, str]:
    if not tenancy.hub.token:
        return {}
    return {
        "HF_TOKEN_SECRET_NAME": tenancy.vault.secret_name,
        "HF_TOKEN_VAULT_ID": places.vault_id,
    }
