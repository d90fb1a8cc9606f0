"""Reads a month once, in a process of its own, and says on stderr its peak memory in MB.

Arguments: `report`, which is the command itself; or `read_only` or `read_only_flat`, which read
the same with redis-py and do nothing with it; the URL of Redis; the month; how many tenants it has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from bench.machine import peak_mb

_HASHES_A_READ: Final = 240


def report(url: str, month: str, _tenants: int) -> None:
    """What a person types."""
    from accountant.cli import app  # noqa: PLC0415  the others do without

    typed = ["report", month, "--by", "tenant,model", "--format", "csv", "--redis-url", url]
    app(typed, standalone_mode=False)


def read_only(url: str, month: str, tenants: int) -> None:
    """The ledger's hashes, with the commands that the report uses."""
    _read(url, "tollgate", month, tenants)


def read_only_flat(url: str, month: str, tenants: int) -> None:
    """The hashes of a ledger that has a field for every counter."""
    _read(url, "flat", month, tenants)


def _read(url: str, namespace: str, month: str, tenants: int) -> None:
    from redis import Redis  # noqa: PLC0415  the report opens it by itself

    hours = [f"{month}-{day:02d}T{hour:02d}" for day in range(1, 31) for hour in range(24)]
    with Redis.from_url(url) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        for number in range(tenants):
            for at in range(0, len(hours), _HASHES_A_READ):
                pipe: Any = redis.pipeline(transaction=False)  # pyright: ignore[reportUnknownMemberType]  same
                for hour in hours[at : at + _HASHES_A_READ]:
                    pipe.hgetall(f"{namespace}:{{tenant-{number:04d}}}:money:{hour}")
                pipe.execute()


_WAYS: Final[dict[str, Callable[[str, str, int], None]]] = {
    "report": report,
    "read_only": read_only,
    "read_only_flat": read_only_flat,
}


def main() -> None:
    """Run what the arguments name."""
    way, url, month, tenants = sys.argv[1:]
    _WAYS[way](url, month, int(tenants))
    sys.stderr.write(f"{peak_mb()}\n")


if __name__ == "__main__":
    main()
