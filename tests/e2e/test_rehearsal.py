"""``make rehearse``: stage, fine-tune on two nodes, merge, register, serve, ask; all of it runs.

One rehearsal serves all of these tests, in the order in which they are written: the last takes it
down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import oci
import pytest

from ocimock.identifiers import COMPARTMENT_ID
from tests.e2e.conftest import WorkingCopy
from tests.e2e.planted import Planted
from tests.e2e.rehearsing import (
    Rehearsal,
    answer_is_that_of_generate,
    model_folders,
    take_down,
    with_torch,
)

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

STEPS = ("stage", "finetune", "merge", "register", "deploy")


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
    assert sum(losses[-3:]) < sum(losses[:3]) / 2
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


def test_the_merged_model_is_base_and_adapter(folders: dict[str, Path]) -> None:
    names = [str(folders[name]) for name in ("base", "outputs", "merged")]
    apart, learnt = map(float, with_torch(LOGITS, *names).split())
    assert apart < 1e-4
    assert learnt > 1e-2, "the adapter changed nothing"


def test_the_served_answer_is_that_of_generate(
    rehearsal: Rehearsal, folders: dict[str, Path]
) -> None:
    answer_is_that_of_generate(rehearsal, folders)


def test_the_catalog_says_where_the_model_comes_from(rehearsal: Rehearsal) -> None:
    science = rehearsal.client(oci.data_science.DataScienceClient)
    model = science.get_model(rehearsal.status()["register"]["ids"]["model"]).data
    custom = {entry.key: entry.value for entry in model.custom_metadata_list}
    said = json.dumps(custom)
    for part in ("tunestack/tiny-llama", "tunestack/tiny-dialogues", "ocid1.datasciencejobrun."):
        assert part in said


def test_the_token_is_in_the_vault_alone(rehearsal: Rehearsal) -> None:
    """The job fetched it, as its resource principal: nothing that ran wrote it down."""
    file = rehearsal.copy.path / ".demo" / "hub-token"
    token = Planted(file.read_text().strip())
    assert token.files(rehearsal.copy.path, rehearsal.copy.home) == [str(file)]
    for step in ("stage", "finetune", "merge"):
        assert not token.is_in(rehearsal.jobs(f"logs {step}").stdout)


def test_a_second_rehearsal_finds_all_done(rehearsal: Rehearsal) -> None:
    printed = rehearsal.copy.run("make rehearse").stdout
    assert "embedded OCI (ocimock) found at" in printed


def test_make_demo_takes_the_rehearsal_where_torch_is(rehearsal: Rehearsal) -> None:
    printed = rehearsal.copy.run("make demo").stdout
    assert "PyTorch is there" in printed
    refused = rehearsal.copy.run("make demo SIMULATE=1", check=False)
    assert refused.returncode != 0
    assert "what stands is of tenancies/rehearsal.yaml" in refused.stdout


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


def test_demo_down_leaves_nothing(rehearsal: Rehearsal) -> None:
    take_down(rehearsal.copy)
