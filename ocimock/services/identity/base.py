"""What all of identity shares: the service, and the rule of the home region."""

from __future__ import annotations

from collections.abc import Iterable

from ...identifiers import region_key
from ...resources import Hook, Kind, crud
from ...service import Call, Handler, Service
from ...wire.errors import AlreadyExists, NotAllowed
from ...wire.message import Response

SERVICE = Service(
    "identity",
    ("oci.identity.IdentityClient",),
    labels=("identity",),
)


class CompartmentExists(AlreadyExists):
    code = "CompartmentAlreadyExists"


class DynamicGroupExists(AlreadyExists):
    code = "DynamicGroupAlreadyExists"


class GroupExists(AlreadyExists):
    code = "GroupAlreadyExists"


class PolicyExists(AlreadyExists):
    code = "PolicyAlreadyExists"


class TagDefaultExists(AlreadyExists):
    code = "TagDefaultAlreadyExists"


class TagDefinitionExists(AlreadyExists):
    code = "TagDefinitionAlreadyExists"


class TagNamespaceExists(AlreadyExists):
    code = "TagNamespaceAlreadyExists"


class UserExists(AlreadyExists):
    code = "UserAlreadyExists"


def check_home(call: Call) -> None:
    """:raises NotAllowed: a write to another region than the home region.

    A loopback host has no region in its name; it counts as the home region.
    """
    home = call.cloud.settings.home_region
    if not call.request.is_loopback and call.region != home:
        raise NotAllowed(
            f"Please go to your home region {region_key(home).upper()} to execute CREATE, UPDATE "
            f"and DELETE operations."
        )


def at_home(handler: Handler) -> Handler:
    """*handler*, for the home region only."""

    def guarded(call: Call) -> Response:
        check_home(call)
        return handler(call)

    return guarded


def iam(
    kind: Kind,
    *,
    on_create: Hook | None = None,
    on_update: Hook | None = None,
    on_delete: Hook | None = None,
    only: Iterable[str] = ("create", "get", "list", "update", "delete"),
) -> None:
    """:func:`ocimock.resources.crud` for IAM, whose writes go to the home region."""
    crud(SERVICE, kind, on_create=on_create, on_update=on_update, on_delete=on_delete, only=only)
    for verb in ("create", "update", "delete"):
        name = f"{verb}_{kind.noun}"
        if verb in only:
            SERVICE.handlers[name] = at_home(SERVICE.handlers[name])
