"""What IAM said to one request: allowed by which statements, or which statement is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grant:
    """One permission that a request needed.

    :param permission: as OCI's policy reference spells it, ``SECRET_BUNDLE_READ``.
    :param resource_type: the one that a statement would name, ``secret-bundles``.
    :param compartment: the OCID of the compartment that the target is in.
    :param statement: the policy statement that grants it; None where none does.
    """

    permission: str
    resource_type: str
    compartment: str
    statement: str | None


@dataclass(frozen=True)
class Decision:
    """IAM's answer to one request.

    :param operation: ``service.operation`` as ocimock names it.
    :param principal: who asked, in words (``dynamic-group …``, ``group …``).
    :param grants: every permission that was asked for, with what granted it.
    :param denied_by: the ``Deny`` statement that overruled them, if one did.
    :param missing: for a denial, the narrowest statement that would have allowed it, in words.
    """

    operation: str
    principal: str
    grants: tuple[Grant, ...]
    denied_by: str | None = None
    missing: str = ""

    @property
    def allowed(self) -> bool:
        return self.denied_by is None and all(grant.statement for grant in self.grants)
