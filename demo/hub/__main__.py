"""``python -m demo.hub``: see the package."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import __doc__ as about
from .server import Access, Hub

TOKEN = "HUB_TOKEN"


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. The first line on standard output ends in the port."""
    parser = argparse.ArgumentParser("demo.hub", description=(about or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="holds models/ and datasets/")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--gated",
        action="append",
        metavar="PATTERN",
        help=f"models that only the bearer of the token in {TOKEN} may download; "
        "all of them where that is set and this is not given",
    )
    options = parser.parse_args(argv)
    if not options.folder.is_dir():
        parser.error(f"--folder: there is no folder {options.folder}")
    token = os.environ.get(TOKEN, "")
    gated = tuple(options.gated or ()) or (("*",) if token else ())
    access = Access(members=frozenset({token} - {""}), gated=gated)
    signal.signal(signal.SIGTERM, _stop)
    try:
        with Hub(options.folder, access, options.port) as hub:
            sys.stdout.write(f"serving {options.folder} at {hub.url}\n")
            sys.stdout.flush()
            hub.serve_forever()
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.stderr.write(f"demo.hub: port {options.port}: {error.strerror}\n")
        return 1
    return 0


def _stop(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
