from dataclasses import replace

from openai.types import Completion
from openai.types.chat import ChatCompletion

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.chat_answers import chat_answer, completion_answer
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.tasks import Task, Tool

TASK = Task(Prompt("hello", 9), answers=2)


def _chat(task: Task, mini: SimulatedDeployment, envelope: Envelope) -> ChatCompletion:
    return ChatCompletion.model_validate(chat_answer(generate(task, mini), envelope))


def test_chat_answer_is_what_the_sdk_expects(mini: SimulatedDeployment, envelope: Envelope) -> None:
    answer = _chat(TASK, mini, envelope)
    assert answer.model == "gpt-4o-mini-2024-07-18"
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 9


def test_completion_answer_is_what_the_sdk_expects(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    answer = Completion.model_validate(completion_answer(generate(TASK, mini), envelope))
    assert answer.id.startswith("cmpl-")
    assert all(choice.text for choice in answer.choices)


def test_tool_call_takes_the_place_of_content(
    mini: SimulatedDeployment, envelope: Envelope
) -> None:
    message = (
        _chat(replace(TASK, tool=Tool("f", {}, named=True)), mini, envelope).choices[0].message
    )
    assert message.content is None
    assert message.tool_calls is not None
    assert message.tool_calls[0].type == "function"
    assert message.tool_calls[0].function.name == "f"


def test_spoken_answer_has_a_transcript(mini: SimulatedDeployment, envelope: Envelope) -> None:
    message = _chat(replace(TASK, audio=True), mini, envelope).choices[0].message
    assert message.audio is not None
    assert message.audio.transcript
