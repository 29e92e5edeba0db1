"""Jobs and models: an artifact from a local file goes up after the create."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ocimock.terraform import times
from ocimock.terraform.driver import Change, Driver, State
from ocimock.terraform.drivers import SwitchableDriver
from ocimock.terraform.exceptions import ConversionError


class ArtifactDriver(Driver):
    """What jobs and models have in common. `attribute` names the local file."""

    attribute: str
    #: Computed: whether the resource has no artifact.
    empty: str

    def create(self, change: Change) -> State:
        artifact = self.artifact(change.planned)
        state = super().create(change)
        if artifact is not None:
            disposition = change.planned["artifact_content_disposition"] or (
                f"attachment; filename={artifact.name}"
            )
            with artifact.open("rb") as content:
                self.call(
                    f"create_{self.resource.noun}_artifact",
                    state,
                    state["id"],
                    content,
                    content_disposition=disposition,
                )
        return state

    def artifact(self, planned: State) -> Path | None:
        """The local file to send; ConversionError if it is not there."""
        name = planned[self.attribute]
        if not name:
            return None
        path = Path(str(name)).expanduser()
        if not path.is_file():
            raise ConversionError(f"{self.attribute}: there is no file {path}", self.attribute)
        return path

    def state(self, model: Any, carry: State) -> State:
        state = super().state(model, carry)
        head = self.calls.or_none(
            lambda: self.call(f"head_{self.resource.noun}_artifact", state, model.id)
        )
        state[self.empty] = head is None
        state["artifact_content_md5"] = None
        state["artifact_last_modified"] = None
        if head is None:
            return state
        state["artifact_content_md5"] = head.headers.get("content-md5")
        modified = head.headers.get("last-modified")
        state["artifact_last_modified"] = times.from_http(modified) if modified else None
        for name in ("artifact_content_length", "artifact_content_disposition"):
            header = head.headers.get(name.removeprefix("artifact_").replace("_", "-"))
            if state[name] is None and self.block.attributes[name].computed:
                state[name] = header
        return state


class JobDriver(ArtifactDriver):
    attribute = "job_artifact"
    empty = "empty_artifact"

    def delete_call(self, state: State) -> Any:
        response = self.call(
            "delete_job",
            state,
            state["id"],
            delete_related_job_runs=bool(state.get("delete_related_job_runs")),
        )
        self.calls.finish(self.resource.service, response, self.resource.noun)
        return response


class ModelDriver(ArtifactDriver, SwitchableDriver):
    attribute = "model_artifact"
    empty = "empty_model"
