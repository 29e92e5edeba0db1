"""Runs the jobs of a GitHub workflow here: its own commands, in order, in a working copy.

What a step ``uses`` is stood in for: the set-up of a tool by its being here, an artifact by a
folder, ``actions/github-script`` by its script in Node.js, against issues and comments of ours.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.conftest import WorkingCopy

Step = Mapping[str, Any]

_TOOLS = {
    "actions/setup-python": "python3",
    "actions/setup-node": "node",
    "hashicorp/setup-terraform": "terraform",
}
# The working copy borrows what the first would install; .ci/run calls the second.
_ELSEWHERE = ("make setup PYTHON=python", "make lint")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")

# What the scripts call of Octokit, and nothing else: another call is an error.
_OCTOKIT = """
const fs = require('fs')
const kept = JSON.parse(fs.readFileSync(process.argv[1], 'utf8'))
const found = list => async where => ({ data: list().filter(each => !where.labels
  || (each.labels || []).includes(where.labels) && each.state === 'open') })
const issues = {
  listComments: found(() => kept.comments),
  createComment: async ({ body }) => { kept.comments.push(
    { id: kept.comments.length + 1, user: { type: 'Bot' }, body }) },
  updateComment: async ({ comment_id, body }) => {
    kept.comments.find(each => each.id === comment_id).body = body },
  listForRepo: found(() => kept.issues),
  create: async issue => { kept.issues.push(
    { ...issue, number: kept.issues.length + 1, state: 'open' }) },
  update: async ({ issue_number, ...changed }) => { Object.assign(
    kept.issues.find(each => each.number === issue_number), changed) },
}
const github = { rest: { issues }, paginate: async (call, where) => (await call(where)).data }
const context = { repo: { owner: 'owner', repo: 'repo' }, issue: { number: 1 } }
const script = new (Object.getPrototypeOf(async () => {}).constructor)(
  'github', 'context', 'require', fs.readFileSync(0, 'utf8'))
script(github, context, require).then(
  () => fs.writeFileSync(process.argv[1], JSON.stringify(kept)),
  error => { console.error(error); process.exitCode = 1 })
