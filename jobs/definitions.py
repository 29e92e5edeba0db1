"""The emitted definitions: find them, read them, and check that ADS would do what they say."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from . import ocid
from .checks import PIPELINE, check
from .errors import DefinitionError
from .pipeline import Pipeline, pipeline_of

# Which kind of ADS object each emitted file describes: finetune.yaml, and finetune.fallback-1.yaml.
KINDS = {
    "stage": "job",
    "finetune": "job",
    "merge": "job",
    "model": "datascienceModel",
    "deployment": "deployment",
}
PIPELINE_FILE = "pipeline.yaml"
FILES = (PIPELINE_FILE, *(f"{name}.yaml" for name in KINDS))
"""What every emission has; fallback definitions stand beside them."""

_FALLBACK = re.compile(rf"({'|'.join(KINDS)})\.fallback-([1-9]\d*)\.yaml")


@dataclass(frozen=True)
class Definition:
    """One emitted file, found in order; *name* is the file's without ``.yaml``."""

    name: str
    path: Path
    text: str

    @property
    def kind(self) -> str:
        """Of ADS's objects, the one that it describes."""
        return KINDS[self.name.partition(".")[0]]

    @cached_property
    def content(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load(self.text)
        return loaded

    @property
    def digest(self) -> str:
        """A fingerprint of what it says: another digest is another definition."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """What the console will call it."""
        spec = self.content["spec"]
        return str(spec.get("name") or spec.get("displayName"))

    @property
    def infrastructure(self) -> Mapping[str, Any]:
        """What it runs on; a catalog entry says it in its own spec."""
        spec: Mapping[str, Any] = self.content["spec"]
        inner = spec.get("infrastructure")
        return inner["spec"] if inner else spec

    @property
    def runtime(self) -> Mapping[str, Any]:
        spec = self.content["spec"].get("runtime", {}).get("spec", {})
        return dict(spec)

    @property
    def shape(self) -> str:
        return str(self.infrastructure.get("shapeName", ""))

    @property
    def replicas(self) -> int:
        """Nodes of a job, or instances of a deployment."""
        return int(self.runtime.get("replicas") or self.infrastructure.get("replica") or 1)

    @property
    def machine(self) -> dict[str, Any]:
        """What it runs on, as the fields of an entry: a flexible shape has a size of its own."""
        size = self.infrastructure.get("shapeConfigDetails") or {}
        return {
            "shape": self.shape,
            "replicas": self.replicas,
            "ocpus": float(size.get("ocpus") or 0),
            "memory_gb": float(size.get("memoryInGBs") or 0),
        }

    def mount(self, dest: str) -> str | None:
        """The folder of the bucket, as an ``oci://`` URI, that a job sees at ``/mnt/<dest>``."""
        for mount in self.infrastructure.get("storageMount", ()):
            if mount["dest"] == dest:
                return str(mount["src"])
        return None

    @property
    def region(self) -> str:
        """Where its project is, as the OCID says; '' if it does not."""
        return ocid.region(str(self.infrastructure["projectId"]))

    @property
    def env(self) -> dict[str, str]:
        """The environment, whichever of ADS's two forms it is written in."""
        env = self.runtime.get("env") or {}
        if isinstance(env, dict):
            return {str(name): str(value) for name, value in env.items()}
        return {str(item["name"]): str(item["value"]) for item in env}

    def argument(self, flag: str) -> str | None:
        """What follows *flag* in the command, as in ``--model_name NAME``; None without it.

        ``$NAME`` is looked up in the definition's own environment, as the run's shell will do.
        """
        words = shlex.split(str(self.runtime.get("command", "")))
        for number, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name != flag:
                continue
            if not equals:
                value = words[number + 1] if number + 1 < len(words) else ""
            return self.env.get(value[1:], value) if value.startswith("$") else value
        return None


def read_all(folder: Path) -> dict[str, Definition]:
    """All definitions in *folder* by name, checked: the steps' own, then their fallbacks.

    Raises:
        DefinitionError: one is missing, or holds what ADS would drop or misread; all of it at once.
    """
    _need_all(folder)
    names = [*KINDS, *(Path(name).stem for name in fallbacks(_files(folder)))]
    found = [Definition(name, (path := folder / f"{name}.yaml"), _text(path)) for name in names]
    verify(found)
    return {definition.name: definition for definition in found}


def read_pipeline(folder: Path) -> Pipeline:
    """What *folder*'s ``pipeline.yaml`` says, checked against the files beside it.

    Raises:
        DefinitionError: a file is missing, or the pipeline is not in order; all of it at once.
    """
    _need_all(folder)
    path = folder / PIPELINE_FILE
    text = _text(path)
    verify_pipeline(path, text, _files(folder))
    return pipeline_of(yaml.safe_load(text))


def texts_in(folder: Path) -> dict[str, str]:
    """File name → text of all that was emitted to *folder*; what else lies there is not ours.

    Raises:
        DefinitionError: one is missing.
    """
    _need_all(folder)
    return {name: _text(folder / name) for name in (*FILES, *fallbacks(_files(folder)))}


def fallbacks(files: Iterable[str]) -> list[str]:
    """Those of *files* that are fallback definitions, in the order in which they are tried."""
    found = [match for name in files if (match := _FALLBACK.fullmatch(name))]
    order = list(KINDS)
    found.sort(key=lambda match: (order.index(match[1]), int(match[2])))
    return [match[0] for match in found]


def verify(definitions: Iterable[Definition]) -> None:
    """Raises :class:`DefinitionError` that lists every problem of every definition."""
    _refuse(
        problem.at(definition.path)
        for definition in definitions
        for problem in check(definition.text, definition.kind)
    )


def verify_pipeline(path: Path, text: str, files: Collection[str]) -> None:
    """Raises :class:`DefinitionError` that lists every problem of a pipeline beside *files*."""
    _refuse(problem.at(path) for problem in check(text, PIPELINE, files))


def bucket_path(uri: str) -> tuple[str, str, str]:
    """Namespace, bucket and prefix of ``oci://BUCKET@NAMESPACE/PREFIX``."""
    match = re.fullmatch(r"oci://([^@/]+)@([^/]+)/?(.*)", uri)
    if match is None:
        raise DefinitionError(f"'{uri}' is no place in a bucket.", "It is oci://BUCKET@NAMESPACE/…")
    bucket, namespace, prefix = match.groups()
    return namespace, bucket, prefix


def _refuse(problems: Iterable[str]) -> None:
    if told := list(problems):
        raise DefinitionError("\n".join(told), "Nothing was submitted.")


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.yaml")}


def _need_all(folder: Path) -> None:
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise DefinitionError(
            f"{folder} has no {', '.join(missing)}.",
            "Run 'python -m jobs emit' after the deploy.",
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"{path} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}.",
            "Run 'python -m jobs emit' to write it anew.",
        ) from None
