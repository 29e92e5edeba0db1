"""What one field of a tenancy file demands of another."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.tenancy import fallback_rules, size_rules, sized
from infra.tenancy.errors import Path, Problem
from infra.tenancy.schema import MAX_REPLICAS, OF_SFT_ALONE, Network, Notebook, Stage, Tenancy
from infra.tenancy.tables import GPU_SHAPES, REALM_OF_REGION, SHAPES
from infra.tenancy.training import replicas_of, share_on
from infra.tenancy.values import nearest, realm_of

# The first two addresses and the last of every subnet are OCI's own.
_RESERVED_ADDRESSES = 3

STACK_MARK = "{stack}"
"""Stands for the stack's name in a value of ``state.config``."""

# 3.x of the newest Python that the packages of llama-recipes resolve on, and of the oldest that
# the recipe sft is written for.
_LLAMA_RECIPES_PYTHON = 11
_SFT_PYTHON = 11

_OF_AN_EXISTING_SUBNET = {"subnet_id", "subnet_compartment_ocid", "fallback_subnet_ids"}
# Freeform tags that OCI takes a resource, and those that the runner writes: tenancy, step, key.
_TAGS = 10
_OWN_TAGS = 3
_OWN_TAG = "tunestack-"
_TAG_NAME = re.compile(r"[^\s.]{1,100}")

_LOCAL_STATE = ("path",)
_CREDENTIAL_WORDS = ("password", "secret", "token", "access_key", "private_key", "conn_str", "sas")


def problems(tenancy: Tenancy) -> Iterator[Problem]:
    """Everything in the tenancy that contradicts itself, in no particular order."""
    yield from _realms(tenancy)
    yield from _network(tenancy)
    yield from _flexible("notebook", tenancy.notebook)
    yield from _flexible("stage", tenancy.stage)
    yield from _recipe(tenancy)
    yield from _conda(tenancy)
    yield from _serving(tenancy)
    yield from fallback_rules.problems(tenancy)
    yield from size_rules.problems(tenancy)
    yield from _tags(tenancy)
    yield from _provider(tenancy)
    yield from _state(tenancy)


def _realms(tenancy: Tenancy) -> Iterator[Problem]:
    realm = realm_of(tenancy.tenancy_ocid)
    regions = (("region", tenancy.region), ("home_region", tenancy.home_region))
    for key, region in regions:
        if region and REALM_OF_REGION[region] != realm:
            allowed = f"a region of realm {realm}, that of tenancy_ocid"
            hint = f"this one belongs to {REALM_OF_REGION[region]}"
            yield Problem((key,), region, allowed, hint)
    network = tenancy.network
    places: tuple[tuple[Path, str, str | None], ...] = (
        (("compartment_ocid",), "compartment", tenancy.compartment_ocid),
        (("network", "subnet_compartment_ocid"), "compartment", network.subnet_compartment_ocid),
        *((path, "subnet", subnet) for path, subnet in _subnets(network)),
    )
    for path, kind, ocid in places:
        if ocid and realm_of(ocid) != realm:
            yield Problem(path, ocid, f"a {kind} of realm {realm}, that of tenancy_ocid")


def _network(tenancy: Tenancy) -> Iterator[Problem]:
    network = tenancy.network
    if network.subnet_id is not None:
        for path, subnet_id in _subnets(network):
            yield from _subnet_region(tenancy, path, subnet_id)
        for key in sorted(network.model_fields_set - _OF_AN_EXISTING_SUBNET):
            hint = "an existing subnet brings its own network: remove this line, or subnet_id"
            yield Problem(
                ("network", key), getattr(network, key), "nothing beside network.subnet_id", hint
            )
        return
    if network.subnet_compartment_ocid is not None:
        allowed = "nothing without network.subnet_id"
        hint = "a subnet of our own is made in compartment_ocid"
        path = ("network", "subnet_compartment_ocid")
        yield Problem(path, network.subnet_compartment_ocid, allowed, hint)
    vcn = ipaddress.IPv4Network(network.vcn_cidr)
    subnet = ipaddress.IPv4Network(network.subnet_cidr)
    if not subnet.subnet_of(vcn):
        allowed = f"a CIDR inside network.vcn_cidr ({vcn})"
        yield Problem(("network", "subnet_cidr"), network.subnet_cidr, allowed)
    hosts = subnet.num_addresses - _RESERVED_ADDRESSES
    replicas = min(_most_nodes(tenancy), MAX_REPLICAS)  # more are refused for themselves
    if hosts < replicas + tenancy.notebook.enabled:
        room = f"the {replicas} nodes of the fine-tuning"
        room += " and the notebook" if tenancy.notebook.enabled else ""
        allowed = f"a CIDR with room for {room}"
        hint = f"{subnet} has {hosts} addresses, since OCI keeps {_RESERVED_ADDRESSES}"
        yield Problem(("network", "subnet_cidr"), network.subnet_cidr, allowed, hint)
    ports = network.nccl_ports
    if ports.min > ports.max:
        allowed = f"a whole number not below network.nccl_ports.min ({ports.min})"
        yield Problem(("network", "nccl_ports", "max"), ports.max, allowed)


def _subnets(network: Network) -> Iterator[tuple[Path, str]]:
    """Those that exist already, the first choice first."""
    if network.subnet_id is not None:
        yield ("network", "subnet_id"), network.subnet_id
    for number, subnet in enumerate(network.fallback_subnet_ids):
        yield ("network", "fallback_subnet_ids", number), subnet


def _most_nodes(tenancy: Tenancy) -> int:
    """Of the training, on whichever of its shapes."""
    shares = (share_on(tenancy, shape) for shape in tenancy.finetune.fallback_shapes)
    return max([replicas_of(tenancy) or 1, *(share.replicas for share in shares if share)])


