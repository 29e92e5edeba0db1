"""The command line: ``python -m gitops COMMAND``."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.core
from rich.console import Console

from .errors import GitopsError
from .processes import TerminatedError

SUCCESS, FAILURE, DRIFTED, INTERRUPTED = 0, 1, 2, 130
# Typer ends with 2 where a command is typed wrongly. Nobody may take that for drift: in here drift
# is another number, and main() makes a 1 of the one and a 2 of the other.
_WRONG_USAGE, _DRIFTED = 2, 102

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


class _Commands(typer.core.TyperGroup):
    """The commands, with what went wrong told without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        # As Ctrl-C: a pipeline that is cancelled must not break Terraform off half-way either.
        before = signal.signal(signal.SIGTERM, _terminate)
        try:
            return super().invoke(ctx)
        except GitopsError as error:
            _err.print(error.what, style="red", markup=False, soft_wrap=True)
            if error.advice:
                _err.print(error.advice, markup=False, soft_wrap=True)
            raise typer.Exit(FAILURE) from None
        except KeyboardInterrupt:
            _say_error("Interrupted. What was applied until then stands, and is in the state.")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            signal.signal(signal.SIGTERM, before)


app = typer.Typer(
    name="gitops",
    cls=_Commands,
    help="What a pipeline does with the stacks: plan, apply, look for drift. docs/gitops.md",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

TenancyOption = Annotated[
    Path,
    typer.Option("--tenancy", metavar="FILE", envvar="TUNESTACK_TENANCY"),
]
LocalStateOption = Annotated[
    bool,
    typer.Option(
        "--local-state",
        envvar="TUNESTACK_LOCAL_STATE",
        help="State may be a file here: this machine's files last.",
    ),
]
_DEFAULT = Path("tenancies/demo.yaml")


@app.command()
def plan(
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="For the plans, and comment.md.")
    ] = Path(".gitops/plan"),
    local_state: LocalStateOption = False,
    tenancy: TenancyOption = _DEFAULT,
) -> None:
    """Plan every stack, and write what it would do as a comment. Changes nothing."""
    from . import comment, saved
    from .planning import plan_all
    from .stacks import lasting

    stacks = lasting(tenancy, kept=local_state)
    plans = plan_all(stacks, to, _say_error)
    saved.write(tenancy.stem, plans, to)
    text = comment.plan_comment(tenancy.stem, plans)
    (to / comment.COMMENT).write_text(text, encoding="utf-8")
    _say(text)
    failed = [each.error for each in plans if each.error]
    if failed:
        raise GitopsError("\n".join(failed))


@app.command()
def apply(
    reviewed: Annotated[
        Path | None,
        typer.Option("--reviewed", metavar="DIR", help="Apply the plans in it, and no others."),
    ] = None,
    may_destroy: Annotated[
        bool,
        typer.Option("--may-destroy", help="Destroy and replace without somebody's look at it."),
    ] = False,
    local_state: LocalStateOption = False,
    tenancy: TenancyOption = _DEFAULT,
) -> None:
    """Apply every stack in its order, then write the definitions (jobs emit)."""
    from . import saved
    from .applying import Applying, emit
    from .stacks import lasting

    stacks = lasting(tenancy, kept=local_state)
    looked_at = saved.read(tenancy.stem, stacks, reviewed) if reviewed else {}
    with tempfile.TemporaryDirectory() as folder:
        Applying(Path(folder), looked_at, reviewed, may_destroy, _say).apply(stacks)
    emit(tenancy)


@app.command()
def drift(
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="For drift.md and drift.json.")
    ] = Path(".gitops/drift"),
    local_state: LocalStateOption = False,
    tenancy: TenancyOption = _DEFAULT,
) -> None:
    """Compare the tenancy with the repository: exit code 0 no drift, 2 drift. Changes nothing."""
    from .comment import DRIFT
    from .drift import as_json, look, report
    from .stacks import lasting

    stacks = lasting(tenancy, kept=local_state)
    found = look(stacks, to, _say_error)
    text = report(tenancy.stem, found)
    (to / DRIFT).write_text(text, encoding="utf-8")
    content = json.dumps(as_json(tenancy.stem, found), indent=2) + "\n"
    (to / "drift.json").write_text(content, encoding="utf-8")
    _say(text)
    if any(stack.differs for stack in found):
        raise typer.Exit(_DRIFTED)


@app.command("comment")
def put_comment(
    file: Annotated[Path, typer.Argument(help="What the comment says.", exists=True)],
    repository: Annotated[str, typer.Option("--repository", metavar="OCID")],
    branch: Annotated[str, typer.Option("--branch", help="The pull request's own.")],
) -> None:
    """Put a comment onto a pull request of OCI DevOps, in place of the one from before."""
    from .pull_request import put_comment

    request = put_comment(repository, branch, file.read_text(encoding="utf-8"))
    _say(f"The comment is on {request}." if request else f"{branch} has no open pull request.")


@app.command("sign-in")
def sign_in() -> None:
    """Write ~/.oci/config from the OCI_… variables of a pipeline's secrets."""
    from .sign_in import sign_in

    _say(f"signed in by {sign_in(os.environ, Path.home())}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        app(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else SUCCESS
        return {_WRONG_USAGE: FAILURE, _DRIFTED: DRIFTED}.get(code, code)
    return SUCCESS


def _terminate(*_: object) -> NoReturn:
    raise TerminatedError


def _say(text: str) -> None:
    _out.print(text, markup=False, soft_wrap=True)


def _say_error(text: str) -> None:
    _err.print(text, markup=False, soft_wrap=True)
