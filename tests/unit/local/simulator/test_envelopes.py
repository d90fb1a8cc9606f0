from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.identifiers import Identifiers


def test_answer_is_of_the_default_tier_unless_said() -> None:
    assert Envelope(Identifiers("a"), 0, "m").service_tier == "default"