"""


@dataclass(frozen=True)
class Environment:
    """An environment of the repository's settings.

    :param secrets: by their names.
    :param machine: what a machine with these secrets has besides, in place of a network.
    """

    secrets: Mapping[str, str]
    machine: Mapping[str, str]


@dataclass
class Ran:
    """A job that has ended: what each of its steps printed, and which failed."""

    environment: Environment

    printed: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass
class GitHub:
    """A repository on GitHub, and the machine that runs its jobs.

    :param machine: the environment of the machine.
    :param contexts: the values of ``vars.X``, ``github.X`` and ``inputs.X``.
    """

    copy: WorkingCopy
    folder: Path
    machine: Mapping[str, str]
    contexts: Mapping[str, str]
    environments: Mapping[str, Environment]

    def __post_init__(self) -> None:
        self._kept = self.folder / "kept.json"
        self._kept.write_text('{"comments": [], "issues": []}')

    @property
    def comments(self) -> list[str]:
        return [comment["body"] for comment in json.loads(self._kept.read_text())["comments"]]

    @property
    def issues(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._kept.read_text())["issues"]
        return found

    def run(self, workflow: str, job: str) -> Ran:
        """Run one job of a workflow file."""
        document = yaml.safe_load((self.copy.path / ".github/workflows" / workflow).read_text())
        described = document["jobs"][job]
        ran = Ran(self.environments.get(described.get("environment"), Environment({}, {})))
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        condition = described.get("if")
        if condition and not self._holds(condition, ran):
            ran.skipped = [_name(step) for step in described["steps"]]
            return ran
        variables = {**document.get("env", {}), **described.get("env", {})}
        for step in described["steps"]:
            self._step(step, variables, ran)
        ran.summary = (self.folder / "summary").read_text()
        return ran

    def script(self, text: str, **variables: str) -> str:
        """Run a script as ``actions/github-script`` does; what it printed."""
        return self._script(text, variables)

    def _step(self, step: Step, variables: Mapping[str, str], ran: Ran) -> None:
        name = _name(step)
        condition = str(step.get("if", "success()"))
        if not self._holds(condition, ran):
            ran.skipped.append(name)
            ran.outputs[f"steps.{step.get('id')}.outcome"] = "skipped"
            return
        mine = {
            variable: self._text(str(value), ran)
            for variable, value in {**variables, **step.get("env", {})}.items()
        }
        if "run" in step:
            code, printed = self._command(self._text(step["run"], ran), mine, ran)
        else:
            code, printed = self._uses(step, mine, ran)
        ran.printed[name] = printed
        for line in (self.folder / "output").read_text().splitlines():
            key, _, value = line.partition("=")
            ran.outputs[f"steps.{step.get('id')}.outputs.{key}"] = value
        (self.folder / "output").write_text("")
        ran.outputs[f"steps.{step.get('id')}.outcome"] = "failure" if code else "success"
        if code:
            ran.failed.append(name)

    def _command(self, text: str, variables: Mapping[str, str], ran: Ran) -> tuple[int, str]:
        if text in _ELSEWHERE:
            return 0, ""
        (self.folder / "step.sh").write_text(text)
        done = self.copy.run(
            f"bash --noprofile --norc -eo pipefail '{self.folder / 'step.sh'}'",
            environment={
                **self.machine,
                **ran.environment.machine,
                **variables,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            },
            check=False,
        )
        return done.returncode, done.stdout

    def _uses(self, step: Step, variables: Mapping[str, str], ran: Ran) -> tuple[int, str]:
        action, _, _ = step["uses"].partition("@")
        given = {key: str(value) for key, value in step.get("with", {}).items()}
        if action.startswith("./"):
            described = yaml.safe_load((self.copy.path / action / "action.yml").read_text())
            for inner in described["runs"]["steps"]:
                self._step(inner, variables, ran)
            return 0, ""
        if action == "actions/github-script":
            return 0, self._script(given["script"], variables)
        kept = self.folder / "artifacts" / given.get("name", "")
        if action == "actions/upload-artifact":
            shutil.copytree(self.copy.path / given["path"], kept, dirs_exist_ok=True)
        elif action == "actions/download-artifact":
            # Another machine has it from nowhere else.
            shutil.rmtree(self.copy.path / given["path"], ignore_errors=True)
            shutil.copytree(kept, self.copy.path / given["path"])
        elif action in _TOOLS:
            assert shutil.which(_TOOLS[action]), f"{_TOOLS[action]} is not installed"
        else:
            assert action == "actions/checkout", f"{action} has nothing that stands in for it"
        return 0, ""

    def _script(self, text: str, variables: Mapping[str, str]) -> str:
        done = subprocess.run(
            ["node", "-e", _OCTOKIT, str(self._kept)],
            cwd=self.copy.path,
            env={**self.machine, **variables, "PATH": os.environ["PATH"]},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _text(self, text: str, ran: Ran) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1], ran), text)

    def _value(self, name: str, ran: Ran) -> str:
        kind, _, key = name.partition(".")
        if kind == "secrets":
            return ran.environment.secrets[key]
        return ran.outputs.get(name) or self.contexts[name]

    def _holds(self, condition: str, ran: Ran) -> bool:
        """Whether a condition holds; one that asks nothing about failures asks for none."""
        text = _EXPRESSION.sub(r"\1", condition)
        if "cancelled()" not in text and "success()" not in text and ran.failed:
            return False
        return all(self._term(term.strip(), ran) for term in text.split("&&"))

    def _term(self, term: str, ran: Ran) -> bool:
        if term == "!cancelled()":
            return True
        if term == "success()":
            return not ran.failed
        for operator, wanted in (("!=", False), ("==", True)):
            if operator in term:
                left, right = (self._operand(part.strip(), ran) for part in term.split(operator))
                return (left == right) is wanted
        return self._operand(term, ran) == "true"

    def _operand(self, text: str, ran: Ran) -> str:
        if text.startswith("'"):
            return text.strip("'")
        return self._value(text, ran)


def _name(step: Step) -> str:
    return str(step.get("name") or step["uses"].partition("@")[0])
