import pytest
from pydantic import ValidationError

from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    ContentFilter,
    FaultOrder,
    ResponsesFailed,
    Subject,
    Throttle,
)

CHAT = Subject("chat.completions", "mini", streamed=True)
EMBEDDING = Subject("embeddings", "vectors", streamed=False)


def test_fault_suits_the_calls_that_it_names() -> None:
    assert Throttle().suits(CHAT)
    assert Throttle(deployment="mini", operation="chat.completions").suits(CHAT)
    assert not Throttle(deployment="other").suits(CHAT)
    assert not Throttle(operation="embeddings").suits(CHAT)


def test_stream_faults_spare_plain_answers() -> None:
    assert BreakStream().suits(CHAT)
    assert not BreakStream().suits(EMBEDDING)
    assert BreakBody().suits(EMBEDDING)
    assert not BreakBody().suits(CHAT)


def test_some_faults_belong_to_an_operation() -> None:
    assert not ResponsesFailed().suits(CHAT)
    assert not ContentFilter().suits(EMBEDDING)


@pytest.mark.parametrize(
    "order",
    [
        '{"faults": []}',
        '{"faults": [{"kind": "unknown"}]}',
        '{"faults": [{"kind": "throttle", "retry_after_s": "1"}]}',
        '{"faults": [{"kind": "throttle", "retry_after_s": -1}]}',
        '{"faults": [{"kind": "throttle", "sleep": 1}]}',
        '{"faults": [{"kind": "slow_first_byte"}]}',
        '{"faults": [{"kind": "error", "status": 200}]}',
        '{"faults": [{"kind": "refuse", "times": 0}]}',
        '{"faults": [{"kind": "refuse", "probability": 2}]}',
    ],
)
def test_wrong_order_is_rejected(order: str) -> None:
    with pytest.raises(ValidationError):
        FaultOrder.model_validate_json(order)
