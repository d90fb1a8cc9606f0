from tollgate.local.simulator.bodies import ChatBody, CompletionBody, Message, ResponseBody
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.tasks import Tool, chat_task, completion_task, response_task

MESSAGES = [Message(content="x")]
PARAMETERS: JsonObject = {"type": "object", "properties": {}}
NESTED: JsonObject = {"type": "function", "function": {"name": "f", "parameters": PARAMETERS}}
FLAT: JsonObject = {"type": "function", "name": "f", "parameters": PARAMETERS}


def test_either_limit_bounds_a_chat() -> None:
    assert chat_task(ChatBody(MESSAGES, max_tokens=5)).limit == 5
    assert chat_task(ChatBody(MESSAGES, max_completion_tokens=6)).limit == 6


def test_tool_is_called_only_on_demand() -> None:
    assert chat_task(ChatBody(MESSAGES, tools=[NESTED])).tool is None
    assert chat_task(ChatBody(MESSAGES, tools=[NESTED], tool_choice="auto")).tool is None
    required = chat_task(ChatBody(MESSAGES, tools=[NESTED], tool_choice="required"))
    assert required.tool == Tool("f", PARAMETERS, named=False)


def test_named_tool_is_called_in_either_spelling() -> None:
    nested: JsonObject = {"type": "function", "function": {"name": "f"}}
    chat = chat_task(ChatBody(MESSAGES, tools=[NESTED], tool_choice=nested))
    flat: JsonObject = {"type": "function", "name": "f"}
    response = response_task(ResponseBody("x", tools=[FLAT], tool_choice=flat))
    assert chat.tool == response.tool == Tool("f", PARAMETERS, named=True)


def test_unknown_tool_is_not_called() -> None:
    choice: JsonObject = {"type": "function", "name": "g"}
    assert response_task(ResponseBody("x", tools=[FLAT], tool_choice=choice)).tool is None


def test_schema_is_found_in_either_spelling() -> None:
    held: JsonObject = {"type": "json_schema", "json_schema": {"name": "s", "schema": PARAMETERS}}
    assert chat_task(ChatBody(MESSAGES, response_format=held)).schema == PARAMETERS
    text: JsonObject = {"format": {"type": "json_schema", "name": "s", "schema": PARAMETERS}}
    assert response_task(ResponseBody("x", text=text)).schema == PARAMETERS


def test_continued_conversation_counts_as_input_again() -> None:
    alone = response_task(ResponseBody("x")).prompt.tokens
    assert response_task(ResponseBody("x"), 100).prompt.tokens == alone + 100


def test_best_of_generates_answers_that_are_not_shown() -> None:
    task = completion_task(CompletionBody(["a", "b"], n=2, best_of=3))
    assert (task.answers, task.hidden_answers, task.limit) == (4, 2, 16)
