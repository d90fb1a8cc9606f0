"""Which regions are near to a client."""

from __future__ import annotations

from collections.abc import Mapping


class Geography:
    """Knows which regions are preferred for clients of a region.

    Args:
        header: The request header that names the client's region; None for none.
        table: What clients may be said to be in (a country, an office) → Azure regions, the nearest
            first. An Azure region need not stand in it: it is nearest to itself.
    """

    def __init__(self, header: str | None, table: Mapping[str, tuple[str, ...]]) -> None:
        self.header = header
        self._table = {
            plain(name): tuple(plain(region) for region in regions)
            for name, regions in table.items()
        }

    def preference(self, client_region: str) -> tuple[str, ...]:
        """The plain names of the regions that are preferred there, the nearest first.

        An unknown name is its own, so that it is preferred to nothing that exists.
        """
        name = plain(client_region)
        return self._table.get(name) or (name,)


def plain(name: str) -> str:
    """A region's name as Azure's APIs spell it: `West Europe` is `westeurope`."""
    return "".join(name.split()).lower()
