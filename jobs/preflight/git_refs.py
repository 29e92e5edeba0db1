"""Is a commit or branch in a git repository, for one who has no key to it? Nothing is left over."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 20.0

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT = re.compile(r"[0-9a-f]{4,39}")
_SSH = re.compile(r"ssh://|[^/]+@[^/]+:")
# What servers say of a repository that is not there, or that wants to know who asks.
_NO_REPOSITORY = (
    "repository not found",
    "does not appear to be a git repository",
    "could not read username",
    "authentication failed",
    "not found",
    "no such file or directory",
    "does not exist",
)
_NO_OBJECT = ("not our ref", "couldn't find remote ref", "no such remote ref", "unknown revision")
# Of a fetch: the server gives only what a branch or tag points to.
_UNADVERTISED = ("unadvertised object", "does not allow request for")


class NotThereError(Exception):
    """There is no such repository, branch or commit; *remedy* is what to do."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.remedy = remedy


class NoAnswerError(Exception):
    """It could not be found out from here; *remedy* is how it could be."""

    def __init__(self, said: str, remedy: str = "") -> None:
        super().__init__(said)
        self.remedy = remedy


def find(url: str, *, commit: str = "", branch: str = "", seconds: float = SECONDS) -> None:
    """Ask the repository at *url* for *commit*, else for *branch*, else whether it is there.

    The driver of a job clones the repository whole and checks out: a commit may also be named by a
    branch or tag.

    Raises:
        NotThereError: it answers that it has it not, or that it is not open to everybody.
        NoAnswerError: it does not answer, or git is not installed.
    """
    if shutil.which("git") is None:
        raise NoAnswerError("git is not installed here", "Install git, and look again.")
    if _SSH.match(url):
        raise NoAnswerError(
            "it is fetched by SSH, with a key that only the job has",
            "An https address of an open repository can be looked at from here.",
        )
    if urlsplit(url).username is not None and url.startswith("http"):
        # Not asked: every process of this machine would see it among git's arguments.
        raise NoAnswerError(
            "its address holds a name or a password",
            "Take it out of 'git: url', and give the key to the Vault as 'gitSecretId'.",
        )
    refs = _refs(url, seconds)
    wanted = commit or branch
    if not wanted or _is_among(wanted, refs):
        return
    if not commit:
        raise NotThereError(f"{url} has no branch '{branch}'", f"It has: {_branches(refs)}.")
    if _COMMIT.fullmatch(commit):
        _fetch(url, commit, seconds)
        return
    if _SHORT.fullmatch(commit):
        if any(sha.startswith(commit) for sha in refs.values()):
            return
        raise NoAnswerError(
            f"a server can't be asked for the short name '{commit}' of a commit",
            "Write the commit's full name: 40 digits.",
        )
    raise NotThereError(
        f"{url} has no commit, branch or tag '{commit}'", f"It has: {_branches(refs)}."
    )


def _refs(url: str, seconds: float) -> Mapping[str, str]:
    """Name → commit, of all that the server names."""
    done = _git(["ls-remote", "--", url], seconds)
    if done.returncode == 0:
        lines = (line.partition("\t") for line in done.stdout.splitlines())
        return {name: sha for sha, _, name in lines}
    said = _last_line(done.stderr)
    if any(sign in done.stderr.lower() for sign in _NO_REPOSITORY):
        raise NotThereError(
            f"there is no repository {url}, or it is not open to everybody ({said})",
            "Mend the address in 'git: url'; a private one needs 'gitSecretId'.",
        )
    raise NoAnswerError(said, "Look from a machine that reaches it.")


def _fetch(url: str, commit: str, seconds: float) -> None:
    """The commit alone, without its files, into a repository that is deleted at once."""
    with tempfile.TemporaryDirectory(prefix="tunestack-git-") as folder:
        made = _git(["init", "--quiet", "--bare", folder], seconds)
        if made.returncode:
            raise NoAnswerError(_last_line(made.stderr))
        words = ["-C", folder, "fetch", "--quiet", "--depth", "1", "--filter=tree:0", "--no-tags"]
        done = _git([*words, "--", url, commit], seconds)
    if done.returncode == 0:
        return
    said = done.stderr.lower()
    if any(sign in said for sign in _NO_OBJECT):
        raise NotThereError(
            f"{url} has no commit {commit}", "Name one that it has in 'git: commit'."
        )
    if any(sign in said for sign in _UNADVERTISED):
        raise NoAnswerError(
            "the server tells only of the newest commit of each branch and tag",
            f"Look yourself: clone it, then git cat-file -e {commit}",
        )
    raise NoAnswerError(_last_line(done.stderr), "Look from a machine that reaches it.")


def _git(words: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """git with nobody to ask: no prompt, no helper that knows passwords, no other transport."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **_own_settings(),
        # A ~/.netrc of the user's would speak for the job.
        "HOME": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "https:http:git:file",
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(
            ["git", "-c", "credential.helper=", *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=tempfile.gettempdir(),
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise NoAnswerError(
            f"it did not answer within {seconds:g} s", "Look from a machine that reaches it."
        ) from None


def _own_settings() -> dict[str, str]:
    """Where git finds the user's settings (a proxy, certificates) without the home folder."""
    home = Path.home()
    found = {"XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME") or str(home / ".config")}
    if (settings := home / ".gitconfig").is_file():
        found["GIT_CONFIG_GLOBAL"] = str(settings)
    return found


def _is_among(wanted: str, refs: Mapping[str, str]) -> bool:
    names = (wanted, f"refs/heads/{wanted}", f"refs/tags/{wanted}")
    return wanted in refs.values() or any(name in refs for name in names)


def _branches(refs: Mapping[str, str]) -> str:
    found = [name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/")]
    return ", ".join(found[:8]) + (", …" if found[8:] else "") or "no branches"


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")
    return told.removeprefix("fatal: ") or "git gave no reason"
