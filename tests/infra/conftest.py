"""Synthesizes tenancies in process."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cdk import App
from infra.stacks import build
from infra.tenancy import load
from tests.infra.synthesis import OCIDS, Stacks


@pytest.fixture
def synthesize(tmp_path: Path) -> Callable[..., Stacks]:
    """``synthesize(text, name="test")``: stack name without the tenancy's → its JSON."""

    def run(text: str = "", name: str = "test", ocids: str = OCIDS) -> Stacks:
        file = tmp_path / f"{name}.yaml"
        file.write_text(ocids + text, encoding="utf-8")
        out = tmp_path / f"{name}-out"
        app = App(outdir=str(out))
        build(app, load(file))
        app.synth()
        return {
            stack.name.removeprefix(f"{name}-"): json.loads((stack / "cdk.tf.json").read_text())
            for stack in sorted((out / "stacks").iterdir())
        }

    return run
