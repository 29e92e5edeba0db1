"""Draw docs/images/sizing-memory.svg: ``python -m tools.sizing_plot``.

What one GPU holds while Llama 2 7b and 13b are trained, by GPUs of a node and number of nodes,
beside what the GPUs of OCI's shapes have. The numbers are sizing's; they stand in
docs/images/sizing-memory.json too, and the drawing carries their digest, so that a test sees when
either is stale.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from sizing import models
from sizing.memory import training_memory
from sizing.shapes import GIB, listed
from sizing.training import Method, Recipe, Training

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
DATA, DRAWING = FOLDER / "sizing-memory.json", FOLDER / "sizing-memory.svg"

NODES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)
# A shape for each number of GPUs a node, and the GPUs whose memory is drawn as a line.
SHAPES = ("VM.GPU.A10.1", "VM.GPU.A10.2", "BM.GPU.A10.4", "BM.GPU4.8")
LIMITS = {
    "A10, 24 GB": "VM.GPU.A10.2",
    "A100, 40 GB": "BM.GPU4.8",
    "A100, 80 GB": "BM.GPU.A100-v2.8",
}

_7B, _13B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-13b-hf"
_RECIPES: tuple[Recipe, ...] = ("sft", "llama-recipes")
_CASES: tuple[tuple[Method, str], ...] = (("full", _7B), ("lora", _13B))
# Okabe and Ito's colours: told apart by every kind of sight, and in grey by their markers.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_MARKERS = ("o", "s", "^", "D")
_STYLES = ("-.", "--", ":")


def numbers() -> dict[str, Any]:
    """All that is drawn, in GiB: of each panel a line for each number of GPUs a node."""
    shapes = listed()
    limits = {name: round(shapes[shape].gpu_memory / GIB, 1) for name, shape in LIMITS.items()}
    panels = [
        _panel(_training(recipe, method), model) for recipe in _RECIPES for method, model in _CASES
    ]
    return {"limits_gib": limits, "panels": panels}


def digest(found: dict[str, Any]) -> str:
    """A fingerprint of the numbers."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _training(recipe: Recipe, method: Method) -> Training:
    """The tutorial's two cases: one row a GPU with all parameters, four with LoRA."""
    batch = 1 if method == "full" else 4
    if recipe == "sft":
        return Training(method=method, recipe=recipe, batch_size=batch)
    return Training(
        method=method, recipe=recipe, batch_size=batch, lora_targets=("q_proj", "v_proj")
    )


def _panel(training: Training, name: str) -> dict[str, Any]:
    model, shapes = models.known()[name], listed()
    what = "every parameter" if training.method == "full" else "LoRA"
    lines = []
    for shape in SHAPES:
        gpus = shapes[shape].gpus
        totals = [training_memory(model, training, gpus * nodes).total for nodes in NODES]
        lines.append(
            {
                "shape": shape,
                "gpus_per_node": gpus,
                "expected": [round(total.expected / GIB, 1) for total in totals],
                "high": [round(total.high / GIB, 1) for total in totals],
            }
        )
    size = name.rpartition("-2-")[2].removesuffix("-hf")
    rows = f"{training.batch_size} x {training.max_length:,} tokens a GPU"
    return {
        "title": f"Llama 2 {size}, {what}, {training.recipe}, {rows}",
        "nodes": list(NODES),
        "lines": lines,
    }


def draw(found: dict[str, Any], place: Path) -> None:
    """The drawing, the same bytes from the same numbers."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    with mpl.rc_context({"svg.hashsalt": "sizing", "svg.fonttype": "none", "font.size": 9}):
        figure, grid = pyplot.subplots(2, 2, figsize=(10, 7.6), sharex=True, sharey=True)
        for axes, panel in zip(grid.flat, found["panels"], strict=True):
            _draw_panel(axes, panel, found["limits_gib"])
        for axes in grid[-1]:
            axes.set_xlabel("nodes")
        for axes in grid[:, 0]:
            axes.set_ylabel("GiB of a GPU")
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        # No date: it would be another file each time.
        about = {"Date": None, "Creator": "tools/sizing_plot.py", "Description": digest(found)}
        figure.savefig(place, format="svg", metadata=about)
        pyplot.close(figure)


def _draw_panel(axes: Any, panel: dict[str, Any], limits: dict[str, float]) -> None:
    for line, colour, marker in zip(panel["lines"], _COLOURS, _MARKERS, strict=True):
        label = f"{line['gpus_per_node']} a node ({line['shape']})"
        axes.plot(
            panel["nodes"], line["expected"], color=colour, marker=marker, markersize=4, label=label
        )
        axes.fill_between(
            panel["nodes"], line["expected"], line["high"], color=colour, alpha=0.12, linewidth=0
        )
    for (name, limit), style in zip(limits.items(), _STYLES, strict=True):
        axes.axhline(limit, color="#333333", linestyle=style, linewidth=1, label=name)
    axes.set_title(panel["title"], fontsize=9)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(panel["nodes"], [str(nodes) for nodes in panel["nodes"]])
    axes.minorticks_off()
    ticks = (8, 16, 32, 64, 128)
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.grid(color="#dddddd", linewidth=0.5)


def main() -> int:
    found = numbers()
    FOLDER.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(found, DRAWING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
