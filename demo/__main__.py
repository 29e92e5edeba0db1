"""``python -m demo up`` and ``python -m demo down``; ``make demo`` and ``make demo-down``."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from .errors import GO_ON, DemoError, TerminatedError
from .terminal import console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def up(
    provider: Annotated[
        str, typer.Option(help="Terraform's oracle/oci provider: auto, real or stand-in.")
    ] = "auto",
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="A tiny model, on which every job really runs.")
    ] = False,
    simulate: Annotated[
        bool,
        typer.Option("--simulate", help="Play the tutorial's case, even with PyTorch here."),
    ] = False,
    serve: Annotated[
        str | None,
        typer.Option(
            help="What serves the rehearsal's model: transformers or vllm. Default: what serves "
            "already, else transformers."
        ),
    ] = None,
) -> None:
    """Deploy, stage, fine-tune, merge, serve and ask, all against the embedded OCI."""
    from .rehearsal import Server
    from .up import choose, run

    allowed = ", ".join(Server)
    if serve is not None and serve not in list(Server):
        raise typer.BadParameter(f"{serve}: allowed are {allowed}", param_hint="--serve")
    server = None if serve is None else Server(serve)
    _guard(lambda: run(choose(rehearse=rehearse, simulate=simulate), provider, server))


@app.command()
def down(
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Destroy nothing first: the embedded OCI ends with all that is in it."
        ),
    ] = False,
) -> None:
    """Destroy what the demo made, stop the embedded OCI, leave nothing."""
    from .down import run

    _guard(lambda: run(force=force))


def _guard(action: Callable[[], None]) -> None:
    # As Ctrl-C: a pipeline that runs out of time must not break Terraform off half-way either.
    signal.signal(signal.SIGTERM, _end)
    try:
        action()
    except DemoError as fault:
        # What a command printed may hold brackets: no markup.
        console.print(f"demo: {fault}", style="red", markup=False, highlight=False, soft_wrap=True)
        if fault.advice:
            console.print(fault.advice, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("Stopped; what stands, stands. " + GO_ON, markup=False, highlight=False)
        raise typer.Exit(130) from None


def _end(*_: object) -> NoReturn:
    raise TerminatedError


if __name__ == "__main__":
    app()
