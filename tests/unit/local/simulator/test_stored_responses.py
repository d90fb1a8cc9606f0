import pytest

from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.stored_responses import StoredResponses


def test_polls_go_through_the_states_and_stay_at_the_last() -> None:
    stored = StoredResponses(10)
    stored.keep("r", [{"status": "in_progress"}, {"status": "completed"}], 5)
    polled = [stored.poll("r")["status"] for _ in range(3)]
    assert polled == ["in_progress", "completed", "completed"]


def test_oldest_response_goes_first() -> None:
    stored = StoredResponses(1)
    stored.keep("a", [{}], 1)
    stored.keep("b", [{}], 2)
    assert stored.context_tokens("b") == 2
    with pytest.raises(Refusal):
        stored.poll("a")


def test_new_conversation_has_no_context() -> None:
    assert StoredResponses(1).context_tokens(None) == 0


def test_unknown_conversation_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        StoredResponses(1).context_tokens("r")
    assert refused.value.status == 400


def test_deleted_response_is_gone() -> None:
    stored = StoredResponses(1)
    stored.keep("a", [{}], 1)
    assert stored.delete("a")["deleted"] is True
    with pytest.raises(Refusal):
        stored.delete("a")
