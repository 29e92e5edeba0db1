"""The real Terraform binary, the stand-in provider and ocimock: a stack through its life."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE, TENANCY_ID
from ocimock.server.announcement import ServerFile
from ocimock.terraform import clients
from ocimock.terraform.clients import Clients, read_credentials, read_endpoints
from ocimock.terraform.mirror import environment as standin_environment
from ocimock.terraform.mirror import install
from tests.servers import running_server

pytestmark = pytest.mark.e2e

_ROOT = Path(__file__).resolve().parents[2]
_LOGS = 10


def _stack(**changed: str) -> dict[str, Any]:
    """A small stack in Terraform's JSON; `changed` replaces a few of its values."""
    values = {
        "vcn_name": "net",
        "dns_label": "demo",
        "port": "29400",
        "content": "kind: job\n",
        "statement": f"allow any-user to use log-content in compartment id {COMPARTMENT_ID}",
        **changed,
    }
    here = {"compartment_id": COMPARTMENT_ID}
    in_vcn = {**here, "vcn_id": "${oci_core_vcn.net.id}"}
    return {
        "terraform": {"required_providers": {"oci": {"source": "oracle/oci", "version": "8.28.0"}}},
        "provider": {
            "oci": [
                {"region": "eu-frankfurt-1"},
                {"alias": "home", "region": "us-ashburn-1"},
            ]
        },
        "data": {
            "oci_objectstorage_namespace": {"here": here},
            "oci_core_services": {
                "all": {"filter": [{"name": "name", "values": ["All .* Services"], "regex": True}]}
            },
        },
        "resource": {
            "oci_core_vcn": {
                "net": {
                    **here,
                    "cidr_blocks": ["10.0.0.0/16"],
                    "display_name": values["vcn_name"],
                    "dns_label": values["dns_label"],
                }
            },
            "oci_core_nat_gateway": {"out": in_vcn},
            "oci_core_service_gateway": {
                "out": {
                    **in_vcn,
                    "services": [{"service_id": "${data.oci_core_services.all.services[0].id}"}],
                }
            },
            "oci_core_route_table": {
                "private": {
                    **in_vcn,
                    "route_rules": [
                        {
                            "destination": "0.0.0.0/0",
                            "network_entity_id": "${oci_core_nat_gateway.out.id}",
                        },
                        {
                            "destination": "${data.oci_core_services.all.services[0].cidr_block}",
                            "destination_type": "SERVICE_CIDR_BLOCK",
                            "network_entity_id": "${oci_core_service_gateway.out.id}",
                        },
                    ],
                }
            },
            "oci_core_security_list": {
                "private": {
                    **in_vcn,
                    "egress_security_rules": [{"destination": "0.0.0.0/0", "protocol": "all"}],
                    "ingress_security_rules": [
                        {
                            "protocol": "6",
                            "source": "10.0.0.0/24",
                            "tcp_options": [{"min": values["port"], "max": values["port"]}],
                        }
                    ],
                }
            },
            "oci_core_subnet": {
                "private": {
                    **in_vcn,
                    "cidr_block": "10.0.0.0/24",
                    "prohibit_public_ip_on_vnic": True,
                    "route_table_id": "${oci_core_route_table.private.id}",
                    "security_list_ids": ["${oci_core_security_list.private.id}"],
                }
            },
            "oci_objectstorage_bucket": {
                "models": {
                    **here,
                    "namespace": "${data.oci_objectstorage_namespace.here.namespace}",
                    "name": "standin-models",
                    "versioning": "Enabled",
                }
            },
            "oci_objectstorage_object": {
                "definition": {
                    "namespace": "${oci_objectstorage_bucket.models.namespace}",
                    "bucket": "${oci_objectstorage_bucket.models.name}",
                    "object": "definitions/finetune.yaml",
                    "content": values["content"],
                    "delete_all_object_versions": True,
                }
            },
            "oci_identity_policy": {
                "jobs": {
                    "provider": "oci.home",
                    **here,
                    "name": "standin-jobs",
                    "description": "what jobs may do",
                    "statements": [values["statement"]],
                }
            },
            "oci_logging_log_group": {"jobs": {**here, "display_name": "standin-jobs"}},
            # As many at once as Terraform will have in flight, and independent of each other.
            "oci_logging_log": {
                "many": {
                    "count": _LOGS,
                    "log_group_id": "${oci_logging_log_group.jobs.id}",
                    "display_name": "log-${count.index}",
                    "log_type": "CUSTOM",
                    "retention_duration": 30,
                }
            },
        },
        "output": {"vcn_id": {"value": "${oci_core_vcn.net.id}"}},
    }


