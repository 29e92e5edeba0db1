"""What jobs fetch before they start: a commit of a repository, and packages of an index."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs.preflight import pip_words, resolving
from jobs.preflight.check import State
from jobs.preflight.checks.code import Git, Packages
from jobs.preflight.git_refs import NoAnswerError, NotThereError, find
from jobs.preflight.resolving import UnreachableError, UnresolvableError, resolve
from jobs.preflight.subject import Subject
from tests.jobs.preflight.package_index import ANY, Release, compiled, running_index
from tests.jobs.preflight.subjects import findings, only, runtime, subject

OLD, NEW = "pytorch20_p39_gpu_v2", "pytorch28_p312_gpu_x86_64_v1"
RELEASES = {
    "torch": [
        compiled("2.0.1", 8, 9, 10, 11),
        compiled("2.1.0", 8, 9, 10, 11),
        compiled("2.8.0", 9, 10, 11, 12, 13),
    ],
    "fire": [Release("0.5.0", tags=(), source=True), Release("0.7.0")],
    "sentencepiece": [compiled("0.1.99", 8, 9, 10, 11, source=True)],
    "peft": [Release("0.5.0", requires=("torch>=1.13", "accelerate"))],
    "accelerate": [Release("0.23.0", requires=("torch>=1.10",))],
    "newest": [Release("1.0", requires=("torch>=2.1",))],
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of uv: what it knows of this Python, which it asks a process for."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture(autouse=True)
def _own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    for name in (*resolving._VARIABLES, *resolving._VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with running_index(RELEASES) as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        yield url


HEARD: list[dict[str, str]] = []
"""The headers of what a server was asked last."""


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server that answers everything with *status*."""
    HEARD.clear()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            HEARD.append(dict(self.headers))
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def wanting(packages: str, slug: str = NEW) -> Subject:
    """A pipeline whose training wants *packages*, and nothing else any."""
    conda = {"type": "service", "slug": slug}
    return subject(
        {
            "stage": runtime(dependencies={}),
            "finetune": runtime(conda=conda, dependencies={"pipPackages": packages}),
        }
    )


# --- packages -------------------------------------------------------------------------------------


def test_the_tutorials_present_list_does_not_resolve_on_python_3_12(index: str) -> None:
    found = only(Packages(), wanting("torch==2.1.0 peft==0.5.0"))
    assert found.state is State.FAIL
    assert "finetune.yaml does not resolve for Python 3.12" in found.said
    assert "torch==2.1.0 has no wheels" in found.said
    assert "wheels for Python 3.12" in found.remedy
    assert only(Packages(), wanting("torch==2.0.1 peft==0.5.0", OLD)).state is State.PASS


def test_what_would_be_compiled_on_the_nodes_is_a_failure(index: str) -> None:
    found = only(Packages(), wanting("sentencepiece==0.1.99"))
    assert found.state is State.FAIL
    assert "a wheel for Python 3.11 and none for Python 3.12" in found.said


def test_a_package_of_python_alone_without_a_wheel_is_a_warning(index: str) -> None:
    found = only(Packages(), wanting("fire==0.5.0 peft"))
    assert found.state is State.WARN
    assert "fire==0.5.0 has no wheel: each node builds it" in found.said


def test_a_list_that_replaces_the_environments_torch_is_a_warning(index: str) -> None:
    found = only(Packages(), wanting("newest", OLD))
    assert found.state is State.WARN
    assert "replace the environment's PyTorch 2.0.1 with" in found.said


def test_what_is_not_of_an_index_is_told(index: str) -> None:
    passed, unread = findings(Packages(), wanting("peft git+https://example.com/peft.git -r x.txt"))
    assert passed.state is State.PASS
    assert unread.state is State.WARN
    assert "git+https://example.com/peft.git, -r x.txt" in unread.said


