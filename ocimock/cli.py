"""``python -m ocimock``: serve, env, coverage."""

from __future__ import annotations

import difflib
import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from .identifiers import DEFAULT_REGION

app = typer.Typer(
    help="A mock of Oracle Cloud Infrastructure. It never reaches a real host.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_Home = Annotated[
    Path, typer.Option(help="Folder for the certificate, the credentials and server.json.")
]

_HOME = Path(".ocimock")


@app.command()
def serve(
    home: _Home = _HOME,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free port.")] = 0,
    pace: Annotated[
        float, typer.Option(min=0, help="How fast states move: 1 is real time, 0 at once.")
    ] = 1.0,
    run_seconds: Annotated[
        float, typer.Option(min=0, help="How long a simulated job run takes, at pace 1.")
    ] = 6.0,
    run_time: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'WORD: SECONDS'",
            help="How long it takes if its job's name has this word in it. More than once.",
        ),
    ] = None,
    region: Annotated[
        str, typer.Option(help="The config's region, and that of calls on the port itself.")
    ] = DEFAULT_REGION,
    state: Annotated[
        Path | None, typer.Option(help="A file that keeps what the mock holds, for the next start.")
    ] = None,
    fail_runs: Annotated[
        list[str] | None,
        typer.Option(
            help="Runs of jobs with this word in their name fail; 'WORD: HOW' says how. More than "
            "once."
        ),
    ] = None,
    verify_signatures: Annotated[
        bool, typer.Option("--verify-signatures", help="Refuse what is not signed as OCI wants it.")
    ] = False,
    enforce_iam: Annotated[
        bool, typer.Option("--enforce-iam", help="Refuse what no policy of the tenancy allows.")
    ] = False,
    enforce_network: Annotated[
        bool,
        typer.Option(
            "--enforce-network", help="Simulated runs fail where their subnet would fail them."
        ),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong, such as '429 on 20 % of POST /jobRuns, seed 7'. More than once."
        ),
    ] = None,
    execute: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Really run job runs and deployments, with the environments that FILE names.",
        ),
    ] = None,
) -> None:
    """Serve on a loopback port until interrupted."""
    from .cloud import Settings
    from .execute.settings import ExecutionFileError, read
    from .fault_rules import parse
    from .server.serve import CannotServeError
    from .server.serve import serve as run
    from .store.state_file import StateFileError
    from .wire.errors import InvalidParameter

    _check_region(region)
    for option, number in (("--pace", pace), ("--run-seconds", run_seconds)):
        if not math.isfinite(number):
            raise typer.BadParameter(f"{number} has no end", param_hint=option)
    try:
        for rule in fault or ():
            parse(rule)
    except InvalidParameter as wrong:
        raise typer.BadParameter(wrong.message, param_hint="--fault") from None
    try:
        settings = Settings(run_times=tuple(run_time or ()))
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--run-time") from None
    settings = replace(
        settings,
        region=region,
        run_seconds=run_seconds,
        fail_runs=tuple(fail_runs or ()),
        verify_signatures=verify_signatures,
        enforce_iam=enforce_iam,
        enforce_network=enforce_network,
        faults=tuple(fault or ()),
    )
    try:
        run(
            home.resolve(),
            settings,
            port=port,
            pace=pace,
            state_file=state and state.resolve(),
            execute=read(execute.absolute()) if execute else None,
            told=lambda url: typer.echo(_told(url, home)),
        )
    except (CannotServeError, ExecutionFileError, StateFileError, OSError) as wrong:
        typer.echo(f"ocimock did not start: {wrong}", err=True)
        raise typer.Exit(1) from None


@app.command()
def env(
    home: _Home = _HOME,
    unset: Annotated[
        bool, typer.Option("--unset", help="Print what takes the variables away again.")
    ] = False,
) -> None:
    """Print what to export: eval "$(python -m ocimock env)". For sh, bash and zsh."""
    from .environment import variables
    from .server.announcement import ServerFile

    if unset:
        typer.echo(f"unset {' '.join(variables())}")
        return

    found = ServerFile.read(home.resolve())
    if found is None or not found.is_up():
        option = _option(home)
        typer.echo(
            f"no server has its home in {home}; start one: python -m ocimock serve{option}",
            err=True,
        )
        raise typer.Exit(1)
    for name, text in found.environment.items():
        typer.echo(f"export {name}={shlex.quote(text)}")


@app.command()
def coverage(
    missing: Annotated[
        str | None, typer.Option(metavar="SERVICE", help="List what this service does not answer.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the page for the documentation.")
    ] = False,
) -> None:
    """Print, for each service, how many of the operations that the SDK knows are implemented."""
    from . import coverage as counted

    if missing is not None:
        try:
            lines = iter(counted.of_service(missing).missing)
        except counted.UnknownServiceError as wrong:
            raise typer.BadParameter(str(wrong), param_hint="--missing") from None
    else:
        lines = counted.markdown() if markdown else counted.table()
    for line in lines:
        typer.echo(line)


def _check_region(region: str) -> None:
    from .places import region_names

    if region in region_names():
        return
    near = difflib.get_close_matches(region, sorted(region_names()), n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "one such as eu-frankfurt-1"
    raise typer.BadParameter(
        f"the OCI SDK knows no region '{region}'; {hint}", param_hint="--region"
    )


def _option(home: Path) -> str:
    return "" if home == _HOME else f" --home {shlex.quote(str(home))}"


def _told(url: str, home: Path) -> str:
    return (
        f"ocimock serves on {url}; no call leaves this machine. In another terminal:\n"
        f'  eval "$(python -m ocimock env{_option(home)})"'
    )


def main() -> None:
    app()
