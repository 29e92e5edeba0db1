"""Terraform's command: how it is called, and what is told of it when it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitops import terraform
from gitops.errors import GitopsError, TerraformError
from gitops.stacks import Stack
from tests.gitops.documents import stack

_BOX = """\
╷
│ Warning: Something old
│
╵
╷
│ Error: 401-NotAuthenticated
│
│   with oci_core_vcn.vcn,
│ The required information to complete authentication was not provided.
╵
"""
_LOCKED = "Error: Error acquiring the state lock"


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command in Terraform's place: it keeps its words, says *said* and ends with *code*."""
    command = tmp_path / "terraform"
    command.write_text(
        f"#!/bin/sh\necho \"$TF_IN_AUTOMATION $*\" >>'{tmp_path}/words'\n"
        f"[ -e '{tmp_path}/printed' ] && cat '{tmp_path}/printed'\n"
        f"[ -e '{tmp_path}/said' ] && cat '{tmp_path}/said' >&2\n"
        f"exit $(cat '{tmp_path}/code')\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(command))
    (tmp_path / "code").write_text("0")
    return tmp_path


def _stack(folder: Path) -> Stack:
    return replace(stack(), folder=folder)


def test_a_plan_waits_for_the_lock_and_changes_nothing(called: Path) -> None:
    assert terraform.plan(_stack(called), called / "a.tfplan") is None
    words = (called / "words").read_text().split()
    assert words[:4] == ["1", f"-chdir={called}", "plan", "-no-color"]
    for option in ("-input=false", "-detailed-exitcode", "-lock-timeout=300s"):
        assert option in words
    assert f"-out={called / 'a.tfplan'}" in words


@pytest.mark.parametrize(
    ("said", "shown", "advice"),
    [
        (_BOX, "Error: 401-NotAuthenticated\n  with oci_core_vcn.vcn,", "credentials"),
        (_LOCKED, _LOCKED, "force-unlock"),
        ("what", "what", ""),
    ],
)
def test_an_error_is_told_without_its_box(called: Path, said: str, shown: str, advice: str) -> None:
    (called / "said").write_text(said)
    (called / "code").write_text("1")
    with pytest.raises(TerraformError) as failed:
        terraform.plan(_stack(called), called / "a.tfplan")
    assert failed.value.what.startswith("terraform plan of demo-data failed.\n" + shown)
    assert "Warning" not in failed.value.what
    assert "│" not in failed.value.what
    assert advice in failed.value.advice


def test_an_apply_that_failed_says_what_to_do(
    called: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (called / "said").write_text("Error: no\n")
    (called / "code").write_text("1")
    with pytest.raises(GitopsError, match="apply of demo-data failed") as failed:
        terraform.apply(_stack(called), called / "a.tfplan")
    assert "goes on from there" in failed.value.advice
    assert "Error: no" in capfd.readouterr().err


def test_outputs_are_values_by_name(called: Path) -> None:
    (called / "printed").write_text('{"bucket": {"value": "b", "type": "string"}}')
    assert terraform.outputs(_stack(called)) == {"bucket": "b"}


def test_the_second_stack_takes_the_providers_of_the_first(
    called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform uses what it has fetched only where a lock file names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    (called / "terraform").write_text(f"#!/bin/sh\necho $TF_PLUGIN_CACHE_DIR >'{called}/cache'\n")
    first, second = (replace(stack(name), folder=tmp_path / name) for name in ("one", "two"))
    for each in (first, second):
        each.folder.mkdir()
    terraform.lock_file(first).write_text("locked")
    terraform.init(second, first)
    assert terraform.lock_file(second).read_text() == "locked"
    fetched = tmp_path / ".gitops" / "providers"
    assert (called / "cache").read_text() == f"{fetched}\n"
    assert fetched.is_dir()
    terraform.lock_file(second).write_text("its own")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "")
    terraform.init(second, first)
    assert terraform.lock_file(second).read_text() == "its own"
    assert (called / "cache").read_text() == "\n"
