"""Ids of one answer: unique for each call, and the same again in a repeated run."""

from hashlib import blake2b
from uuid import UUID


class Identifiers:
    """Makes every id that one answer bears.

    Args:
        seed: Differs for every call of every region: name, start and number of the call.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def hexadecimal(self, label: str) -> str:
        """Forty hexadecimal digits for what the label names."""
        return blake2b(f"{self._seed}/{label}".encode(), digest_size=20).hexdigest()

    def prefixed(self, prefix: str, label: str = "") -> str:
        """An id such as "chatcmpl-0f3a…", in the form that the API gives its objects."""
        return prefix + self.hexadecimal(prefix + label)[:29]

    def uuid(self, label: str) -> str:
        """An id in the form of a UUID, as request ids have it."""
        return str(UUID(self.hexadecimal(label)[:32], version=4))
