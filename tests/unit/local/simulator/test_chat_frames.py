import json
from dataclasses import replace
from typing import Any

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.chat_frames import Dialect, chat_frames
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.frames import StreamStyle
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.tasks import Task, Tool

TASK = Task(Prompt("hello", 9), limit=4)
ASKED = StreamStyle(include_usage=True)


class Stream:
    """The decoded frames of a stream, without its `[DONE]`."""

    def __init__(self, mini: SimulatedDeployment, envelope: Envelope) -> None:
        self.mini = mini
        self.envelope = envelope

    def events(
        self,
        task: Task = TASK,
        style: StreamStyle = StreamStyle(),  # noqa: B008 - frozen
        dialect: Dialect = "chat.completions",
    ) -> list[dict[str, Any]]:
        frames = list(chat_frames(generate(task, self.mini), self.envelope, style, dialect))
        assert frames[-1].data == b"data: [DONE]\n\n"
        return [json.loads(frame.data.removeprefix(b"data: ")) for frame in frames[:-1]]


def test_first_frame_is_the_prompt_filters(mini: SimulatedDeployment, envelope: Envelope) -> None:
    first, *others = Stream(mini, envelope).events()
    assert (first["id"], first["model"], first["object"], first["choices"]) == ("", "", "", [])
    assert first["prompt_filter_results"]
    assert all(other["choices"] for other in others)


def test_no_usage_unless_asked_for(mini: SimulatedDeployment, envelope: Envelope) -> None:
    assert not any("usage" in event for event in Stream(mini, envelope).events())


def test_usage_comes_once_and_last(mini: SimulatedDeployment, envelope: Envelope) -> None:
    *others, last = Stream(mini, envelope).events(style=ASKED)
    assert all(other["usage"] is None for other in others)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 4


def test_withheld_usage_leaves_the_nulls(mini: SimulatedDeployment, envelope: Envelope) -> None:
    events = Stream(mini, envelope).events(style=replace(ASKED, send_usage=False))
    assert all(event["usage"] is None for event in events)


def test_deltas_add_up_to_the_whole_answer(mini: SimulatedDeployment, envelope: Envelope) -> None:
    choices = [e["choices"][0] for e in Stream(mini, envelope).events()[1:]]
    streamed = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert streamed == generate(TASK, mini).choices[0].text
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["length"]


def test_completions_stream_text(mini: SimulatedDeployment, envelope: Envelope) -> None:
    events = Stream(mini, envelope).events(dialect="completions")
    assert (
        "".join(e["choices"][0]["text"] for e in events[1:]) == generate(TASK, mini).choices[0].text
    )


def test_tool_arguments_come_in_parts(mini: SimulatedDeployment, envelope: Envelope) -> None:
    task = replace(TASK, limit=None, tool=Tool("f", {"properties": {"a": {}}}, named=False))
    deltas = [e["choices"][0]["delta"] for e in Stream(mini, envelope).events(task)[1:-1]]
    assert deltas[0]["tool_calls"][0]["function"]["name"] == "f"
    parts = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas]
    assert "".join(parts) == generate(task, mini).choices[0].text


def test_late_filter_frames_have_no_delta(mini: SimulatedDeployment, envelope: Envelope) -> None:
    late = Stream(mini, envelope).events(style=StreamStyle(late_filter=True))[-1]["choices"][0]
    assert "delta" not in late
    assert late["content_filter_offsets"]


def test_obfuscation_pads_frames(mini: SimulatedDeployment, envelope: Envelope) -> None:
    assert Stream(mini, envelope).events(style=StreamStyle(obfuscate=True))[2]["obfuscation"]


def test_spoken_answer_streams_its_transcript(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    events = Stream(mini, envelope).events(replace(TASK, audio=True))
    assert events[2]["choices"][0]["delta"]["audio"]["transcript"]
