"""The workflows of both pipelines, run step by step against one embedded OCI.

One tenancy goes through its life in these tests, in the order in which they are written: a pull
request's plan, the merge, the runner's whole way, a change by hand, drift, the next merge. Policies
are enforced: the users have the rights that docs/gitops.md gives them, and no others.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import oci
import pytest

from ocimock import ServedCloud
from ocimock.credentials import write_private
from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE
from ocimock.server.announcement import ServerFile
from ocimock.terraform.mirror import environment as offline
from ocimock.terraform.mirror import install
from tests.e2e.conftest import ROOT, WorkingCopy, working_copy_in
from tests.e2e.enforced import TOKEN
from tests.e2e.github_actions import Environment, GitHub
from tests.e2e.oci_devops import BuildRunner
from tests.servers import running_server

pytestmark = pytest.mark.e2e

_TENANCY = "tenancies/demo.yaml"
_REQUEST = "ocid1.devopspullrequest.oc1..request"

# In place of oci-cli, with its own commands and options: the mock has no DevOps service.
_OCI = """\
#!/bin/sh
''''exec "{python}" "$0" "$@" #'''
import json, sys
from pathlib import Path
import oci_cli  # loads the service that sys.argv names
from oci_cli.cli_root import cli
words = sys.argv[1:]
command = cli
while hasattr(command, "commands"):
    command = command.commands[words.pop(0)]
known = {{option for each in command.params for option in each.opts}}
assert {{word for word in words if word.startswith("--")}} <= known, (words, known)
words = [word for word in words if word != "--all"]
given = dict(zip(words[::2], words[1::2]))
kept = Path({kept!r})
comments = json.loads(kept.read_text()) if kept.exists() else []
if command.name == "list-pull-requests":
    found = [dict(id="old", **{{"lifecycle-details": "MERGED"}}),
             dict(id={request!r}, **{{"lifecycle-details": "OPEN"}})]
    print(json.dumps(dict(data=dict(items=found))))
elif command.name == "list-pull-request-comments":
    print(json.dumps(dict(data=dict(items=comments))))
else:
    assert given["--pull-request-id"] == {request!r}
    data = json.loads(Path(given["--from-json"].removeprefix("file://")).read_text())["data"]
    if command.name == "update-pull-request-comment":
        comments = [dict(each, data=data) if each["id"] == given["--comment-id"] else each
                    for each in comments]
    else:
        comments.append(dict(id=f"comment{{len(comments)}}", data=data))
    kept.write_text(json.dumps(comments))
"""


@dataclass(frozen=True)
class Tenancy:
    """One embedded OCI, and both pipelines that deploy to it."""

    copy: WorkingCopy
    server: ServerFile
    github: GitHub
    runner: BuildRunner
    devops_comments: Path

    def client(self, sdk_class: Any) -> Any:
        """Of the administrator's."""
        return _client(self.server, sdk_class)

    def describe_project(self, text: str) -> None:
        """What somebody changes in the console."""
        science = self.client(oci.data_science.DataScienceClient)
        project = science.list_projects(COMPARTMENT_ID).data[0]
        details = oci.data_science.models.UpdateProjectDetails(description=text)
        science.update_project(project.id, details)

    def project(self) -> str:
        science = self.client(oci.data_science.DataScienceClient)
        return str(science.list_projects(COMPARTMENT_ID).data[0].description)


@pytest.fixture(scope="module")
def tenancy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenancy]:
    copy = working_copy_in(tmp_path_factory.mktemp("a pipeline's"), ".venv", "node_modules")
    folder = tmp_path_factory.mktemp("github")
    options = ("--pace", "0", "--verify-signatures", "--enforce-iam")
    with running_server(tmp_path_factory.mktemp("oci mock"), *options) as server:
        machine = _machine(server, install(tmp_path_factory.mktemp("provider")))
        planner, deployer = (_user(server, group, folder) for group in ("ci-plan", "ci-deploy"))
        comments = folder / "devops.json"
        cli = tmp_path_factory.mktemp("cli") / "oci"
        cli.write_text(_OCI.format(python=sys.executable, kept=str(comments), request=_REQUEST))
        cli.chmod(0o755)
        environments = {"plan": planner, "production": deployer}
        runner = {**machine, **deployer.machine, **_AS_RUNNER, "OCI_CLI_BINARY": str(cli)}
        yield Tenancy(
            copy,
            server,
            GitHub(copy, folder, machine, _CONTEXTS, environments),
            BuildRunner(copy, runner),
            comments,
        )


