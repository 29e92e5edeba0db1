"""Puts the stand-in where `terraform init` looks: a filesystem mirror and a CLI configuration."""

from __future__ import annotations

import json
import platform
import shlex
import stat
import sys
from pathlib import Path
from typing import Final

import ocimock
from ocimock.terraform import ADDRESS, BANNER, VERSION

_CLI_CONFIG: Final = "terraform.rc"
_MIRROR: Final = "mirror"
_ARCHITECTURES: Final = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv7l": "arm",
}


def install(folder: Path) -> Path:
    """Write mirror and CLI configuration below `folder`; returns the configuration's path.

    Terraform uses them with the variables of `environment`: oracle/oci then comes from the
    mirror and from nowhere else, other providers as ever.
    """
    folder = folder.resolve()
    executable = plugin_path(folder / _MIRROR)
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text(_script(), encoding="utf-8")
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    config = folder / _CLI_CONFIG
    config.write_text(_cli_config(folder / _MIRROR), encoding="utf-8")
    return config


def environment(config: Path) -> dict[str, str]:
    """What Terraform's environment must hold to use the configuration that `install` wrote.

    Without a plugin cache: one that is shared with real deploys must never hold the stand-in.
    cdktf-cli sets one in the home folder unless its own variable forbids it (0.21 has a flag for
    that too, but looks at the variable alone).
    """
    return {
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_PLUGIN_CACHE_DIR": "",
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
    }


def plugin_path(mirror: Path, platform_name: str | None = None) -> Path:
    """Where a mirror holds the plugin: `…/8.28.0/linux_amd64/terraform-provider-oci_v8.28.0`."""
    target = platform_name or platform_of_terraform()
    return mirror / ADDRESS / VERSION / target / f"terraform-provider-oci_v{VERSION}"


def platform_of_terraform(system: str | None = None, machine: str | None = None) -> str:
    """This machine in Terraform's terms, e.g. `linux_amd64`."""
    system = (system or platform.system()).lower()
    machine = (machine or platform.machine()).lower()
    return f"{system}_{_ARCHITECTURES.get(machine, machine)}"


def _script() -> str:
    """A plugin that runs this Python on this code, from any folder."""
    root = Path(ocimock.__file__).resolve().parent.parent
    # -P: the folder from which Terraform runs must not shadow our modules.
    return (
        "#!/bin/sh\n"
        f"# {BANNER}\n"
        f"PYTHONPATH={shlex.quote(str(root))} exec {shlex.quote(sys.executable)} "
        '-P -m ocimock.terraform "$@"\n'
    )


def _cli_config(mirror: Path) -> str:
    # JSON's string syntax is HCL's, but for ${ and %{, which start a template there.
    path = json.dumps(str(mirror)).replace("${", "$${").replace("%{", "%%{")
    address = json.dumps(ADDRESS)
    return (
        f"# Written by `python -m ocimock.terraform install`: {BANNER}\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f"    path    = {path}\n"
        f"    include = [{address}]\n"
        "  }\n"
        "  direct {\n"
        f"    exclude = [{address}]\n"
        "  }\n"
        "}\n"
    )
