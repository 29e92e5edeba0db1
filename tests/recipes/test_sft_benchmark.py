"""The training benchmark runs, on a tiny model and without a GPU; its figures are not looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Stands for the peer's examples/finetuning.py: a loop over a Llama, by the clock's own rules.
_SCRIPT = """
import sys, torch
from transformers import LlamaForCausalLM
name = sys.argv[sys.argv.index("--model_name") + 1]
model = LlamaForCausalLM.from_pretrained(name, dtype=torch.float32).train()
optimizer = torch.optim.AdamW(model.parameters())
while True:
    tokens = torch.ones(2, 8, dtype=torch.long)
    model(input_ids=tokens, labels=tokens).loss.backward()
    optimizer.step()
"""


def test_both_sides_are_measured(tmp_path: Path) -> None:
    script = tmp_path / "llama" / "examples" / "finetuning.py"
    script.parent.mkdir(parents=True)
    script.write_text(_SCRIPT)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.training_speed", "--shape", "tiny"),
            *("--llama-recipes", str(tmp_path / "llama"), "--folder", str(tmp_path)),
            *("--rounds", "1", "--warm-up", "1", "--steps", "2"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {line[:32].strip(): line[32:].split() for line in done.stdout.splitlines()}
    assert float(rows["llama-recipes"][0].replace(",", "")) > 0
    assert rows["llama-recipes"][1] == "1.00"
    assert float(rows["recipes.sft"][1]) > 0
    assert "target, 1.3 times the peer's tokens a second: " in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama"]
