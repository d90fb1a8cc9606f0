"""Pages of text and tables: laid out first, so that each page can say how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Final

import msgspec
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from accountant.statements.pdf_fonts import runs, width

WIDTH, HEIGHT = landscape(A4)
MARGIN: Final = 40.0
ROOM: Final = WIDTH - 2 * MARGIN
_FOOT: Final = 34.0
_LEADING: Final = 1.32
_PAD: Final = 8.0  # between columns

Draw = Callable[[Canvas], None]


class Look(msgspec.Struct, frozen=True):
    """How text looks."""

    size: float = 9
    bold: bool = False
    grey: float = 0.1


class Grid(msgspec.Struct, frozen=True):
    """Columns of a table: how wide, and whether figures stand in them."""

    widths: Sequence[float]
    right: Sequence[bool]
    size: float


class Pages:
    """Puts text and rows below each other, on as many pages as it takes."""

    def __init__(self) -> None:
        self._pages: list[list[Draw]] = [[]]
        self.y = HEIGHT - MARGIN

    def content(self, title: str, foot: str) -> bytes:
        """The pages as a file; the same for the same content."""
        content = BytesIO()
        canvas = Canvas(content, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
        canvas.setTitle(title)
        canvas.setAuthor("Tollgate")
        for number, draws in enumerate(self._pages, 1):
            for draw in draws:
                draw(canvas)
            look = Look(7.5, grey=0.4)
            _text(MARGIN, _FOOT - 8, foot, look)(canvas)
            paging = f"Page {number} of {len(self._pages)}"
            place = WIDTH - MARGIN - width(paging, look.size)
            _text(place, _FOOT - 8, paging, look)(canvas)
            canvas.showPage()
        canvas.save()
        return content.getvalue()

    def space(self, points: float) -> None:
        """Leave room."""
        self.y -= points

    def needs(self, points: float) -> bool:
        """Begin a page if what follows has no room on this one; whether it did."""
        if self.y - points >= _FOOT + 6:
            return False
        self._pages.append([])
        self.y = HEIGHT - MARGIN
        return True

    def paragraph(self, text: str, look: Look, room: float = ROOM) -> None:
        """Text in as many lines as it takes."""
        for line in wrapped(text, room, look):
            self.needs(look.size * _LEADING)
            self.y -= look.size * _LEADING
            self._draw(_text(MARGIN, self.y, line, look))

    def beside(self, text: str, look: Look) -> None:
        """Text at the right, on the line of the last one."""
        self._draw(
            _text(WIDTH - MARGIN - width(text, look.size, bold=look.bold), self.y, text, look)
        )

    def rule(self, grey: float = 0.1) -> None:
        """A line from margin to margin."""
        y = self.y
        self._draw(lambda canvas: _rule(canvas, y, grey))

    def rows(
        self, heading: Sequence[str], rows: Sequence[tuple[Sequence[str], bool]], grid: Grid
    ) -> None:
        """Rows below their heading, which stands again on every page.

        Args:
            heading: Of the columns.
            rows: Their cells, and whether a row is a sum.
            grid: The columns.
        """
        self.needs(3 * grid.size * _LEADING)
        self._heading(heading, grid)
        for cells, strong in rows:
            look = Look(grid.size, bold=strong)
            lines = _cells(cells, grid, look)
            if self.needs(_height(lines, look)):
                self._heading(heading, grid)
            self._row(lines, grid, look)
            self.rule(0.1 if strong else 0.82)

    def facts(self, names: Sequence[str], values: Sequence[str], grid: Grid) -> None:
        """Small headings beside each other, each with what it stands for below it."""
        small, look = Look(grid.size - 0.5, grey=0.4), Look(grid.size + 1)
        lines = _cells(values, grid, look)
        self.needs(_height(lines, look) + 2 * small.size)
        self._row(_cells(names, grid, small), grid, small)
        self.y += 0.5 * small.size
        self._row(lines, grid, look)

    def _heading(self, heading: Sequence[str], grid: Grid) -> None:
        look = Look(grid.size, bold=True, grey=0.35)
        self._row(_cells(heading, grid, look), grid, look)
        self.rule()

    def _row(self, lines: Sequence[Sequence[str]], grid: Grid, look: Look) -> None:
        """A row whose cells may have several lines."""
        x = MARGIN
        for texts, room, right in zip(lines, grid.widths, grid.right, strict=True):
            for place, text in enumerate(texts, 1):
                left = x + (room - width(text, look.size, bold=look.bold) if right else 0)
                y = self.y - place * look.size * _LEADING
                self._draw(_text(left, y, text, look))
            x += room + _PAD
        self.y -= _height(lines, look)

    def _draw(self, draw: Draw) -> None:
        self._pages[-1].append(draw)


def grid(heading: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Grid:
    """Columns as wide as a page: figures whole where that can be, names as wide as is left.

    Args:
        heading: Of the columns.
        rows: Their cells.
        right: Which columns hold figures.
    """
    for size in (8.0, 7.0, 6.0, 5.0):
        wanted = [
            max(width(text, size, bold=True) for text in [_longest_word(head), *cells])
            for head, cells in zip(heading, _columns(heading, rows), strict=True)
        ]
        room = ROOM - _PAD * (len(heading) - 1)
        left = room - sum(each for each, figure in zip(wanted, right, strict=True) if figure)
        names = sum(each for each, figure in zip(wanted, right, strict=True) if not figure)
        if left >= min(names, room / 3):
            break
    left = max(left, room / 3)
    scale = left / names if names else 1.0
    figures = min(1.0, (room - left) / max(room - left, sum(wanted) - names, 1.0))
    widths = [
        each * (figures if figure else scale) for each, figure in zip(wanted, right, strict=True)
    ]
    return Grid(widths, right, size)


def wrapped(text: str, room: float, look: Look) -> list[str]:
    """Lines that fit; a word that does not is broken."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer, look.size, bold=look.bold) <= room + 0.01:
            lines[-1] = longer
            continue
        *whole, rest = _broken(word, room, look)
        lines += [*whole, rest]
    return lines[1:] if len(lines) > 1 and not lines[0] else lines


def _broken(word: str, room: float, look: Look) -> list[str]:
    parts = [""]
    for character in word:
        if parts[-1] and width(parts[-1] + character, look.size, bold=look.bold) > room + 0.01:
            parts.append("")
        parts[-1] += character
    return parts


def _columns(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[place] for row in rows] for place in range(len(heading))]


def _longest_word(text: str) -> str:
    return max(text.split(), key=len, default="")


def _cells(cells: Sequence[str], grid: Grid, look: Look) -> list[list[str]]:
    return [wrapped(cell, room, look) for cell, room in zip(cells, grid.widths, strict=True)]


def _height(lines: Sequence[Sequence[str]], look: Look) -> float:
    return (max(map(len, lines)) * _LEADING + 0.55) * look.size


def _text(x: float, y: float, text: str, look: Look) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.setFillGray(look.grey)
        at = x
        for font, part in runs(text, bold=look.bold):
            canvas.setFont(font, look.size)
            canvas.drawString(at, y, part)
            at += pdfmetrics.stringWidth(part, font, look.size)

    return draw


def _rule(canvas: Canvas, y: float, grey: float) -> None:
    canvas.setStrokeGray(grey)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, y, WIDTH - MARGIN, y)