_CONTEXTS = {
    "vars.TUNESTACK_TENANCY": _TENANCY,
    "github.event.pull_request.head.repo.full_name": "owner/repo",
    "github.repository": "owner/repo",
    "inputs.run": "false",
}

# A build runner is somebody already: here by an API key, for the stand-in takes no other.
_AS_RUNNER = {
    "TUNESTACK_TENANCY": _TENANCY,
    "OCI_IAM_TYPE": "api_key",
    "OCI_CLI_AUTH": "api_key",
    "TF_VAR_auth": "ApiKey",
    "OCI_auth": "ApiKey",
    "CODE_REPOSITORY_OCID": "ocid1.devopsrepository.oc1..repository",
    "OCI_TRIGGER_SOURCE_BRANCH_NAME": "more-gpus",
}


def _machine(server: ServerFile, provider: Path) -> dict[str, str]:
    """The pipeline's machine; what leads to the embedded OCI takes the place of the network."""
    there = {
        name: text
        for name, text in server.environment.items()
        if not name.startswith(("OCI_C", "OCI_I", "OCIFS"))  # who signs in is the workflow's affair
    }
    return {**there, **offline(provider), "TUNESTACK_LOCAL_STATE": "1"}


def _member(server: ServerFile, group: str) -> dict[str, str]:
    """A user of a new group, as the SDK's configuration."""
    identity = _client(server, oci.identity.IdentityClient)
    models = oci.identity.models
    root = ServedCloud(server).tenancy_id
    made = identity.create_group(
        models.CreateGroupDetails(compartment_id=root, name=group, description=group)
    ).data
    user = identity.create_user(
        models.CreateUserDetails(compartment_id=root, name=f"{group}-user", description=group)
    ).data
    identity.add_user_to_group(models.AddUserToGroupDetails(user_id=user.id, group_id=made.id))
    return ServedCloud(server).user_config(user.id)


def _user(server: ServerFile, group: str, folder: Path) -> Environment:
    """A user of a group, whose rights are those that the page gives it."""
    config = _member(server, group)
    root, models = config["tenancy"], oci.identity.models
    page = (ROOT / "docs/gitops.md").read_text()
    statements = re.findall(rf"^ *(Allow group {group} .*)$", page, re.MULTILINE)
    _client(server, oci.identity.IdentityClient).create_policy(
        models.CreatePolicyDetails(
            compartment_id=root,
            name=group,
            description=group,
            statements=[text.replace("<compartment>", COMPARTMENT_ID) for text in statements],
        )
    )
    key = folder / f"{group}.pem"
    key.write_text(config["key_content"])
    return Environment(
        {
            "OCI_TENANCY_OCID": root,
            "OCI_USER_OCID": config["user"],
            "OCI_FINGERPRINT": config["fingerprint"],
            "OCI_REGION": config["region"],
            "OCI_PRIVATE_KEY": config["key_content"],
        },
        # The provider reads ~/.oci/config, its stand-in only these.
        {
            "TF_VAR_user_ocid": config["user"],
            "TF_VAR_fingerprint": config["fingerprint"],
            "TF_VAR_private_key_path": str(key),
        },
    )


def _client(server: ServerFile, sdk_class: Any) -> Any:
    config = oci.config.from_file(server.environment["OCI_CONFIG_FILE"])
    return sdk_class(config, service_endpoint=server.url)


def test_a_pull_request_gets_its_plan_as_a_comment(tenancy: Tenancy) -> None:
    ran = tenancy.github.run("plan.yml", "plan")
    assert not ran.failed, ran
    (comment,) = tenancy.github.comments
    assert comment.startswith("<!-- tunestack plan: demo -->\n")
    assert "10 to create, 2 of 4 stacks can't be planned yet" in comment
    assert "| demo-identity |  |  |  |  | waits for demo-data, whose outputs it needs |" in comment
    assert "`oci_objectstorage_bucket.bucket`" in comment
    config = tenancy.copy.home / ".oci"
    assert (config / "config").stat().st_mode & 0o077 == 0
    assert "PRIVATE KEY" not in str(ran.printed)


