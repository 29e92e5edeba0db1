"""What a step costs, and what that rests on."""

from __future__ import annotations

import re

import pytest

from jobs import cost
from tests.jobs.samples import all_definitions, definition


def test_the_tutorials_case_is_the_one_known_figure() -> None:
    found = cost.estimate(definition("finetune"))
    assert str(found) == "$24.00 an hour, $60.00 in 2.5 h"
    assert found.total == pytest.approx(60)
    assert found.duration is not None
    assert found.duration.source == 'Oracle\'s tutorial, "about 2.5 hours"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 6", "replicas: 5"),
        ("base/llama2-13b/", "base/llama2-7b/"),
        ("--num_epochs 3", "--num_epochs 4"),
        ("--use_peft --peft_method lora", ""),
        ("VM.GPU.A10.2", "VM.GPU.A10.1"),
    ],
)
def test_any_other_case_has_a_price_but_no_duration(old: str, new: str) -> None:
    other = definition("finetune", **{old: new})
    assert cost.estimate(other).total is None
    assert str(cost.estimate(other)).endswith("an hour")


def test_a_shape_without_a_price_says_so() -> None:
    flexible = definition("deployment", **{"VM.GPU.A10.2": "VM.Standard.E3.Flex"})
    assert str(cost.estimate(flexible)) == "1 x VM.Standard.E3.Flex, no list price known"


def test_a_flexible_shape_costs_what_its_parts_do() -> None:
    found = cost.estimate(definition("stage"))
    assert found.per_hour == pytest.approx(4 * 0.025 + 64 * 0.0015)
    assert str(found) == "$0.20 an hour"
    assert cost.per_hour("VM.Standard.E4.Flex", 1) is None


def test_a_catalog_entry_runs_on_nothing() -> None:
    assert str(cost.estimate(definition("model"))) == "no compute"


def test_prices_say_their_source_and_their_day() -> None:
    note = cost.price_note()
    assert "catalog v8" in note
    assert "2026-11-22" in note


def test_a_price_counts_every_replica() -> None:
    assert cost.per_hour("BM.GPU4.8", 2) == pytest.approx(2 * 24.40)


def test_another_case_has_a_forecast_where_all_definitions_are_known() -> None:
    fewer = definition("finetune", **{"replicas: 6": "replicas: 5"})
    found = cost.estimate(fewer, all_definitions())
    assert found.duration is None
    assert found.total is None
    assert found.forecast is not None
    assert found.forecast.low < 2.5 * 6 / 5 < found.forecast.high
    assert re.fullmatch(
        r"\$20\.00 an hour, about \d\.\d h \(\d\.\d to \d\.\d\) by docs/sizing\.md, "
        r"\$\d+ \(\$\d+ to \$\d+\)",
        str(found),
    )


def test_what_was_measured_goes_before_a_forecast() -> None:
    found = cost.estimate(definition("finetune"), all_definitions())
    assert str(found) == "$24.00 an hour, $60.00 in 2.5 h"
    assert found.forecast is None


@pytest.mark.parametrize("name", ["stage", "merge", "deployment", "model"])
def test_only_a_training_has_a_forecast(name: str) -> None:
    assert cost.estimate(definition(name), all_definitions()).forecast is None


def test_of_an_unknown_model_or_shape_there_is_no_forecast() -> None:
    known = all_definitions()
    fewer = definition("finetune", **{"replicas: 6": "replicas: 5"})
    other = definition("stage", **{"meta-llama/Llama-2-13b-hf": "our/own"})
    assert cost.forecast(fewer, {**known, "stage": other}) is None
    old = definition("finetune", **{"VM.GPU.A10.2": "VM.GPU3.2"})
    assert cost.forecast(old, known) is None
    wrong = definition("finetune", **{"--num_epochs 3": "--num_epochs three"})
    assert cost.forecast(wrong, known) is None
