"""Arguments that the provider would not take fail in Python, at the line that wrote them."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.cdk import App, Fn, TerraformStack
from infra.oci import ResourceArgumentError, generate
from infra.oci.generated.core import DataServices, SecurityList, Subnet, Vcn
from infra.oci.generated.kms import Key
from infra.oci.generated.objectstorage import Bucket
from infra.oci.generated.provider import OciProvider

GOOD: dict[str, Any] = {"compartment_id": "c", "vcn_id": "v"}
INGRESS: dict[str, Any] = {"protocol": "6", "source": "10.0.0.0/24"}


@pytest.fixture
def stack(tmp_path: Path) -> TerraformStack:
    return TerraformStack(App(outdir=str(tmp_path)), "stack")


def refused(make: Callable[..., Any], stack: TerraformStack, **arguments: Any) -> list[str]:
    with pytest.raises(ResourceArgumentError) as caught:
        make(stack, "it", **arguments)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"ingress_security_rule": []},
            "ingress_security_rule: no such argument; did you mean 'ingress_security_rules'?",
        ),
        (
            {"ingress_security_rules": [INGRESS | {"tcp_option": {"min": 1}}]},
            "ingress_security_rules[0].tcp_option: no such argument; did you mean 'tcp_options'?",
        ),
        (
            {"ingress_security_rules": [INGRESS, INGRESS | {"tcp_options": {"max": "29400"}}]},
            "ingress_security_rules[1].tcp_options.max: found '29400' (str); allowed: a number",
        ),
        (
            {"ingress_security_rules": [INGRESS | {"tcp_options": {"max": True}}]},
            "ingress_security_rules[0].tcp_options.max: found True (bool); allowed: a number",
        ),
        (
            {"ingress_security_rules": [{"protocol": "6"}]},
            "ingress_security_rules[0].source: missing; the provider requires it",
        ),
        (
            {"ingress_security_rules": INGRESS},
            "ingress_security_rules: found one block; allowed: a list of blocks",
        ),
        (
            {"ingress_security_rules": ["all"]},
            "ingress_security_rules[0]: found 'all' (str); allowed: a block (a dict)",
        ),
        (
            {"ingress_security_rules": [INGRESS | {"tcp_options": [{"min": 1}, {"min": 2}]}]},
            "ingress_security_rules[0].tcp_options: found 2 blocks; allowed: at most 1",
        ),
        (
            {"ingress_security_rules": "${oci_core_vcn.vcn.id}"},
            "ingress_security_rules: found a token (a value known only later); "
            "allowed: a block (a dict)",
        ),
        (
            {"ingress_security_rules": [INGRESS, "${oci_core_vcn.vcn.id}"]},
            "ingress_security_rules[1]: found a token (a value known only later); "
            "allowed: a block (a dict)",
        ),
        ({"dependson": []}, "dependson: no such argument; did you mean 'depends_on'?"),
        (
            {"display_name": Path("/x")},
            f"display_name: found {Path('/x')!r} (PosixPath); allowed: a string",
        ),
        (
            {"state": "AVAILABLE"},
            "state: computed by OCI, it can be read but not set; allowed: compartment_id, "
            "defined_tags, display_name, egress_security_rules, freeform_tags, "
            "ingress_security_rules, timeouts, vcn_id",
        ),
        ({"display_name": 7}, "display_name: found 7 (int); allowed: a string"),
        (
            {"freeform_tags": ["a"]},
            "freeform_tags: found ['a'] (list); allowed: a dict of strings",
        ),
        ({"freeform_tags": {"a": 1}}, "freeform_tags.a: found 1 (int); allowed: a string"),
    ],
)
def test_a_wrong_argument_names_its_path_and_the_nearest_right_one(
    stack: TerraformStack, arguments: dict[str, Any], problem: str
) -> None:
    assert refused(SecurityList, stack, **(GOOD | arguments)) == [problem]


def test_every_missing_argument_is_named(stack: TerraformStack) -> None:
    assert refused(SecurityList, stack) == [
        "compartment_id: missing; the provider requires it",
        "vcn_id: missing; the provider requires it",
    ]


def test_a_required_block_is_missed(stack: TerraformStack) -> None:
    found = refused(Key, stack, compartment_id="c", display_name="d", management_endpoint="e")
    assert found == ["key_shape: missing; the provider requires it"]


def test_a_required_block_is_there_but_empty(stack: TerraformStack) -> None:
    found = refused(
        Key, stack, compartment_id="c", display_name="d", management_endpoint="e", key_shape=[]
    )
    assert found == ["key_shape: found 0 blocks; allowed: at least 1"]


def test_a_string_is_no_list(stack: TerraformStack) -> None:
    found = refused(Subnet, stack, **GOOD, security_list_ids="ocid1.securitylist")
    assert found == [
        "security_list_ids: found 'ocid1.securitylist' (str); allowed: a list of strings"
    ]


def test_a_resource_is_not_its_id(stack: TerraformStack) -> None:
    vcn = Vcn(stack, "vcn", compartment_id="c")

    assert refused(SecurityList, stack, compartment_id="c", vcn_id=vcn) == [
        "vcn_id: found the Vcn itself, of which this takes an attribute such as .id; "
        "allowed: a string"
    ]


def test_a_list_s_token_is_no_single_value(stack: TerraformStack) -> None:
    vcn = Vcn(stack, "vcn", compartment_id="c")

    (problem,) = refused(SecurityList, stack, compartment_id="c", vcn_id=vcn.cidr_blocks)
    assert problem.startswith("vcn_id: found [")
    assert problem.endswith(" (list); allowed: a string")


def test_what_is_no_sequence_is_no_list(stack: TerraformStack) -> None:
    (problem,) = refused(Subnet, stack, **GOOD, security_list_ids={"ocid1.securitylist"})
    assert problem == (
        "security_list_ids: found {'ocid1.securitylist'} (set); allowed: a list of strings"
    )


def test_the_resource_s_own_id_is_never_an_argument(stack: TerraformStack) -> None:
    (problem,) = refused(Vcn, stack, compartment_id="c", id="ocid1.vcn.oc1..a")
    assert problem.startswith("id: computed by OCI, it can be read but not set")


def test_a_data_source_is_checked_too(stack: TerraformStack) -> None:
    assert refused(DataServices, stack, filter=[{"name": "n", "value": ["v"]}]) == [
        "filter[0].value: no such argument; did you mean 'values'?",
        "filter[0].values: missing; the provider requires it",
    ]


def test_the_provider_is_checked_too(stack: TerraformStack) -> None:
    assert refused(OciProvider, stack, regoin="eu-frankfurt-1") == [
        "regoin: no such argument; did you mean 'region'?"
    ]


def test_the_error_names_the_line_that_wrote_the_argument(stack: TerraformStack) -> None:
    frame = inspect.currentframe()
    assert frame is not None
    with pytest.raises(ResourceArgumentError) as caught:
        Bucket(stack, "weights", compartment_id="c", namespace="n", name="b", versionning="x")  # type: ignore[call-arg]
    line = frame.f_lineno - 1

    assert str(caught.value) == (
        f"{__file__}:{line}: oci_objectstorage_bucket 'weights': "
        "versionning: no such argument; did you mean 'versioning'?"
    )


def test_tokens_pass_for_any_type(stack: TerraformStack) -> None:
    vcn = Vcn(stack, "vcn", compartment_id="c")

    Subnet(
        stack,
        "subnet",
        compartment_id="c",
        vcn_id=vcn.id,
        security_list_ids=vcn.cidr_blocks,
        freeform_tags=vcn.freeform_tags,  # type: ignore[arg-type]
        prohibit_public_ip_on_vnic=vcn.is_ipv6enabled,  # type: ignore[arg-type]
    )
    SecurityList(
        stack,
        "list",
        compartment_id="c",
        vcn_id=vcn.id,
        ingress_security_rules=[
            {
                "protocol": "6",
                "source": "10.0.0.0/24",
                "tcp_options": {"min": Fn.max([1, 2]), "max": 2},
            }
        ],
    )


def test_generated_modules_are_what_the_schema_gives() -> None:
    assert generate.stale() == [], "run: python -m infra.oci.generate"


def test_a_stale_module_is_found_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "GENERATED", tmp_path)
    generate.write()
    assert generate.main(["--check"]) == 0
    (tmp_path / "kms.py").write_text("edited by hand")
    (tmp_path / "gone.py").write_text("a service that the schema no longer has")
    (tmp_path / "core.py").unlink()

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "stale: core.py, gone.py, kms.py. Run: python -m infra.oci.generate\n"
    )

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
