"""What the staging fetches from the hub, and the token that it shows there."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from ...definitions import Definition, bucket_path
from ...errors import JobsError, RefusedError
from ...recipes.stage.manifest import NAME, Manifest, ManifestError
from ...recipes.stage.selection import INDEX, WHOLE
from ..check import Finding, failed, passed, warned
from ..hub_asking import HUB, Hub, NoHubError, RefusedByHubError, Repository
from ..subject import Subject

_SET = "python -m jobs secret set hf-token"
_NOT_SHOWN = (401, 403, 404)
_GOING = ("PENDING_DELETION", "SCHEDULING_DELETION", "DELETING", "DELETED")
_CANCEL = "oci vault secret cancel-secret-deletion --secret-id"
# What the staging reads of a data set. Source: jobs/recipes/stage/dataset.py.
_DATA_FILES = (".csv", ".json", ".jsonl", ".parquet", ".arrow")


@dataclass(frozen=True)
class _Wanted:
    """A repository that the staging is told to fetch, and the folder of the bucket it goes to."""

    kind: str
    name: str
    revision: str
    to: str


class Token:
    """Whether the secret that the staging names is there, and has a value."""

    name = "token"
    question = "Is the hub's token in the Vault?"
    offline = False
    after = ("compartment",)
    steps = ("stage",)

    def look(self, subject: Subject) -> Finding:
        secret, vault = _secret(_stage(subject))
        if not secret and not vault:
            return passed("The staging asks the hub without a token ('hub: token: false').")
        if not secret or not vault:
            lacking = "HF_TOKEN_VAULT_ID" if secret else "HF_TOKEN_SECRET_NAME"
            return failed(
                f"stage.yaml has no {lacking}, so the staging can't find the token.",
                "Deploy the stacks, then 'python -m jobs emit'.",
            )
        try:
            token = _token(subject)
        except RefusedError as error:
            if error.status not in _NOT_SHOWN:
                raise
            return _why_not(subject, secret, vault, error)
        if not token or len(token.split()) != 1:
            return failed(
                f"The secret '{secret}' holds {'no token' if not token else 'more than a token'}.",
                f"Store the token as a new version: '{_SET}'.",
            )
        return passed(f"The secret '{secret}' has a current version.")


class HubAccess:
    """Whether the hub has model and data set, and gives them to the token's account."""

    name = "hub"
    question = "Does the hub give the model and the data set?"
    offline = False
    after = ("token",)
    steps = ("stage",)

    def look(self, subject: Subject) -> list[Finding]:
        stage = _stage(subject)
        missing = [each for each in _wanted(stage) if not _is_staged(subject, each)]
        if not missing:
            return [passed("Model and data set lie in the bucket already.")]
        endpoint = stage.env.get("HF_ENDPOINT") or HUB
        token, found = None, list[Finding]()
        if any(_secret(stage)):
            try:
                token = _token(subject)
            except JobsError as error:
                found.append(
                    warned(
                        "The hub was asked without the token, which can't be read from here: what "
                        f"is gated could not be looked at. {error.what.partition(chr(10))[0]}",
                        "Look as one who may 'read secret-bundles' in the compartment.",
                    )
                )
        hub = Hub(endpoint, token)
        blind = bool(found)
        return [*(_asked(hub, each, blind) for each in missing), *found]


def _stage(subject: Subject) -> Definition:
    return subject.of_step("stage")[0]


def _secret(stage: Definition) -> tuple[str, str]:
    """The secret's name and its vault, as the staging is told."""
    return stage.env.get("HF_TOKEN_SECRET_NAME", ""), stage.env.get("HF_TOKEN_VAULT_ID", "")


def _wanted(stage: Definition) -> Iterator[_Wanted]:
    for kind in ("model", "dataset"):
        if name := stage.argument(f"--{kind}"):
            revision = stage.argument(f"--{kind}-revision") or "main"
            yield _Wanted(kind, name, revision, stage.argument(f"--{kind}-to") or "")


