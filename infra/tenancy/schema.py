"""The schema of a tenancy file. Every field but the two OCIDs has a default.

Fields whose default follows from another one (the model, mostly) are ``None`` here; ``infra.plan``
fills them in. ``tenancies/example.yaml`` explains each.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from infra.tenancy.values import (
    AnyShape,
    Argument,
    BucketName,
    CompartmentOcid,
    Dataset,
    Dollars,
    GpuShape,
    GroupName,
    HubEndpoint,
    Image,
    LearningRate,
    Model,
    Prefix,
    Question,
    Region,
    RetentionDays,
    Revision,
    SecretName,
    Slug,
    SubnetCidr,
    SubnetOcid,
    Tag,
    TenancyOcid,
    VcnCidr,
)

MAX_REPLICAS = 64
"""Nodes of one training job; more is a typing error rather than a wish."""

QUESTION = (
    "Amanda: I baked cookies. Do you want some?\nJerry: Sure!\n"
    "Amanda: I'll bring you some tomorrow :-)"
)
"""A dialogue like those of the tutorial's data set; the model is asked for its summary."""

Arguments = Annotated[tuple[Argument, ...], Field(strict=False)]
BlockStorage = Annotated[int, Field(ge=50, le=10240)]
GpuShapes = Annotated[tuple[GpuShape, ...], Field(strict=False)]


class Part(BaseModel):
    """A mapping of the file: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ports(Part):
    """A range of TCP ports, both ends included."""

    # Linux hands out these to sockets that ask for no particular port, and so do NCCL's.
    min: Annotated[int, Field(ge=1024, le=65535)] = 32768
    max: Annotated[int, Field(ge=1024, le=65535)] = 60999


class Network(Part):
    """A network of our own, or an existing subnet."""

    vcn_cidr: VcnCidr = "10.0.0.0/16"
    subnet_cidr: SubnetCidr = "10.0.1.0/24"
    security: Literal["open-within-subnet", "strict"] = "open-within-subnet"
    nccl_ports: Ports = Ports()
    subnet_id: SubnetOcid | None = None
    subnet_compartment_ocid: CompartmentOcid | None = None
    fallback_subnet_ids: Annotated[tuple[SubnetOcid, ...], Field(strict=False)] = ()


class Notebook(Part):
    """The notebook session that people work in; it has the bucket mounted."""

    enabled: bool = True
    shape: AnyShape = "VM.Standard.E4.Flex"
    ocpus: Annotated[int, Field(ge=1, le=114)] | None = None
    memory_gb: Annotated[int, Field(ge=1, le=1776)] | None = None
    storage_gb: Annotated[int, Field(ge=50, le=10240)] = 100


class UserGroup(Part):
    """The people's group, as IAM names it; ``domain`` is its identity domain."""

    name: GroupName
    domain: GroupName | None = None


class Hub(Part):
    """Where the model and the data set come from: Hugging Face, or a mirror of it."""

    endpoint: HubEndpoint | None = None
    token: bool = True


class Stage(Part):
    """The job that copies the model and the data set from the hub into the bucket, once."""

    shape: AnyShape = "VM.Standard.E4.Flex"
    ocpus: Annotated[int, Field(ge=1, le=114)] | None = None
    memory_gb: Annotated[int, Field(ge=1, le=1776)] | None = None
    block_storage_gb: BlockStorage | None = None
    max_runtime_minutes: Annotated[int, Field(ge=30, le=43200)] = 240
    extra_args: Arguments = ()


class Finetune(Part):
    """The distributed training job."""

    # Not the tutorial's: new tenancies no longer see the conda environment that it needs.
    recipe: Literal["sft", "llama-recipes"] = "sft"
    method: Literal["lora", "full"] | None = None
    replicas: Annotated[int, Field(ge=1, le=MAX_REPLICAS)] | None = None
    shape: GpuShape = "VM.GPU.A10.2"
    fallback_shapes: GpuShapes = ()
    block_storage_gb: BlockStorage | None = None
    epochs: Annotated[int, Field(ge=1, le=100)] | None = None
    max_steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    gradient_accumulation: Annotated[int, Field(ge=1, le=1024)] = 1
    max_length: Annotated[int, Field(ge=16, le=1048576)] = 2048
    packing: bool = True
    gradient_checkpointing: bool = True
    precision: Literal["bf16", "fp32"] = "bf16"
    checkpoint_every: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    learning_rate: LearningRate | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    max_runtime_minutes: Annotated[int, Field(ge=30, le=43200)] = 720
    conda: Slug | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "DEBUG"
    extra_args: Arguments = ()