_RESOURCES = 10 + _LOGS


@dataclass(frozen=True)
class Terraform:
    """A Terraform working folder."""

    folder: Path
    environment: Mapping[str, str]

    def write(self, stack: dict[str, Any]) -> None:
        (self.folder / "main.tf.json").write_text(json.dumps(stack))

    def run(
        self, *arguments: str, expect: int = 0, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a command; its whole output, for messages go to both of the streams."""
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        # Terraform folds messages to its idea of a terminal's width.
        return " ".join(done.stdout.split())

    def apply(self) -> str:
        return self.run("apply", "-auto-approve", "-input=false", "-parallelism=20")

    def plan(self) -> dict[str, Any]:
        """The plan, as `terraform show -json` tells it."""
        self.run("plan", "-input=false", "-out=plan")
        shown = subprocess.run(
            ["terraform", "show", "-json", "plan"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=True,
        )
        document: dict[str, Any] = json.loads(shown.stdout)
        return document

    def assert_clean(self) -> None:
        self.run("plan", "-input=false", "-detailed-exitcode")


def _changes(plan: dict[str, Any]) -> dict[str, list[str]]:
    """What a plan would do, by address, without what stays as it is."""
    return {
        change["address"]: change["change"]["actions"]
        for change in plan["resource_changes"]
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with running_server(tmp_path_factory.mktemp("ocimock home"), "--pace", "0") as found:
        yield found


@pytest.fixture(scope="module")
def environment(server: ServerFile, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A home of its own, the stand-in in a path with a space, and the server's variables."""
    folder = tmp_path_factory.mktemp("the stand-in")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        **standin_environment(install(folder)),
        "TF_IN_AUTOMATION": "1",
        **server.environment,
    }