def _token(subject: Subject) -> str:
    """The token itself: in memory, and nowhere else.

    Raises RefusedError and UnreachableError.
    """
    from oci.secrets import SecretsClient

    name, vault = _secret(_stage(subject))
    bundle = subject.get(
        f"read the secret '{name}'",
        subject.client(SecretsClient).get_secret_bundle_by_name,
        name,
        vault,
    )
    try:
        return base64.b64decode(bundle.secret_bundle_content.content).decode("utf-8").strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _why_not(subject: Subject, name: str, vault: str, refusal: RefusedError) -> Finding:
    """OCI says the same for 'not there' and 'not allowed': the list of secrets tells which."""
    from oci.vault import VaultsClient

    listed = subject.get(
        "list the vault's secrets",
        subject.client(VaultsClient).list_secrets,
        subject.pipeline.compartment_id,
        name=name,
        vault_id=vault,
    )
    live = [each for each in listed if each.lifecycle_state not in _GOING]
    if live:
        return warned(
            f"The secret '{name}' is {live[0].lifecycle_state}; whether it holds a token could not "
            f"be looked at. {refusal.what.partition(chr(10))[0]}",
            "Look as one who may 'read secret-bundles' in the compartment, or store the token "
            f"anew: '{_SET}'.",
        )
    going = [each for each in listed if each.lifecycle_state == _GOING[0]]
    if going:
        return failed(
            f"The secret '{name}' is {_GOING[0]}: nobody can read it.",
            f"Cancel its deletion: '{_CANCEL} {going[0].id}'.",
        )
    return failed(f"The vault has no secret '{name}'.", f"Store the token: '{_SET}'.")


def _is_staged(subject: Subject, wanted: _Wanted) -> bool:
    """Whether the bucket has it, whole and of the commit or branch that is asked for.

    A branch may have moved on since: the staging would fetch what is new, from the same place.
    """
    manifest = _manifest(subject, wanted.to)
    if manifest is None:
        return False
    return manifest.repo == wanted.name and wanted.revision in (manifest.revision, manifest.commit)


def _manifest(subject: Subject, folder: str) -> Manifest | None:
    from oci.object_storage import ObjectStorageClient

    try:
        namespace, bucket, prefix = bucket_path(folder)
        name = f"{prefix.rstrip('/')}/{NAME}"
        client = subject.client(ObjectStorageClient)
        found = subject.get(f"read {name}", client.get_object, namespace, bucket, name)
        return Manifest.from_json(bytes(found.content), folder)
    except (JobsError, ManifestError):
        return None  # there is none yet; what is wrong with the bucket itself, others tell


def _asked(hub: Hub, wanted: _Wanted, blind: bool) -> Finding:
    try:
        found = hub.repository(wanted.kind, wanted.name, wanted.revision)
        if lacking := _lacking(found):
            return lacking
        hub.need_file(found, _sample(found))
    except RefusedByHubError as error:
        said = f"The hub does not give it: {error}."
        told = warned if blind and error.personal else failed
        return told(said, error.remedy)
    except NoHubError as error:
        return warned(
            f"{wanted.name} could not be looked for: {error}.",
            "Look from a machine that reaches the hub; the jobs' subnet may reach it all the same.",
        )
    return passed(f"{wanted.name} at {found.commit[:12]} can be fetched.")


def _sample(found: Repository) -> str:
    """A file by which one sees whether the repository is open: small, and always there."""
    if found.kind == "model":
        return "config.json"
    return next(name for name in found.files if name.endswith(_DATA_FILES))


def _lacking(found: Repository) -> Finding | None:
    """What the staging would refuse of its files."""
    if found.kind == "dataset":
        if any(name.endswith(_DATA_FILES) for name in found.files):
            return None
        return failed(
            f"The data set {found.name} has no {', '.join(_DATA_FILES)} files: a loading script or "
            "an archive can't be staged.",
            "Choose another 'dataset' in the tenancy file.",
        )
    if "config.json" not in found.files:
        return failed(
            f"{found.name} has no config.json: it is no model of transformers'.",
            "Choose another 'model' in the tenancy file: those of Llama's end in -hf.",
        )
    if not {INDEX, WHOLE} & set(found.files):
        return failed(
            f"{found.name} has no safetensors at {found.commit[:12]}.",
            "Convert them at https://huggingface.co/spaces/safetensors/convert, and give "
            "'model_revision: refs/pr/N' in the tenancy file.",
        )
    return None
