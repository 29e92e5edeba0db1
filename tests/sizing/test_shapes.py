"""The table of shapes: whole, sourced, and with one's own prices where there are some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sizing import shapes
from sizing.shapes import GIB, PricesError, Shape, gpu_shapes, listed

LISTED = list(listed().values())
GPUS = [shape for shape in LISTED if shape.gpus]


@pytest.fixture(autouse=True)
def own_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one's own prices would be; there are none."""
    path = tmp_path / "prices.yaml"
    monkeypatch.setattr(shapes, "PRICES", path)
    return path


@pytest.mark.parametrize("shape", LISTED, ids=lambda shape: shape.name)
def test_every_row_says_where_it_is_from(shape: Shape) -> None:
    assert shape.facts
    assert shape.part, "its part number in Oracle's price list"
    priced = shape.price_per_hour is not None or shape.price_per_ocpu_hour is not None
    assert priced == bool(shape.source) == bool(shape.date)


@pytest.mark.parametrize("shape", GPUS, ids=lambda shape: shape.name)
def test_a_gpu_shape_has_all_that_a_plan_asks_for(shape: Shape) -> None:
    assert shape.gpu
    assert shape.gpu_bandwidth_gbs > 0
    assert 0 < shape.ethernet_gbps <= shape.network_gbps
    assert shape.rdma == (shape.network_gbps > shape.ethernet_gbps)
    assert (shape.link == "none") == (shape.gpus == 1)
    assert shape.price_per_hour
    assert shape.name.endswith(f".{shape.gpus}")


@pytest.mark.parametrize("shape", GPUS, ids=lambda shape: shape.name)
def test_less_memory_than_the_makers_name_for_it_can_be_given_out(shape: Shape) -> None:
    assert 0.85 * shape.gpu_memory_gb < shape.gpu_memory / GIB < shape.gpu_memory_gb
    assert shape.gpu_memory < shape.gpu_capacity


def test_gpus_of_one_kind_cost_the_same_in_every_shape() -> None:
    per_gpu: dict[str, set[float]] = {}
    for shape in GPUS:
        per_gpu.setdefault(shape.part, set()).add((shape.price_per_hour or 0) / shape.gpus)
    assert {part for part, prices in per_gpu.items() if len(prices) > 1} == set()


def test_an_a10_has_24_gb_of_which_22_gib_are_left() -> None:
    a10 = gpu_shapes()["VM.GPU.A10.2"]
    assert (a10.gpus, a10.gpu, a10.gpu_memory_gb, a10.network_gbps) == (2, "A10", 24, 48)
    assert not a10.rdma
    assert a10.gpu_memory / GIB == pytest.approx(21.6, abs=0.1)


def test_old_gpus_have_no_bf16() -> None:
    assert {shape.gpu for shape in GPUS if not shape.bf16} == {"P100", "V100"}


def test_a_capacity_that_nobody_reported_is_taken_low() -> None:
    shape = Shape("BM.GPU.NEW.8", gpus=8, gpu_memory_gb=100)
    assert shape.gpu_capacity == pytest.approx(95e9)


def test_a_flexible_shape_costs_by_its_parts() -> None:
    flexible = listed()["VM.Standard.E4.Flex"]
    assert flexible.dollars_per_hour(4, 64) == pytest.approx(4 * 0.025 + 64 * 0.0015)
    assert flexible.dollars_per_hour() is None
    assert listed()["VM.Standard.E3.Flex"].dollars_per_hour(4, 64) is None


def test_ones_own_prices_go_first(own_prices: Path) -> None:
    own_prices.write_text(
        "source: our contract\ndate: 2026-11-01\n"
        "shapes:\n  VM.GPU.A10.2: {price_per_hour: 3.1}\n  VM.GONE.1: {price_per_hour: 1}\n",
        encoding="utf-8",
    )
    found = shapes.shapes()
    own = found["VM.GPU.A10.2"]
    assert (own.price_per_hour, own.source, own.date) == (3.1, "our contract", "2026-11-01")
    assert own.gpus == 2
    assert found["VM.GPU.A10.1"] == listed()["VM.GPU.A10.1"]
    assert list(found) == list(listed())


def test_ones_own_prices_are_read_anew_once_they_change(own_prices: Path) -> None:
    text = "source: ours\ndate: 2026-11-01\nshapes: {VM.GPU.A10.2: {price_per_hour: %s}}\n"
    for number, price in enumerate((3.1, 2.9)):
        own_prices.write_text(text % price, encoding="utf-8")
        os.utime(own_prices, (number, number))
        assert shapes.shapes()["VM.GPU.A10.2"].price_per_hour == price
    own_prices.unlink()
    assert shapes.shapes()["VM.GPU.A10.2"].price_per_hour == 4.0


@pytest.mark.parametrize("text", ["[", "a list: 1", "- 1", "source: s\ndate: d\nshapes: {V: 1}"])
def test_a_file_of_prices_that_is_none_is_refused_with_what_to_do(
    own_prices: Path, text: str
) -> None:
    own_prices.write_text(text.replace("{V:", "{VM.GPU.A10.2:"), encoding="utf-8")
    with pytest.raises(PricesError, match="Delete it, and 'python -m jobs prices update'"):
        shapes.shapes()
