"""Counts tokens with tiktoken, if it is installed and a vocabulary lies on this machine.

tiktoken itself downloads a vocabulary that it does not find; this never does. Addresses, digests
and patterns: https://github.com/openai/tiktoken (tiktoken_ext/openai_public.py).
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

try:
    import tiktoken
except ImportError:  # an estimate from characters will do
    tiktoken = None

# A run without a space is one piece to tiktoken, whose time grows faster than a piece does.
SLICE_CHARACTERS: Final = 2048

_log: Final = logging.getLogger(__name__)


class Vocabulary(msgspec.Struct, frozen=True):
    """A vocabulary as its owner publishes it.

    Args:
        name: The owner's name for it.
        url: Its address; the SHA-1 of it names the file in tiktoken's folder.
        sha256: The digest of the file.
        pattern: How text is split before its pieces are encoded.
    """

    name: str
    url: str
    sha256: str
    pattern: str

    def file(self, folder: Path) -> Path:
        """Where tiktoken keeps it."""
        digest = hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()
        return folder / digest


_URL: Final = "https://openaipublic.blob.core.windows.net/encodings/"
_CONTRACTED: Final = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"

O200K: Final = Vocabulary(
    "o200k_base",
    f"{_URL}o200k_base.tiktoken",
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "|".join(
        [
            f"{_UPPER}*{_LOWER}+{_CONTRACTED}",
            f"{_UPPER}+{_LOWER}*{_CONTRACTED}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
)
CL100K: Final = Vocabulary(
    "cl100k_base",
    f"{_URL}cl100k_base.tiktoken",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
)


def load_tokenizer(
    folder: Path | None, vocabularies: Sequence[Vocabulary] = (O200K, CL100K)
) -> Callable[[str], int] | None:
    """A function that counts the tokens of a text; None if there is nothing to count with.

    It takes about a second: call it once, at the start.

    Args:
        folder: tiktoken's cache folder, `TIKTOKEN_CACHE_DIR`.
        vocabularies: The first of them that is there, and is what it should be, is taken.

    Raises:
        OSError: The folder has a vocabulary that cannot be read.
    """
    if tiktoken is None or folder is None:
        return None
    for vocabulary in vocabularies:
        ranks = _ranks(vocabulary, folder)
        if ranks is not None:
            encoding = tiktoken.Encoding(
                vocabulary.name,
                pat_str=vocabulary.pattern,
                mergeable_ranks=ranks,
                special_tokens={},  # in a text they are text
            )
            return _counter(encoding.encode_ordinary)
    return None


def _ranks(vocabulary: Vocabulary, folder: Path) -> dict[bytes, int] | None:
    """Each token's rank: lines of its bytes in Base64 and its number."""
    file = vocabulary.file(folder)
    if not file.is_file():
        return None
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != vocabulary.sha256:
        _log.warning("the vocabulary %s in %s is damaged and left aside", vocabulary.name, file)
        return None
    pairs = (line.split() for line in content.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _counter(encode: Callable[[str], Sequence[int]]) -> Callable[[str], int]:
    def count_tokens(text: str) -> int:
        slices = range(0, len(text), SLICE_CHARACTERS)
        return sum(len(encode(text[at : at + SLICE_CHARACTERS])) for at in slices)

    return count_tokens
