"""What the hub refuses, in words for the reader of the job's log; never with the token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import StageError


@contextmanager
def telling(kind: str, name: str, revision: str, token: str | None) -> Iterator[None]:
    """What the hub's library raises inside, as :class:`StageError`."""
    from huggingface_hub import errors

    try:
        yield
    except (OSError, errors.HFValidationError) as error:
        raise StageError(_told(kind, name, revision, token, error)) from None


def _told(kind: str, name: str, revision: str, token: str | None, error: Exception) -> str:
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{'datasets/' if kind == 'dataset' else ''}{name}"
    what = f"the {kind} {name}"
    if isinstance(error, errors.HFValidationError):
        return f"'{name}' is no name on the hub: it must be ORG/NAME"
    if isinstance(error, errors.GatedRepoError):
        return f"{what} is gated. Accept its licence at {page}{_with_whom(token)}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{what} has no revision '{revision}'; {page} lists its branches"
    if isinstance(error, errors.EntryNotFoundError):
        return f"{what} changed while it was read; run again"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"there is no {kind} {name} on {constants.ENDPOINT}, or it is private: see {page}. "
            f"If it is yours{_with_whom(token)}"
        )
    if isinstance(error, errors.HfHubHTTPError) and error.response.status_code == 401:
        return (
            f"the hub does not know the token that it was shown for {what}: store a valid one "
            "as a new version of the secret in the Vault"
        )
    return f"the hub does not give {what}: {_first_line(error)}"


def _with_whom(token: str | None) -> str:
    if token:
        return ", with the account that the token in the Vault belongs to, then run again"
    return (
        ", then store a token of that account in the Vault and name its secret in "
        "HF_TOKEN_SECRET_NAME and HF_TOKEN_VAULT_ID: this run has none"
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A redirected URL carries a signature that lets its reader in.
    return re.sub(r"\?\S+", "", " ".join(lines[:2])) or type(error).__name__
