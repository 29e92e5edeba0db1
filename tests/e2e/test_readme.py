"""The README's commands, run as they stand there, in their order.

The tenancy of the six steps is the embedded one; what a person answers at a prompt is given on the
command line instead.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocimock.identifiers import COMPARTMENT_ID, TENANCY_ID
from ocimock.server.announcement import ServerFile
from ocimock.terraform.mirror import environment as offline
from ocimock.terraform.mirror import install
from tests.e2e.conftest import ROOT, WorkingCopy
from tests.servers import running_server

pytestmark = pytest.mark.e2e

_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# Run by other tests (make demo, demo-down), or the run that this test is a part of (make test).
_ELSEWHERE = {"make demo", "make demo-down", "make rehearse", "make test"}

# Pages whose commands test_the_six_steps runs.
_RUN = [ROOT / "README.md", ROOT / "docs" / "runner.md", ROOT / "docs" / "preflight.md"]

# Pages of which another test runs every command.
_OWN_TEST = {
    "ocimock.md": "tests/e2e/test_docs.py",
    # Each is a command of the workflows, which tests/e2e/test_gitops.py runs.
    "gitops.md": "tests/gitops/test_workflows.py",
    # Docker is none of what the tests have: the build's parts are looked at one by one.
    "serving.md": "tests/recipes/test_serve.py",
    "sizing.md": "tests/jobs/test_plan.py",
}

# Commands that the prose names, and what runs them.
_IN_PROSE = {
    "make bench": "tests/benchmarks/test_ocimock_speed.py, its module",
    "make bench BENCH=--quick": "tests/benchmarks/test_ocimock_speed.py, its module",
    "make bench-runner": "tests/benchmarks/test_runner_speed.py, its modules",
    "make bindings": "tests/infra/test_resources.py",
    "python -m gitops": "tests/e2e/test_gitops.py",
    "make coverage-table": "tests/ocimock/test_coverage.py, the command that it calls",
    "make demo": "tests/e2e/test_demo.py",
    "make demo-down": "tests/e2e/test_demo.py",
    "make format": "the formatter itself; make lint checks its result",
    "make lint": ".ci/run",
    "make preflight-table": "tests/jobs/preflight/test_late.py, its module",
    "make sizing-plot": "tests/tools/test_sizing_plot.py, its module",
    "python -m jobs plan": "tests/jobs/test_plan.py",
    "python -m jobs preflight": "test_the_six_steps",
    "python -m jobs prices": "tests/jobs/test_prices_command.py",
    "python -m jobs prices show": "tests/jobs/test_prices_command.py",
    "python -m jobs prices update": "tests/jobs/test_prices_command.py",
    "make lock": "make lint checks its result",
    "make lock-vllm": "tests/tools/test_lock.py, its result",
    "make rehearse": "tests/e2e/test_rehearsal.py",
    "make rehearse SERVE=vllm": "tests/e2e/test_rehearsal.py",
    "make demo SIMULATE=1": "tests/e2e/test_rehearsal.py, which is refused",
    "make test-rehearsal": ".ci/run",
    "make setup-rehearsal": ".ci/run",
    "make setup-vllm": ".ci/run",
    "python -m ocimock serve --execute FILE": "tests/ocimock/test_execution.py",
    "make setup-infra": "tests/tools/test_lock.py",
    "make test": ".ci/run",
    "make test JOBS=0": ".ci/run, with another number",
    "python -m jobs": "test_the_six_steps",
    "python -m jobs emit": "test_the_six_steps",
    "python -m jobs run": "test_the_six_steps",
    "python -m jobs secret set hf-token": "tests/e2e/test_secrets.py",
    "python -m ocimock coverage": "tests/ocimock/test_coverage.py",
    "python -m ocimock env": "tests/ocimock/test_server.py",
    "python -m ocimock env --unset": "tests/ocimock/test_server.py",
    "python -m ocimock.terraform install --dir mirror": "tests/ocimock/terraform",
    "python -m ocimock serve": "tests/ocimock/conftest.py",
}

# What stands in for a person at a prompt, and for the registry.
_OFFLINE = "--skip-provider-lock"
_ANSWERS = (
    ("make setup", "true"),  # the working copy borrows what is installed
    ("npx cdktf diff", f"npx cdktf diff {_OFFLINE}"),
    ("npx cdktf deploy", f"npx cdktf deploy --auto-approve {_OFFLINE}"),
    ("npx cdktf destroy", f"npx cdktf destroy --auto-approve {_OFFLINE}"),
    ("jobs delete", "jobs delete --yes --interval 0.2"),
    ("jobs run", "jobs run --interval 0.2"),
)

_TENANCY = f"""\
tenancy_ocid: {TENANCY_ID}
compartment_ocid: {COMPARTMENT_ID}
region: eu-frankfurt-1
home_region: us-ashburn-1
model: 7b
protect: false
policies: proof-of-concept
network:
  security: strict
