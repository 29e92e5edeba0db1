"""What a pipeline may cost at most, as far as anybody can say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from jobs import cli
from jobs.definitions import read_all, read_pipeline
from jobs.worst_case import worst_case
from tests.jobs.samples import definition, text, write_all

# $ an hour: VM.GPU.A10.2 costs 4.00, BM.GPU.H100.8 80.00; the staging node 4 OCPUs and 64 GB.
STAGE = (4 * 0.025 + 64 * 0.0015) * 240 / 60
FINETUNE, MERGE, DEPLOYMENT = 6 * 4.0 * 720 / 60, 4.0 * 240 / 60, 4.0


def _minutes(name: str, minutes: int) -> str:
    content = yaml.safe_load(text(name))
    content["spec"]["runtime"]["spec"]["maximumRuntimeInMinutes"] = minutes
    return yaml.safe_dump(content, sort_keys=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Definitions with a maximum runtime each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("model: 13b\n")
    written = write_all(tmp_path / "definitions" / "demo")
    for name, minutes in (("stage", 240), ("finetune", 720), ("merge", 240)):
        (written / f"{name}.yaml").write_text(_minutes(name, minutes))
    return written


def test_each_step_for_its_maximum_runtime(folder: Path) -> None:
    found = worst_case(read_pipeline(folder), read_all(folder))
    assert found.dollars == pytest.approx(STAGE + FINETUNE + MERGE + DEPLOYMENT)
    assert found.unknown == ()


def test_the_dearest_of_its_machines_counts(folder: Path) -> None:
    dear = _minutes("finetune", 720).replace("VM.GPU.A10.2", "BM.GPU.H100.8")
    (folder / "finetune.fallback-1.yaml").write_text(dear)
    listed = text("pipeline").replace(
        "[finetune.yaml]", "[finetune.yaml, finetune.fallback-1.yaml]"
    )
    (folder / "pipeline.yaml").write_text(listed)

    found = worst_case(read_pipeline(folder), read_all(folder))

    dearest = 6 * 80.0 * 720 / 60
    assert found.dollars == pytest.approx(STAGE + dearest + MERGE + DEPLOYMENT)


def test_what_nobody_can_say_is_named(folder: Path) -> None:
    (folder / "merge.yaml").write_text(definition("merge").text.replace("A10.2", "B200.8", 1))
    found = worst_case(read_pipeline(folder), read_all(folder))
    assert found.unknown == ("a price or a maximum runtime of merge.yaml",)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("spendingLimit: 500", "The spending limit of $500.00 covers that."),
        (
            "spendingLimit: 100",
            "The spending limit is $100.00: a step that could pass it is not submitted.",
        ),
        ("", "There is no spending limit."),
    ],
)
def test_check_says_whether_the_limit_covers_it(
    limit: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = text("pipeline").replace("  spendingLimit: 500\n", f"  {limit}\n" if limit else "")
    (folder / "pipeline.yaml").write_text(pipeline)

    assert cli.main(["check"]) == 0

    printed = " ".join(capsys.readouterr().out.split())
    assert f"At most ${STAGE + FINETUNE + MERGE + DEPLOYMENT:,.2f}: each step once" in printed
    assert said in printed
    assert "finetune.yaml" in printed
