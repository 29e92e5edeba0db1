"""Fingerprints: what tells whether a step was done already, and what its resources carry.

A step's fingerprint is of its tenancy, its definition and the fingerprints of all that it needs: a
chain, so that a change takes its step and all after it anew. Only the first of a step's definitions
counts: a fallback says the same for other machines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .definitions import Definition
from .pipeline import Pipeline, Step

KEY_LENGTH = 24
"""Hexadecimal digits of a key: 96 bits."""
SHORT = 8
"""How many of them end a display name."""


def definition_of(step: Step, definitions: Mapping[str, Definition], number: int = 0) -> Definition:
    """The definition number *number* of a step, counted from 0."""
    return definitions[Path(step.definitions[number]).stem]


def step_fingerprints(pipeline: Pipeline, definitions: Mapping[str, Definition]) -> dict[str, str]:
    """The fingerprint of each step, 64 hexadecimal digits."""
    found: dict[str, str] = {}
    for step in pipeline:
        asked = pipeline.question if step.kind == "answer" else ""
        needed = [found[each] for each in step.needs]
        digest = definition_of(step, definitions).digest
        found[step.name] = _digest(pipeline.tenancy, step.name, step.kind, digest, asked, *needed)
    return found


def pipeline_fingerprint(steps: Mapping[str, str]) -> str:
    """The fingerprint of a whole pipeline, from its steps'."""
    return _digest(*(part for step in sorted(steps) for part in (step, steps[step])))


def with_inputs(fingerprint: str, inputs: Sequence[str]) -> str:
    """A step's fingerprint together with the keys of what it builds on.

    A step that was submitted anew by the same definition takes all after it anew: a deployment
    must not go on serving a model that is gone.
    """
    return _digest(fingerprint, *inputs)


def key(fingerprint: str, generation: int, attempt: int) -> str:
    """What the resources of one attempt carry; the same whenever and wherever it is computed."""
    return _digest(fingerprint, str(generation), str(attempt))[:KEY_LENGTH]


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