"""


def commands(page: Path) -> list[str]:
    """Every line of a console block that a reader is to type."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with running_server(tmp_path_factory.mktemp("oci mock"), "--run-seconds", "0.5") as found:
        yield found


def test_the_six_steps(working_copy: WorkingCopy, server: ServerFile, tmp_path: Path) -> None:
    typed = [line for line in commands(ROOT / "README.md") if line not in _ELSEWHERE]
    # The preflight's page looks before anything runs, the runner's at what has run.
    running = next(number for number, line in enumerate(typed) if "jobs run" in line)
    typed[running:running] = commands(ROOT / "docs" / "preflight.md")
    deleting = next(number for number, line in enumerate(typed) if "jobs delete" in line)
    typed[deleting:deleting] = commands(ROOT / "docs" / "runner.md")
    assert len(typed) >= 12
    copy = working_copy.path
    (copy / "tenancies" / "prod.yaml").write_text(_TENANCY)
    (copy / "hf-token.txt").write_text("hf_planted0123456789\n")
    script = tmp_path / "steps.sh"
    lines = ["set -e"]
    for line in typed:
        said = line
        for asked, answer in _ANSWERS:
            said = said.replace(asked, answer)
        # Terraform's own downloads would not go through the mock: it gets no proxy.
        proxy = "env -u HTTPS_PROXY -u https_proxy " if said.startswith("npx") else ""
        lines.append(f"echo '+ {line}' | tr -d \"'\"; {proxy}{said}")
    script.write_text("\n".join(lines) + "\n")
    environment = {
        **server.environment,
        **offline(install(tmp_path / "tf")),
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",  # cdktf's option for this is read too late
    }
    printed = working_copy.run(f"bash '{script}'", environment=environment).stdout
    assert "Apply complete!" in printed
    assert "the secret 'huggingface-token' is in the vault" in printed
    assert printed.count("SUCCEEDED (simulated)") >= 2
    assert "[simulated by ocimock: no code ran]" in printed
    assert "hf_planted0123456789" not in printed
    # A vault that is pending deletion takes its secrets with it.
    assert _standing(server.url) == {}
    _no_trace_of_the_token(copy)


def _standing(url: str) -> dict[str, int]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/ocimock/state", timeout=10) as answer:
        found: dict[str, int] = json.load(answer)["standing"]
    return found


def _no_trace_of_the_token(copy: Path) -> None:
    """Neither definitions, state, records nor synthesized files hold the token."""
    found = subprocess.run(
        ["grep", "-rIl", "hf_planted", "--exclude-dir=node_modules", "--exclude-dir=tests", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_command_of_the_pages_is_run(page: Path) -> None:
    """A page with no test of its own may only repeat commands that are run."""
    if page.name in _OWN_TEST:
        return
    run = {line for each in _RUN for line in commands(each)} | _ELSEWHERE
    assert set(commands(page)) <= run


@pytest.mark.parametrize(
    "page", [*_PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name
)
def test_every_command_in_prose_is_run(page: Path) -> None:
    named = set(re.findall(r"`(?:eval \"\$\()?((?:make|python -m) [^`)]+)", page.read_text()))
    assert named <= set(_IN_PROSE)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_the_python_of_the_pages_runs(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), {})
