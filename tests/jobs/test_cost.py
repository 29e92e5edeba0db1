"""What a step costs, and what that rests on."""

from __future__ import annotations

import pytest

from jobs import cost
from tests.jobs.samples import definition


def test_the_tutorials_case_is_the_one_known_figure() -> None:
    said = cost.estimate(definition("finetune"))
    assert said == (
        "6 x VM.GPU.A10.2 at $4.00 = $24.00 per hour, "
        '2.5 h (Oracle\'s tutorial, "about 2.5 hours") = $60.00'
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 6", "replicas: 5"),
        ("Llama-2-13b-hf", "Llama-2-7b-hf"),
        ("--num_epochs 3", "--num_epochs 4"),
        ("--use_peft --peft_method lora", ""),
        ("VM.GPU.A10.2", "VM.GPU.A10.1"),
    ],
)
def test_any_other_case_has_a_price_but_no_duration(old: str, new: str) -> None:
    other = definition("finetune", **{old: new})
    assert cost.duration(other) is None
    assert cost.estimate(other).endswith("per hour")


def test_a_shape_without_a_price_says_so() -> None:
    flexible = definition("deployment", **{"VM.GPU.A10.2": "VM.Standard.E5.Flex"})
    assert cost.estimate(flexible) == "1 x VM.Standard.E5.Flex, no list price known"


def test_a_catalog_entry_runs_on_nothing() -> None:
    assert cost.estimate(definition("model")) == "no compute"


def test_prices_say_their_source_and_their_day() -> None:
    note = cost.price_note()
    assert "catalog v8" in note
    assert "2026-11-22" in note


def test_hours_count_for_every_replica() -> None:
    price = cost.rate("BM.GPU4.8", 2)
    assert price is not None
    assert price.for_hours(3) == pytest.approx(2 * 3 * 24.40)
