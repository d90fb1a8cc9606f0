"""Undoes an answer's content encoding, a bounded piece at a time."""

from __future__ import annotations

import zlib
from typing import Final

_MAX_PIECE_BYTES: Final = 256 * 1024
_GZIP_WBITS: Final = zlib.MAX_WBITS + 16
_METHOD_BITS: Final = 0x0F
_METHOD_DEFLATE: Final = 8  # the first byte of the zlib format, RFC 1950; no bare stream begins so


def decoding_of(content_encoding: str) -> Inflation | None:
    """The decoding for a `Content-Encoding` header; None if the bytes are plain.

    Raises:
        ValueError: The encoding is not known.
    """
    name = content_encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ValueError("a content encoding that was not asked for")
    return Inflation(gzip=name != "deflate")


class Inflation:
    """Decodes gzip, or what `deflate` stands for: the zlib format, or a bare stream.

    Args:
        gzip: Whether it is gzip.
    """

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream = zlib.decompressobj(_GZIP_WBITS)
        self._begun = False
        self._fed = b""
        self._more = False  # zlib holds back what did not fit into the last piece

    def feed(self, data: bytes) -> None:
        """Take more bytes; only when `next_piece` has given all."""
        self._fed = data

    def next_piece(self) -> bytes:
        """The next decoded bytes, at most 256 KB; empty when more must be fed.

        Raises:
            ValueError: The bytes are not so encoded.
        """
        piece = b""
        try:
            while (self._fed or self._more) and not piece:
                piece = self._inflate()
        except zlib.error:
            raise ValueError("bytes that are not so encoded") from None
        return piece

    def check_end(self) -> None:
        """No more bytes come.

        Raises:
            ValueError: The encoded bytes were cut.
        """
        if self._begun and not self._stream.eof:
            raise ValueError("encoded bytes that were cut")

    def _inflate(self) -> bytes:
        if not self._begun or self._stream.eof:
            self._begin()
        piece = self._stream.decompress(self._fed, _MAX_PIECE_BYTES)
        self._more = len(piece) == _MAX_PIECE_BYTES and not self._stream.eof
        self._fed = self._stream.unused_data or self._stream.unconsumed_tail
        return piece

    def _begin(self) -> None:
        """A gzip body may have several members; the other formats know nothing of the kind."""
        if not self._gzip:
            if self._begun:
                raise ValueError("bytes after the encoded ones")
            wrapped = self._fed[0] & _METHOD_BITS == _METHOD_DEFLATE
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        elif self._begun:
            self._stream = zlib.decompressobj(_GZIP_WBITS)
        self._begun = True