@pytest.fixture(scope="module")
def providers(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialized working folder to copy."""
    terraform = Terraform(tmp_path_factory.mktemp("initialized"), environment)
    terraform.write(_stack())
    output = terraform.run("init", "-input=false")
    assert "oracle/oci v8.28.0" in output
    return terraform.folder


@pytest.fixture
def terraform(providers: Path, environment: Mapping[str, str], tmp_path: Path) -> Terraform:
    folder = tmp_path / "a stack"
    shutil.copytree(providers, folder, symlinks=True)
    return Terraform(folder, environment)


@pytest.fixture(scope="module")
def oci(server: ServerFile) -> Clients:
    """SDK clients for the same tenancy: what somebody does behind Terraform's back."""
    credentials = read_credentials({"region": "eu-frankfurt-1"}, server.environment)
    return Clients(credentials, read_endpoints(server.environment))


def _standing(oci: Clients) -> list[str]:
    """The names of all that our stack can leave behind."""
    network, identity = oci.client(clients.CORE), oci.client(clients.IDENTITY)
    lists = (
        network.list_vcns(COMPARTMENT_ID),
        network.list_subnets(COMPARTMENT_ID),
        network.list_nat_gateways(COMPARTMENT_ID),
        network.list_service_gateways(COMPARTMENT_ID),
        network.list_route_tables(COMPARTMENT_ID),
        network.list_security_lists(COMPARTMENT_ID),
        oci.client(clients.OBJECT_STORAGE).list_buckets(NAMESPACE, COMPARTMENT_ID),
        identity.list_policies(COMPARTMENT_ID),
        oci.client(clients.LOGGING).list_log_groups(COMPARTMENT_ID),
    )
    gone = ("TERMINATED", "DELETED")
    return [
        getattr(item, "display_name", None) or item.name
        for answer in lists
        for item in answer.data
        if getattr(item, "lifecycle_state", None) not in gone
    ]


def test_a_stack_through_its_life(terraform: Terraform, oci: Clients) -> None:
    assert _standing(oci) == []
    output = terraform.apply()
    assert f"Resources: {_RESOURCES} added, 0 changed, 0 destroyed" in output
    assert "Stand-in for oracle/oci 8.28.0, talks to ocimock only" in output
    terraform.assert_clean()

    # Another name, port and statement are updates; another content replaces.
    statement = f"allow any-user to read buckets in compartment id {COMPARTMENT_ID}"
    terraform.write(
        _stack(vcn_name="renamed", port="29500", statement=statement, content="kind: other\n")
    )
    plan = terraform.plan()
    assert _changes(plan) == {
        "oci_core_security_list.private": ["update"],
        "oci_core_vcn.net": ["update"],
        "oci_identity_policy.jobs": ["update"],
        "oci_objectstorage_object.definition": ["delete", "create"],
    }
    [replaced] = [
        change["change"]["replace_paths"]
        for change in plan["resource_changes"]
        if change["address"] == "oci_objectstorage_object.definition"
    ]
    assert replaced == [["content"]]
    terraform.apply()
    terraform.assert_clean()

    # Somebody changes the VCN and deletes a log.
    network, logging = oci.client(clients.CORE), oci.client(clients.LOGGING)
    vcn = network.list_vcns(COMPARTMENT_ID).data[0]
    models = network.base_client.complex_type_mappings
    network.update_vcn(vcn.id, models["UpdateVcnDetails"](display_name="drifted"))
    group = logging.list_log_groups(COMPARTMENT_ID).data[0]
    log = next(log for log in logging.list_logs(group.id).data if log.display_name == "log-3")
    logging.delete_log(group.id, log.id)
    plan = terraform.plan()
    assert _changes(plan) == {
        "oci_core_vcn.net": ["update"],
        "oci_logging_log.many[3]": ["create"],
    }
    drift = {item["address"]: item["change"] for item in plan["resource_drift"]}
    assert drift["oci_core_vcn.net"]["before"]["display_name"] == "renamed"
    assert drift["oci_core_vcn.net"]["after"]["display_name"] == "drifted"
    assert drift["oci_logging_log.many[3]"]["actions"] == ["delete"]

    output = terraform.run("destroy", "-auto-approve", "-input=false", "-parallelism=20")
    assert f"Destroy complete! Resources: {_RESOURCES - 1} destroyed" in output
    assert _standing(oci) == []


def _only(stack: dict[str, Any], *types: str) -> dict[str, Any]:
    resources = {name: body for name, body in stack["resource"].items() if name in types}
    return {**stack, "resource": resources, "output": {"none": {"value": ""}}}


def test_what_stands_already_can_be_imported(terraform: Terraform, oci: Clients) -> None:
    storage = oci.client(clients.OBJECT_STORAGE)
    models = storage.base_client.complex_type_mappings
    details = models["CreateBucketDetails"](
        name="standin-models", compartment_id=COMPARTMENT_ID, versioning="Enabled"
    )
    storage.create_bucket(NAMESPACE, details)
    terraform.write(_only(_stack(), "oci_objectstorage_bucket"))
    bad = terraform.run("import", "oci_objectstorage_bucket.models", "standin-models", expect=1)
    assert '"standin-models" should be: n/{namespaceName}/b/{bucketName}' in bad

    terraform.run("import", "oci_objectstorage_bucket.models", f"n/{NAMESPACE}/b/standin-models")
    terraform.assert_clean()
    terraform.run("destroy", "-auto-approve")
    assert storage.list_buckets(NAMESPACE, TENANCY_ID).data == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "oci_core.VirtualNetworkClient=https://iaas.eu-frankfurt-1.oraclecloud.com",
            "The stand-in never speaks to OCI itself",
        ),
        ("oci_core.VirtualNetworkClient=http://192.0.2.1:80", "is not on this machine"),
        ("oci_core.VirtualNetworkClient=http://127.0.0.1:1", "No endpoint for oci_identity"),
    ],
)
def test_no_endpoint_but_loopback(terraform: Terraform, overrides: str, message: str) -> None:
    output = terraform.run(
        "plan", "-input=false", expect=1, environment={"CLIENT_HOST_OVERRIDES": overrides}
    )
    assert "The stand-in for oracle/oci refuses this endpoint" in output
    assert message in output


