"""The CDKTF app: a tenancy file in, four stacks out.

``TUNESTACK_TENANCY`` names the file (default ``tenancies/demo.yaml``).
"""

import os
import sys
from pathlib import Path

from infra.tenancy import TenancyError, load

DEFAULT = Path(__file__).parent / "tenancies" / "demo.yaml"


def main() -> int:
    """Synthesize into ``cdktf.out``; 2 if the tenancy file or the working copy is wrong."""
    try:
        tenancy = load(os.environ.get("TUNESTACK_TENANCY") or DEFAULT)
    except TenancyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Only now: loading CDKTF starts a Node process, which takes most of a synth's second.
    from infra.cdk import App
    from infra.recipes import RecipeMissingError
    from infra.stacks import build

    app = App()
    try:
        build(app, tenancy)
    except RecipeMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
