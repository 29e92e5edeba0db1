"""The Hugging Face hub, asked what the staging will ask it: is a repository there, and open to us?

The requests are those of ``recipes.stage.hub``, but for the files' content. The token is only ever
in a header: no exception, no log and no message holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HUB = "https://huggingface.co"
SECONDS = 10.0

_UNKNOWN_TOKEN = "invalid credentials"


class RefusedByHubError(Exception):
    """The hub does not give it; the message says why, *remedy* what to do. *personal*: it might
    give it to somebody else."""

    def __init__(self, said: str, remedy: str, *, personal: bool = True) -> None:
        super().__init__(said)
        self.remedy = remedy
        self.personal = personal


class NoHubError(Exception):
    """The hub could not be asked from here."""


@dataclass(frozen=True)
class Repository:
    """A model or data set (*kind*) at one *commit*; *files* are names."""

    kind: str
    name: str
    commit: str
    files: tuple[str, ...]


class Hub:
    """The hub at *endpoint*, for one with *token*; None for nobody."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._has_token = bool(token)

    def repository(self, kind: str, name: str, revision: str) -> Repository:
        """What the hub says of it.

        Raises:
            RefusedByHubError: it has no such repository or revision, or does not show it to us.
            NoHubError: it does not answer.
        """
        path = f"/api/{kind}s/{quote(name)}/revision/{quote(revision, safe='')}"
        answer = self._ask("GET", path)
        if answer.status_code != 200:
            raise self._refusal(answer, kind, name, revision)
        try:
            about = answer.json()
            files = tuple(str(each["rfilename"]) for each in about.get("siblings") or ())
            return Repository(kind, name, str(about.get("sha") or revision), files)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoHubError(f"{self._endpoint} does not answer as a hub does") from None

    def need_file(self, repository: Repository, file: str) -> None:
        """Ask whether *file* of it may be fetched, without fetching it.

        Raises:
            RefusedByHubError: the repository is gated, and we are not let in.
            NoHubError: the hub does not answer.
        """
        folder = "datasets/" if repository.kind == "dataset" else ""
        path = f"/{folder}{quote(repository.name)}/resolve/{repository.commit}/{quote(file)}"
        answer = self._ask("HEAD", path)
        # What lies in its large-file store is elsewhere; that it says where is enough.
        if answer.status_code >= 400:
            raise self._refusal(answer, repository.kind, repository.name, repository.commit)

    def page(self, kind: str, name: str) -> str:
        """Where a person reads about it."""
        return f"{self._endpoint}/{'datasets/' if kind == 'dataset' else ''}{name}"

    def _ask(self, method: str, path: str) -> requests.Response:
        try:
            with _session() as session:
                return session.request(
                    method,
                    f"{self._endpoint}{path}",
                    headers=self._headers,
                    timeout=SECONDS,
                    allow_redirects=method == "GET",
                    # Else a ~/.netrc of the user's would speak for the job.
                    auth=_unchanged,
                )
        except requests.RequestException as error:
            raise NoHubError(f"{self._endpoint} does not answer ({type(error).__name__})") from None

    def _refusal(
        self, answer: requests.Response, kind: str, name: str, revision: str
    ) -> RefusedByHubError | NoHubError:
        """The hub's codes are in a header. Source: huggingface_hub, hf_raise_for_status."""
        code = answer.headers.get("X-Error-Code", "")
        said_by_hub = answer.headers.get("X-Error-Message", "")
        page, what = (
            self.page(kind, name),
            f"the {'data set' if kind == 'dataset' else kind} {name}",
        )
        status = answer.status_code
        # A 403 without the hub's own words is of something on the way to it.
        if status >= 500 or status in (407, 429) or (status == 403 and not (code or said_by_hub)):
            return NoHubError(f"{self._endpoint} answered {status}")
        if code == "GatedRepo":
            return RefusedByHubError(f"{what} is gated ({status})", self._accept(page))
        if code == "RevisionNotFound":
            return RefusedByHubError(
                f"{what} has no revision '{revision}'",
                f"Set '{'dataset' if kind == 'dataset' else 'model'}_revision' in the tenancy file "
                f"to one that {page} lists, or leave it out.",
                personal=False,
            )
        if status == 401 and self._has_token and _UNKNOWN_TOKEN in said_by_hub.lower():
            return RefusedByHubError(
                "the hub does not know the token from the Vault (401)",
                "Store a valid one: 'python -m jobs secret set hf-token'.",
            )
        if code == "RepoNotFound" or status in (401, 403, 404):
            return RefusedByHubError(
                f"there is no {kind} {name} at {self._endpoint}, or it is private ({status})",
                f"Mend '{kind}' in the tenancy file: {page} must open for the token's account.",
            )
        return NoHubError(f"{self._endpoint} answered {status} for {what}")

    def _accept(self, page: str) -> str:
        if self._has_token:
            return f"Accept the licence at {page}: accept it with the token's account, then wait."
        return (
            f"Accept the licence at {page}, store a token of that account ('python -m jobs secret "
            "set hf-token') and set 'hub: token: true' in the tenancy file."
        )


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


# The SDK's setting log_requests makes Python's HTTP client print what it sends, of the whole
# process: a token would be among it.
class _Connection(HTTPConnection):
    debuglevel = 0


class _SecureConnection(HTTPSConnection):
    debuglevel = 0


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Mapping[str, Any] = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = dict(_POOLS)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = dict(_POOLS)
        return manager


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(max_retries=0))
    return session
