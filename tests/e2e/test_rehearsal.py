"""``make rehearse``: stage, fine-tune on two nodes, merge, register, serve, ask; all of it runs.

One rehearsal serves all of these tests, in the order in which they are written: the last takes it
down.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest

from ocimock import ServedCloud
from ocimock.identifiers import COMPARTMENT_ID
from ocimock.server.announcement import ServerFile
from tests.e2e.conftest import ROOT, WorkingCopy

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

TENANCY = "--tenancy tenancies/rehearsal.yaml"
LOCAL = "(on this machine)"
STEPS = ("stage", "finetune", "merge", "register", "deploy")


class Rehearsal:
    """The working copy of a rehearsal, and its server."""

    def __init__(self, copy: WorkingCopy, command: str = "make rehearse") -> None:
        self.copy = copy
        self.printed = copy.run(command).stdout
        found = ServerFile.read(copy.path / ".demo" / "ocimock")
        assert found is not None
        self.server = found
        self.cloud = ServedCloud(found)

    def client(self, sdk_class: Any) -> Any:
        config = oci.config.from_file(self.server.environment["OCI_CONFIG_FILE"])
        return sdk_class(config, service_endpoint=self.server.url)

    def jobs(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        words, _, rest = command.partition(" ")
        return self.copy.run(
            f".venv/bin/python -m jobs {words} {TENANCY} {rest}",
            environment=self.server.environment,
            check=check,
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.jobs("status --json").stdout)
        return found

    def download(self, prefix: str, folder: Path) -> Path:
        """The objects below *prefix* of the bucket, as files."""
        storage = self.client(oci.object_storage.ObjectStorageClient)
        listed = storage.list_objects("ocimock", "rehearsal-models", prefix=prefix).data.objects
        assert listed, prefix
        for each in listed:
            target = folder / each.name.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            got = storage.get_object("ocimock", "rehearsal-models", each.name).data
            target.write_bytes(got.content)
        return folder


@pytest.fixture(scope="module")
def rehearsal(torch_copy: WorkingCopy) -> Iterator[Rehearsal]:
    try:
        yield Rehearsal(torch_copy)
    finally:
        # Where a test failed before the rehearsal was taken down.
        torch_copy.run(".venv/bin/python -m demo down --force")


def test_every_step_really_ran(rehearsal: Rehearsal) -> None:
    assert "simulated" not in rehearsal.printed
    assert "Traceback" not in rehearsal.printed
    status = rehearsal.status()
    for step in STEPS:
        assert rehearsal.printed.count(step)
        assert status[step]["state"] in ("SUCCEEDED", "ACTIVE"), status[step]
        assert status[step]["local"] is True
        assert status[step]["simulated"] is False


def test_the_loss_falls(rehearsal: Rehearsal) -> None:
    points = json.loads(rehearsal.jobs("metrics finetune --json").stdout)
    losses = [point["loss"] for point in points if point["metric"] == "train"]
    assert len(losses) >= 10
    assert sum(losses[-3:]) / 3 < sum(losses[:3]) / 3 - 0.2
    evals = [point["loss"] for point in points if point["metric"] == "eval"]
    assert evals[-1] < evals[0]


def test_the_report_has_the_curve_as_a_picture(rehearsal: Rehearsal) -> None:
    report = (rehearsal.copy.path / ".demo" / "report.html").read_text()
    assert "<svg" in report
    assert re.search(r"[▁▂▃▄▅▆▇█]{5,}", rehearsal.printed)
    assert not re.search(r"""(src|href)=["']?http""", report)


LOGITS = """
import sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
base, adapter, merged = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(merged)
ids = tokenizer("Summarize this dialog: Ines: Hi. Summary: ", return_tensors="pt").input_ids
with torch.no_grad():
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    plain = model(ids).logits
    wanted = PeftModel.from_pretrained(model, adapter).eval()(ids).logits
    found = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)(ids).logits
print((found - wanted).abs().max().item(), (found - plain).abs().max().item())
"""


