"""The shortened soak; the whole one is `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest
from load.memory import fitted
from load.soak import soak

pytestmark = pytest.mark.e2e
SECONDS = 15


async def test_nobody_notices_regions_that_fail_at_random(tmp_path: Path) -> None:
    figures = await soak(SECONDS, tmp_path)
    print(figures)  # noqa: T201  for who runs it with -s
    assert figures.rounds > 1
    assert figures.told > 20 * SECONDS
    assert figures.failed_over > 5
    assert figures.tokens > 0
    assert figures.recovered_s < 5


def test_a_trend_is_the_line_that_fits_best() -> None:
    trend = fitted([(10.0, 100.0), (20.0, 103.0), (30.0, 102.0), (40.0, 105.0)])
    assert (trend.first_mb, trend.last_mb) == pytest.approx((100.4, 104.6))
    assert trend.mb_per_min == pytest.approx(8.4)
