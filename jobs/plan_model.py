"""Which model is planned for: a known one, a ``config.json`` here, or one in a bucket."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from sizing import models
from sizing.models import Model, ModelConfigError

from .plan_tenancy import PlanError

PRESETS = {"7b": "meta-llama/Llama-2-7b-hf", "13b": "meta-llama/Llama-2-13b-hf"}
"""The tenancy file's names of the tutorial's two."""

_BUCKET = "oci://"


def is_config(name: str) -> bool:
    """Whether *name* is a place of a ``config.json`` rather than a model's id."""
    return name.startswith(_BUCKET) or name.endswith(".json") or Path(name).is_dir()


def model_of(name: str) -> Model:
    """The model: a Hugging Face id, a folder with a ``config.json``, that file, or one in a bucket,
    which is the only one that asks OCI.

    Raises:
        PlanError: nothing is known of it, or its configuration can't be sized.
    """
    try:
        if name.startswith(_BUCKET):
            return models.read_config(_from_bucket(name), name)
        if is_config(name):
            return models.read_config_file(Path(name))
    except ModelConfigError as error:
        raise PlanError(f"{error}.", "Name its folder, its config.json or its id.") from None
    found = models.find(PRESETS.get(name, name))
    if found is None:
        raise PlanError(f"Nothing is known of the model {name}.", _advice(name))
    return found


def _advice(name: str) -> str:
    near = get_close_matches(name, list(models.known()), n=2, cutoff=0.75)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"{hint}Any other model's config.json does: --model FOLDER, or, once it is staged, "
        "--model oci://BUCKET@NAMESPACE/base/…/config.json."
    )


def _from_bucket(uri: str) -> str:
    from .auth import sign_in, storage
    from .definitions import bucket_path
    from .errors import attempting

    namespace, bucket, name = bucket_path(uri)
    if not name.endswith(".json"):
        name = f"{name.rstrip('/')}/config.json".lstrip("/")
    sign_in()
    with attempting(f"read {uri}"):
        content: bytes = storage().get_object(namespace, bucket, name).data.content
    return content.decode("utf-8", errors="replace")
