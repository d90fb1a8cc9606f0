"""Where a C# expression ends within the text of a policy document."""

from __future__ import annotations

import re
from typing import Final

_CLOSERS: Final = {"(": ")", "{": "}", "[": "]"}
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CHARACTER: Final = re.compile(r"'(?:\\u[0-9a-fA-F]{4}|\\.|[^\\'])'")
_QUOTE: Final = re.compile(r'(?P<prefix>\$@|@\$|\$|@)?(?P<quote>"|&quot;)')
_PLAIN_QUOTE: Final = re.compile(r'"|&quot;')


class Unreadable(Exception):  # noqa: N818  what the text is, as `ValueError` says
    """A document that API Management would not take, and why."""


def expression_end(text: str, at: int, closer: str) -> int:
    """The place of the bracket that closes an expression.

    Args:
        text: The document.
        at: Behind the bracket that opens it.
        closer: `)` or `}`.

    Raises:
        Unreadable: It is not closed, or its brackets do not match.
    """
    open_brackets = [closer]
    while at < len(text):
        character = text[at]
        if (behind := _behind_literal(text, at)) is not None:
            at = behind
        elif character not in ")}]":
            open_brackets += _CLOSERS.get(character, "")
            at += 1
        elif open_brackets.pop() != character:
            raise Unreadable(f"{character!r} closes nothing near {text[max(at - 30, 0) : at]!r}")
        elif not open_brackets:
            return at
        else:
            at += 1
    raise Unreadable("an expression is not closed")


def _behind_literal(text: str, at: int) -> int | None:
    """Behind the comment, the string or the character that begins here."""
    if found := _COMMENT.match(text, at):
        return found.end()
    if found := _QUOTE.match(text, at):
        return _string_end(text, found)
    return _character_end(text, at) if text[at] == "'" else None


def _character_end(text: str, at: int) -> int:
    found = _CHARACTER.match(text, at)
    if found is None:
        raise Unreadable(f"not a character: {text[at : at + 12]!r}")
    return found.end()


def _string_end(text: str, opening: re.Match[str]) -> int:
    prefix = opening["prefix"] or ""
    at = opening.end()
    while at < len(text):
        if found := _PLAIN_QUOTE.match(text, at):
            doubled = _PLAIN_QUOTE.match(text, found.end()) if "@" in prefix else None
            if doubled is None:
                return found.end()
            at = doubled.end()
        elif text[at] == "\\" and "@" not in prefix:
            at += 2
        elif text[at] == "{" and "$" in prefix:
            at = at + 2 if text[at + 1] == "{" else expression_end(text, at + 1, "}") + 1
        elif text[at] == "\n" and "@" not in prefix:
            raise Unreadable("a line ends within a string")
        else:
            at += 1
    raise Unreadable("a string is not closed")