OF_SFT_ALONE = (
    "max_steps",
    "gradient_accumulation",
    "max_length",
    "packing",
    "gradient_checkpointing",
    "precision",
    "checkpoint_every",
    "learning_rate",
    "seed",
)
"""Fields of ``finetune`` that llama-recipes has no use for."""


class Merge(Part):
    """The job that turns the training's output into one Hugging Face model."""

    shape: GpuShape = "VM.GPU.A10.2"
    fallback_shapes: GpuShapes = ()
    block_storage_gb: BlockStorage | None = None
    max_runtime_minutes: Annotated[int, Field(ge=30, le=43200)] = 240
    extra_args: Arguments = ()


class Serving(Part):
    """The model deployment."""

    shape: GpuShape = "VM.GPU.A10.2"
    fallback_shapes: GpuShapes = ()
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    image: Image = "dsmc://odsc-vllm-serving:0.11.0"
    max_model_len: Annotated[int, Field(ge=128, le=1048576)] | None = None
    tensor_parallel: Annotated[int, Field(ge=1, le=8)] | None = None
    bandwidth_mbps: Annotated[int, Field(ge=10, le=480)] = 10
    extra_args: Arguments = ()


class Pipeline(Part):
    """What the runner does about the steps together, and when one of them fails."""

    spending_limit: Dollars | None = None
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    capacity_wait_minutes: Annotated[int, Field(ge=0, le=10080)] = 240
    question: Question = QUESTION


class Vault(Part):
    """Where the Hugging Face token lies. The token itself is never in this file."""

    secret_name: SecretName = "huggingface-token"


class State(Part):
    """Where Terraform keeps its state. ``{stack}`` in a value becomes the stack's name."""

    backend: Literal[
        "local", "s3", "gcs", "azurerm", "http", "pg", "consul", "cos", "oss", "swift", "oci"
    ] = "local"
    config: dict[str, Any] = {}


class Provider(Part):
    """How the Terraform provider signs in. Credentials come from its environment, never from here.

    Values of ``auth`` are the provider's own.
    """

    auth: (
        Literal[
            "APIKey",
            "SecurityToken",
            "InstancePrincipal",
            "InstancePrincipalWithCerts",
            "ResourcePrincipal",
            "OKEWorkloadIdentity",
        ]
        | None
    ) = None
    profile: SecretName | None = None


class Tenancy(Part):
    """One environment: what ``tenancies/<name>.yaml`` says."""

    tenancy_ocid: TenancyOcid
    compartment_ocid: CompartmentOcid
    region: Region = "us-ashburn-1"
    home_region: Region | None = None
    prefix: Prefix = "tunestack"
    bucket: BucketName | None = None
    log_retention_days: RetentionDays = 30
    protect: bool = True
    policies: Literal["least-privilege", "proof-of-concept"] = "least-privilege"
    user_group: UserGroup | None = None
    model: Model = "13b"
    model_revision: Revision | None = None
    dataset: Dataset = "knkarthick/samsum"
    dataset_revision: Revision | None = None
    hub: Hub = Hub()
    network: Network = Network()
    notebook: Notebook = Notebook()
    stage: Stage = Stage()
    finetune: Finetune = Finetune()
    merge: Merge = Merge()
    serving: Serving = Serving()
    pipeline: Pipeline = Pipeline()
    vault: Vault = Vault()
    state: State = State()
    provider: Provider = Provider()
    tags: dict[str, Tag] = {}

    _name: str = PrivateAttr("tenancy")

    @property
    def name(self) -> str:
        """The stem of the file; stacks are named after it."""
        return self._name
