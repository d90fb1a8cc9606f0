import json

import pytest

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.bodies import (
    Body,
    ChatBody,
    EmbeddingBody,
    Message,
    ResponseBody,
    StreamOptions,
)
from tollgate.local.simulator.body_checks import check_body, check_context
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.routes import Route
from tollgate.local.simulator.tasks import Task

V1 = Route("chat.completions", "v1")
USAGE = StreamOptions(include_usage=True)
MESSAGES = [Message(content="x")]


def _refused(body: Body, route: Route, deployment: SimulatedDeployment) -> str:
    with pytest.raises(Refusal) as refused:
        check_body(body, route, deployment)
    return json.loads(refused.value.body)["error"]["message"]


def test_stream_usage_is_taken_where_it_is_known(mini: SimulatedDeployment) -> None:
    check_body(ChatBody(MESSAGES, stream=True, stream_options=USAGE), V1, mini)


def test_old_version_does_not_know_stream_options(mini: SimulatedDeployment) -> None:
    body = ChatBody(MESSAGES, stream=True, stream_options=USAGE)
    old = Route("chat.completions", "2024-06-01")
    assert "Unrecognized request argument" in _refused(body, old, mini)


def test_stream_options_need_a_stream(mini: SimulatedDeployment) -> None:
    assert "only allowed when" in _refused(ChatBody(MESSAGES, stream_options=USAGE), V1, mini)


def test_responses_do_not_take_include_usage(mini: SimulatedDeployment) -> None:
    body = ResponseBody("x", stream=True, stream_options=USAGE)
    assert "stream_options.include_usage" in _refused(body, Route("responses", "v1"), mini)


def test_reasoning_model_rejects_max_tokens(thinker: SimulatedDeployment) -> None:
    message = _refused(ChatBody(MESSAGES, max_tokens=5), V1, thinker)
    assert "Use 'max_completion_tokens' instead" in message


@pytest.mark.parametrize("texts", ["", [], ["x"] * 2049])
def test_embeddings_need_some_texts_but_not_too_many(
    texts: str | list[str | int | list[int]], mini: SimulatedDeployment
) -> None:
    assert "$.input" in _refused(EmbeddingBody(texts), Route("embeddings", "v1"), mini)


def test_prompt_and_answer_must_fit_the_model(mini: SimulatedDeployment) -> None:
    check_context(Task(Prompt("", 127_000), limit=1000), mini)
    with pytest.raises(Refusal) as refused:
        check_context(Task(Prompt("", 127_000), limit=1001), mini)
    assert json.loads(refused.value.body)["error"]["code"] == "context_length_exceeded"
