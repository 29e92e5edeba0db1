"""How code that runs on a node reaches the mock, and as whom: what OCI's hosts just have.

Shared by job runs and model deployments.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ...cloud import Cloud
from ...credentials import write_private
from ...execute.executor import Execution
from ...execute.specs import Bind
from ...iam import keys, tokens
from ...store import Record

ACCESS_FOLDER = "/opt/ocimock/access"
"""Where a node finds its principal's token and key, and the mock's authority."""

PYTHON_AT = "/opt/ocimock/conda"
"""Where a node finds the environment that stands for its conda environment."""

# Seconds. As OCI's own: such a token is good for minutes, and renewed long before.
_TOKEN_SECONDS = 600.0
_CA, _TOKEN, _KEY = "ca.pem", "rpst", "private_key.pem"
_LOCAL = "127.0.0.1,localhost"


@dataclass(frozen=True)
class Access:
    """The files of one resource's nodes: its principal, and whom to trust.

    :param folder: of the host; the nodes see it at :data:`ACCESS_FOLDER`.
    """

    folder: Path
    execution: Execution
    region: str

    @classmethod
    def make(cls, folder: Path, execution: Execution, region: str) -> Access:
        """The files, but for the token; making a key takes its time."""
        folder.mkdir(parents=True)
        shutil.copyfile(execution.ca_file, folder / _CA)
        write_private(folder / _KEY, keys.new_private_pem())
        return cls(folder, execution, region)

    def renew(self, cloud: Cloud, resource: Record) -> float:
        """Write a token for *resource*; when it is time for the next (``time.monotonic``).

        SDKs read the file again when theirs is no good any more.
        """
        pem = (self.folder / _KEY).read_bytes()
        token = tokens.issue(cloud, resource, pem, seconds=_TOKEN_SECONDS)
        draft = self.folder / f"{_TOKEN}.new"
        write_private(draft, token.encode())
        draft.replace(self.folder / _TOKEN)
        return time.monotonic() + _TOKEN_SECONDS / 2

    def bind(self) -> Bind:
        return Bind(self.folder, ACCESS_FOLDER, read_only=True)

    def variables(self) -> dict[str, str]:
        """What clients of OCI, and whatever else calls by HTTPS, find in their environment."""
        url, authority = self.execution.address.url, f"{ACCESS_FOLDER}/{_CA}"
        return {
            "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
            "OCI_RESOURCE_PRINCIPAL_RPST": f"{ACCESS_FOLDER}/{_TOKEN}",
            "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": f"{ACCESS_FOLDER}/{_KEY}",
            "OCI_RESOURCE_PRINCIPAL_REGION": self.region,
            "HTTPS_PROXY": url,
            "https_proxy": url,
            "NO_PROXY": _LOCAL,
            "no_proxy": _LOCAL,
            "REQUESTS_CA_BUNDLE": authority,
            "CURL_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "GIT_SSL_CAINFO": authority,
        }


def base_environment(python: Path | None, home: str, cpus: int | None) -> dict[str, str]:
    """What a node has before anything else: nothing of the host's own environment."""
    found = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "datascience",
        "LOGNAME": "datascience",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        # Lines reach the log when they are written, also those of a script that is killed.
        "PYTHONUNBUFFERED": "1",
        # No package index can be reached: what is there is taken, what is not is said at once.
        "PIP_NO_INDEX": "1",
        "PIP_NO_INPUT": "1",
        "PIP_QUIET": "1",  # else a hundred lines a node say what is there already
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if python is not None:
        found |= {
            "PATH": f"{PYTHON_AT}/bin:{found['PATH']}",
            "CONDA_PREFIX": PYTHON_AT,
            "CONDA_DEFAULT_ENV": python.name,
        }
    threads = min(cpus or os.cpu_count() or 1, os.cpu_count() or 1)
    return {**found, "OMP_NUM_THREADS": str(threads)}
