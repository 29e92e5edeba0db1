"""The command line: ``python -m jobs COMMAND``. ``--help`` of each says what it takes."""

from __future__ import annotations

import typer

from .console import SUCCESS, Commands
from .lazy import LazyGroup, add

# Where the function of each command lies, by the words that invoke it.
PLACES = {
    "plan": "plan_command:plan",
    "emit": "definition_commands:emit",
    "check": "definition_commands:check",
    "preflight": "preflight_command:preflight",
    "submit": "run_commands:submit",
    "run": "run_commands:run",
    "watch": "watch_commands:watch",
    "status": "status_commands:show_status",
    "history": "status_commands:show_history",
    "predict": "predict_command:predict",
    "logs": "log_commands:logs",
    "metrics": "log_commands:metrics",
    "report": "report_command:report",
    "cancel": "end_commands:cancel_run",
    "delete": "end_commands:delete",
    "clean": "clean_command:clean",
    "secret set": "secret_commands:secret_set",
    "prices update": "prices_command:update",
    "prices show": "prices_command:show",
}
# Words that lead to commands of their own, and what these are about.
GROUPS = {
    "secret": "The Hugging Face token in the Vault.",
    "prices": "List prices, and Oracle's list read anew.",
}

LazyGroup.places = PLACES
app = typer.Typer(
    name="jobs",
    cls=Commands,
    help="Stage, fine-tune, merge, register and deploy, as the emitted definitions say.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for words in PLACES:
    if " " not in words:
        add(app, words)
for group, about in GROUPS.items():
    grouped = typer.Typer(cls=LazyGroup, help=about, no_args_is_help=True)
    for words in PLACES:
        if words.startswith(f"{group} "):
            add(grouped, words.removeprefix(f"{group} "))
    app.add_typer(grouped, name=group)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        app(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else SUCCESS
    return SUCCESS
