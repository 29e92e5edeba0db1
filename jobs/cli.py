"""The command line: ``python -m jobs COMMAND``. ``--help`` of each says what it takes."""

from __future__ import annotations

import typer

from . import end_commands, log_commands, predict_command, run_commands, watch_commands
from . import secret_commands as secrets
from .console import SUCCESS, Commands

app = typer.Typer(
    name="jobs",
    cls=Commands,
    help="Stage, fine-tune, merge, register and deploy, as the emitted definitions say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    run_commands.emit,
    run_commands.check,
    run_commands.submit,
    run_commands.run,
    watch_commands.watch,
    watch_commands.status,
    predict_command.predict,
    log_commands.logs,
    log_commands.metrics,
    log_commands.report,
):
    app.command()(command)
app.command("cancel")(end_commands.cancel_run)
app.command()(end_commands.delete)

secret_app = typer.Typer(help="The Hugging Face token in the Vault.", no_args_is_help=True)
secret_app.command("set")(secrets.secret_set)
app.add_typer(secret_app, name="secret")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        app(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else SUCCESS
    return SUCCESS
