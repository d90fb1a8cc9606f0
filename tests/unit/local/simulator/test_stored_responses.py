from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.bodies import ResponseBody
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.request_log import LogEntry
from tollgate.local.simulator.response_answers import ResponseAnswer
from tollgate.local.simulator.stored_responses import StoredResponse, StoredResponses
from tollgate.local.simulator.tasks import Task

AT = datetime(2026, 10, 31, 12, 0, 15, tzinfo=UTC)

Make = Callable[[str, float | None], StoredResponse]


@pytest.fixture
def queued(mini: SimulatedDeployment) -> Make:
    """Makes a queued background response, under an id that its name decides."""

    def made(name: str, background_s: float | None) -> StoredResponse:
        envelope = Envelope(Identifiers(name), 0, "gpt-4o-mini")
        generation = generate(Task(Prompt("hello", 9), limit=5), mini)
        answer = ResponseAnswer(ResponseBody("hello", background=True), envelope, generation)
        entry = LogEntry(1, AT, "POST", "/", "", {}, "r", usage={"output_tokens": 5})
        return StoredResponse(answer, entry, background_s, "queued")

    return made


def test_polls_go_through_the_states_and_stay_at_the_last(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", None)
    stored.keep(response)
    polled = [stored.poll(response.answer.id, AT)["status"] for _ in range(3)]
    assert polled == ["in_progress", "incomplete", "incomplete"]


def test_clock_moves_a_response_that_has_a_time(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", 10.0)
    stored.keep(response)
    times = [AT + timedelta(seconds=elapsed_s) for elapsed_s in (0, 4.9, 5, 9.9, 10)]
    polled = [stored.poll(response.answer.id, at) for at in times]
    assert [state["status"] for state in polled] == [
        "queued",
        "queued",
        "in_progress",
        "in_progress",
        "incomplete",
    ]
    assert [state["usage"] is None for state in polled] == [True, True, True, True, False]


def test_response_may_take_no_time(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", 0.0)
    stored.keep(response)
    assert stored.poll(response.answer.id, AT)["status"] == "incomplete"


def test_cancelled_response_stays_so(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", 10.0)
    stored.keep(response)
    cancelled = stored.cancel(response.answer.id, AT)
    assert (cancelled["status"], cancelled["usage"]) == ("cancelled", None)
    later = AT + timedelta(seconds=60)
    assert stored.poll(response.answer.id, later)["status"] == "cancelled"
    assert response.entry.usage is None


def test_prompt_is_billed_of_a_response_cancelled_under_way(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", 10.0)
    stored.keep(response)
    stored.cancel(response.answer.id, AT + timedelta(seconds=6))
    assert response.entry.usage is not None
    assert response.entry.usage["output_tokens"] == 0


def test_finished_response_cannot_be_cancelled_any_more(queued: Make) -> None:
    stored, response = StoredResponses(10), queued("a", 1.0)
    stored.keep(response)
    later = AT + timedelta(seconds=1)
    assert stored.cancel(response.answer.id, later)["status"] == "incomplete"
    assert response.entry.usage == {"output_tokens": 5}


def test_oldest_response_goes_first(queued: Make) -> None:
    stored, first, second = StoredResponses(1), queued("a", None), queued("b", None)
    stored.keep(first)
    stored.keep(second)
    assert stored.context_tokens(second.answer.id) == 14
    with pytest.raises(Refusal):
        stored.poll(first.answer.id, AT)


def test_new_conversation_has_no_context() -> None:
    assert StoredResponses(1).context_tokens(None) == 0


def test_unknown_conversation_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        StoredResponses(1).context_tokens("r")
    assert refused.value.status == 400


def test_deleted_response_is_gone(queued: Make) -> None:
    stored, response = StoredResponses(1), queued("a", None)
    stored.keep(response)
    assert stored.delete(response.answer.id)["deleted"] is True
    with pytest.raises(Refusal):
        stored.delete(response.answer.id)
