"""What a plan's JSON says, in our words."""

from __future__ import annotations

from typing import Any

import pytest

from gitops import changes
from gitops.changes import Action, Attribute
from tests.gitops.documents import BUCKET, document, only, replaced_bucket, resource


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        (("create",), Action.CREATE),
        (("update",), Action.CHANGE),
        (("delete",), Action.DESTROY),
        (("delete", "create"), Action.REPLACE),
        (("create", "delete"), Action.REPLACE),
        (("forget",), Action.FORGET),
    ],
)
def test_actions(actions: tuple[str, ...], action: Action) -> None:
    assert only(document(resource(BUCKET, *actions))).action is action


def test_what_stays_or_is_read_is_no_change() -> None:
    read = resource("data.oci_x.y", "read")
    assert changes.resources(document(resource(BUCKET, "no-op"), read)) == ()
    assert changes.resources(None) == ()


def test_an_import_is_one() -> None:
    assert only(document(resource(BUCKET, "no-op", importing={"id": "x"}))).action is Action.IMPORT


def test_the_worst_comes_first() -> None:
    found = document(resource("a.a", "create"), resource("b.b", "delete"), replaced_bucket())
    order = [change.action for change in changes.resources(found)]
    assert order == [Action.DESTROY, Action.REPLACE, Action.CREATE]


def test_a_replacement_says_what_forces_it_and_not_what_is_computed() -> None:
    change = only(document(replaced_bucket()))
    assert change.attributes == (Attribute("name", "old", "new", forces=True),)


def test_a_file_with_another_text_is_no_loss() -> None:
    def file(*forcing: str) -> dict[str, Any]:
        before, after = {"content": "a", "bucket": "x"}, {"content": "b", "bucket": "y"}
        paths = [[name] for name in forcing]
        return resource(
            "oci_objectstorage_object.code",
            "delete",
            "create",
            before=before,
            after=after,
            replace_paths=paths,
        )

    assert only(document(file("content"))).action is Action.CHANGE
    assert only(document(file("content", "bucket"))).action is Action.REPLACE


def test_sensitive_values_are_never_shown() -> None:
    change = resource(
        "oci_x.y",
        "update",
        before={"password": "hunter1", "tags": {"a": "hunter2"}},
        after={"password": "hunter3", "tags": {"a": "hunter4"}},
        before_sensitive={"password": True},
        after_sensitive={"tags": {"a": True}},
    )
    shown = str(only(document(change)))
    assert "hunter3" in shown  # only what was before is marked
    assert "hunter1" not in shown
    assert "hunter4" not in shown


def test_sensitive_and_unknown_outputs() -> None:
    found = changes.outputs(
        {
            "output_changes": {
                "token": {
                    "actions": ["update"],
                    "before": "hunter1",
                    "after": "hunter2",
                    "before_sensitive": True,
                    "after_sensitive": True,
                },
                "files": {
                    "actions": ["update"],
                    "before": {"a": "1", "b": "2"},
                    "after": {"a": "1"},
                    "after_unknown": {"b": True},
                },
                "same": {"actions": ["no-op"], "before": "x", "after": "x"},
                "cross-stack-output-x": {"actions": ["create"], "before": None, "after": "x"},
            }
        }
    )
    assert [change.name for change in found] == ["files", "token"]
    assert found[0].after == {"a": "1", "b": changes.UNKNOWN}
    assert "hunter" not in str(found)


def test_long_values_are_shown_where_they_differ() -> None:
    before, after = "x" * 300 + "old" + "y" * 300, "x" * 300 + "new" + "y" * 300
    left, right = changes.shortened(before, after)
    assert "old" in left
    assert "new" in right
    assert max(len(left), len(right)) < 90
    assert changes.shortened("a", None) == ("a", "null")


def test_what_oci_itself_counts_is_no_drift() -> None:
    drifted = resource(
        BUCKET, "update", before={"name": "a", "count": 0}, after={"name": "a", "count": 7}
    )
    named = resource('oci_x.y["k"]', "update", before={"name": "a"}, after={"name": "b"})
    gone = resource("oci_z.z", "delete", before={"name": "z"})
    found = changes.behind(
        document(
            resource_drift=[drifted, named, gone],
            configuration={
                "root_module": {
                    "resources": [
                        {"address": BUCKET, "expressions": {"name": {}}},
                        {"address": "oci_x.y", "expressions": {"name": {}}},
                    ]
                }
            },
        )
    )
    assert [change.address for change in found] == ["oci_z.z", 'oci_x.y["k"]']
