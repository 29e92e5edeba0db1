"""Container environments: variables of model deployments, commands of containers.

Source: the SDK's docstrings of ``environmentVariables``, ``cmd`` and ``entrypoint``.
"""

from __future__ import annotations

import re
from typing import Any

from ...wire.errors import InvalidParameter

_MOST_BYTES = 2048
# Letters, digits and underscores, 2 to 31 of them; a letter first, no underscore last.
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}[A-Za-z0-9]")


def check_deployment(details: dict[str, Any] | None, where: str) -> None:
    """The environment of a model deployment.

    :raises InvalidParameter: a variable's name is wrong, or all together are too large. The
        message shows no value: it may be secret.
    """
    if not details:
        return
    variables = details.get("environmentVariables") or {}
    for key in variables:
        if not _KEY.fullmatch(key):
            raise InvalidParameter(
                f"{where}.environmentVariables: the key '{key}' is not allowed; a key has 2 to 31 "
                "letters, digits and underscores, begins with a letter and ends with none of the "
                "underscores"
            )
    size = sum(len(f"{key}{value}".encode()) for key, value in variables.items())
    _check_size(size, f"{where}.environmentVariables")
    check_command(details, where)


def check_command(details: dict[str, Any] | None, where: str) -> None:
    """:raises InvalidParameter: cmd and entrypoint of a container are too long together."""
    words = [*((details or {}).get("cmd") or ()), *((details or {}).get("entrypoint") or ())]
    _check_size(sum(len(word.encode()) for word in words), f"{where}.cmd and entrypoint together")


def _check_size(size: int, where: str) -> None:
    if size >= _MOST_BYTES:
        raise InvalidParameter(
            f"{where}: {size} bytes are given, they must be less than {_MOST_BYTES}"
        )
