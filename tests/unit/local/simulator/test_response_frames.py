import json
from dataclasses import replace
from typing import Any

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.bodies import ResponseBody
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.response_answers import Failure, ResponseAnswer
from tollgate.local.simulator.response_frames import response_frames
from tollgate.local.simulator.tasks import Task, Tool

TASK = Task(Prompt("hello", 9), limit=100)


def _answer(deployment: SimulatedDeployment, envelope: Envelope, task: Task) -> ResponseAnswer:
    return ResponseAnswer(ResponseBody("hello"), envelope, generate(task, deployment))


def _events(answer: ResponseAnswer, *, obfuscate: bool = False) -> list[dict[str, Any]]:
    ended: list[str] = []
    frames = list(
        response_frames(answer, obfuscate=obfuscate, at_end=lambda: ended.append(answer.id))
    )
    lines = [frame.data.split(b"\n") for frame in frames]
    events = [json.loads(data.removeprefix(b"data: ")) for _, data, _, _ in lines]
    assert [kind.decode() for kind, *_ in lines] == [f"event: {event['type']}" for event in events]
    assert ended == [answer.id]
    return events


def test_events_are_numbered_from_created_to_completed(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    events = _events(_answer(mini, envelope, TASK))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"


def test_usage_is_null_until_the_end(mini: SimulatedDeployment, envelope: Envelope) -> None:
    events = _events(_answer(mini, envelope, TASK))
    usages = [event["response"]["usage"] for event in events if "response" in event]
    assert usages[:-1] == [None, None]
    assert usages[-1]["input_tokens"] == 9


def test_deltas_add_up_to_the_text(mini: SimulatedDeployment, envelope: Envelope) -> None:
    events = _events(_answer(mini, envelope, TASK), obfuscate=True)
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    done = next(event for event in events if event["type"] == "response.output_text.done")
    assert "".join(event["delta"] for event in deltas) == done["text"]
    assert all(event["obfuscation"] for event in deltas)


def test_cut_stream_ends_incomplete(mini: SimulatedDeployment, envelope: Envelope) -> None:
    last = _events(_answer(mini, envelope, replace(TASK, limit=2)))[-1]
    assert last["type"] == "response.incomplete"


def test_failed_stream_ends_with_failed(mini: SimulatedDeployment, envelope: Envelope) -> None:
    failed = replace(_answer(mini, envelope, TASK), failure=Failure("server_error", "no"))
    events = _events(failed)
    assert events[-1]["type"] == "response.failed"
    assert "response.output_text.done" not in {event["type"] for event in events}


def test_reasoning_and_call_have_their_events(
    thinker: SimulatedDeployment, envelope: Envelope
) -> None:
    task = replace(TASK, limit=None, tool=Tool("f", {}, named=True))
    kinds = [event["type"] for event in _events(_answer(thinker, envelope, task))]
    assert kinds.count("response.output_item.done") == 2
    assert "response.function_call_arguments.done" in kinds


def test_background_stream_is_queued_first(mini: SimulatedDeployment, envelope: Envelope) -> None:
    body = ResponseBody("hello", background=True)
    events = _events(replace(_answer(mini, envelope, TASK), body=body))
    opening = [(event["type"], event["response"]["status"]) for event in events[:3]]
    assert opening == [
        ("response.created", "queued"),
        ("response.queued", "queued"),
        ("response.in_progress", "in_progress"),
    ]


def test_only_the_opening_is_early(mini: SimulatedDeployment, envelope: Envelope) -> None:
    answer = _answer(mini, envelope, TASK)
    frames = response_frames(answer, obfuscate=False, at_end=lambda: None)
    assert [frame.early for frame in frames][:4] == [True, True, False, False]


def test_calls_of_hosted_tools_come_before_the_message(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    body = ResponseBody("hello", tools=[{"type": "web_search"}])
    events = _events(replace(_answer(mini, envelope, TASK), body=body))
    kinds = [event["type"] for event in events]
    assert kinds[2:7] == [
        "response.output_item.added",
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
        "response.output_item.done",
    ]
    delta = next(event for event in events if event["type"] == "response.output_text.delta")
    assert delta["output_index"] == 1
    assert events[-1]["response"]["output"][1]["type"] == "message"
