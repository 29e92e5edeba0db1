"""``python -m demo up`` and ``python -m demo down``; ``make demo`` and ``make demo-down``."""

from __future__ import annotations

from typing import Annotated

import typer

from .errors import DemoError
from .terminal import console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    provider: Annotated[
        str, typer.Option(help="Terraform's oracle/oci provider: auto, real or stand-in.")
    ] = "auto",
) -> None:
    """Deploy, fine-tune, merge, serve and ask, all against the embedded OCI."""
    from .up import run

    _guard(lambda: run(provider))


@app.command()
def down() -> None:
    """Destroy what the demo made, stop the embedded OCI, leave nothing."""
    from .down import run

    _guard(run)


def _guard(action: object) -> None:
    assert callable(action)
    try:
        action()
    except DemoError as fault:
        console.print(f"[bold red]demo:[/] {fault}", highlight=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print(
            "\nstopped; what stands, stands. make demo goes on with it, make demo-down removes it."
        )
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app()
