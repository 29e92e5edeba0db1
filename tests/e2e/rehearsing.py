"""A rehearsal that stands, for the tests that ask something of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import oci

from ocimock import ServedCloud
from ocimock.server.announcement import ServerFile
from tests.e2e.conftest import ROOT, WorkingCopy

TENANCY = "--tenancy tenancies/rehearsal.yaml"


class Rehearsal:
    """The working copy of a rehearsal, and its server."""

    def __init__(self, copy: WorkingCopy, command: str = "make rehearse") -> None:
        self.copy = copy
        self.printed = copy.run(command).stdout
        found = ServerFile.read(copy.path / ".demo" / "ocimock")
        assert found is not None
        self.server = found
        self.cloud = ServedCloud(found)

    def client(self, sdk_class: Any) -> Any:
        config = oci.config.from_file(self.server.environment["OCI_CONFIG_FILE"])
        return sdk_class(config, service_endpoint=self.server.url)

    def jobs(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        words, _, rest = command.partition(" ")
        return self.copy.run(
            f".venv/bin/python -m jobs {words} {TENANCY} {rest}",
            environment=self.server.environment,
            check=check,
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.jobs("status --json").stdout)["steps"]
        return found

    def download(self, prefix: str, folder: Path) -> Path:
        """The objects below *prefix* of the bucket, as files."""
        storage = self.client(oci.object_storage.ObjectStorageClient)
        listed = storage.list_objects("ocimock", "rehearsal-models", prefix=prefix).data.objects
        assert listed, prefix
        for each in listed:
            target = folder / each.name.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            got = storage.get_object("ocimock", "rehearsal-models", each.name).data
            target.write_bytes(got.content)
        return folder


def model_folders(rehearsal: Rehearsal, folder: Path) -> dict[str, Path]:
    """Base, adapter and merged model, as the bucket has them."""
    definition = (rehearsal.copy.path / "definitions/rehearsal/merge.yaml").read_text()
    found = {}
    for name in ("base", "outputs", "merged"):
        uri = re.search(rf"src: oci://\S+@ocimock/(\S+)\s+dest: {name}\b", definition)
        uri = uri or re.search(rf"dest: {name}\s+src: oci://\S+@ocimock/(\S+)", definition)
        assert uri is not None, name
        found[name] = rehearsal.download(uri[1].rstrip("/") + "/", folder / name)
    return found


def with_torch(script: str, *arguments: str) -> str:
    python = ROOT / ".tools" / "rehearsal" / "bin" / "python"
    done = subprocess.run(
        [str(python), "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


GREEDY = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
merged, prompt, tokens = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(merged)
model = AutoModelForCausalLM.from_pretrained(merged, dtype="float32")
ids = tokenizer(prompt, return_tensors="pt").input_ids
out = model.generate(ids, max_new_tokens=int(tokens), do_sample=False)
print(tokenizer.decode(out[0][ids.shape[1]:], skip_special_tokens=True), end="")
"""

DIALOGUE = "Ada: Have you seen my charger?\nKira: I left it in my flat.\nAda: I'll go on Friday."
PROMPT = "Summarize this dialog:\n{}\n---\nSummary:\n"


def answer_is_that_of_generate(rehearsal: Rehearsal, folders: dict[str, Path]) -> None:
    body = json.loads(rehearsal.jobs(f"predict --json {shlex.quote(DIALOGUE)}").stdout)
    served = body["choices"][0]["text"]
    wanted = with_torch(GREEDY, str(folders["merged"]), PROMPT.format(DIALOGUE), "80")
    assert served.strip() == wanted.strip()
    assert wanted.strip()


def take_down(copy: WorkingCopy) -> None:
    printed = copy.run("make demo-down").stdout
    assert "nothing stands in the embedded OCI" in printed
    path = copy.path
    assert not list(path.glob("terraform.*"))
    for folder in (".demo", "definitions", ".tunestack"):
        assert not (path / folder).exists()
