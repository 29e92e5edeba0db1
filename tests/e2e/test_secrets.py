"""A token goes into the vault, and is found nowhere else after a whole demo.

It comes by each way that there is. Then all that a user runs is run, and everything that any of it
wrote, printed, showed or sent is searched.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocimock.server.announcement import ServerFile
from ocimock.terraform.mirror import environment as offline
from ocimock.terraform.mirror import install
from tests.e2e.conftest import WorkingCopy, working_copy_in
from tests.e2e.planted import Planted, ProcessList, watched_processes
from tests.servers import running_server

pytestmark = pytest.mark.e2e

_JOBS = ".venv/bin/python -m jobs"
_SET = f"{_JOBS} secret set hf-token"

# A module that Python imports by itself: the server writes down each whole call.
_RECORD = """\
import sys
if "ocimock" in sys.orig_argv:
    import json
    import ocimock.server.app as app
    answer = app.dispatch
    def dispatch(cloud, request):
        response = answer(cloud, request)
        body = response.body if isinstance(response.body, bytes) else b""
        with open({path!r}, "a") as file:
            sent = [request.target, dict(request.headers), request.body.decode("latin-1")]
            said = [dict(response.headers), body.decode("latin-1")]
            call = [request.method, request.path, json.dumps(sent), json.dumps(said)]
            file.write(json.dumps(call) + chr(10))
        return response
    app.dispatch = dispatch
