"""The comment under a pull request of an OCI DevOps code repository, by ``oci devops``.

GitHub's is put there by the workflow itself, whose actions hold the token for it.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import CommentError
from .processes import run

_OPEN = ("OPEN", "CONFLICT")
_OF_COMMENTS = ("devops", "pull-request-comment")


def put_comment(repository: str, branch: str, text: str) -> str | None:
    """Update the comment whose first line is that of *text*, or add one; the pull request's OCID.

    None where the branch has no open pull request: a build can be started by hand.

    Raises:
        CommentError: ``oci`` failed.
    """
    found = _ask(
        "devops",
        "pull-request",
        "list-pull-requests",
        *("--repository-id", repository, "--source-branch", branch, "--all"),
    )
    # A branch's name is used again: its merged requests are of the past.
    found = [each for each in found if each.get("lifecycle-details") in _OPEN]
    if not found:
        return None
    request = str(found[0]["id"])
    marker = text.partition("\n")[0]
    of_request = ("--pull-request-id", request)
    comments = _ask(*_OF_COMMENTS, "list-pull-request-comments", *of_request, "--all")
    mine = [each["id"] for each in comments if str(each.get("data")).startswith(marker)]
    verb = "update-pull-request-comment" if mine else "create-pull-request-comment"
    # From a file: a comment is longer than some systems let an argument be.
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "comment.json"
        body.write_text(json.dumps({"data": text}), encoding="utf-8")
        _ask(
            *(*_OF_COMMENTS, verb, *of_request, "--from-json", f"file://{body}"),
            *(("--comment-id", str(mine[0])) if mine else ()),
        )
    return request


def _ask(*arguments: str) -> list[dict[str, Any]]:
    done = run([os.environ.get("OCI_CLI_BINARY", "oci"), *arguments])
    if done.code:
        raise CommentError(
            f"oci {' '.join(arguments[:3])} failed: {done.said.strip()}",
            "The build runner's dynamic group needs the policies of docs/gitops.md, step 2.",
        )
    data = (json.loads(done.printed) if done.printed.strip() else {}).get("data", [])
    items = data.get("items", []) if isinstance(data, dict) else data
    return list(items)