@pytest.fixture(scope="module")
def folders(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return model_folders(rehearsal, tmp_path_factory.mktemp("models"))


def model_folders(rehearsal: Rehearsal, folder: Path) -> dict[str, Path]:
    """Base, adapter and merged model, as the bucket has them."""
    definition = (rehearsal.copy.path / "definitions/rehearsal/merge.yaml").read_text()
    found = {}
    for name in ("base", "outputs", "merged"):
        uri = re.search(rf"src: oci://\S+@ocimock/(\S+)\s+dest: {name}\b", definition)
        uri = uri or re.search(rf"dest: {name}\s+src: oci://\S+@ocimock/(\S+)", definition)
        assert uri is not None, name
        found[name] = rehearsal.download(uri[1].rstrip("/") + "/", folder / name)
    return found


def _torch(script: str, *arguments: str) -> str:
    python = ROOT / ".tools" / "rehearsal" / "bin" / "python"
    done = subprocess.run(
        [str(python), "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_merged_model_is_base_and_adapter(folders: dict[str, Path]) -> None:
    names = [str(folders[name]) for name in ("base", "outputs", "merged")]
    apart, learnt = map(float, _torch(LOGITS, *names).split())
    assert apart < 1e-4
    assert learnt > 1e-2, "the adapter changed nothing"


GREEDY = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
merged, prompt, tokens = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(merged)
model = AutoModelForCausalLM.from_pretrained(merged, dtype="float32")
ids = tokenizer(prompt, return_tensors="pt").input_ids
out = model.generate(ids, max_new_tokens=int(tokens), do_sample=False)
print(tokenizer.decode(out[0][ids.shape[1]:], skip_special_tokens=True), end="")
"""

DIALOGUE = "Ada: Have you seen my charger?\nKira: I left it in my flat.\nAda: I'll go on Friday."
PROMPT = "Summarize this dialog:\n{}\n---\nSummary:\n"


def _answer_is_that_of_generate(rehearsal: Rehearsal, folders: dict[str, Path]) -> None:
    body = json.loads(rehearsal.jobs(f"predict --json {shlex.quote(DIALOGUE)}").stdout)
    served = body["choices"][0]["text"]
    wanted = _torch(GREEDY, str(folders["merged"]), PROMPT.format(DIALOGUE), "80")
    assert served.strip() == wanted.strip()
    assert wanted.strip()


def test_the_served_answer_is_that_of_generate(
    rehearsal: Rehearsal, folders: dict[str, Path]
) -> None:
    _answer_is_that_of_generate(rehearsal, folders)


def test_the_catalog_says_where_the_model_comes_from(rehearsal: Rehearsal) -> None:
    science = rehearsal.client(oci.data_science.DataScienceClient)
    model = science.get_model(rehearsal.status()["register"]["ids"]["model"]).data
    custom = {entry.key: entry.value for entry in model.custom_metadata_list}
    said = json.dumps(custom)
    for part in ("tunestack/tiny-llama", "tunestack/tiny-dialogues", "ocid1.datasciencejobrun."):
        assert part in said


def test_the_token_is_in_the_vault_alone(rehearsal: Rehearsal) -> None:
    token = (rehearsal.copy.path / ".demo" / "hub-token").read_text().strip()
    names = ("definitions", "cdktf.out", ".tunestack", ".demo/logs", ".demo/ocimock.log")
    places = [str(rehearsal.copy.path / name) for name in names]
    found = subprocess.run(["grep", "-rl", token, *places], capture_output=True, text=True)
    assert found.stdout == ""
    for step in ("stage", "finetune", "merge"):
        assert token not in rehearsal.jobs(f"logs {step}").stdout


def test_a_killed_node_fails_the_run_and_a_resubmit_resumes(rehearsal: Rehearsal) -> None:
    """The unbroken run is the rehearsal's own: same definition, same seed."""
    unbroken = _final_loss(rehearsal)
    # Its checkpoints would have it done before it begins.
    _clear(rehearsal, "checkpoints/")
    rehearsal.jobs("submit finetune")
    run = rehearsal.status()["finetune"]["ids"]["job_run"]
    _wait_for_checkpoint(rehearsal)
    rehearsal.cloud.kill_node(run, 1)
    watched = rehearsal.jobs("watch finetune --interval 1", check=False)
    assert watched.returncode == 1
    assert "FAILED" in watched.stdout
    assert "node 1" in watched.stdout
    assert [node for node in rehearsal.cloud.nodes if node.run == run] == []
    rehearsal.jobs("submit finetune")
    assert rehearsal.jobs("watch finetune --interval 1").returncode == 0
    log = rehearsal.jobs("logs finetune").stdout
    resumed = re.search(r'"event": ?"resumed".*?"step": ?(\d+)', log)
    assert resumed is not None
    assert int(resumed[1]) > 0
    assert _final_loss(rehearsal) == pytest.approx(unbroken, abs=1e-3)


def _final_loss(rehearsal: Rehearsal) -> float:
    points = json.loads(rehearsal.jobs("metrics finetune --json").stdout)
    return float([point["loss"] for point in points if point["metric"] == "train"][-1])


def _objects(rehearsal: Rehearsal, prefix: str) -> list[str]:
    storage = rehearsal.client(oci.object_storage.ObjectStorageClient)
    listed = storage.list_objects("ocimock", "rehearsal-models", prefix=prefix).data.objects
    return [each.name for each in listed]


def _clear(rehearsal: Rehearsal, prefix: str) -> None:
    storage = rehearsal.client(oci.object_storage.ObjectStorageClient)
    for name in _objects(rehearsal, prefix):
        storage.delete_object("ocimock", "rehearsal-models", name)


def _wait_for_checkpoint(rehearsal: Rehearsal) -> None:
    """Until the first checkpoint of the run that is under way is whole."""
    deadline = time.monotonic() + 120
    while not any(name.endswith("checkpoint.json") for name in _objects(rehearsal, "checkpoints/")):
        assert time.monotonic() < deadline, "no checkpoint came"
        state = rehearsal.status()["finetune"]["state"]
        assert state in ("ACCEPTED", "IN_PROGRESS"), state
        time.sleep(0.2)


FAILING = {
    "import error": ("python -c 'import no_such_module'", "ModuleNotFoundError"),
    "exit code": ("python -c 'print(17 * 3); raise SystemExit(3)'", "51"),
    "memory": ("python -c 'x = bytearray(9 * 2**30); print(len(x))'", "memory"),
}


@pytest.mark.parametrize("failure", FAILING)
def test_a_failing_script_says_why(rehearsal: Rehearsal, failure: str, tmp_path: Path) -> None:
    command, said = FAILING[failure]
    done = _submit_broken(rehearsal, command, tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert said in done.stdout


def _submit_broken(
    rehearsal: Rehearsal, command: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Submit the staging with another command, and watch it."""
    definitions = rehearsal.copy.path / "definitions" / "rehearsal"
    for path in definitions.glob("*.yaml"):
        text = path.read_text()
        if path.name == "stage.yaml":
            text = re.sub(r"command: .*", f"command: {json.dumps(command)}", text)
        (folder / path.name).write_text(text)
    rehearsal.jobs(f"submit stage --definitions '{folder}'")
    return rehearsal.jobs("watch stage --interval 0.5", check=False)


def test_ads_opctl_runs_and_watches_the_definition(rehearsal: Rehearsal) -> None:
    """``ads opctl run -f finetune.yaml``, then ``ads opctl watch`` on its run, logs and all."""
    science = rehearsal.client(oci.data_science.DataScienceClient)
    before = {run.id for run in science.list_job_runs(COMPARTMENT_ID).data}
    # opctl wants ~/.oci/config, whatever it is told.
    setup = 'mkdir -p "$HOME/.oci" && cp "$OCI_CONFIG_FILE" "$HOME/.oci/config"'
    rehearsal.copy.run(
        f"{setup} && .venv/bin/ads opctl run -f definitions/rehearsal/finetune.yaml",
        environment=rehearsal.server.environment,
    )
    new = [run for run in science.list_job_runs(COMPARTMENT_ID).data if run.id not in before]
    assert len(new) == 1
    printed = rehearsal.copy.run(
        f".venv/bin/ads opctl watch {new[0].id}; rm -r ~/.oci",
        environment=rehearsal.server.environment,
    ).stdout
    assert '"metric"' in printed or "loss" in printed
    assert science.get_job_run(new[0].id).data.lifecycle_state == "SUCCEEDED"
    science.delete_job(new[0].job_id, delete_related_job_runs=True)


def test_a_hang_ends_at_its_maximum_runtime(rehearsal: Rehearsal, tmp_path: Path) -> None:
    # After all that looks at times: from here on the mock's clock is a day ahead.
    definitions = rehearsal.copy.path / "definitions" / "rehearsal"
    for path in definitions.glob("*.yaml"):
        text = path.read_text()
        if path.name == "stage.yaml":
            script = "import time; print(chr(42) * 7, flush=True); time.sleep(1000)"
            text = re.sub(r"command: .*", f"command: python -c '{script}'", text)
        (tmp_path / path.name).write_text(text)
    rehearsal.jobs(f"submit stage --definitions '{tmp_path}'")
    _wait_for_line(rehearsal, "*******")
    rehearsal.cloud.advance(24 * 3600)
    done = rehearsal.jobs("watch stage --interval 0.5", check=False)
    assert done.returncode == 1
    assert "maximum runtime" in done.stdout
    assert "*******" in done.stdout


def _wait_for_line(rehearsal: Rehearsal, line: str) -> None:
    deadline = time.monotonic() + 60
    while line not in rehearsal.jobs("logs stage").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_second_rehearsal_finds_all_done(rehearsal: Rehearsal) -> None:
    printed = rehearsal.copy.run("make rehearse").stdout
    assert "embedded OCI (ocimock) found at" in printed


def test_make_demo_takes_the_rehearsal_where_torch_is(rehearsal: Rehearsal) -> None:
    printed = rehearsal.copy.run("make demo").stdout
    assert "PyTorch is there" in printed
    refused = rehearsal.copy.run("make demo SIMULATE=1", check=False)
    assert refused.returncode != 0
    assert "what stands is of tenancies/rehearsal.yaml" in refused.stdout


def test_demo_down_leaves_nothing(rehearsal: Rehearsal) -> None:
    _take_down(rehearsal.copy)


def _take_down(copy: WorkingCopy) -> None:
    printed = copy.run("make demo-down").stdout
    assert "nothing stands in the embedded OCI" in printed
    path = copy.path
    assert not list(path.glob("terraform.*"))
    for folder in (".demo", "definitions", ".tunestack"):
        assert not (path / folder).exists()


def test_vllm_serves_the_same_answer(
    rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All of it once more, with vLLM; the rehearsal before was taken down."""
    again = Rehearsal(rehearsal.copy, "make rehearse SERVE=vllm")
    try:
        found = model_folders(again, tmp_path_factory.mktemp("models"))
        _answer_is_that_of_generate(again, found)
        assert any(b"vllm.entrypoints" in command for command in _commands())
    finally:
        _take_down(again.copy)


def _commands() -> list[bytes]:
    """What runs on this machine, in nodes too."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found
