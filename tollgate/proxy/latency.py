"""Which of several targets answers soonest, learnt from the answers themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol, TypeVar

from tollgate.proxy.breaker import Circuit

Kind = Literal["first_frame", "whole"]

# The weight of the newest sample: after a change, some five answers tell the new figure.
_NEWEST: Final = 0.3
# Of `stale_s`: how long a request that was sent to look is waited for before the next one is.
_LOOKING: Final = 1 / 3


class HasCircuit(Protocol):
    """Whatever can be asked, named by its circuit."""

    @property
    def circuit(self) -> Circuit:
        """The key of its circuit breaker."""
        ...


Target = TypeVar("Target", bound=HasCircuit)


class _Sample:
    """A circuit's latency of one kind. Without an answer yet, `seconds` is None."""

    __slots__ = ("looking_until_s", "observed_s", "seconds")

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.observed_s = 0.0
        self.looking_until_s = 0.0


class Latencies:
    """Moving averages of seconds, by circuit and kind of answer.

    A stream's first frame and a whole answer are different quantities, so each counts for its own
    kind. A circuit that has not answered for long is given one request, to look.

    Args:
        steady_s: A steady clock, in seconds.
        within: Up to so many times the best latency counts as equal to it.
        stale_s: How old a circuit's last answer may be.
    """

    def __init__(
        self, steady_s: Callable[[], float], *, within: float = 1.25, stale_s: float = 30.0
    ) -> None:
        self._steady_s = steady_s
        self._within = within
        self._stale_s = stale_s
        self._samples: dict[Kind, dict[Circuit, _Sample]] = {"first_frame": {}, "whole": {}}

    def observe(self, circuit: Circuit, kind: Kind, seconds: float) -> None:
        """An answer came after so many seconds."""
        now_s = self._steady_s()
        sample = self._sample(circuit, kind)
        if sample.seconds is None or now_s - sample.observed_s >= self._stale_s:
            sample.seconds = seconds
        else:
            sample.seconds += (seconds - sample.seconds) * _NEWEST
        sample.observed_s = now_s
        sample.looking_until_s = 0.0

    def order(self, targets: Sequence[Target], kind: Kind) -> list[Target]:
        """The fast ones as they came, then the others by latency; first of all who is looked at.

        Args:
            targets: In the order that the weights gave them.
            kind: Of the answer.
        """
        samples = [self._sample(target.circuit, kind) for target in targets]
        known = [sample.seconds for sample in samples if sample.seconds is not None]
        near = min(known, default=0.0) * self._within
        slowness = [
            sample.seconds if sample.seconds is not None and sample.seconds > near else 0.0
            for sample in samples
        ]
        places = sorted(range(len(targets)), key=slowness.__getitem__)
        looked_at = self._look(places, samples)
        if looked_at is not None:
            places.remove(looked_at)
            places.insert(0, looked_at)
        return [targets[place] for place in places]

    def _sample(self, circuit: Circuit, kind: Kind) -> _Sample:
        samples = self._samples[kind]
        sample = samples.get(circuit)
        if sample is None:
            sample = samples[circuit] = _Sample()
        return sample

    def _look(self, places: list[int], samples: list[_Sample]) -> int | None:
        """The first place whose sample is stale and that nobody looks at yet."""
        now_s = self._steady_s()
        for place in places:
            sample = samples[place]
            fresh = sample.seconds is not None and now_s - sample.observed_s < self._stale_s
            if not fresh and now_s >= sample.looking_until_s:
                sample.looking_until_s = now_s + self._stale_s * _LOOKING
                return place
        return None
