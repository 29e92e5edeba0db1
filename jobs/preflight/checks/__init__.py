"""The checks, in the order in which they are told."""

from __future__ import annotations

from ..check import Check
from .account import Compartment, Project, Region
from .capacity import Capacity
from .code import Git, Packages
from .credentials import Credentials
from .environment import CondaEnvironments
from .gateways import Gateways
from .hub import HubAccess, Token
from .iam import Iam
from .image import Image
from .limits import Limits
from .network import Addresses, SecurityList, Subnet
from .places import Bucket, Logs
from .serving import Serving
from .sizes import DiskSpace, Memory, Runtime
from .spending import Budget


def all_checks() -> list[Check]:
    """One of each."""
    return [
        Credentials(),
        Region(),
        Compartment(),
        Project(),
        Limits(),
        Capacity(),
        Iam(),
        Subnet(),
        SecurityList(),
        Gateways(),
        Addresses(),
        Logs(),
        Bucket(),
        Token(),
        HubAccess(),
        Git(),
        Packages(),
        CondaEnvironments(),
        Image(),
        Memory(),
        DiskSpace(),
        Runtime(),
        Serving(),
        Budget(),
    ]
