"""What of the reviewed plans is applied, what is planned anew, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops import saved, terraform
from gitops.applying import Applying
from gitops.errors import GitopsError, RefusedError
from gitops.planning import StackPlan, plan_all
from gitops.stacks import Stack, need_lasting_state
from tests.gitops.documents import BUCKET, document, plan_of, replaced_bucket, resource, stack

DATA = stack("demo-data")
IDENTITY = stack("demo-identity", data={"bucket"})
FILE = Path("tenancies/prod.yaml")


class Terraform:
    """Terraform as far as it is asked: what each plan is, which outputs an apply leaves."""

    def __init__(self) -> None:
        self.plans: dict[str, dict[str, Any] | None] = {}
        self.outputs: dict[str, dict[str, str]] = {"demo-data": {"bucket": "old"}}
        self.leaves: dict[str, dict[str, str]] = {}
        self.applied: list[tuple[str, str]] = []

    def use(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(terraform, "init", lambda stack, like: None)
        patch.setattr(terraform, "outputs", lambda stack: self.outputs.get(stack.name, {}))
        patch.setattr(terraform, "plan", lambda stack, to: self.plans.get(stack.name))
        patch.setattr(terraform, "apply", self._apply)

    def _apply(self, stack: Stack, planned: Path) -> None:
        self.applied.append((stack.name, planned.parent.name))
        self.outputs[stack.name] = self.leaves.get(stack.name, self.outputs.get(stack.name, {}))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Terraform:
    made = Terraform()
    made.use(monkeypatch)
    return made


def _review(folder: Path, *plans: StackPlan) -> Path:
    folder.mkdir()
    saved.write("demo", plans, folder)
    return folder


def _apply(
    tmp_path: Path, stacks: Sequence[Stack], reviewed: Path | None, *, may_destroy: bool = False
) -> None:
    looked_at = saved.read("demo", stacks, reviewed) if reviewed else {}
    said: list[str] = []
    Applying(tmp_path / "now", looked_at, reviewed, may_destroy, said.append).apply(stacks)


def test_the_reviewed_plan_is_what_is_applied(fake: Terraform, tmp_path: Path) -> None:
    planned = plan_of(DATA, document(replaced_bucket()))
    _apply(tmp_path, [DATA], _review(tmp_path / "reviewed", planned))
    assert fake.applied == [("demo-data", "reviewed")]


def test_an_empty_plan_is_not_applied(fake: Terraform, tmp_path: Path) -> None:
    _apply(tmp_path, [DATA], _review(tmp_path / "reviewed", plan_of(DATA, None)))
    _apply(tmp_path, [DATA], None)
    assert fake.applied == []


def test_a_stack_that_read_other_values_is_planned_anew(fake: Terraform, tmp_path: Path) -> None:
    reviewed = _review(
        tmp_path / "reviewed",
        plan_of(DATA, document(replaced_bucket())),
        plan_of(IDENTITY, document(resource("oci_identity_policy.p", "update"))),
    )
    fake.leaves["demo-data"] = {"bucket": "new"}
    fake.plans["demo-identity"] = document(resource("oci_identity_policy.p", "update"))
    _apply(tmp_path, [DATA, IDENTITY], reviewed)
    assert fake.applied == [("demo-data", "reviewed"), ("demo-identity", "now")]


def test_a_stack_whose_values_stayed_is_not(fake: Terraform, tmp_path: Path) -> None:
    change = document(resource("oci_x.y", "update"))
    planned = [plan_of(DATA, change), plan_of(IDENTITY, change)]
    _apply(tmp_path, [DATA, IDENTITY], _review(tmp_path / "reviewed", *planned))
    assert fake.applied == [("demo-data", "reviewed"), ("demo-identity", "reviewed")]


def test_what_nobody_looked_at_may_not_destroy(fake: Terraform, tmp_path: Path) -> None:
    fake.plans["demo-data"] = document(replaced_bucket())
    with pytest.raises(RefusedError, match=f"replace {BUCKET}"):
        _apply(tmp_path, [DATA], None)
    assert fake.applied == []
    _apply(tmp_path, [DATA], None, may_destroy=True)
    assert fake.applied == [("demo-data", "now")]


def test_planned_anew_it_may_destroy_what_somebody_looked_at(
    fake: Terraform, tmp_path: Path
) -> None:
    lost = document(resource("oci_identity_policy.p", "delete", "create"))
    planned = [plan_of(DATA, document(replaced_bucket())), plan_of(IDENTITY, lost)]
    reviewed = _review(tmp_path / "reviewed", *planned)
    fake.leaves["demo-data"] = {"bucket": "new"}
    fake.plans["demo-identity"] = lost
    _apply(tmp_path, [DATA, IDENTITY], reviewed)
    assert fake.applied[1] == ("demo-identity", "now")
    fake.outputs["demo-data"] = {"bucket": "old"}
    fake.plans["demo-identity"] = document(resource("oci_identity_policy.other", "delete"))
    with pytest.raises(RefusedError, match=r"policy\.other"):
        _apply(tmp_path, [DATA, IDENTITY], reviewed)


def test_a_plan_of_another_configuration_is_refused(fake: Terraform, tmp_path: Path) -> None:
    reviewed = _review(tmp_path / "reviewed", plan_of(DATA, document(replaced_bucket())))
    with pytest.raises(RefusedError, match="another configuration"):
        _apply(tmp_path, [replace(DATA, digest="other")], reviewed)
    with pytest.raises(RefusedError, match="plans of demo, not of prod"):
        saved.read("prod", [DATA], reviewed)
    with pytest.raises(RefusedError, match="no plans that can be read"):
        saved.read("demo", [DATA], tmp_path)


def test_a_stack_waits_for_outputs_that_are_not_there(fake: Terraform, tmp_path: Path) -> None:
    fake.outputs = {}
    data, identity = plan_all([DATA, IDENTITY], tmp_path)
    assert identity.waits_for == ("demo-data",)
    assert not data.waits_for
    with pytest.raises(GitopsError, match="needs outputs that demo-data does not have"):
        _apply(tmp_path, [IDENTITY], None)


def test_a_stack_follows_one_whose_outputs_change(fake: Terraform, tmp_path: Path) -> None:
    fake.plans["demo-data"] = document(
        output_changes={"bucket": {"actions": ["update"], "before": "old", "after": "new"}}
    )
    data, identity = plan_all([DATA, IDENTITY], tmp_path)
    assert identity.follows == ("demo-data",)
    assert not data.follows


def test_state_that_ends_with_the_machine_is_refused() -> None:
    local = stack("demo-data", backend="local")
    with pytest.raises(GitopsError, match="build it a second time") as refused:
        need_lasting_state([local, IDENTITY], FILE, kept=False)
    assert "Give tenancies/prod.yaml a 'state' section" in refused.value.advice
    need_lasting_state([local], FILE, kept=True)
    need_lasting_state([IDENTITY], FILE, kept=False)
