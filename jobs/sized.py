"""What the emitted definitions train and serve, in the terms of ``sizing``.

Read from the commands, not from the tenancy file: what is submitted is what counts, and a notebook
session has no tenancy file.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from sizing import durations, models
from sizing.durations import Data
from sizing.models import Model
from sizing.training import Training
from sizing.training_words import training_of_words

from .definitions import Definition
from .errors import DefinitionError


@dataclass(frozen=True)
class Sized:
    """*model* and *data* are None where nothing is known of them; *model_id* and *data_id* are what
    the staging is told to fetch."""

    model_id: str
    data_id: str
    training: Training
    model: Model | None
    data: Data | None


def training_of(finetune: Definition) -> Training:
    """What the command of a ``finetune.yaml`` says, of either recipe.

    Raises:
        DefinitionError: a number in it is none.
    """
    words = shlex.split(str(finetune.runtime.get("command", "")))
    try:
        return training_of_words(words)
    except ValueError as error:
        raise DefinitionError(
            f"{finetune.path}: the command's {error}.",
            "See 'extra_args' of the tenancy file, then 'python -m jobs emit'.",
        ) from None


def sized(definitions: Mapping[str, Definition], finetune: Definition | None = None) -> Sized:
    """Of all definitions; *finetune* is one of its fallbacks, by default the first choice.

    Raises:
        DefinitionError: see :func:`training_of`.
    """
    stage = definitions["stage"]
    model_id, data_id = stage.argument("--model") or "", stage.argument("--dataset") or ""
    return Sized(
        model_id=model_id,
        data_id=data_id,
        training=training_of(finetune or definitions["finetune"]),
        model=models.find(model_id),
        data=durations.known_data().get(data_id),
    )
