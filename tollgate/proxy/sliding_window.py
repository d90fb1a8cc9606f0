"""What is left of a limit per time, as far as this process and the backend's answers tell."""

from __future__ import annotations

from collections import deque

_BUCKETS = 12


class SlidingWindow:
    """Counts what was admitted within the last `window_s`, or up to a twelfth of it longer.

    So it never says that more is left than a count to the moment would. Times are seconds of any
    one steady clock.

    Args:
        limit: How much may be admitted in any `window_s`.
        window_s: The length of the window.
    """

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._bucket_s = window_s / _BUCKETS
        self._buckets: deque[tuple[int, int]] = deque()  # place in time, amount
        self._used = 0
        self._told = 0  # left, by the backend, less what was admitted since
        self._told_until_s = 0.0

    def admit(self, amount: int, now_s: float) -> None:
        """Count what goes to the backend now; more than is left is counted too."""
        self._expire(now_s)
        place = int(now_s // self._bucket_s)
        if self._buckets and self._buckets[-1][0] == place:
            amount_before = self._buckets.pop()[1]
            self._buckets.append((place, amount_before + amount))
        else:
            self._buckets.append((place, amount))
        self._used += amount
        self._told -= amount

    def told(self, left: int, now_s: float, valid_s: float | None = None) -> None:
        """The backend says what is left; it knows what others admit, too.

        Args:
            left: Of the limit.
            now_s: The time.
            valid_s: Until it counts afresh; at most the window, which stands for None as well.
        """
        self._told = left
        self._told_until_s = now_s + min(valid_s or self._window_s, self._window_s)

    def left(self, now_s: float) -> int:
        """What may still be admitted: the smaller of both counts; below 0 if it is overdrawn."""
        self._expire(now_s)
        left = self._limit - self._used
        return min(left, self._told) if now_s < self._told_until_s else left

    def wait_s(self, needed: int, now_s: float) -> float:
        """Seconds until `needed` is left if nothing else comes; the window if it never will be."""
        self._expire(now_s)
        wait_s = 0.0
        if now_s < self._told_until_s and self._told < needed:
            wait_s = self._told_until_s - now_s
        missing = needed - (self._limit - self._used)
        for place, amount in self._buckets:
            if missing <= 0:
                return wait_s
            missing -= amount
            wait_s = max(wait_s, self._end_s(place) - now_s)
        return wait_s if missing <= 0 else self._window_s

    def _expire(self, now_s: float) -> None:
        while self._buckets and self._end_s(self._buckets[0][0]) <= now_s:
            self._used -= self._buckets.popleft()[1]

    def _end_s(self, place: int) -> float:
        return (place + 1) * self._bucket_s + self._window_s
