"""Bar charts as inline SVG: from a common zero, each bar with its figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from markupsafe import escape

from accountant.money import ZERO
from accountant.statements.document import Bar, Chart
from accountant.statements.figures import about

_WIDE: Final = 720  # of an upright chart
_NARROW: Final = 480
_LABEL_WIDTH: Final = 175
_FIGURE_WIDTH: Final = 100
_ROW: Final = 26
_BAR: Final = 16
_HEIGHT: Final = 190  # of an upright chart
_TOP: Final = 26
_AXIS: Final = 70  # left of the days, for the scale
_FOOT: Final = 22
_LONGEST: Final = 20
_MOST_STEPS: Final = 4


def chart_svg(chart: Chart, currency: str) -> str:
    """The chart as one element, with its title and all its figures as text for who cannot see it.

    Args:
        chart: What to draw.
        currency: ISO 4217, of the amounts.
    """
    drawn = _upright(chart, currency) if chart.upright else _lying(chart, currency)
    width = _WIDE if chart.upright else _NARROW
    height = _TOP + _HEIGHT + _FOOT if chart.upright else _ROW * len(chart.bars) + 4
    told = "; ".join(f"{bar.label}: {about(bar.amount, currency)}" for bar in chart.bars)
    kind = ' class="upright"' if chart.upright else ""
    head = (
        f'<svg viewBox="0 0 {width} {height}" role="img"{kind}><title>{escape(chart.title)}</title>'
    )
    return f"{head}<desc>{escape(told)}</desc>{''.join(drawn)}</svg>"


def _lying(chart: Chart, currency: str) -> Iterator[str]:
    """A bar a name, from top to bottom, its figure behind it."""
    room = _NARROW - _LABEL_WIDTH - _FIGURE_WIDTH
    amounts = [bar.amount for bar in chart.bars]
    least, most = min([ZERO, *amounts]), max([ZERO, *amounts])
    zero = _LABEL_WIDTH + _scaled(-least, most - least, room)
    for place, bar in enumerate(chart.bars):
        top = place * _ROW + 4
        length = _scaled(abs(bar.amount), most - least, room)
        left, right = (zero - length, zero) if bar.amount < 0 else (zero, zero + length)
        yield _text(_LABEL_WIDTH - 8, top + 13, _cut(bar.label), "end")
        yield _bar(bar, (left, top, length, _BAR), currency)
        yield _text(right + 6, top + 13, about(bar.amount, currency))
    yield _line((zero, 0, zero, _ROW * len(chart.bars) + 2))


def _upright(chart: Chart, currency: str) -> Iterator[str]:
    """A bar a day, from left to right, beside a scale of round amounts that has zero on it."""
    scale = _scale([bar.amount for bar in chart.bars])
    least, span = scale[0], scale[-1] - scale[0]
    heights = [_TOP + _HEIGHT - _scaled(amount - least, span, _HEIGHT) for amount in scale]
    zero = heights[scale.index(ZERO)]
    for amount, y in zip(scale, heights, strict=True):
        yield _line((_AXIS, y, _WIDE, y), "axis" if amount == ZERO else "grid")
        yield _text(_AXIS - 8, y + 4, f"{amount:,f}", "end")
    step = (_WIDE - _AXIS) / len(chart.bars)
    for place, bar in enumerate(chart.bars):
        length, left = _scaled(abs(bar.amount), span, _HEIGHT), _AXIS + place * step
        top = zero if bar.amount < 0 else zero - length
        yield _bar(bar, (left + 2, top, step - 4, length), currency)
        yield _text(left + step / 2, _TOP + _HEIGHT + 17, bar.label, "middle")


def _scale(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Round amounts at equal steps, zero among them, from below the least to above the most."""
    least, most = min([ZERO, *amounts]), max([ZERO, *amounts])
    ten = Decimal(1).scaleb((most - least).adjusted() - 1)
    steps = (ten * factor for factor in (1, 2, 5, 10, 20, 50, 100))
    step = next(each for each in steps if (most - least) / each <= _MOST_STEPS)
    first = int((least / step).to_integral_value(ROUND_FLOOR))
    last = int((most / step).to_integral_value(ROUND_CEILING))
    return [(place * step).normalize() + 0 for place in range(first, last + 1)]


def _scaled(amount: Decimal, whole: Decimal, room: float) -> float:
    """Where an amount lies, in a place of the drawing; whole is more than nothing."""
    return float(amount / whole) * room


def _bar(bar: Bar, place: tuple[float, float, float, float], currency: str) -> str:
    """A bar that says what it is when it is pointed at; what is not nothing can be seen."""
    x, y, width, height = place
    told = f"{bar.label}: {about(bar.amount, currency)} {currency}"
    kinds = {"minus": bar.amount < 0, "others": bar.others}
    kind = " ".join(name for name, holds in kinds.items() if holds)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}">'
        f"<title>{escape(told)}</title></rect>"
    )


def _line(ends: tuple[float, float, float, float], kind: str = "axis") -> str:
    x1, y1, x2, y2 = ends
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _cut(label: str) -> str:
    """A label that fits; the whole of it is in the description."""
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