def test_the_next_push_updates_the_comment(tenancy: Tenancy) -> None:
    page = tenancy.copy.path / ".gitops/plan/comment.md"
    page.write_text(page.read_text() + "\nAgain.\n")
    tenancy.github.script(_script("plan.yml", "plan", "Comment"))
    (comment,) = tenancy.github.comments
    assert comment.endswith("Again.\n")


def test_a_forks_pull_request_gets_no_plan(tenancy: Tenancy, tmp_path: Path) -> None:
    name = "github.event.pull_request.head.repo.full_name"
    github = replace(tenancy.github, contexts={**_CONTEXTS, name: "stranger/repo"}, folder=tmp_path)
    ran = github.run("plan.yml", "plan")
    assert not ran.printed
    assert "Sign in" in ran.skipped
    gates = github.run("plan.yml", "gates")
    assert not gates.failed, gates
    assert "Synthesize" in gates.printed


def test_a_merge_applies_the_plan_that_was_approved(tenancy: Tenancy) -> None:
    planned = tenancy.github.run("deploy.yml", "plan")
    assert not planned.failed, planned
    assert "## Plan of `demo`" in planned.summary
    applied = tenancy.github.run("deploy.yml", "apply")
    assert not applied.failed, applied
    printed = applied.printed["Apply, and write the definitions"]
    assert "demo-network: applying the plan that was reviewed" in printed
    assert "demo-workbench: applying a plan of now" in printed
    assert applied.skipped == ["Run the pipeline"]
    kept = tenancy.github.folder / "artifacts" / "definitions" / "demo"
    names = {file.name for file in kept.iterdir()}
    assert {"finetune.yaml", "pipeline.yaml"} <= names
    # Who runs the pipeline from a notebook takes them from there.
    storage = tenancy.client(oci.object_storage.ObjectStorageClient)
    place = "ledger/demo/definitions/"
    found = storage.list_objects(NAMESPACE, "demo-models", prefix=place).data.objects
    assert {each.name.removeprefix(place) for each in found} == names


def test_who_plans_may_change_nothing_and_read_no_secret(tenancy: Tenancy) -> None:
    """Its key is within reach of everybody who can push a branch."""
    name = _stored_secret(tenancy)
    there = tenancy.github.environments["plan"]
    config = {
        "tenancy": there.secrets["OCI_TENANCY_OCID"],
        "user": there.secrets["OCI_USER_OCID"],
        "fingerprint": there.secrets["OCI_FINGERPRINT"],
        "region": there.secrets["OCI_REGION"],
        "key_content": there.secrets["OCI_PRIVATE_KEY"],
    }
    storage = oci.object_storage.ObjectStorageClient(config, service_endpoint=tenancy.server.url)
    details, states = (
        oci.object_storage.models.CreateBucketDetails(name=name, compartment_id=COMPARTMENT_ID)
        for name in ("mine", "terraform-state")
    )
    administrator = tenancy.client(oci.object_storage.ObjectStorageClient)
    administrator.create_bucket(NAMESPACE, states)
    state = (NAMESPACE, "terraform-state", "tunestack/demo-data.tfstate")
    administrator.put_object(*state, b"{}")
    bundles = oci.secrets.SecretsClient(config, service_endpoint=tenancy.server.url)
    calls: list[Callable[[], Any]] = [
        lambda: storage.create_bucket(NAMESPACE, details),
        lambda: storage.put_object(NAMESPACE, "demo-models", "code/x.py", b"evil"),
        lambda: storage.put_object(*state, b"evil"),
        lambda: storage.delete_object(*state),
        lambda: bundles.get_secret_bundle(name),
    ]
    for call in calls:
        with pytest.raises(oci.exceptions.ServiceError) as refused:
            call()
        assert refused.value.status == 404
    assert len(storage.list_objects(NAMESPACE, "demo-models").data.objects) > 10
    # What Terraform's backend does for a plan.
    lock = (*state[:2], f"{state[2]}.lock")
    etag = storage.put_object(*lock, b"{}", if_none_match="*").headers["etag"]
    assert storage.get_object(*state).data.content == b"{}"
    storage.delete_object(*lock, if_match=etag)


