"""Which font shows which character in a PDF.

DejaVu Sans is used where it is installed, and Droid Sans Fallback for Chinese, Japanese and Korean;
the font that comes with ReportLab shows Latin letters everywhere. What no font has stands as its
code point, such as `[U+4E2D]`, so nothing is lost. Letters are not joined, and names that are
written from right to left stand in the order of their letters.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FOLDERS: Final = ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu-sans-fonts")
_FALLBACKS: Final = ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",)

# A font's name, and what is written in it.
Run = tuple[str, str]


def runs(text: str, *, bold: bool = False) -> list[Run]:
    """The text in parts of one font each, without a character lost."""
    found: list[Run] = []
    for character in text:
        font, shown = _shown(character, bold)
        if found and found[-1][0] == font:
            found[-1] = (font, found[-1][1] + shown)
        else:
            found.append((font, shown))
    return found


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide it is, in points."""
    return sum(pdfmetrics.stringWidth(part, font, size) for font, part in runs(text, bold=bold))


@cache
def _shown(character: str, bold: bool) -> Run:  # noqa: FBT001  a part of the key
    fonts = _fonts()
    for pair in fonts:
        name = pair[bold]
        if ord(character) in _characters(name):
            return name, character
    return fonts[0][bold], f"[U+{ord(character):04X}]"


@cache
def _fonts() -> tuple[tuple[str, str], ...]:
    """Names of the fonts that there are, in the order in which they are asked: plain and bold."""
    files = [(f"{each}/DejaVuSans.ttf", f"{each}/DejaVuSans-Bold.ttf") for each in _FOLDERS]
    files += [(each, each) for each in _FALLBACKS]
    there = [pair for pair in files if all(Path(file).is_file() for file in pair)]
    shipped = ("Vera.ttf", "VeraBd.ttf")
    return tuple(_registered(pair) for pair in [*there, shipped])


def _registered(files: tuple[str, str]) -> tuple[str, str]:
    plain, bold = (Path(file).stem for file in files)
    for name, file in zip((plain, bold), files, strict=True):
        pdfmetrics.registerFont(TTFont(name, file))  # pyright: ignore[reportUnknownMemberType]  its stubs
    return plain, bold


@cache
def _characters(font: str) -> frozenset[int]:
    made: Any = pdfmetrics.getFont(font)
    return frozenset(made.face.charToGlyph)
