"""The files of both pipelines, as they stand: who may do what, what is pinned, what they call.

tests/e2e/test_gitops.py runs them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from gitops.cli import app as gitops
from gitops.sign_in import PRIVATE_KEY, VARIABLES
from jobs.cli import app as jobs
from ocimock.iam.policy import parse_matching_rule, parse_statement

_ROOT = Path(__file__).resolve().parents[2]
_WORKFLOWS = sorted((_ROOT / ".github/workflows").glob("*.yml"))
_ACTIONS = sorted((_ROOT / ".github/actions").glob("*/action.yml"))
_SPECS = sorted((_ROOT / ".oci-devops").glob("*.yaml"))
_PAGE = (_ROOT / "docs/gitops.md").read_text(encoding="utf-8")
_SCRIPTS = sorted((_ROOT / ".oci-devops").glob("*.sh"))

# The most that each job may do with the repository.
_PERMISSIONS = {
    ("plan", "gates"): {"contents": "read"},
    ("plan", "plan"): {"contents": "read", "pull-requests": "write"},
    ("deploy", "plan"): {"contents": "read"},
    ("deploy", "apply"): {"contents": "read"},
    ("drift", "drift"): {"contents": "read", "issues": "write"},
}
_CALL = re.compile(r"(?:python -m|as_runner\.sh) (gitops|jobs) (.*)")


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _jobs() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path in _WORKFLOWS:
        for name, job in _read(path)["jobs"].items():
            yield path.stem, name, job


def _commands() -> Iterator[str]:
    for _, _, job in _jobs():
        yield from (step["run"] for step in job["steps"] if "run" in step)
    for path in _SPECS:
        for step in _read(path)["steps"]:
            yield step["command"]
            yield from (after["command"] for after in step.get("onFailure", ()))


def test_each_job_may_do_the_least() -> None:
    assert {path.stem for path in _WORKFLOWS} == {"plan", "deploy", "drift"}
    for path in _WORKFLOWS:
        assert _read(path)["permissions"] == {}, path
    found = {(workflow, name): job["permissions"] for workflow, name, job in _jobs()}
    assert found == _PERMISSIONS


def test_checkouts_leave_no_token_behind() -> None:
    for workflow, name, job in _jobs():
        checkout = next(s for s in job["steps"] if s.get("uses", "").startswith("actions/checkout"))
        assert checkout["with"]["persist-credentials"] is False, (workflow, name)


@pytest.mark.parametrize("path", [*_WORKFLOWS, *_ACTIONS], ids=lambda path: path.parent.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """A tag can be moved to other code; the comment says which release the commit is."""
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    for line in used:
        if not line.startswith("./"):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_commit_everywhere() -> None:
    lines = {
        line
        for path in [*_WORKFLOWS, *_ACTIONS]
        for line in re.findall(r"uses: (\S+@.+)", path.read_text(encoding="utf-8"))
    }
    names = [line.partition("@")[0] for line in lines]
    assert len(names) == len(set(names))


def test_secrets_are_seen_by_the_step_that_signs_in_alone() -> None:
    expected = {name: f"${{{{ secrets.{name} }}}}" for name in (*VARIABLES, PRIVATE_KEY)}
    for workflow, name, job in _jobs():
        holding = [step for step in job["steps"] if "secrets." in str(step)]
        assert "secrets." not in str({**job, "steps": []})
        if name == "gates":
            assert holding == []
            continue
        (step,) = holding
        assert step["env"] == expected, (workflow, name)
        assert step["run"] == ".venv/bin/python -m gitops sign-in"


def test_what_has_secrets_names_an_environment() -> None:
    environments = {(w, n): job.get("environment") for w, n, job in _jobs()}
    assert environments.pop(("plan", "gates")) is None
    assert environments.pop(("deploy", "apply")) == "production"
    assert set(environments.values()) == {"plan"}


def test_no_event_runs_a_strangers_code_with_secrets() -> None:
    for path in _WORKFLOWS:
        events = _read(path)[True]  # YAML reads the key "on" as true
        assert "pull_request_target" not in events
    condition = _read(_ROOT / ".github/workflows/plan.yml")["jobs"]["plan"]["if"]
    assert condition == "github.event.pull_request.head.repo.full_name == github.repository"


def test_no_expression_stands_in_a_command() -> None:
    """What an event carries would be run as code; variables are not."""
    for command in _commands():
        assert "${{" not in command


def test_applies_never_overlap() -> None:
    concurrency = _read(_ROOT / ".github/workflows/deploy.yml")["concurrency"]
    assert concurrency["group"] == "deploy"


def test_nothing_kills_what_holds_the_state() -> None:
    """A killed Terraform leaves its lock in the bucket, and every later run fails on it.

    GitHub tells one process to end, the step's shell, which tells nobody: so there is none.
    """
    for path in _WORKFLOWS:
        assert _read(path)["concurrency"]["cancel-in-progress"] is False, path
    for workflow, name, job in _jobs():
        for step in job["steps"]:
            if re.search(r"-m (gitops (plan|apply)|jobs)\b", step.get("run", "")):
                assert step["run"].startswith("exec .venv/bin/python "), (workflow, name)


@pytest.mark.parametrize("path", _SPECS, ids=lambda path: path.stem)
def test_a_build_spec_has_oci_devops_form(path: Path) -> None:
    """Oracle's documentation, "Build Specification": what is mandatory, and its limits."""
    spec = _read(path)
    assert spec["version"] == 0.1
    assert spec["component"] == "build"
    assert set(spec) <= {
        *("version", "component", "timeoutInSeconds", "shell", "failImmediatelyOnError"),
        *("env", "inputArtifacts", "steps", "outputArtifacts"),
    }
    for step in spec["steps"]:
        assert step["type"] == "Command"
        assert set(step) <= {"type", "name", "command", "timeoutInSeconds", "onFailure"}
        assert step["timeoutInSeconds"] <= spec["timeoutInSeconds"] <= 28_800
    for artifact in spec.get("outputArtifacts", ()):
        assert artifact["type"] in ("BINARY", "DOCKER_IMAGE")


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_are_bash_and_can_be_run(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_command_is_one_of_ours_with_options_of_its_own() -> None:
    rooms = {"gitops": typer.main.get_command(gitops), "jobs": typer.main.get_command(jobs)}
    called = []
    for text in _commands():
        for found in _CALL.finditer(text.replace("\\\n", " ")):
            words = shlex.split(found[2].partition("||")[0].partition(";")[0], posix=True)
            command: Any = rooms[found[1]].commands[words[0]]  # type: ignore[attr-defined]
            options = {option for each in command.params for option in each.opts}
            assert {word for word in words if word.startswith("--")} <= options, words
            called.append(f"{found[1]} {words[0]}")
    assert set(called) == {
        *("gitops sign-in", "gitops plan", "gitops apply", "gitops drift", "gitops comment"),
        "jobs run",
    }


def test_both_pipelines_install_the_same_way() -> None:
    (action,) = _ACTIONS
    steps = _read(action)["runs"]["steps"]
    assert steps[-1]["run"] == "make setup PYTHON=python"
    wrapper = next(s["with"] for s in steps if s.get("uses", "").startswith("hashicorp/"))
    assert wrapper["terraform_wrapper"] is False  # it would swallow exit codes
    assert 'make setup PYTHON="$python"' in (_ROOT / ".oci-devops/tools.sh").read_text()


def test_the_page_types_what_the_pipelines_run() -> None:
    typed = re.findall(r"^\$ (.*)$", _PAGE, re.MULTILINE)
    assert len(typed) == 3
    run = " ".join(_commands()).replace("as_runner.sh gitops", "python -m gitops")
    for line in typed:
        assert line in run, line


def test_the_page_names_what_the_files_ask_for() -> None:
    asked = {
        name
        for text in [path.read_text() for path in [*_WORKFLOWS, *_SPECS]]
        for groups in re.findall(r"\b(?:vars|secrets)\.(\w+)|\$\{?([A-Z_]{4,})", text)
        for name in groups
        if name and not name.startswith(("GITHUB_", "OCI_TRIGGER_", "DRIFT"))
    }
    assert asked >= {"OCI_PRIVATE_KEY", "TUNESTACK_TENANCY", "MAY_DESTROY", "RUN_PIPELINE"}
    assert {name for name in asked if f"`{name}`" not in _PAGE} == set()


def test_the_policies_of_the_page_are_policies() -> None:
    statements = re.findall(r"^ *(Allow .*)$", _PAGE, re.MULTILINE)
    assert len(statements) >= 10
    for statement in statements:
        written = statement.replace("<compartment>", "ocid1.compartment.oc1..aaaa")
        assert parse_statement(written) is not None, statement
    rules = re.findall(r"`((?:ALL|ANY) \{.*\})`", _PAGE)
    assert len(rules) == 2
    for rule in rules:
        parse_matching_rule(rule)


def test_who_plans_may_write_the_states_lock_and_no_state() -> None:
    """Whoever can push a branch runs code as them."""
    for who in ("group ci-plan", "dynamic-group ci-look"):
        given = re.findall(
            rf"^ *Allow {who} to (\w+) (\S+) .*?(?:where (.*))?$", _PAGE, re.MULTILINE
        )
        writes = {kind: where for verb, kind, where in given if verb not in ("inspect", "read")}
        writes.pop("devops-pull-request-comment", None)
        only = "target.bucket.name = 'terraform-state', target.object.name = /*.tfstate.lock/"
        assert writes == {"objects": f"all {{{only}}}"}, who
