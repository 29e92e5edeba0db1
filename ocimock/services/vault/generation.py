"""Secrets that the vault makes up itself: passphrases and bytes."""

from __future__ import annotations

import base64
import secrets
import string
from typing import Any

from ...wire.errors import InvalidParameter, MissingParameter, NotImplementedByMock

# Characters. OCI does not document what it takes where the client names no length.
_USUAL_LENGTH = 24
_LENGTHS = range(8, 257)
_MARKS = "-_.~"
# Bits, by the name of the template.
_BYTES = {"BYTES_512": 512, "BYTES_1024": 1024}


def wanted(body: dict[str, Any], before: dict[str, Any]) -> dict[str, Any] | None:
    """The content to generate for a create or update, in the form of ``secretContent``.

    None where nothing is to be generated.

    :raises InvalidParameter: content is given as well.
    :raises MissingParameter: nothing says what to generate.
    """
    if not body.get("enableAutoGeneration"):
        return None
    if body.get("secretContent") is not None:
        raise InvalidParameter("secretContent and enableAutoGeneration can't both be given")
    context = body.get("secretGenerationContext") or before.get("secretGenerationContext")
    if not context:
        raise MissingParameter("secretGenerationContext must be given with enableAutoGeneration")
    return {"contentType": "BASE64", "content": _generate(context), "isGenerated": True}


def _generate(context: dict[str, Any]) -> str:
    """The new content in BASE64, put into the context's template where it has one."""
    kind = context["generationType"]
    if kind == "PASSPHRASE":
        made = _passphrase(context.get("passphraseLength") or _USUAL_LENGTH)
    elif kind == "BYTES":
        bits = _BYTES[context["generationTemplate"]]
        made = base64.b64encode(secrets.token_bytes(bits // 8)).decode()
    else:
        raise NotImplementedByMock(f"ocimock generates no secrets of type {kind}")
    placeholder = f"%GENERATED_{kind}%"
    template = context.get("secretTemplate") or placeholder
    if placeholder not in template:
        raise InvalidParameter(
            f"secretGenerationContext.secretTemplate must have {placeholder} in it"
        )
    return base64.b64encode(template.replace(placeholder, made).encode()).decode()


def _passphrase(length: int) -> str:
    """Letters in both cases, digits and marks, at least one of each."""
    if length not in _LENGTHS:
        raise InvalidParameter(
            f"secretGenerationContext.passphraseLength: {length} is not from {_LENGTHS[0]} to "
            f"{_LENGTHS[-1]}"
        )
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _MARKS)
    chosen = [secrets.choice(kind) for kind in kinds]
    chosen += [secrets.choice("".join(kinds)) for _ in range(length - len(kinds))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)