"""

# What a user types, in order.
_DEMO = (
    f"{_JOBS} check",
    f"{_JOBS} run --interval 0.2",
    f"{_JOBS} status --json",
    f"{_JOBS} predict 'Ana: Are the GPUs up?'",
    f"{_JOBS} logs stage",
    f"{_JOBS} logs finetune",
    f"{_JOBS} history",
    f"{_JOBS} report --to report.html",
    "terraform -chdir=cdktf.out/stacks/demo-data plan -input=false -out=planned.tfplan",
)


@dataclass(frozen=True)
class Shown:
    """A demo that is over, with a token in its vault."""

    token: Planted
    copy: WorkingCopy
    printed: dict[str, str]
    processes: ProcessList
    calls: list[list[str]]
    state: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    # Not in this file's text: it is a file of the working copy too.
    token = Planted(f"hf_{secrets.token_hex(12)}+/~{secrets.token_hex(4)}")
    copy = working_copy_in(tmp_path_factory.mktemp("planted"), ".venv", "node_modules")
    folder = tmp_path_factory.mktemp("around")
    file = folder / "token.txt"
    file.write_text(f"{token.text}\n")
    (folder / "sitecustomize.py").write_text(_RECORD.format(path=str(folder / "calls")))
    state = folder / "state.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        options = ("--pace", "0", "--state", str(state))
        with running_server(tmp_path_factory.mktemp("oci mock"), *options) as server:
            patch.delenv("PYTHONPATH")
            environment = _environment(server, install(tmp_path_factory.mktemp("provider")))
            with watched_processes(copy.home) as processes:
                printed = _demo(copy, environment, file)
    calls = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    return Shown(token, copy, printed, processes, calls, state)


def _environment(server: ServerFile, provider: Path) -> dict[str, str]:
    return {
        **server.environment,
        **offline(provider),
        "TUNESTACK_TENANCY": "tenancies/demo.yaml",
        "TUNESTACK_LOCAL_STATE": "1",
    }


def _demo(copy: WorkingCopy, environment: dict[str, str], file: Path) -> dict[str, str]:
    # A person who debugs has the SDK log each request, in the config file.
    loud = copy.path / "loud.config"
    loud.write_text(Path(environment["OCI_CONFIG_FILE"]).read_text() + "log_requests=True\n")
    logging = {**environment, "OCI_CONFIG_LOCATION": str(loud)}
    printed = {}

    def run(command: str, given: dict[str, str]) -> None:
        printed[command] = copy.run(command, environment=given).stdout

    run(".venv/bin/python -m gitops apply", environment)
    run(f"{_SET} --file '{file}'", logging)
    run(f"cat '{file}' | {_SET}", logging)
    run(f"{_SET} --env MY_TOKEN", {**environment, "MY_TOKEN": file.read_text()})
    for command in _DEMO:
        run(command, environment)
    return printed


def test_the_token_is_in_the_vault(shown: Shown) -> None:
    """It would be found if it were anywhere: here it is, by the same search.

    Among what the mock holds and is searched: log records, tags, artifacts, the ledger's mirror.
    """
    assert shown.token.kinds(shown.state) == {"vaultsecret"}
    bodies = shown.state.with_name(f"{shown.state.name}.bodies")
    assert not bodies.exists() or shown.token.files(bodies) == []
    assert any("/o/ledger%2F" in path for _, path, _, _ in shown.calls)
    assert "has a new version" in shown.printed[f"{_SET} --env MY_TOKEN"]


def test_only_the_calls_that_set_it_or_ask_for_it_carry_it(shown: Shown) -> None:
    carrying = [
        (method, path.split("/")[2])
        for method, path, sent, _ in shown.calls
        if shown.token.is_in(sent)
    ]
    assert carrying == [("POST", "secrets"), ("PUT", "secrets"), ("PUT", "secrets")]
    assert len(shown.calls) > 300
    # Who looks before the run asks the hub with it, as the staging will.
    answers = [(method, path) for method, path, _, told in shown.calls if shown.token.is_in(told)]
    assert set(answers) == {("POST", "/20190301/secretbundles/actions/getByName")}


def test_no_file_holds_it(shown: Shown) -> None:
    """Definitions, ledger, synthesized stacks, states and plans, the report, logs, the home."""
    copy = shown.copy
    for name in ("definitions/demo/stage.yaml", ".tunestack/demo/ledger.db", "report.html"):
        assert (copy.path / name).is_file(), name
    assert list(copy.path.glob("terraform.demo-*.tfstate"))
    assert list(copy.path.glob("cdktf.out/stacks/demo-data/planned.tfplan"))
    assert shown.token.files(copy.path, copy.home) == []


def test_no_command_prints_it(shown: Shown) -> None:
    assert "SUCCEEDED (simulated)" in shown.printed[f"{_JOBS} run --interval 0.2"]
    for command, printed in shown.printed.items():
        assert not shown.token.is_in(printed), command


def test_no_process_list_shows_it(shown: Shown) -> None:
    arguments = " ".join(shown.processes.arguments)
    assert "terraform" in arguments
    assert "jobs run" in arguments
    assert shown.processes.show(shown.token) == []
    # Who puts it into a variable has it there; what the command starts, Terraform, has not.
    inherited = shown.processes.inherited(shown.token)
    assert inherited
    assert all("secret set hf-token --env MY_TOKEN" in line for line in inherited)


def test_every_form_is_found() -> None:
    """The search itself: an archive, BASE64 within something longer, a URL."""
    token = Planted("hf_planted+/~0123456789")
    script = (
        "import base64, io, json, sys, urllib.parse, zipfile; t = sys.argv[1]; b = io.BytesIO();"
        "z = zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED); z.writestr('a', t * 9); z.close();"
        "print(json.dumps([[*map(ord, x)] for x in [b.getvalue().decode('latin-1'),"
        "*(base64.b64encode(('x' * n + t + 'y').encode()).decode() for n in range(4)),"
        "urllib.parse.quote(t, safe=''), json.dumps({'a': t})]]))"
    )
    done = subprocess.run(
        ["python3", "-c", script, token.text], capture_output=True, text=True, check=True
    )
    found = [bytes(each) for each in json.loads(done.stdout)]
    assert len(found) == 7
    assert all(token.is_in(each) for each in found)
    assert not token.is_in(b"hf_planted")