def test_a_shared_plugin_cache_never_holds_the_stand_in(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (tmp_path / "stack").mkdir()
    shared = {**environment, "TF_PLUGIN_CACHE_DIR": str(cache)}
    config = Path(environment["TF_CLI_CONFIG_FILE"])
    terraform = Terraform(tmp_path / "stack", {**shared, **standin_environment(config)})
    terraform.write(_stack())
    terraform.run("init", "-input=false")
    assert list(cache.iterdir()) == []


def _nets(stack: dict[str, Any], *names: str, vcn: str = "net") -> dict[str, Any]:
    """A VCN with a subnet for each of the letters in *names*, by `for_each`."""
    stack = _only(stack, "oci_core_vcn")
    stack["resource"] = {
        "oci_core_vcn": {vcn: stack["resource"]["oci_core_vcn"]["net"]},
        "oci_core_subnet": {
            "each": {
                "for_each": {name: f"10.0.{ord(name)}.0/24" for name in names},
                "compartment_id": COMPARTMENT_ID,
                "vcn_id": f"${{oci_core_vcn.{vcn}.id}}",
                "cidr_block": "${each.value}",
                "display_name": "${each.key}",
            }
        },
    }
    return stack


def test_what_terraform_itself_offers(terraform: Terraform, oci: Clients) -> None:
    """Taint, replace, target, state, moved and import blocks, for_each: nothing is our own."""
    terraform.write(_nets(_stack(), "a", "b"))
    assert "The configuration is valid" in terraform.run("validate")
    targeted = terraform.run("apply", "-auto-approve", "-target=oci_core_vcn.net")
    assert "Resources: 1 added" in targeted
    assert "Resources: 2 added" in terraform.apply()
    assert '"10.0.98.0/24"' in terraform.run("state", "show", 'oci_core_subnet.each["b"]')

    terraform.run("taint", 'oci_core_subnet.each["a"]')
    assert _changes(terraform.plan()) == {'oci_core_subnet.each["a"]': ["delete", "create"]}
    replaced = terraform.run("apply", "-auto-approve", '-replace=oci_core_subnet.each["b"]')
    assert "Resources: 2 added, 0 changed, 2 destroyed" in replaced

    network = oci.client(clients.CORE)
    models = network.base_client.complex_type_mappings
    details = models["CreateVcnDetails"](compartment_id=COMPARTMENT_ID, cidr_blocks=["10.9.0.0/16"])
    other = network.create_vcn(details).data
    stack = _nets(_stack(), "a", "c", vcn="moved")
    stack["moved"] = [{"from": "oci_core_vcn.net", "to": "oci_core_vcn.moved"}]
    stack["import"] = [{"to": "oci_core_vcn.found", "id": other.id}]
    stack["resource"]["oci_core_vcn"]["found"] = {
        "compartment_id": COMPARTMENT_ID,
        "cidr_blocks": ["10.9.0.0/16"],
    }
    terraform.write(stack)
    plan = terraform.plan()
    assert _changes(plan) == {
        'oci_core_subnet.each["b"]': ["delete"],
        'oci_core_subnet.each["c"]': ["create"],
    }
    by_address = {change["address"]: change for change in plan["resource_changes"]}
    assert by_address["oci_core_vcn.moved"]["previous_address"] == "oci_core_vcn.net"
    assert by_address["oci_core_vcn.found"]["change"]["importing"] == {"id": other.id}
    assert "Resources: 1 imported, 1 added, 0 changed, 1 destroyed" in terraform.apply()
    terraform.assert_clean()
    terraform.run("destroy", "-auto-approve", "-input=false")
    assert _standing(oci) == []


def test_an_error_of_the_service_names_the_call_and_leaves_the_rest(
    terraform: Terraform, oci: Clients
) -> None:
    stack = _only(_stack(), "oci_core_vcn", "oci_core_subnet")
    subnet = stack["resource"]["oci_core_subnet"]["private"]
    stack["resource"]["oci_core_subnet"]["private"] = {
        "compartment_id": subnet["compartment_id"],
        "vcn_id": subnet["vcn_id"],
        "cidr_block": "192.168.0.0/24",
    }
    terraform.write(stack)
    output = terraform.run("apply", "-auto-approve", "-input=false", expect=1)
    for part in ("OCI service error", "Operation: create_subnet", "opc-request-id: "):
        assert part in output
    # The VCN stands in the state, the subnet does not: the next apply goes on from here.
    assert list(_changes(terraform.plan())) == ["oci_core_subnet.private"]
    terraform.run("destroy", "-auto-approve", "-input=false")
    assert _standing(oci) == []
