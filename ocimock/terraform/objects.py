"""Object Storage: buckets, and objects, which have no model in the SDK but headers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ocimock.terraform.driver import Change, Driver, State
from ocimock.terraform.exceptions import ConversionError, UnsupportedError

#: Computed parts of a bucket that the service tells only when asked.
_BUCKET_FIELDS = ["approximateCount", "approximateSize", "autoTiering"]
#: Attribute -> response header, where the header is not the attribute with dashes.
_HEADERS = {"opc_sse_kms_key_id": "opc-sse-kms-key-id"}
_FROM_HEADERS = (
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_length",
    "content_md5",
    "content_type",
    "opc_sse_kms_key_id",
    "storage_tier",
    "version_id",
)
_METADATA_PREFIX = "opc-meta-"
_SENT = (
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_md5",
    "content_type",
    "opc_sse_kms_key_id",
    "storage_tier",
)


class BucketDriver(Driver):
    def fetch(self, state: State) -> Any:
        return self.call("get_bucket", state, *self.path(state), fields=_BUCKET_FIELDS).data

    def state(self, model: Any, carry: State) -> State:
        state = super().state(model, carry)
        state["bucket_id"] = model.id
        return state


class ObjectDriver(Driver):
    """The state holds the MD5 of `content`, so the content itself comes from the configuration."""

    def create(self, change: Change) -> State:
        planned = change.planned
        if planned["source_uri_details"]:
            raise UnsupportedError(
                "source_uri_details: the stand-in copies no objects. Use content or source.",
                "source_uri_details",
            )
        headers = {name: planned[name] for name in _SENT if planned[name] is not None}
        # What the service takes an object for that comes without a type. The SDK says JSON.
        headers.setdefault("content_type", "application/octet-stream")
        if planned["metadata"]:
            headers["opc_meta"] = dict(planned["metadata"])
        self.call("put_object", planned, *self.path(planned), self._body(change.config), **headers)
        state = {**planned, "id": self.identity(planned), "state": "COMPLETED"}
        return {**state, "work_request_id": None}

    def settle(self, state: State, change: Change) -> State:  # noqa: ARG002 - an object is never pending
        return self._refreshed(state)

    def read(self, state: State) -> State | None:
        return self.calls.or_none(lambda: self._refreshed(state))

    def update(self, change: Change) -> State:
        prior, planned = change.prior, change.planned
        if planned["object"] != prior["object"]:
            details = self.resource.models.cls("RenameObjectDetails")(
                source_name=prior["object"], new_name=planned["object"]
            )
            self.call("rename_object", prior, prior["namespace"], prior["bucket"], details)
        return {**planned, "id": self.identity(planned)}

    def delete(self, state: State) -> None:
        if not state.get("delete_all_object_versions"):
            self.calls.or_none(lambda: self.call("delete_object", state, *self.path(state)))
            return
        namespace, bucket, name = self.path(state)
        page = None
        while True:
            more = {"prefix": name} if page is None else {"prefix": name, "page": page}
            answer = self.call("list_object_versions", state, namespace, bucket, **more)
            for version in answer.data.items:
                if version.name == name:
                    self.call(
                        "delete_object", state, *self.path(state), version_id=version.version_id
                    )
            page = answer.headers.get("opc-next-page")
            if page is None:
                return

    def _body(self, config: State) -> bytes:
        if config.get("source"):
            path = Path(str(config["source"])).expanduser()
            if not path.is_file():
                raise ConversionError(f"source: there is no file {path}", "source")
            return path.read_bytes()
        return str(config.get("content") or "").encode()

    def _refreshed(self, state: State) -> State:
        """The state from the object's headers, and from its body where the state tracks it."""
        new = dict(state)
        if state.get("content"):
            answer = self.call("get_object", state, *self.path(state))
            digest = hashlib.md5(answer.data.content, usedforsecurity=False)
            new["content"] = digest.hexdigest()
        else:
            answer = self.call("head_object", state, *self.path(state))
        for name in _FROM_HEADERS:
            header = _HEADERS.get(name, name.replace("_", "-"))
            new[name] = answer.headers.get(header)
        new["metadata"] = _metadata(answer.headers) or None
        return new


def _metadata(headers: Any) -> dict[str, str]:
    return {
        name.lower().removeprefix(_METADATA_PREFIX): value
        for name, value in headers.items()
        if name.lower().startswith(_METADATA_PREFIX)
    }
