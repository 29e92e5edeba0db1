"""The smoke test: does the merged model still speak?"""

from __future__ import annotations

from pathlib import Path

DIALOGUE = """Amanda: I baked cookies. Do you want some?
Jerry: Sure!
Amanda: I'll bring you some tomorrow."""
PROMPT = "Summarize this dialog:\n{dialog}\n---\nSummary:\n"
_NEW_TOKENS = 60


def summarize(folder: Path, dialogue: str = DIALOGUE) -> str:
    """The model's summary of a dialogue, in the words that the training used to ask for it.

    On the GPUs, if there are any; the whole model is in memory once, in its own type.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    placed = {"device_map": "auto"} if torch.cuda.is_available() else {}
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", low_cpu_mem_usage=True, **placed
    ).eval()
    inputs = tokenizer(PROMPT.format(dialog=dialogue), return_tensors="pt").to(model.device)
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        tokens = model.generate(**inputs, max_new_tokens=_NEW_TOKENS, do_sample=False)
    answer = tokens[0][inputs["input_ids"].shape[1] :]
    return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()