def test_no_index_says_nothing_about_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    found = only(Packages(), wanting("peft"))
    assert found.state is State.WARN
    assert "no package index could be asked" in found.said
    assert "secret" not in found.said


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_says_nothing_about_the_list(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status) as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        found = only(Packages(), wanting("peft"))
    assert found.state is State.WARN
    assert "no package index could be asked" in found.said


def test_a_resolver_that_can_not_run_says_nothing_about_the_list(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "file" / "cache"))
    found = only(Packages(), wanting("peft"))
    assert found.state is State.WARN
    assert "the resolver could not run" in found.said
    monkeypatch.delenv("UV_CACHE_DIR")


def test_the_resolver_has_one_limit_however_often_it_is_asked(index: str) -> None:
    with pytest.raises(UnreachableError, match="did not answer in time"):
        resolve(["peft"], "3.12", seconds=0)


def test_a_requirement_that_pip_can_not_read_is_a_failure(index: str) -> None:
    found = only(Packages(), wanting("peft=0.5.0"))
    assert found.state is State.FAIL
    assert "no such comparison operator" in found.said


def test_the_lists_own_index_is_done_without_where_it_is_not_reached(index: str) -> None:
    other = "--extra-index-url http://127.0.0.1:9/whl"
    found = only(Packages(), wanting(f"{other} peft"))
    assert found.state is State.PASS
    assert f"without {other}, which can't be reached" in found.said
    # Perhaps that one has it: nobody here can say.
    found = only(Packages(), wanting(f"{other} torch==2.1.0"))
    assert found.state is State.WARN
    assert "Without that one: Because torch==2.1.0 has no wheels" in found.said


