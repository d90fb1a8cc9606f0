from tollgate.local.simulator.faults import (
    HttpError,
    SlowFirstByte,
    SlowFrames,
    SplitBytes,
    Subject,
    Throttle,
)
from tollgate.local.simulator.faults_in_force import FaultsInForce

CHAT = Subject("chat.completions", "mini", streamed=True)


def test_fault_ends_after_its_times() -> None:
    faults = FaultsInForce()
    faults.add(Throttle(times=2))
    assert [faults.draw(CHAT).kinds for _ in range(3)] == [["throttle"], ["throttle"], []]
    assert faults.listed()[0]["remaining"] == 0


def test_call_that_does_not_suit_uses_nothing_up() -> None:
    faults = FaultsInForce()
    faults.add(Throttle(times=1, deployment="other"))
    assert faults.draw(CHAT).kinds == []
    assert faults.listed()[0]["applied"] == 0


def test_probability_repeats_with_its_seed() -> None:
    def befallen(seed: int) -> list[bool]:
        faults = FaultsInForce()
        faults.add(Throttle(probability=0.3, seed=seed))
        return [bool(faults.draw(CHAT).kinds) for _ in range(200)]

    assert befallen(1) == befallen(1) != befallen(2)
    assert 30 < sum(befallen(1)) < 90


def test_answer_is_replaced_once_and_may_be_late() -> None:
    faults = FaultsInForce()
    faults.add(SlowFrames(delay_s=1), Throttle(), HttpError(), SlowFirstByte(delay_s=2))
    assert faults.draw(CHAT).kinds == ["slow_first_byte", "throttle"]
    assert [item["applied"] for item in faults.listed()] == [0, 1, 0, 1]


def test_other_faults_come_together_one_of_a_kind() -> None:
    faults = FaultsInForce()
    faults.add(SlowFrames(delay_s=1), SplitBytes(), SlowFrames(delay_s=3))
    applied = faults.draw(CHAT)
    assert applied.kinds == ["slow_frames", "split_bytes"]
    assert applied.first(SlowFrames) == SlowFrames(delay_s=1)
    assert applied.first(Throttle) is None


def test_cleared_faults_are_gone() -> None:
    faults = FaultsInForce()
    faults.add(Throttle())
    faults.clear()
    assert faults.draw(CHAT).kinds == faults.listed() == []
