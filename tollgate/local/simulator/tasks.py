"""What a request wants generated, whichever API it came through."""

from dataclasses import dataclass
from typing import cast

from tollgate.local.simulator.bodies import ChatBody, CompletionBody, Message, ResponseBody
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.prompts import Prompt, messages_prompt, text_tokens, texts_prompts

# The older API's own default, in tokens.
_COMPLETION_LIMIT = 16


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the answer must call."""

    name: str
    parameters: JsonObject
    named: bool


@dataclass(frozen=True, slots=True)
class Task:
    """What to generate.

    Attributes:
        prompt: The prompt, counted.
        answers: How many choices to give.
        limit: Most output tokens of one choice, hidden reasoning included.
        effort: Reasoning effort asked for.
        tool: The function that must be called.
        schema: JSON schema that the text must follow.
        audio: Whether the answer is to be spoken.
        predicted_tokens: Tokens of the client's prediction of the answer.
        filtered: Whether the content filter cuts the answer.
        hidden_answers: Choices generated, billed and not shown (`best_of`).
    """

    prompt: Prompt
    answers: int = 1
    limit: int | None = None
    effort: str | None = None
    tool: Tool | None = None
    schema: JsonObject | None = None
    audio: bool = False
    predicted_tokens: int = 0
    filtered: bool = False
    hidden_answers: int = 0


def chat_task(body: ChatBody) -> Task:
    """The task of a chat/completions body."""
    prediction = (body.prediction or {}).get("content")
    return Task(
        messages_prompt(body.messages, tools=body.tools),
        answers=body.n or 1,
        limit=body.max_completion_tokens or body.max_tokens,
        effort=body.reasoning_effort,
        tool=_demanded(body.tools, body.tool_choice),
        schema=_schema(body.response_format, "json_schema"),
        audio="audio" in (body.modalities or ()),
        predicted_tokens=text_tokens(prediction) if isinstance(prediction, str) else 0,
    )


def completion_task(body: CompletionBody) -> Task:
    """The task of a completions body; several prompts give several choices."""
    prompts = texts_prompts(body.prompt or "")
    answers = (body.n or 1) * len(prompts)
    return Task(
        Prompt("\n".join(prompt.text for prompt in prompts), sum(p.tokens for p in prompts)),
        answers=answers,
        limit=body.max_tokens or _COMPLETION_LIMIT,
        hidden_answers=max(0, (body.best_of or 1) * len(prompts) - answers),
    )


def response_task(body: ResponseBody, context_tokens: int = 0) -> Task:
    """The task of a responses body.

    Args:
        body: The request.
        context_tokens: Tokens of the conversation that it continues; they count as input again.
    """
    items = [Message(content=body.input)] if isinstance(body.input, str) else body.input
    prompt = messages_prompt(items, preamble=body.instructions or "", tools=body.tools)
    effort = (body.reasoning or {}).get("effort")
    return Task(
        Prompt(
            prompt.text, prompt.tokens + context_tokens, prompt.image_tokens, prompt.audio_tokens
        ),
        limit=body.max_output_tokens,
        effort=str(effort) if effort else None,
        tool=_demanded(body.tools, body.tool_choice),
        schema=_schema(_member(body.text, "format"), None),
    )


def _member(value: JsonObject | None, name: str) -> JsonObject:
    inner = (value or {}).get(name)
    return cast("JsonObject", inner) if isinstance(inner, dict) else {}


def _demanded(tools: list[JsonObject] | None, choice: str | JsonObject | None) -> Tool | None:
    """The tool that `tool_choice` demands; chat nests a function's members, Responses does not."""
    functions = [_member(tool, "function") or tool for tool in tools or ()]
    functions = [function for function in functions if isinstance(function.get("name"), str)]
    if isinstance(choice, dict):
        name = (_member(choice, "function") or choice).get("name")
        functions = [function for function in functions if function["name"] == name]
    elif choice != "required":
        return None
    if not functions:
        return None
    parameters = _member(functions[0], "parameters")
    return Tool(str(functions[0]["name"]), parameters, named=isinstance(choice, dict))


def _schema(answer_format: JsonObject | None, nested_in: str | None) -> JsonObject | None:
    match (answer_format or {}).get("type"):
        case "json_object":
            return {"type": "object", "properties": {"answer": {"type": "string"}}}
        case "json_schema":
            holder = _member(answer_format, nested_in) if nested_in else answer_format
            return _member(holder, "schema")
        case _:
            return None
