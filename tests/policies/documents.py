"""Reads a policy document as API Management does: named values, then XML with raw C# in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as ET

from policies.expression_ends import Unreadable, expression_end

_NAMED_VALUE: Final = re.compile(r"\{\{([A-Za-z0-9._-]+)\}\}")
_MARK: Final = re.compile("\\s*\ue000([0-9]+)\ue001\\s*")
_TAG: Final = re.compile(r"</?[\w.:-]+")
_ATTRIBUTE: Final = re.compile(r"\s+([\w.:-]+)\s*=\s*([\"'])")
_TAG_END: Final = re.compile(r"\s*/?>")
_ASIDE: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_SPACE: Final = re.compile(r"\s*")
_BEFORE_TAG: Final = re.compile(r"\s*(?=<)")
_STARTS: Final = {"@(": ")", "@{": "}"}


@dataclass(frozen=True)
class Expression:
    """C# that stands for a value.

    Args:
        code: As the compiler reads it.
        is_block: Whether it is statements with a `return`.
        is_condition: Whether it must give a bool.
        file: The document it stands in.
        line: Where it begins there.
    """

    code: str
    is_block: bool
    is_condition: bool
    file: str
    line: int


Value = str | Expression


@dataclass(frozen=True)
class Step:
    """An element: a policy, a section, or a part of a policy."""

    tag: str
    attributes: Mapping[str, Value]
    text: Value
    children: tuple[Step, ...]
    file: str = field(compare=False)

    def walk(self) -> Iterator[Step]:
        """Itself and everything within."""
        yield self
        for child in self.children:
            yield from child.walk()

    def expressions(self) -> list[Expression]:
        """All of them, in order."""
        values = [value for step in self.walk() for value in (*step.attributes.values(), step.text)]
        return [value for value in values if isinstance(value, Expression)]

    def child(self, tag: str) -> Step | None:
        """The first part of that name."""
        return next((child for child in self.children if child.tag == tag), None)


def read_document(text: str, file: str, named_values: Mapping[str, str]) -> Step:
    """The root of a policy document or of a fragment.

    Raises:
        Unreadable: It is no document that API Management would take; says the file and line.
    """
    reader = _Reader(_with_named_values(text, file, named_values), file)
    try:
        reader.read()
        root = ET.fromstring("".join(reader.out))  # noqa: S314  the repository's own files
    except (Unreadable, ET.ParseError, ValueError) as error:
        raise Unreadable(f"{file}:{reader.line}: {error}") from None
    return _step(root, reader.expressions, file)


def _with_named_values(text: str, file: str, named_values: Mapping[str, str]) -> str:
    if missing := sorted(set(_NAMED_VALUE.findall(text)) - set(named_values)):
        raise Unreadable(f"{file}: there is no named value {', '.join(missing)}")
    return _NAMED_VALUE.sub(lambda found: named_values[found[1]], text)


def _step(element: ET.Element, expressions: list[Expression], file: str) -> Step:
    def value(text: str) -> Value:
        found = _MARK.fullmatch(text)
        return expressions[int(found[1])] if found else text

    return Step(
        tag=element.tag,
        attributes={name: value(text) for name, text in element.attrib.items()},
        text=value(element.text or ""),
        children=tuple(_step(child, expressions, file) for child in element),
        file=file,
    )


class _Reader:
    """Puts a mark for each expression; what is left is XML."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._is_xml = _is_xml(text)
        self.out: list[str] = []
        self.expressions: list[Expression] = []

    @property
    def line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def read(self) -> None:
        while self._at < len(self._text):
            if found := _ASIDE.match(self._text, self._at):
                self._at = found.end()
            elif self._text[self._at] == "<":
                self._tag()
            else:
                self._text_of_element()

    def _take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise Unreadable(f"{what} expected at {self._text[self._at : self._at + 30]!r}")
        self._at = found.end()
        self.out.append(found[0])
        return found

    def _tag(self) -> None:
        self._take(_TAG, "a tag")
        while not _TAG_END.match(self._text, self._at):
            name, quote = self._take(_ATTRIBUTE, "an attribute").groups()
            self._attribute(name, quote)
        self._take(_TAG_END, "the end of a tag")

    def _attribute(self, name: str, quote: str) -> None:
        if not self._expression(is_condition=name == "condition"):
            value = self._text[self._at : self._text.index(quote, self._at)]
            self._at += len(value)
            self.out.append(value)
        self._take(re.compile(rf"\s*{quote}"), f"the end of {name}")

    def _text_of_element(self) -> None:
        self._take(_SPACE, "space")
        if self._expression(is_condition=False):
            self._take(_BEFORE_TAG, "a tag behind the expression")
        elif self._at < len(self._text):
            end = self._text.find("<", self._at)
            plain = self._text[self._at : end if end >= 0 else len(self._text)]
            self._at += len(plain)
            self.out.append(plain)

    def _expression(self, *, is_condition: bool) -> bool:
        start = _SPACE.match(self._text, self._at)
        begins = start.end() if start else self._at
        opening = self._text[begins : begins + 2]
        if opening not in _STARTS:
            return False
        line, self._at = self._text.count("\n", 0, begins) + 1, begins + 2
        end = expression_end(self._text, self._at, _STARTS[opening])
        code = self._text[self._at : end]
        if self._is_xml or re.search(r"&(quot|lt|gt|amp|apos);", code):
            code = html.unescape(code)
        self._at = end + 1
        self.out.append(f"\ue000{len(self.expressions)}\ue001")
        self.expressions.append(Expression(code, opening == "@{", is_condition, self._file, line))
        return True


def _is_xml(text: str) -> bool:
    try:
        ET.fromstring(text)  # noqa: S314  the repository's own files
    except ET.ParseError:
        return False
    return True