def test_a_list_that_resolved_is_not_asked_again_for_a_week(
    index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = wanting("peft")
    assert only(Packages(), looked_at).state is State.PASS

    def ask(*_: object, **__: object) -> None:
        raise UnreachableError("asked")

    monkeypatch.setattr(resolving, "_compile", ask)
    assert only(Packages(), looked_at).state is State.PASS
    assert only(Packages(), wanting("accelerate")).state is State.WARN
    looked_at.clock.sleep(timedelta(days=8).total_seconds())
    assert only(Packages(), looked_at).state is State.WARN


def test_a_failure_is_not_kept(index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(Packages(), wanting("torch==2.1.0")).state is State.FAIL
    with running_index({"torch": [Release("2.1.0", tags=(ANY,))]}) as better:
        monkeypatch.setenv("PIP_INDEX_URL", better)
        # As warning: the environment has another one.
        assert only(Packages(), wanting("torch==2.1.0")).state is State.WARN


def test_an_open_quotation_mark(index: str) -> None:
    found = only(Packages(), wanting("'peft"))
    assert found.state is State.FAIL
    assert "quotation" in found.said


def test_an_environment_of_unknown_python() -> None:
    found = only(Packages(), wanting("peft", "mine"))
    assert found.state is State.WARN
    assert "which Python 'mine' has" in found.said


def test_the_same_list_of_several_jobs_is_one_question(index: str) -> None:
    same = {"pipPackages": "peft"}
    looked_at = subject(
        {
            "stage": runtime(dependencies=same),
            "finetune": runtime(dependencies=same, conda={"type": "service", "slug": NEW}),
        }
    )
    assert only(Packages(), looked_at).said.startswith("stage.yaml, finetune.yaml: ")


def test_words_of_a_pip_list() -> None:
    found = pip_words.read("'black[jupyter]>=23' --extra-index-url=https://x/s --pre -r r.txt ./a")
    assert found.requirements == ("black[jupyter]>=23",)
    assert found.indexes == ("--extra-index-url https://x/s",)
    assert found.unread == ("-r r.txt", "./a")
    assert found.flags == {"--pre"}
    assert pip_words.name_of("Black_x[jupyter]>=23") == "black-x"


def test_a_conflict_is_told_in_the_resolvers_words(index: str) -> None:
    with pytest.raises(UnresolvableError, match=r"accelerate==9"):
        resolve(["peft", "accelerate==9"], "3.12")


# --- git ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """(address, first commit, last commit); the server gives any commit that it has."""
    folder = tmp_path_factory.mktemp("code")

    def git(*words: str) -> str:
        who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
        done = subprocess.run(
            ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    git("config", "uploadpack.allowFilter", "true")
    commits = []
    for message in ("one", "two"):
        git("commit", "--quiet", "--allow-empty", "-m", message)
        commits.append(git("rev-parse", "HEAD"))
    git("tag", "v1")
    return folder.as_uri(), commits[0], commits[1]


def fetching(url: str, **where: str) -> Subject:
    return subject({"finetune": runtime(git={"url": url, **where})})


def test_commits_branches_and_tags_are_found(repository: tuple[str, str, str]) -> None:
    url, first, last = repository
    for where in ({"commit": first}, {"commit": last}, {"branch": "main"}, {"commit": "v1"}, {}):
        found = only(Git(), fetching(url, **where))
        assert found.state is State.PASS, found
    find(url, commit=last[:8])


def test_what_is_not_in_the_repository(repository: tuple[str, str, str]) -> None:
    url, *_ = repository
    found = only(Git(), fetching(url, commit="deadbeef" * 5))
    assert found.state is State.FAIL
    assert f"finetune.yaml: {url} has no commit deadbeef" in found.said
    found = only(Git(), fetching(url, branch="mian"))
    assert found.state is State.FAIL
    assert "has no branch 'mian'" in found.said
    assert "It has: main." in found.remedy
    with pytest.raises(NotThereError, match="no commit, branch or tag"):
        find(url, commit="v2")
    with pytest.raises(NoAnswerError, match="short name"):
        find(url, commit="deadbeef")


def test_no_repository_and_no_answer(tmp_path: Path) -> None:
    assert only(Git(), fetching((tmp_path / "none").as_uri())).state is State.FAIL
    found = only(Git(), fetching("http://127.0.0.1:9/x.git", commit="deadbeef" * 5))
    assert found.state is State.WARN
    assert "could not be looked for" in found.said


def test_a_server_that_tells_only_of_branches(repository: tuple[str, str, str]) -> None:
    url, first, _ = repository
    folder = url.removeprefix("file://")
    setting = ["git", "-C", folder, "config", "uploadpack.allowAnySHA1InWant"]
    subprocess.run([*setting, "false"], check=True)
    try:
        # The protocol's second version knows no such refusal.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", folder)
            Path(folder, ".gitconfig").write_text("[protocol]\n\tversion = 0\n")
            with pytest.raises(NoAnswerError, match="only of the newest commit"):
                find(url, commit=first)
    finally:
        subprocess.run([*setting, "true"], check=True)


def test_a_password_in_an_address_is_neither_used_nor_shown() -> None:
    found = only(Git(), fetching("https://user:secret@example.invalid/x.git", branch="main"))
    assert found.state is State.WARN
    assert "secret" not in f"{found.said}{found.remedy}".replace("gitSecretId", "")
    address = "git+https://user:secret@example.invalid/x.git"
    found = next(each for each in findings(Packages(), wanting(address)) if "index" in each.said)
    assert "secret" not in found.said


def test_a_password_of_the_users_does_not_speak_for_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    with answering(401) as url, pytest.raises(NotThereError):
        find(f"{url}/x.git")
    assert HEARD
    assert all("Authorization" not in headers for headers in HEARD)


def test_nothing_is_left_behind_and_no_key_is_used(
    repository: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, first, _ = repository
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    find(url, commit=first)
    assert list(tmp_path.iterdir()) == []
    found = only(Git(), fetching(url, gitSecretId="ocid1.vaultsecret.oc1..x"))
    assert found.state is State.WARN
    assert "a key from the Vault" in found.said
    with pytest.raises(NoAnswerError, match="by SSH"):
        find("git@github.com:org/name.git")
