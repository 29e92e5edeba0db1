"""A tenancy to which preflight has nothing to object, and all that its jobs fetch, on loopback.

What Terraform would stand up is made through the SDK, with the bundle's own policies, enforced; one
of the people looks and runs. What breaks in it, ``broken_tenancies`` says.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import oci

from demo.hub import Access, running_hub
from infra.definitions import definitions
from infra.network import ANYWHERE, security_rules
from infra.plan import plan_for
from infra.tenancy.schema import Network, Tenancy
from jobs import secret
from jobs import tenancy as named
from jobs.auth import sign_in
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.credentials import write_private
from tests.e2e.administrator import IMAGE, Administrator, tenancy
from tests.jobs.preflight.package_index import running_index

# No real ones: their form alone.
TOKEN, STRANGER = "hf_" + "x" * 20, "hf_" + "y" * 20
MODEL, DATASET = "meta-llama/Llama-2-13b-hf", "knkarthick/samsum"
_LEFT_OUT = ("OCI_", "HTTP", "http", "HF_", "PIP_", "UV_", "TUNESTACK", "XDG_")

M = oci.core.models


class WholeAdministrator(Administrator):
    """Stands up gateways, routes and rules as well, as ``infra.network`` does."""

    def __init__(self, cloud: Any, wanted: Tenancy) -> None:
        super().__init__(cloud, left_out="")
        self.tenancy = wanted

    def _make_network(self) -> None:
        self.network = self._admin(oci.core.VirtualNetworkClient)
        where = self.cloud.compartment_id
        vcn = self.network.create_vcn(
            M.CreateVcnDetails(compartment_id=where, cidr_blocks=["10.0.0.0/16"])
        ).data.id
        fields = {"compartment_id": where, "vcn_id": vcn}
        [services] = [
            each for each in self.network.list_services().data if each.name.startswith("All ")
        ]
        nat = self.network.create_nat_gateway(M.CreateNatGatewayDetails(**fields)).data.id
        gateway = self.network.create_service_gateway(
            M.CreateServiceGatewayDetails(
                services=[M.ServiceIdRequestDetails(service_id=services.id)], **fields
            )
        ).data.id
        routes = [
            _route(ANYWHERE, "CIDR_BLOCK", nat),
            _route(services.cidr_block, "SERVICE_CIDR_BLOCK", gateway),
        ]
        table = self.network.create_route_table(
            M.CreateRouteTableDetails(route_rules=routes, **fields)
        ).data.id
        ingress, egress = security_rules(Network(), services.cidr_block)
        rules = M.CreateSecurityListDetails(
            ingress_security_rules=[M.IngressSecurityRule(**sdk_rule(rule)) for rule in ingress],
            egress_security_rules=[M.EgressSecurityRule(**sdk_rule(rule)) for rule in egress],
            **fields,
        )
        security = self.network.create_security_list(rules).data.id
        self.places |= {
            "vcn": vcn, "nat": nat, "service gateway": gateway, "route table": table,
            "security list": security, "services": services.cidr_block,
        }  # fmt: skip
        self.places["subnet"] = self.make_subnet("10.0.1.0/24")

    def make_subnet(self, cidr: str) -> str:
        """A subnet beside that of the bundle, with its routes and its rules."""
        made: str = self.network.create_subnet(
            M.CreateSubnetDetails(
                compartment_id=self.cloud.compartment_id,
                vcn_id=self.places["vcn"],
                cidr_block=cidr,
                route_table_id=self.places["route table"],
                security_list_ids=[self.places["security list"]],
                prohibit_public_ip_on_vnic=True,
            )
        ).data.id
        return made


@dataclass
class Whole:
    """The tenancy; *home* is the working folder of whoever looks and runs."""

    cloud: Any
    administrator: WholeAdministrator
    tenancy: Tenancy
    home: Path

    @property
    def places(self) -> dict[str, str]:
        return self.administrator.places

    def admin(self, sdk_class: Any, **options: Any) -> Any:
        return self.administrator.admin(sdk_class, **options)

    @property
    def folder(self) -> Path:
        """Of the definitions."""
        return self.home / "definitions" / "demo"

    def emit(self, **changes: Any) -> None:
        """What the stacks emit, of the tenancy file with *changes* by section:
        ``finetune={"replicas": 2}``."""
        changed = self.tenancy
        for name, value in changes.items():
            part = getattr(changed, name)
            new = part.model_copy(update=value) if isinstance(value, dict) else value
            changed = changed.model_copy(update={name: new})
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.yaml"):
            old.unlink()
        found = self.administrator.emitted()
        for name, text in definitions(changed, plan_for(changed), found).items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a definition, as a person would."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def set_token(self, token: str) -> None:
        """The hub's token into the vault."""
        outputs = {
            "vault_id": self.places["vault"],
            "key_id": self.places["key"],
            "secret_name": self.tenancy.vault.secret_name,
            "compartment_id": self.cloud.compartment_id,
        }
        with mock.patch.object(secret, "output", lambda _tenancy, name: outputs[name]):
            secret.put(named.Tenancy("demo"), token)