def test_a_person_of_the_bundles_group_goes_the_way(tenancy: Tenancy, tmp_path: Path) -> None:
    """By the bundle's own policies, with Terraform's outputs and the runner's command line."""
    config = _member(tenancy.server, "data-scientists")
    write_private(tmp_path / "key.pem", config.pop("key_content").encode())
    lines = [f"{name}={text}" for name, text in config.items()]
    file = tmp_path / "config"
    text = "\n".join(["[DEFAULT]", *lines, f"key_file={tmp_path / 'key.pem'}", ""])
    write_private(file, text.encode())
    person = {"OCI_CONFIG_LOCATION": str(file), "OCI_CONFIG_FILE": str(file)}

    def jobs(command: str) -> str:
        script = f".venv/bin/python -m jobs {command}"
        environment = {**tenancy.server.environment, **person}
        return tenancy.copy.run(script, environment=environment).stdout

    jobs("emit")
    jobs(f"secret set <<< {TOKEN}")
    printed = jobs("run --interval 0.1")
    assert printed.count("SUCCEEDED (simulated)") >= 3
    assert TOKEN not in printed
    assert "simulated by ocimock" in jobs("predict")
    refused = [call for call in ServedCloud(tenancy.server).calls if call.status in (401, 501)]
    assert refused == []


def test_what_was_applied_is_planned_as_no_changes(tenancy: Tenancy) -> None:
    build = tenancy.runner.run("plan_build_spec.yaml")
    assert not build.failed, build.printed
    (comment,) = json.loads(tenancy.devops_comments.read_text())
    assert "## Plan of `demo`: no changes" in comment["data"]
    assert f"The comment is on {_REQUEST}." in build.printed["Comment"]


def test_a_change_by_hand_is_drift_and_opens_an_issue(tenancy: Tenancy) -> None:
    tenancy.describe_project("changed by | hand")
    ran = tenancy.github.run("drift.yml", "drift")
    assert ran.failed == ["Fail where there is drift"], ran.printed
    (issue,) = tenancy.github.issues
    assert issue["labels"] == ["drift"]
    assert "differs in demo-workbench" in issue["body"]
    assert "1 changed behind Terraform's back" in issue["body"]
    assert r"`changed by \| hand`" in issue["body"]
    found = json.loads((tenancy.copy.path / ".gitops/drift/drift.json").read_text())
    (change,) = found["stacks"]["demo-workbench"]["behind"]
    assert change["address"] == "oci_datascience_project.project"
    assert found["stacks"]["demo-network"]["pending"] == []


def test_the_next_merge_takes_it_back(tenancy: Tenancy) -> None:
    build = tenancy.runner.run("deploy_build_spec.yaml")
    assert not build.failed, build.printed
    printed = build.printed["Apply, and write the definitions"]
    assert "demo-data: no changes" in printed
    assert tenancy.project() != "changed by | hand"


def test_then_there_is_no_drift_and_the_issue_is_closed(tenancy: Tenancy) -> None:
    build = tenancy.runner.run("drift_build_spec.yaml")
    assert not build.failed, build.printed
    assert "## `demo`: no drift" in build.printed["Look for drift"]
    tenancy.github.script(
        _script("drift.yml", "drift", "Open, update or close the issue"), DRIFT="0"
    )
    assert [issue["state"] for issue in tenancy.github.issues] == ["closed"]


def _script(workflow: str, job: str, step: str) -> str:
    import yaml

    document = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text())
    steps = document["jobs"][job]["steps"]
    return str(next(each for each in steps if each.get("name") == step)["with"]["script"])


def _stored_secret(tenancy: Tenancy) -> str:
    """A secret in the vault that was deployed; its OCID."""
    vault = tenancy.client(oci.key_management.KmsVaultClient).list_vaults(COMPARTMENT_ID).data[0]
    keys = oci.key_management.KmsManagementClient
    config = oci.config.from_file(tenancy.server.environment["OCI_CONFIG_FILE"])
    key = keys(config, service_endpoint=tenancy.server.url).list_keys(COMPARTMENT_ID).data[0]
    models = oci.vault.models
    details = models.CreateSecretDetails(
        compartment_id=COMPARTMENT_ID,
        vault_id=vault.id,
        key_id=key.id,
        secret_name="a-token",
        secret_content=models.Base64SecretContentDetails(content="eA=="),
    )
    made: str = tenancy.client(oci.vault.VaultsClient).create_secret(details).data.id
    return made
