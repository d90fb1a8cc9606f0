import json
from dataclasses import replace

from hypothesis import given
from hypothesis.strategies import integers, text

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.tasks import Task, Tool

TASK = Task(Prompt("What is owed?", 10))
MINI = SimulatedDeployment(model="gpt-4o-mini", version="2024-07-18")


@given(text(), integers(1, 100), integers(1, 3))
def test_answer_repeats_and_keeps_its_limit(prompt: str, limit: int, answers: int) -> None:
    task = Task(Prompt(prompt, 5), limit=limit, answers=answers)
    made = generate(task, MINI)
    assert made == generate(task, MINI)
    assert all(len(choice.pieces) <= limit for choice in made.choices)
    assert made.counts.output == sum(len(choice.pieces) for choice in made.choices)


def test_small_limit_cuts_and_says_so() -> None:
    choice = generate(replace(TASK, limit=3), MINI).choices[0]
    assert (len(choice.pieces), choice.finish_reason) == (3, "length")


def test_large_limit_lets_the_answer_end() -> None:
    assert generate(replace(TASK, limit=1000), MINI).choices[0].finish_reason == "stop"


def test_length_is_asked_for_by_the_prompt_or_set_by_the_deployment() -> None:
    asked = Task(Prompt("Tell me about 3 cats in 500 words.", 10))
    assert generate(asked, MINI).counts.output == 500
    assert generate(TASK, MINI.model_copy(update={"answer_tokens": 7})).counts.output == 7


def test_choices_differ() -> None:
    first, second = generate(replace(TASK, answers=2), MINI).choices
    assert first.text != second.text


def test_reasoning_is_output_that_is_not_shown(thinker: SimulatedDeployment) -> None:
    made = generate(TASK, thinker)
    assert made.counts.reasoning_output == 128
    assert made.counts.output == 128 + len(made.choices[0].pieces)


def test_reasoning_can_use_up_the_limit(thinker: SimulatedDeployment) -> None:
    made = generate(replace(TASK, limit=50), thinker)
    assert (made.choices[0].text, made.choices[0].finish_reason) == ("", "length")
    assert made.counts.output == made.counts.reasoning_output == 50


def test_tool_call_is_json_for_its_parameters() -> None:
    tool = Tool("f", {"type": "object", "properties": {"city": {"type": "string"}}}, named=False)
    choice = generate(replace(TASK, tool=tool), MINI).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert list(json.loads(choice.text)) == ["city"]


def test_filter_cuts_the_answer_half_way() -> None:
    whole, cut = generate(TASK, MINI), generate(replace(TASK, filtered=True), MINI)
    assert cut.choices[0].finish_reason == "content_filter"
    assert len(cut.choices[0].pieces) == len(whole.choices[0].pieces) // 2


def test_hidden_answers_sound_and_predictions_are_billed() -> None:
    plain = generate(TASK, MINI).counts.output
    assert generate(replace(TASK, hidden_answers=1), MINI).counts.output == 2 * plain
    assert generate(replace(TASK, audio=True), MINI).counts.audio_output == 4 * plain
    predicted = generate(replace(TASK, predicted_tokens=10), MINI).counts
    assert predicted.accepted_prediction + predicted.rejected_prediction == 10
    assert predicted.output == plain + predicted.rejected_prediction


def test_counts_grow_with_what_has_been_generated() -> None:
    made = generate(TASK, MINI)
    assert made.counts_until(0).output == 0
    assert made.counts_until(len(made.choices[0].pieces)) == made.counts
