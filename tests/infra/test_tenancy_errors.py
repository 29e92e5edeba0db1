"""Bad tenancy files: each problem is told with line, field, what was found, what is allowed."""

from pathlib import Path
from typing import NamedTuple

import pytest

from infra.tenancy import TenancyError, load
from infra.tenancy.tables import GPU_SHAPES, SHAPES

OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaatest
compartment_ocid: ocid1.compartment.oc1..aaaatest
"""  # lines 1 and 2: what a case adds starts on line 3

TENANCY = "the OCID of a tenancy (ocid1.tenancy.oc1..…)"
COMPARTMENT = "the OCID of a compartment (ocid1.compartment.oc1..…), or the tenancy's for its root"
REGION = "a region identifier such as eu-frankfurt-1"
CIDR = "a private IPv4 CIDR from /16 to /30"
SUBNET = f"{CIDR} inside network.vcn_cidr"
BUCKET = "1 to 256 letters, digits, '.', '_' and '-'"
PREFIX = "2 to 24 of a-z, 0-9 and '-', starting with a letter, not ending with '-'"
DAYS = "one of 30, 60, 90, 120, 150, 180"
ARGUMENTS = "a list; each item one word of letters, digits and . _ = / : , @ % + -"
MODEL = "7b, 13b, or a Hugging Face model id such as meta-llama/Llama-2-70b-hf"
GROUP = "1 to 100 letters, digits, '.', '_', '@', '-', '+' and spaces inside"


class Bad(NamedTuple):
    """A file, and every line of its error after ``bad.yaml:``."""

    name: str
    text: str
    expected: list[str]


NOT_LLAMA = (
    "allowed: nothing with finetune.recipe llama-recipes. It belongs to the recipe sft: remove "
    "this line, or change finetune.recipe."
)
RATE = "a number above 0 and up to 1, such as 0.0001"
UNINSTALLABLE = "The recipe's packages can not be installed in this one, or not imported."

CASES = [
    Bad(
        "fields-of-the-other-recipe",
        OCIDS + "finetune:\n  recipe: llama-recipes\n  packing: true\n  max_steps: 4\n",
        [
            f"5: finetune.packing: found true (bool); {NOT_LLAMA}",
            f"6: finetune.max_steps: found 4 (int); {NOT_LLAMA}",
        ],
    ),
    Bad(
        "two-lengths",
        OCIDS + "finetune:\n  epochs: 1\n  max_steps: 4\n",
        [
            "5: finetune.max_steps: found 4 (int); allowed: nothing beside finetune.epochs. "
            "The training ends at the one or at the other: remove one of the two lines."
        ],
    ),
    Bad(
        "an-unknown-recipe",
        OCIDS + "finetune:\n  recipe: sfft\n",
        ["4: finetune.recipe: found 'sfft' (str); allowed: one of sft, llama-recipes."],
    ),
    Bad(
        "sft-on-an-old-python",
        OCIDS + "finetune:\n  conda: pytorch20_p39_gpu_v2\n",
        [
            "4: finetune.conda: found 'pytorch20_p39_gpu_v2' (str); allowed: an environment of "
            f"Python 3.11 or later, for finetune.recipe sft. {UNINSTALLABLE}"
        ],
    ),
    Bad(
        "llama-recipes-of-another-family",
        OCIDS + "model: Qwen/Qwen2.5-7B\nfinetune: {recipe: llama-recipes}\n",
        [
            "3: model: found 'Qwen/Qwen2.5-7B' (str); allowed: a Llama, for finetune.recipe "
            "llama-recipes. This one is of the family qwen2, which the recipe sft trains."
        ],
    ),
    Bad(
        "llama-recipes-on-a-new-python",
        OCIDS + "finetune: {recipe: llama-recipes, conda: pytorch28_p312_gpu_x86_64_v1}\n",
        [
            "3: finetune.conda: found 'pytorch28_p312_gpu_x86_64_v1' (str); allowed: an "
            "environment of Python 3.11 or earlier, for finetune.recipe llama-recipes. "
            f"{UNINSTALLABLE}"
        ],
    ),
    Bad(
        "rates",
        OCIDS + "finetune:\n  learning_rate: 0\n",
        [f"4: finetune.learning_rate: found 0 (int); allowed: {RATE}."],
    ),
    Bad(
        "a-rate-in-words",
        OCIDS + "finetune:\n  learning_rate: 1e-4x\n",
        [f"4: finetune.learning_rate: found '1e-4x' (str); allowed: {RATE}."],
    ),
    Bad(
        "a-hub-in-clear",
        OCIDS + "hub:\n  endpoint: http://hub.example.com\n",
        [
            "4: hub.endpoint: found 'http://hub.example.com' (str); allowed: the address of a "
            "hub, https://<host>[:port][/path]."
        ],
    ),
    Bad(
        "a-data-set-without-an-owner",
        OCIDS + "dataset: samsum\n",
        [
            "3: dataset: found 'samsum' (str); allowed: a Hugging Face data set id such as "
            "knkarthick/samsum."
        ],
    ),
    Bad(
        "a-revision-that-is-a-flag",
        OCIDS + "model_revision: --help\n",
        [
            "3: model_revision: found '--help' (str); allowed: a branch, a tag or a commit of "
            "the repository on the hub."
        ],
    ),
    Bad(
        "a-size-of-a-fixed-staging-shape",
        OCIDS + "stage:\n  shape: VM.Standard2.4\n  ocpus: 2\n",
        [
            "5: stage.ocpus: found 2 (int); allowed: nothing, because VM.Standard2.4 is not a "
            "flexible shape."
        ],
    ),
    Bad(
        "not-a-number",
        OCIDS + "finetune:\n  replicas: six\n",
        ["4: finetune.replicas: found 'six' (str); allowed: a whole number from 1 to 64."],
    ),
    Bad(
        "quoted-number",
        OCIDS + "finetune:\n  replicas: '6'\n",
        ["4: finetune.replicas: found '6' (str); allowed: a whole number from 1 to 64."],
    ),
    Bad(
        "out-of-range",
        OCIDS + "finetune:\n  replicas: 65\n",
        ["4: finetune.replicas: found 65 (int); allowed: a whole number from 1 to 64."],
    ),
    Bad(
        "fraction",
        OCIDS + "serving:\n  replicas: 1.5\n",
        ["4: serving.replicas: found 1.5 (float); allowed: a whole number from 1 to 100."],
    ),
    Bad(
        "misspelt-key",
        OCIDS + "finetune:\n  replica: 6\n",
        ["4: finetune.replica: unknown key; did you mean 'replicas'?"],
    ),
    Bad(
        "unknown-key",
        OCIDS + "vault:\n  colour: red\n",
        ["4: vault.colour: unknown key; allowed: secret_name."],
    ),
    Bad(
        "credential-key",
        OCIDS + "provider:\n  private_key: hunter2\n",
        ["4: provider.private_key: unknown key; allowed: auth, profile."],
    ),
    Bad(
        "both-ocids-missing",
        "region: us-ashburn-1\n",
        [
            f"1: compartment_ocid: missing; allowed: {COMPARTMENT}.",
            f"1: tenancy_ocid: missing; allowed: {TENANCY}.",
        ],
    ),
    Bad(
        "user-for-compartment",
        "tenancy_ocid: ocid1.tenancy.oc1..aaaatest\ncompartment_ocid: ocid1.user.oc1..aaaatest\n",
        [
            "2: compartment_ocid: found 'ocid1.user.oc1..aaaatest' (str); "
            f"allowed: {COMPARTMENT}. This is the OCID of a user."
        ],
    ),
    Bad(
        "no-ocid",
        "tenancy_ocid: mytenancy\ncompartment_ocid: ocid1.compartment.oc1..aaaatest\n",
        [
            f"1: tenancy_ocid: found 'mytenancy' (str); allowed: {TENANCY}. "
            "An OCID has the form ocid1.<type>.<realm>.[region].<unique>."
        ],
    ),
    Bad(
        "no-cidr",
        OCIDS + "network:\n  vcn_cidr: ten\n",
        [f"4: network.vcn_cidr: found 'ten' (str); allowed: {CIDR}."],
    ),
    Bad(
        "host-bits",
        OCIDS + "network:\n  subnet_cidr: 10.0.1.7/24\n",
        [
            f"4: network.subnet_cidr: found '10.0.1.7/24' (str); allowed: {SUBNET}. "
            "The address has host bits set; did you mean '10.0.1.0/24'?"
        ],
    ),
    Bad(
        "no-prefix-length",
        OCIDS + "network:\n  vcn_cidr: 10.0.0.0\n",
        [f"4: network.vcn_cidr: found '10.0.0.0' (str); allowed: {CIDR}. This one is a /32."],
    ),
    Bad(
        "vcn-too-wide",
        OCIDS + "network:\n  vcn_cidr: 10.0.0.0/8\n",
        [f"4: network.vcn_cidr: found '10.0.0.0/8' (str); allowed: {CIDR}. This one is a /8."],
    ),
    Bad(
        "public-addresses",
        OCIDS + "network:\n  vcn_cidr: 8.8.0.0/16\n",
        [
            f"4: network.vcn_cidr: found '8.8.0.0/16' (str); allowed: {CIDR}. "
            "Private are 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16."
        ],
    ),
    Bad(
        "subnet-outside-vcn",
        OCIDS + "network:\n  vcn_cidr: 10.0.0.0/16\n  subnet_cidr: 10.1.0.0/24\n",
        [
            "5: network.subnet_cidr: found '10.1.0.0/24' (str); "
            "allowed: a CIDR inside network.vcn_cidr (10.0.0.0/16)."
        ],
    ),
    Bad(
        "subnet-too-small",
        OCIDS + "network:\n  subnet_cidr: 10.0.1.0/29\n",
        [
            "4: network.subnet_cidr: found '10.0.1.0/29' (str); "
            "allowed: a CIDR with room for the 6 nodes of the fine-tuning and the notebook. "
            "10.0.1.0/29 has 5 addresses, since OCI keeps 3."
        ],
    ),
    Bad(
        "existing-subnet-and-cidrs",
        OCIDS + "network:\n  vcn_cidr: 10.0.0.0/16\n  subnet_id: ocid1.subnet.oc1.iad.aaaa\n",
        [
            "4: network.vcn_cidr: found '10.0.0.0/16' (str); "
            "allowed: nothing beside network.subnet_id. An existing subnet brings its own "
            "network: remove this line, or subnet_id."
        ],
    ),
    Bad(
        "ports-reversed",
        OCIDS + "network:\n  security: strict\n  nccl_ports: {min: 50000, max: 40000}\n",
        [
            "5: network.nccl_ports.max: found 40000 (int); "
            "allowed: a whole number not below network.nccl_ports.min (50000)."
        ],
    ),
    Bad(
        "misspelt-region",
        OCIDS + "region: eu-frankfort-1\n",
        [
            f"3: region: found 'eu-frankfort-1' (str); allowed: {REGION}. "
            "Did you mean 'eu-frankfurt-1'?"
        ],
    ),
    Bad(
        "region-of-another-realm",
        OCIDS + "region: us-langley-1\n",
        [
            "3: region: found 'us-langley-1' (str); "
            "allowed: a region of realm oc1, that of tenancy_ocid. This one belongs to oc2."
        ],
    ),
    Bad(
        "bucket-name",
        OCIDS + "bucket: my models\n",
        [f"3: bucket: found 'my models' (str); allowed: {BUCKET}."],
    ),
    Bad(
        "prefix",
        OCIDS + "prefix: Tune_Stack\n",
        [f"3: prefix: found 'Tune_Stack' (str); allowed: {PREFIX}."],
    ),
    Bad(
        "retention",
        OCIDS + "log_retention_days: 45\n",
        [f"3: log_retention_days: found 45 (int); allowed: {DAYS}. The nearest is 30."],
    ),
    Bad(
        "misspelt-shape",
        OCIDS + "finetune:\n  shape: VM.GPU.A10.3\n",
        [
            "4: finetune.shape: found 'VM.GPU.A10.3' (str); "
            f"allowed: a GPU shape: {', '.join(GPU_SHAPES)}. Did you mean 'VM.GPU.A10.2'?"
        ],
    ),
    Bad(
        "shape-without-gpu",
        OCIDS + "serving:\n  shape: VM.Standard.E4.Flex\n",
        [
            "4: serving.shape: found 'VM.Standard.E4.Flex' (str); "
            f"allowed: a GPU shape: {', '.join(GPU_SHAPES)}."
        ],
    ),
    Bad(
        "unknown-notebook-shape",
        OCIDS + "notebook:\n  shape: huge\n",
        [f"4: notebook.shape: found 'huge' (str); allowed: a compute shape: {', '.join(SHAPES)}."],
    ),
    Bad(
        "ocpus-of-a-fixed-shape",
        OCIDS + "notebook:\n  shape: VM.GPU.A10.1\n  ocpus: 4\n",
        [
            "5: notebook.ocpus: found 4 (int); "
            "allowed: nothing, because VM.GPU.A10.1 is not a flexible shape."
        ],
    ),
    Bad(
        "group-name",
        OCIDS + "user_group:\n  name: data'scientists\n",
        [f'4: user_group.name: found "data\'scientists" (str); allowed: {GROUP}.'],
    ),
    Bad(
        "group-as-string",
        OCIDS + "user_group: data-scientists\n",
        ["3: user_group: found 'data-scientists' (str); allowed: a mapping of name, domain."],
    ),
    Bad(
        "lone-value-for-list",
        OCIDS + "finetune:\n  extra_args: --lr\n",
        [f"4: finetune.extra_args: found '--lr' (str); allowed: {ARGUMENTS}."],
    ),
    Bad(
        "shell-in-argument",
        OCIDS + "serving:\n  extra_args:\n    - --seed\n    - 1; rm -rf /\n",
        [
            "6: serving.extra_args[1]: found '1; rm -rf /' (str); "
            "allowed: one word of letters, digits and . _ = / : , @ % + -."
        ],
    ),
    Bad(
        "list-for-mapping",
        OCIDS + "tags:\n  - owner\n",
        ["3: tags: found a list of 1; allowed: a mapping of names to values."],
    ),
    Bad(
        "value-missing",
        OCIDS + "model:\n",
        [f"3: model: found nothing (null); allowed: {MODEL}."],
    ),
    Bad(
        "choice",
        OCIDS + "policies: admin\n",
        ["3: policies: found 'admin' (str); allowed: one of least-privilege, proof-of-concept."],
    ),
    Bad(
        "boolean",
        OCIDS + "protect: maybe\n",
        ["3: protect: found 'maybe' (str); allowed: true or false."],
    ),
    Bad(
        "size-unknown",
        OCIDS + "model: org/mystery\nfinetune:\n  epochs: 1\n",
        [
            "4: finetune.replicas: missing; allowed: a whole number from 1 to 64. "
            "The name of org/mystery does not say how many parameters it has."
        ],
    ),
    Bad(
        "too-large-for-the-shape",
        OCIDS + "model: meta-llama/Llama-3.1-405B\nfinetune:\n  shape: VM.GPU.A10.1\n",
        [
            "4: finetune.replicas: missing; allowed: a whole number from 1 to 64. "
            "The model would take 270 of VM.GPU.A10.1: "
            "choose a larger finetune.shape."
        ],
    ),
    Bad(
        "more-gpus-than-there-are",
        OCIDS + "serving:\n  shape: VM.GPU.A10.1\n  tensor_parallel: 2\n",
        [
            "5: serving.tensor_parallel: found 2 (int); "
            "allowed: a whole number from 1 to 1, the GPUs of VM.GPU.A10.1."
        ],
    ),
    Bad(
        "credential-in-state",
        OCIDS + "state:\n  backend: s3\n  config:\n    secret_key: hunter2\n    key: '{stack}'\n",
        [
            "6: state.config.secret_key: found '…' (str); allowed: no credential in this file. "
            "Terraform's backends read credentials from the environment."
        ],
    ),
    Bad(
        "one-state-for-all-stacks",
        OCIDS + "state:\n  backend: s3\n  config:\n    key: one.tfstate\n",
        [
            "5: state.config: found a mapping with key; "
            "allowed: a configuration with {stack} in the value that places the state. "
            "Without it the four stacks would overwrite each other's state."
        ],
    ),
    Bad(
        "misspelt-key-of-local-state",
        OCIDS + "state:\n  config:\n    pth: states/{stack}.tfstate\n",
        [
            "5: state.config.pth: found '…' (str); allowed: only path, for local state. "
            "Did you mean 'path'?"
        ],
    ),
    Bad(
        "credential-in-local-state",
        OCIDS + "state:\n  config:\n    password: hunter2\n",
        [
            "5: state.config.password: found '…' (str); allowed: no credential in this file. "
            "Terraform's backends read credentials from the environment."
        ],
    ),
    Bad(
        "subnet-of-another-region",
        OCIDS + "region: eu-frankfurt-1\nnetwork:\n  subnet_id: ocid1.subnet.oc1.iad.aaaa\n",
        [
            "5: network.subnet_id: found 'ocid1.subnet.oc1.iad.aaaa' (str); "
            "allowed: a subnet in eu-frankfurt-1, which is region. This one is in us-ashburn-1."
        ],
    ),
    Bad(
        "subnet-of-another-realm",
        OCIDS + "network:\n  subnet_id: ocid1.subnet.oc2..aaaa\n",
        [
            "4: network.subnet_id: found 'ocid1.subnet.oc2..aaaa' (str); "
            "allowed: a subnet of realm oc1, that of tenancy_ocid."
        ],
    ),
    Bad(
        "subnet-s-compartment-without-subnet",
        OCIDS + "network:\n  subnet_compartment_ocid: ocid1.compartment.oc1..aaaa\n",
        [
            "4: network.subnet_compartment_ocid: found 'ocid1.compartment.oc1..aaaa' (str); "
            "allowed: nothing without network.subnet_id. A subnet of our own is made in "
            "compartment_ocid."
        ],
    ),
    Bad(
        "link-local-network",
        OCIDS + "network:\n  vcn_cidr: 169.254.0.0/16\n",
        [
            f"4: network.vcn_cidr: found '169.254.0.0/16' (str); allowed: {CIDR}. "
            "Private are 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16."
        ],
    ),
    Bad(
        "profile-missing",
        OCIDS + "provider:\n  auth: SecurityToken\n",
        [
            "3: provider.profile: missing; "
            "allowed: the profile of the OCI configuration file that holds the session token."
        ],
    ),
    Bad(
        "fallbacks-that-repeat",
        OCIDS + "finetune:\n  fallback_shapes: [BM.GPU.A10.4, VM.GPU.A10.2]\nmerge:\n"
        "  fallback_shapes: [VM.GPU.A10.1, VM.GPU.A10.1]\n",
        [
            "4: finetune.fallback_shapes[1]: found 'VM.GPU.A10.2' (str); allowed: another shape. "
            "This one stands at finetune.shape or before it in the list.",
            "6: merge.fallback_shapes[1]: found 'VM.GPU.A10.1' (str); allowed: another shape. "
            "This one stands at merge.shape or before it in the list.",
        ],
    ),
    Bad(
        "no-such-fallback",
        OCIDS + "serving:\n  fallback_shapes: [VM.GPU.A10.3]\n",
        [
            "4: serving.fallback_shapes[0]: found 'VM.GPU.A10.3' (str); "
            f"allowed: a GPU shape: {', '.join(GPU_SHAPES)}. Did you mean 'VM.GPU.A10.2'?"
        ],
    ),
    Bad(
        "fallback-too-small",
        OCIDS + "finetune:\n  replicas: 4\n  shape: BM.GPU.H100.8\n"
        "  fallback_shapes: [VM.GPU2.1]\n",
        [
            "6: finetune.fallback_shapes[0]: found 'VM.GPU2.1' (str); allowed: a shape of which "
            "64 or fewer hold the training. It would take 160 of this one."
        ],
    ),
    Bad(
        "fallback-that-shares-no-step",
        OCIDS + "model: 7b\nfinetune:\n  fallback_shapes: [BM.GPU.A10.4]\n",
        [
            "5: finetune.fallback_shapes[0]: found 'BM.GPU.A10.4' (str); allowed: a shape whose "
            "GPUs share the 6 rows of a step evenly. With finetune.gradient_accumulation 4, 8 of "
            "them would."
        ],
    ),
    Bad(
        "fallback-with-too-few-gpus",
        OCIDS + "serving:\n  tensor_parallel: 2\n  fallback_shapes: [VM.GPU.A10.1]\n",
        [
            "5: serving.fallback_shapes[0]: found 'VM.GPU.A10.1' (str); "
            "allowed: a shape of 2 GPUs or more, as serving.tensor_parallel says."
        ],
    ),
    Bad(
        "fallback-nodes-that-find-no-address",
        OCIDS + "network:\n  subnet_cidr: 10.0.1.0/28\nfinetune:\n  fallback_shapes: [VM.GPU2.1]\n",
        [
            "4: network.subnet_cidr: found '10.0.1.0/28' (str); allowed: a CIDR with room for the "
            "24 nodes of the fine-tuning and the notebook. 10.0.1.0/28 has 13 addresses, since "
            "OCI keeps 3."
        ],
    ),
    Bad(
        "fallback-subnet-without-a-first",
        OCIDS + "network:\n  fallback_subnet_ids: [ocid1.subnet.oc1.iad.aaaa]\n",
        [
            "4: network.fallback_subnet_ids: found a list of 1; "
            "allowed: nothing without network.subnet_id. A subnet of our own is regional: OCI "
            "chooses among all its availability domains."
        ],
    ),
    Bad(
        "fallback-subnets-elsewhere",
        OCIDS + "network:\n  subnet_id: ocid1.subnet.oc1.iad.aaaa\n  fallback_subnet_ids:\n"
        "  - ocid1.subnet.oc1.iad.aaaa\n  - ocid1.subnet.oc1.eu-frankfurt-1.bbbb\n"
        "  - ocid1.subnet.oc2.us-luke-1.cccc\n",
        [
            "6: network.fallback_subnet_ids[0]: found 'ocid1.subnet.oc1.iad.aaaa' (str); allowed: "
            "another subnet. This one stands at network.subnet_id or before it in the list.",
            "7: network.fallback_subnet_ids[1]: found 'ocid1.subnet.oc1.eu-frankfurt-1.bbbb' "
            "(str); allowed: a subnet in us-ashburn-1, which is region. "
            "This one is in eu-frankfurt-1.",
            "8: network.fallback_subnet_ids[2]: found 'ocid1.subnet.oc2.us-luke-1.cccc' (str); "
            "allowed: a subnet in us-ashburn-1, which is region. This one is in us-luke-1.",
            "8: network.fallback_subnet_ids[2]: found 'ocid1.subnet.oc2.us-luke-1.cccc' (str); "
            "allowed: a subnet of realm oc1, that of tenancy_ocid.",
        ],
    ),
    Bad(
        "tags-without-room",
        OCIDS + "tags: {a: '', b: '', c: '', d: '', e: '', f: '', g: '', tunestack-key: x}\n",
        [
            "3: tags.tunestack-key: found 'x' (str); allowed: a name that does not begin with "
            "tunestack-. By these the runner knows what it has made.",
            "3: tags: found a mapping with a, b, c, d, e, f, g, tunestack-key; "
            "allowed: 7 tags or fewer. OCI takes 10 a resource, of which the runner writes 3.",
        ],
    ),
    Bad(
        "tags-that-oci-refuses",
        OCIDS + "tags:\n  cost centre: '1'\n",
        [
            "4: tags.cost centre: found 'cost centre' (str); "
            "allowed: a name of 1 to 100 characters without spaces and points."
        ],
    ),
    Bad(
        "pipeline-out-of-bounds",
        OCIDS + "pipeline:\n  spending_limit: 0\n  retries: -1\n  capacity_wait_minutes: soon\n"
        "  question: '  '\n",
        [
            "4: pipeline.spending_limit: found 0 (int); allowed: a number of US dollars above 0, "
            "such as 500. Leave the line out for no limit.",
            "5: pipeline.retries: found -1 (int); allowed: a whole number from 0 to 10.",
            "6: pipeline.capacity_wait_minutes: found 'soon' (str); "
            "allowed: a whole number from 0 to 10080.",
            "7: pipeline.question: found '  ' (str); "
            "allowed: text of 1 to 4000 characters, none of them a control character.",
        ],
    ),
    Bad(
        "pipeline-question-that-is-no-text",
        OCIDS + 'pipeline:\n  question: "Amanda: \\ud800"\n',
        [
            "4: pipeline.question: found 'Amanda: \\ud800' (str); "
            "allowed: text of 1 to 4000 characters, none of them a control character.",
        ],
    ),
    Bad(
        "several-at-once-in-order",
        OCIDS + "serving:\n  replicas: none\nregion: mars\nmodle: 7b\n",
        [
            "4: serving.replicas: found 'none' (str); allowed: a whole number from 1 to 100.",
            f"5: region: found 'mars' (str); allowed: {REGION}.",
            "6: modle: unknown key; did you mean 'model'?",
        ],
    ),
    Bad(
        "duplicate-key",
        OCIDS + "model: 7b\nmodel: 13b\n",
        ["4: model: stands twice, first on line 3; keep one."],
    ),
    Bad(
        "nested-duplicate-key",
        OCIDS + "finetune:\n  epochs: 1\n  epochs: 2\n",
        ["5: finetune.epochs: stands twice, first on line 4; keep one."],
    ),
    Bad(
        "tab",
        OCIDS + "finetune:\n\treplicas: 6\n",
        ["4: a tab indents this line; YAML allows only spaces there."],
    ),
    Bad(
        "syntax",
        OCIDS + "tags: {owner: me\n",
        ["4: not valid YAML: expected ',' or '}', but got '<stream end>'. The line reads: ''."],
    ),
    Bad(
        "recursive-alias",
        OCIDS + "tags: &me\n  owner: *me\n",
        ["3: the alias refers to the mapping that it stands in."],
    ),
    Bad(
        "foreign-tag",
        OCIDS + "bucket: !!python/name:os.system x\n",
        ["3: 'x' is not a plain value (tag:yaml.org,2002:python/name:os.system)."],
    ),
    Bad(
        "list-on-top",
        "- region: us-ashburn-1\n",
        ["1: found a list; allowed: a mapping of fields ('region: eu-frankfurt-1')."],
    ),
    Bad(
        "lone-word",
        "frankfurt\n",
        [
            "1: found the lone value 'frankfurt'; "
            "allowed: a mapping of fields ('region: eu-frankfurt-1')."
        ],
    ),
    Bad(
        "control-character",
        OCIDS + "bucket: a\x00b\n",
        ["3: the character U+0000 is not allowed in YAML."],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_problem_is_told_exactly(
    case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(case.text, encoding="utf-8")

    with pytest.raises(TenancyError) as caught:
        load("bad.yaml")

    assert str(caught.value).split("\n") == [f"bad.yaml:{line}" for line in case.expected]


def test_an_empty_file_says_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("# nothing but a comment\n")

    with pytest.raises(TenancyError) as caught:
        load(file)

    assert str(caught.value) == (
        f"{file}: the file is empty. It needs at least tenancy_ocid and compartment_ocid; "
        "tenancies/example.yaml shows every field."
    )


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(OCIDS)

    with pytest.raises(TenancyError) as caught:
        load(tmp_path / "prd.yaml")

    assert str(caught.value) == (
        f"{tmp_path}/prd.yaml: no such file. Tenancy files there: {tmp_path}/prod.yaml."
    )


def test_a_folder_names_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(OCIDS)

    with pytest.raises(TenancyError) as caught:
        load(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}: is a folder; name a file in it. Tenancy files there: {tmp_path}/prod.yaml."
    )


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(OCIDS.encode() + b"bucket: caf\xe9\n")

    with pytest.raises(TenancyError, match=r"not UTF-8 text \(byte \d+\)"):
        load(file)


def test_a_name_that_can_not_name_stacks(tmp_path: Path) -> None:
    file = tmp_path / "My Env.yaml"
    file.write_text(OCIDS)

    with pytest.raises(TenancyError) as caught:
        load(file)

    assert str(caught.value) == (
        f"{file}: the file's name names the stacks; found 'My Env'; allowed: 1 to 40 of a-z, 0-9 "
        "and '-', starting and ending with a letter or digit."
    )


def test_a_secret_in_the_state_s_configuration_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "leak.yaml"
    file.write_text(OCIDS + "state: {backend: s3, config: {secret_key: hunter2}}\n")

    with pytest.raises(TenancyError) as caught:
        load(file)

    assert "hunter2" not in str(caught.value)
