from dataclasses import replace

from openai.types.responses import Response

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.bodies import ResponseBody
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.response_answers import Failure, ResponseAnswer
from tollgate.local.simulator.tasks import Task, Tool

TASK = Task(Prompt("hello", 9))
FAILURE = Failure("server_error", "no")


def _answer(task: Task, deployment: SimulatedDeployment, envelope: Envelope) -> ResponseAnswer:
    return ResponseAnswer(ResponseBody("hello"), envelope, generate(task, deployment))


def test_finished_response_has_text_and_usage(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    answer = _answer(TASK, mini, envelope)
    response = Response.model_validate(answer.finished())
    assert response.status == "completed"
    assert response.output_text == answer.choice.text
    assert answer.finished()["usage"] == answer.generation.counts.response_usage()


def test_unfinished_response_has_neither(mini: SimulatedDeployment, envelope: Envelope) -> None:
    queued = _answer(TASK, mini, envelope).underway("queued")
    assert (queued["status"], queued["output"], queued["usage"]) == ("queued", [], None)


def test_cut_response_is_incomplete(mini: SimulatedDeployment, envelope: Envelope) -> None:
    limited = _answer(replace(TASK, limit=3), mini, envelope).finished()
    filtered = _answer(replace(TASK, filtered=True), mini, envelope).finished()
    assert limited["status"] == filtered["status"] == "incomplete"
    assert limited["incomplete_details"] == {"reason": "max_output_tokens"}
    assert filtered["incomplete_details"] == {"reason": "content_filter"}


def test_failed_response_hides_usage_unless_told(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    failed = replace(_answer(TASK, mini, envelope), failure=FAILURE)
    assert failed.finished()["error"] == {"code": "server_error", "message": "no"}
    assert failed.finished()["usage"] is None
    assert replace(failed, failure=replace(FAILURE, with_usage=True)).finished()["usage"]


def test_reasoning_and_call_are_items(thinker: SimulatedDeployment, envelope: Envelope) -> None:
    answer = _answer(replace(TASK, tool=Tool("f", {}, named=True)), thinker, envelope)
    assert [item["type"] for item in answer.items()] == ["reasoning", "function_call"]


def test_reasoning_alone_leaves_no_message(
    thinker: SimulatedDeployment, envelope: Envelope
) -> None:
    answer = _answer(replace(TASK, limit=10), thinker, envelope)
    assert [item["type"] for item in answer.items()] == ["reasoning"]
    assert answer.last_status == "incomplete"