@dataclass(frozen=True)
class Neighbours:
    """What jobs fetch from outside OCI: addresses of the hub and of the package index."""

    hub: str
    index: str


@contextmanager
def neighbours(folder: Path) -> Iterator[Neighbours]:
    """Both on loopback; the hub's files go into *folder*."""
    with running_hub(_hub_folder(folder), _members()) as hub, running_index() as index:
        yield Neighbours(hub.url, index)


@contextmanager
def whole(home: Path, around: Neighbours, settings: Settings | None = None) -> Iterator[Whole]:
    """In this process; with one of the people signed in and *home* as the working folder."""
    strict = settings or Settings(enforce_iam=True, verify_signatures=True)
    with mock_oci(strict) as cloud, stood_up(cloud, home, around) as made:
        yield made


@contextmanager
def stood_up(
    cloud: Any, home: Path, around: Neighbours, way: Mapping[str, str] | None = None
) -> Iterator[Whole]:
    """The same in a tenancy that is there; *way* are the variables by which a server is found."""
    home.mkdir(exist_ok=True)
    wanted = _tenancy(around.hub)
    administrator = WholeAdministrator(cloud, wanted)
    # Before the first call: without it, that of a server would go out into the world.
    with mock.patch.dict(os.environ, way or {}):
        administrator.stand_up()
        cloud.images.push(IMAGE)
    made = Whole(cloud, administrator, wanted, home)
    with _environment(made, {**(way or {}), "PIP_INDEX_URL": around.index}):
        sign_in(wanted.region)
        made.set_token(TOKEN)
        made.emit()
        yield made


def git_repository(folder: Path) -> tuple[str, str]:
    """(address, commit) of a repository with one commit."""
    run = partial(subprocess.run, cwd=folder, check=True, capture_output=True, text=True)
    folder.mkdir(parents=True)
    (folder / "finetuning.py").write_text("print('trains')\n")
    run(["git", "init", "--quiet", "--initial-branch=main"])
    run(["git", "config", "uploadpack.allowAnySHA1InWant", "true"])
    run(["git", "add", "."])
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    run(["git", *who, "commit", "--quiet", "-m", "It trains"])
    return folder.as_uri(), run(["git", "rev-parse", "HEAD"]).stdout.strip()


def _tenancy(endpoint: str) -> Tenancy:
    found = tenancy()
    hub = found.hub.model_copy(update={"endpoint": endpoint})
    # Session of nobody: it would hold an address and a limit of its own.
    return found.model_copy(update={"hub": hub})


def _members() -> Access:
    return Access(
        members=frozenset({TOKEN}), strangers=frozenset({STRANGER}), gated=("meta-llama/*",)
    )


def _hub_folder(folder: Path) -> Path:
    model, data = folder / "models" / MODEL, folder / "datasets" / DATASET
    for made in (model, data):
        made.mkdir(parents=True)
    config = {
        "model_type": "llama", "hidden_size": 5120, "num_hidden_layers": 40,
        "num_attention_heads": 40, "num_key_value_heads": 40, "intermediate_size": 13824,
        "vocab_size": 32000, "max_position_embeddings": 4096, "tie_word_embeddings": False,
    }  # fmt: skip
    (model / "config.json").write_text(json.dumps(config))
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    (data / "train.jsonl").write_text('{"dialogue": "A: Hi", "summary": "A greets."}\n')
    return folder


@contextmanager
def _environment(made: Whole, more: Mapping[str, str]) -> Iterator[None]:
    """That of the person, with no other credentials, proxies or package indexes."""
    config = made.cloud.user_config(made.places["person"])
    key, file = made.home / "key.pem", made.home / "config"
    write_private(key, config.pop("key_content").encode())
    lines = [f"{name}={text}" for name, text in {**config, "key_file": str(key)}.items()]
    write_private(file, "\n".join(["[DEFAULT]", *lines, ""]).encode())
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_LEFT_OUT)}
    own = {
        **more,
        "OCI_CONFIG_LOCATION": str(file),
        "OCI_IAM_TYPE": "api_key",
        "XDG_CACHE_HOME": str(made.home / "cache"),
    }
    with mock.patch.dict(os.environ, {**kept, **own}, clear=True):
        yield


def _route(destination: str, kind: str, gateway: str) -> Any:
    return M.RouteRule(destination=destination, destination_type=kind, network_entity_id=gateway)


def sdk_rule(rule: Any) -> dict[str, Any]:
    """A rule of Terraform's provider as the SDK has it: ports are those of the destination."""
    found = dict(rule)
    if ports := found.pop("tcp_options", None):
        ends = M.PortRange(min=ports["min"], max=ports["max"])
        found["tcp_options"] = M.TcpOptions(destination_port_range=ends)
    if kind := found.pop("icmp_options", None):
        found["icmp_options"] = M.IcmpOptions(**kind)
    return found
