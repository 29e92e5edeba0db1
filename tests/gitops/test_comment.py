"""The comment: loud about what is lost, whole whatever it holds, never too long."""

from __future__ import annotations

from gitops import comment, drift
from gitops.markdown import LIMIT, code
from tests.gitops.documents import document, plan_of, replaced_bucket, resource, stack


def test_what_would_be_destroyed_stands_first() -> None:
    found = document(resource("oci_x.added", "create"), replaced_bucket())
    text = comment.plan_comment("demo", [plan_of(stack(), found)])
    lines = text.splitlines()
    assert lines[0] == "<!-- tunestack plan: demo -->"
    assert lines[1] == "## Plan of `demo`: 1 to create, 1 to **replace**"
    assert text.index("[!CAUTION]") < text.index("| stack |")
    assert "**replace** `oci_objectstorage_bucket.bucket` of demo-data, because of `name`" in text
    assert "`name`: `old` → `new` (forces it)" in text


def test_nothing_to_do_is_said() -> None:
    assert "## Plan of `demo`: no changes" in comment.plan_comment("demo", [plan_of(stack(), None)])


def test_a_stack_that_waits_or_follows_says_for_whom() -> None:
    waiting = plan_of(stack("demo-identity"), None, waits_for=("demo-data",))
    following = plan_of(stack("demo-workbench"), None, follows=("demo-data",))
    text = comment.plan_comment("demo", [waiting, following])
    assert "waits for demo-data, whose outputs it needs" in text
    assert "will be planned anew: demo-data will have other outputs" in text


def test_what_failed_is_told_with_terraforms_words() -> None:
    text = comment.plan_comment("demo", [plan_of(stack(), None, error="Error: 401 ```x```")])
    assert "## Plan of `demo`: it failed" in text
    assert "\n````text\nError: 401 ```x```\n````\n" in text


def test_definitions_are_shown_as_a_diff() -> None:
    before, after = {"finetune.yaml": "a: 1\nb: 2\n"}, {"finetune.yaml": "a: 1\nb: 3\n"}
    change = {"actions": ["update"], "before": before, "after": after}
    found = document(output_changes={"definitions": change})
    text = comment.plan_comment("demo", [plan_of(stack(), found)])
    assert "demo-data: definitions/finetune.yaml" in text
    assert "\n-b: 2\n+b: 3\n" in text


def test_values_cannot_leave_their_cell() -> None:
    evil = "a|b`c` </details> @everybody\nnext"
    found = document(resource("oci_x.y", "update", before={"name": "x"}, after={"name": evil}))
    text = comment.plan_comment("demo", [plan_of(stack(), found)])
    assert r"``a\|b`c` </details> @everybody next``" in text
    assert code("`x`") == "`` `x` ``"


def test_it_is_never_longer_than_github_takes_and_ends_whole() -> None:
    many = [
        resource(f"oci_x.number_{n}", "update", before={"name": "x" * 70}, after={"name": str(n)})
        for n in range(2000)
    ]
    text = comment.plan_comment("demo", [plan_of(stack(), document(*many))])
    assert LIMIT - 1000 < len(text) <= LIMIT
    assert text.count("<details>") == text.count("</details>") == 1
    assert "Cut here" in text
    assert "2000 to change" in text


def test_many_losses_do_not_hide_the_table() -> None:
    lost = [resource(f"oci_x.number_{n}", "delete") for n in range(3000)]
    text = comment.plan_comment("demo", [plan_of(stack(), document(*lost))])
    assert "and 2900 more" in text
    assert "| stack |" in text
    assert len(text) <= LIMIT


def test_drift_says_what_changed_behind_and_what_an_apply_would_do() -> None:
    changed = resource("oci_x.y", "update", before={"name": "a"}, after={"name": "by hand"})
    back = resource("oci_x.y", "update", before={"name": "by hand"}, after={"name": "a"})
    configured = {"resources": [{"address": "oci_x.y", "expressions": {"name": {}}}]}
    found = document(back, resource_drift=[changed], configuration={"root_module": configured})
    looked = [
        drift.StackDrift(plan_of(stack(), found)),
        drift.StackDrift(plan_of(stack("demo-network"), None)),
    ]
    text = drift.report("demo", looked)
    assert text.startswith("<!-- tunestack drift: demo -->\n## `demo`: differs in demo-data\n")
    assert "demo-data: 1 changed behind Terraform's back" in text
    assert "demo-data: an apply would change 1" in text
    content = drift.as_json("demo", looked)
    assert content["drift"] is True
    assert content["stacks"]["demo-network"]["behind"] == []
    assert "no drift" in drift.report("demo", looked[1:])
