"""`python -m ocimock.terraform`: the plugin itself, or `install --dir DIR` to offer it."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from ocimock.terraform import BANNER


def main(arguments: list[str] | None = None) -> int:
    """The entry point. Without arguments it must be Terraform that started it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        return _plugin()
    parser = argparse.ArgumentParser(prog="python -m ocimock.terraform", description=BANNER)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "install", help="write a provider mirror and a Terraform CLI configuration that uses it"
    )
    command.add_argument("--dir", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    return _install(options.dir)


def _plugin() -> int:
    from ocimock.terraform.serve import serve, started_by_terraform

    if not started_by_terraform():
        sys.stderr.write(
            f"This is the {BANNER}.\nTerraform starts it. To offer it to Terraform: "
            "python -m ocimock.terraform install --dir DIR\n"
        )
        return 1
    serve()
    return 0


def _install(folder: Path) -> int:
    from ocimock.terraform.mirror import environment, install

    try:
        config = install(folder)
    except OSError as error:
        sys.stderr.write(f"Cannot write to {folder}: {error.strerror}. Choose another --dir.\n")
        return 1
    for name, value in environment(config).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
