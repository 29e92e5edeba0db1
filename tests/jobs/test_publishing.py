"""The definitions in the bucket are whole at every moment."""

from __future__ import annotations

from typing import cast

from jobs.bucket_folder import BucketFolder, Stored
from jobs.publishing import publish


class Folder:
    """A folder of the bucket, and what was done to it in which order."""

    def __init__(self, **texts: str) -> None:
        self.texts = {f"definitions/{name}.yaml": text for name, text in texts.items()}
        self.done: list[str] = []

    def names(self, below: str) -> dict[str, str]:
        return {name: "etag" for name in self.texts if name.startswith(below)}

    def read(self, name: str) -> Stored | None:
        return Stored(name, self.texts[name], "etag", "")

    def write(self, name: str, text: str, replacing: Stored | None) -> None:
        assert (replacing is not None) == (name in self.texts)
        self.texts[name] = text
        self.done.append(f"wrote {name}")

    def delete(self, name: str) -> None:
        del self.texts[name]
        self.done.append(f"deleted {name}")


def test_the_pipeline_names_only_what_is_there_at_every_moment() -> None:
    folder = Folder(**{"pipeline": "old", "finetune": "same", "merge.fallback-1": "old"})
    texts = {"pipeline.yaml": "new", "finetune.yaml": "same", "finetune.fallback-1.yaml": "new"}
    publish(cast(BucketFolder, folder), texts)
    assert folder.done == [
        "wrote definitions/finetune.fallback-1.yaml",
        "wrote definitions/pipeline.yaml",
        "deleted definitions/merge.fallback-1.yaml",
    ]
    assert folder.texts == {f"definitions/{name}": text for name, text in texts.items()}
