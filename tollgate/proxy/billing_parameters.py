"""Takes the billing parameters out of the query, however they are cased, repeated or encoded.

Of the rest only what the served operations know goes upstream: a name that some other reader would
take for a billing parameter (`;billingCode=`, `%2562illingCode=`, …) cannot slip through.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from tollgate.proxy.refusals import Refusal
from tollgate.usage.event import CONTROL_CHARACTER

MAX_VALUE_CHARACTERS: Final = 128

_MEMBERS: Final = {"username": "user", "companyname": "company", "billingcode": "billing_code"}
_SPELLING: Final = {"user": "username", "company": "companyName", "billing_code": "billingCode"}
_VALUE: Final = r"=[A-Za-z0-9._-]{1,256}"
_CALLS: Final = re.compile("api-version" + _VALUE, re.IGNORECASE | re.ASCII)
_STORED: Final = re.compile(
    r"(?:api-version|stream|starting_after|include_obfuscation|include(?:\[\]|%5b%5d)?"
    r"|limit|order|after|before)" + _VALUE,
    re.IGNORECASE | re.ASCII,
)


class Claims(msgspec.Struct, frozen=True):
    """What the caller says of itself; claims, not an identity."""

    user: str | None = None
    company: str | None = None
    billing_code: str | None = None


def split_query(query: str) -> tuple[dict[str, list[str]], str]:
    """Part the billing parameters from what a call of a model sends upstream.

    Returns:
        The values found for each member of `Claims`, undecided, and the query to pass on, as the
        client wrote it.
    """
    return _split(query, _CALLS)


def split_stored_query(query: str) -> tuple[dict[str, list[str]], str]:
    """The same for a call about a stored response, which knows more parameters."""
    return _split(query, _STORED)


def read_query(query: str) -> tuple[Claims, str]:
    """The claims of a call of a model, and what of its query goes upstream.

    Raises:
        Refusal: As `read_claims`.
    """
    return (_read if len(query) <= _LONGEST_KEPT else _read_anew)(query)


def _read_anew(query: str) -> tuple[Claims, str]:
    found, kept = split_query(query)
    return read_claims(found), kept


# Callers say the same of themselves again and again.
_LONGEST_KEPT: Final = 1024
_read: Final = lru_cache(maxsize=4096)(_read_anew)


def _split(query: str, forwarded: re.Pattern[str]) -> tuple[dict[str, list[str]], str]:
    found: dict[str, list[str]] = {}
    kept: list[str] = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        plain_name = _plain(name)
        if plain_name in _MEMBERS:
            found.setdefault(_MEMBERS[plain_name], []).append(value)
        elif forwarded.fullmatch(pair):
            kept.append(pair)
    return found, "&".join(kept)


def _plain(name: str) -> str:
    if name.isascii() and name.isalpha():
        return name.lower()
    return _bytes(name.replace("+", " ")).decode("utf-8", "replace").strip().casefold()


def read_claims(found: dict[str, list[str]]) -> Claims:
    """Decide the values; an empty one is as good as none.

    Raises:
        Refusal: 400 if a value is too long, is not UTF-8, holds control characters, or if a
            parameter is given twice with different values.
    """
    return Claims(**{member: _single(member, values) for member, values in found.items()})


def read_claim(spelling: str, value: str) -> str | None:
    """A percent-encoded claim's text without the blanks around it, or None if nothing is left.

    Raises:
        Refusal: 400 if it is too long, is not UTF-8, or holds control characters.
    """
    try:
        text = _bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise _bad(spelling, "is not UTF-8 text") from None
    if len(text) > MAX_VALUE_CHARACTERS:
        raise _bad(spelling, f"is longer than {MAX_VALUE_CHARACTERS} characters")
    if CONTROL_CHARACTER.search(text):
        raise _bad(spelling, "holds control characters")
    return text.strip() or None


def _single(member: str, values: list[str]) -> str | None:
    spelling = _SPELLING[member]
    claims = [read_claim(spelling, value.replace("+", " ")) for value in values]
    given = [claim for claim in claims if claim is not None]
    if len({_compared(member, claim) for claim in given}) > 1:
        raise _bad(spelling, "is given more than once, with different values")
    return given[0] if given else None


def _compared(member: str, claim: str) -> str:
    """Codes and companies are the same in any case; a user is a label, kept as it is written."""
    return claim if member == "user" else claim.casefold()


def _bytes(text: str) -> bytes:
    """The bytes behind the percent signs; the edges hand raw bytes on as Latin-1."""
    return unquote_to_bytes(text.encode("latin-1", "replace"))


def _bad(spelling: str, what: str) -> Refusal:
    return Refusal(
        400, "invalid_billing_parameter", f"The parameter {spelling} {what}.", param=spelling
    )
