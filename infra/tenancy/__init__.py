"""The tenancy file: its schema, its loader, and what is wrong with a bad one.

``load`` reads one ``tenancies/*.yaml`` into a frozen ``Tenancy``; it raises ``TenancyError``,
whose message is for the reader of the file and lists every problem with its line.
"""

from infra.tenancy.errors import TenancyError
from infra.tenancy.loader import load
from infra.tenancy.schema import Tenancy

__all__ = ["Tenancy", "TenancyError", "load"]
