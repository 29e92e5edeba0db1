"""The options and arguments that commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Step(StrEnum):
    STAGE = "stage"
    FINETUNE = "finetune"
    MERGE = "merge"
    REGISTER = "register"
    DEPLOY = "deploy"
    SMOKE = "smoke"


TenancyOption = Annotated[
    Path | None,
    typer.Option(
        "--tenancy",
        metavar="FILE",
        help="Tenancy file; only its name counts here.",
        show_default=False,
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--definitions", metavar="DIR", help="Default: definitions/<tenancy>."),
]
IntervalOption = Annotated[
    float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="Between two looks.")
]
StepArgument = Annotated[Step, typer.Argument(help="Which step.")]
