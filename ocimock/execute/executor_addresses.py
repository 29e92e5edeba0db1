"""Addresses of nodes: each network gives out its own, and takes them back."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator

# The first addresses of a subnet and its last are OCI's own.
# Source: OCI documentation, "VCNs and Subnets", "Three IP Addresses in Each Subnet".
_RESERVED = 2


class Addresses:
    """Which addresses of which network are taken."""

    def __init__(self) -> None:
        self._taken: dict[str, set[str]] = {}
        self._changing = threading.Lock()

    def take(self, network: str, cidr: str, count: int) -> list[str]:
        """*count* free addresses of *network*, whose block is *cidr*.

        :raises OSError: it has not as many left.
        """
        with self._changing:
            taken = self._taken.setdefault(network, set())
            found: list[str] = []
            for address in _usable(cidr):
                if len(found) == count:
                    break
                if address not in taken:
                    found.append(address)
            if len(found) < count:
                raise OSError(f"{cidr} has no {count} free addresses left for the nodes")
            taken.update(found)
            return found

    def give_back(self, network: str, addresses: list[str]) -> None:
        """They are free again."""
        with self._changing:
            taken = self._taken.get(network, set())
            taken.difference_update(addresses)
            if not taken:
                self._taken.pop(network, None)


def _usable(cidr: str) -> Iterator[str]:
    network = ipaddress.ip_network(cidr, strict=False)
    for number in range(_RESERVED, network.num_addresses - 1):
        yield str(network[number])