def _subnet_region(tenancy: Tenancy, path: Path, subnet: str) -> Iterator[Problem]:
    # Ashburn and Phoenix write a short key there (iad, phx), which says as much.
    region = subnet.split(".")[3]
    region = {"iad": "us-ashburn-1", "phx": "us-phoenix-1"}.get(region, region)
    if region in REALM_OF_REGION and region != tenancy.region:
        allowed = f"a subnet in {tenancy.region}, which is region"
        yield Problem(path, subnet, allowed, f"this one is in {region}")


def _flexible(name: str, part: Notebook | Stage) -> Iterator[Problem]:
    if SHAPES[part.shape].flexible:
        return
    for key in ("ocpus", "memory_gb"):
        value = getattr(part, key)
        if value is not None:
            allowed = f"nothing, because {part.shape} is not a flexible shape"
            yield Problem((name, key), value, allowed)


def _recipe(tenancy: Tenancy) -> Iterator[Problem]:
    finetune = tenancy.finetune
    if finetune.recipe == "llama-recipes":
        for key in OF_SFT_ALONE:
            if key in finetune.model_fields_set:
                allowed = "nothing with finetune.recipe llama-recipes"
                hint = "it belongs to the recipe sft: remove this line, or change finetune.recipe"
                yield Problem(("finetune", key), getattr(finetune, key), allowed, hint)
        model = sized.model_of(tenancy)
        if model is not None and model.family != "llama":
            allowed = "a Llama, for finetune.recipe llama-recipes"
            hint = f"this one is of the family {model.family}, which the recipe sft trains"
            yield Problem(("model",), tenancy.model, allowed, hint)
    elif finetune.epochs is not None and finetune.max_steps is not None:
        hint = "the training ends at the one or at the other: remove one of the two lines"
        allowed = "nothing beside finetune.epochs"
        yield Problem(("finetune", "max_steps"), finetune.max_steps, allowed, hint)


def _conda(tenancy: Tenancy) -> Iterator[Problem]:
    """The slug names the environment's Python, and each recipe's packages want theirs."""
    finetune = tenancy.finetune
    named = re.search(r"_p3(\d+)_", finetune.conda or "")
    if named is None:
        return
    found = int(named[1])
    if finetune.recipe == "sft" and found < _SFT_PYTHON:
        allowed = f"an environment of Python 3.{_SFT_PYTHON} or later, for finetune.recipe sft"
    elif finetune.recipe == "llama-recipes" and found > _LLAMA_RECIPES_PYTHON:
        allowed = (
            f"an environment of Python 3.{_LLAMA_RECIPES_PYTHON} or earlier, for finetune.recipe "
            "llama-recipes"
        )
    else:
        return
    hint = "the recipe's packages can not be installed in this one, or not imported"
    yield Problem(("finetune", "conda"), finetune.conda, allowed, hint)


def _serving(tenancy: Tenancy) -> Iterator[Problem]:
    serving = tenancy.serving
    gpus = GPU_SHAPES[serving.shape].gpus
    if serving.tensor_parallel is not None and serving.tensor_parallel > gpus:
        allowed = f"a whole number from 1 to {gpus}, the GPUs of {serving.shape}"
        yield Problem(("serving", "tensor_parallel"), serving.tensor_parallel, allowed)


def _tags(tenancy: Tenancy) -> Iterator[Problem]:
    if len(tenancy.tags) > _TAGS - _OWN_TAGS:
        hint = f"OCI takes {_TAGS} a resource, of which the runner writes {_OWN_TAGS}"
        allowed = f"{_TAGS - _OWN_TAGS} tags or fewer"
        yield Problem(("tags",), tenancy.tags, allowed, hint)
    for name in tenancy.tags:
        if not _TAG_NAME.fullmatch(name):
            allowed = "a name of 1 to 100 characters without spaces and points"
            yield Problem(("tags", name), name, allowed)
        if name.startswith(_OWN_TAG):
            hint = "by these the runner knows what it has made"
            allowed = f"a name that does not begin with {_OWN_TAG}"
            yield Problem(("tags", name), tenancy.tags[name], allowed, hint)


def _provider(tenancy: Tenancy) -> Iterator[Problem]:
    if tenancy.provider.auth == "SecurityToken" and tenancy.provider.profile is None:
        allowed = "the profile of the OCI configuration file that holds the session token"
        yield Problem.missing(("provider", "profile"), allowed)


def _state(tenancy: Tenancy) -> Iterator[Problem]:
    state = tenancy.state
    for path, key in _keys(state.config, ("state", "config")):
        if _names_a_credential(key):
            hint = "Terraform's backends read credentials from the environment"
            # The value may be a credential: it is not repeated.
            yield Problem(path, "…", "no credential in this file", hint)
    if state.backend == "local":
        for key in sorted(state.config.keys() - set(_LOCAL_STATE)):
            if _names_a_credential(key):  # told above
                continue
            hint = nearest(key, _LOCAL_STATE)
            # Nor is this value repeated: a credential may hide behind any name.
            yield Problem(("state", "config", key), "…", "only path, for local state", hint)
    custom = state.backend != "local" or "path" in state.config
    if custom and STACK_MARK not in repr(state.config):
        hint = "without it the four stacks would overwrite each other's state"
        allowed = f"a configuration with {STACK_MARK} in the value that places the state"
        yield Problem(("state", "config"), state.config, allowed, hint)


def _names_a_credential(key: str) -> bool:
    return any(word in key for word in _CREDENTIAL_WORDS)


def _keys(config: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    for key, value in config.items():
        yield (*path, key), key
        if isinstance(value, Mapping):
            yield from _keys(value, (*path, key))
