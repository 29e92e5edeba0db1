"""Which config file the SDK reads where it is told none: the mock's, not the one of the developer.

``oci.config.from_file()`` looks into ``OCI_CONFIG_FILE`` only where there is no ``~/.oci/config``
(source: the SDK's ``config.py``). Who has one would test with a real tenancy's identifiers.
"""

from __future__ import annotations

import os
from collections.abc import Callable

PATH = "oci.config._get_config_path_with_fallback"


def ours_first() -> Callable[[str], str]:
    """What stands in for :data:`PATH`: of the default place, the variable is asked first."""
    from oci import config

    original: Callable[[str], str] = config._get_config_path_with_fallback

    def path(file_location: str) -> str:
        named = os.environ.get(config.CONFIG_FILE_PATH_ENV_VAR_NAME)
        if named and file_location == config.DEFAULT_LOCATION:
            return os.path.expanduser(named)  # noqa: PTH111 - as the SDK does
        return original(file_location)

    return path
