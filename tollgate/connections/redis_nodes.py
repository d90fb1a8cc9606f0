"""Where the nodes of a Redis cluster are reached."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

Address = tuple[str, int]


def remap_to(url: str) -> Callable[[Address], Address]:
    """Turns the address that a node announces into one that its certificate is for.

    Azure Managed Redis announces its nodes as ports of one IP address, and certifies its name
    alone: an address of the URL's own host is replaced by that host's name. Others stay.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""

    @cache
    def addresses() -> set[str]:
        with suppress(OSError):
            return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
        return set()

    def remap(address: Address) -> Address:
        host, port = address
        is_ours = parts.scheme == "rediss" and not _is_ip(name) and _is_ip(host)
        return (name, port) if is_ours and host in addresses() else address

    return remap


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
