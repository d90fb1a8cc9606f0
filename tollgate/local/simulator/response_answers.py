"""Whole answers of the Responses API: the response object in each of its states."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tollgate.local.simulator.bodies import ResponseBody
from tollgate.local.simulator.content_filters import response_filters
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.generation import Choice, Generation
from tollgate.local.simulator.hosted_tools import hosted_calls, tool_usage
from tollgate.local.simulator.json_types import JsonObject

Status: TypeAlias = Literal[
    "queued", "in_progress", "completed", "incomplete", "failed", "cancelled"
]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a response ends with status "failed".

    Attributes:
        code: Code of the error.
        message: Its text.
        with_usage: Whether the failed response states its usage.
    """

    code: str
    message: str
    with_usage: bool = False


@dataclass(frozen=True, slots=True)
class ResponseAnswer:
    """A response on its way from created to its end.

    Attributes:
        body: The request.
        envelope: Ids, time, model and tier.
        generation: What was generated.
        failure: Set when the response fails.
        states_usage: False when the last state hides its usage.
    """

    body: ResponseBody
    envelope: Envelope
    generation: Generation
    failure: Failure | None = None
    states_usage: bool = True

    @property
    def id(self) -> str:
        """Id of the response."""
        return self.envelope.ids.prefixed("resp_")

    @property
    def choice(self) -> Choice:
        """The one answer."""
        return self.generation.choices[0]

    @property
    def reasoned(self) -> bool:
        """Whether a reasoning item comes first."""
        return self.generation.counts.reasoning_output > 0

    @property
    def last_status(self) -> Status:
        """The status at the end."""
        if self.failure is not None:
            return "failed"
        return "incomplete" if self.choice.finish_reason in _INCOMPLETE else "completed"

    def underway(self, status: Status) -> JsonObject:
        """The response before its end: no output, `usage` null."""
        return self._object(status, [], None)

    def finished(self) -> JsonObject:
        """The response at its end, with its output and usage."""
        status = self.last_status
        if self.failure is not None:
            shows = self.failure.with_usage
            output: list[JsonObject] = []
        else:
            shows = self.states_usage
            output = self.items()
        usage = self.generation.counts.response_usage() if shows else None
        return self._object(status, output, usage)

    def items(self) -> list[JsonObject]:
        """The output items: reasoning, calls of hosted tools, then a message or a function call."""
        first = [*([self.reasoning_item()] if self.reasoned else []), *self.calls()]
        if not self.choice.pieces:
            return first
        status = "completed" if self.last_status == "completed" else "incomplete"
        return [*first, self.answer_item(status, self.choice.text)]

    def calls(self) -> list[JsonObject]:
        """The calls of tools that the provider runs; none where the request forbids tools."""
        forbidden = self.body.tool_choice == "none"
        return [] if forbidden else hosted_calls(self.body.tools, self.envelope.ids)

    def reasoning_item(self) -> JsonObject:
        """The item that stands for hidden reasoning."""
        return {"id": self.envelope.ids.prefixed("rs_"), "type": "reasoning", "summary": []}

    def answer_item(self, status: str, text: str) -> JsonObject:
        """The message, or the function call, with as much text as there is."""
        ids = self.envelope.ids
        if self.choice.tool is not None:
            return {
                "id": ids.prefixed("fc_"),
                "type": "function_call",
                "status": status,
                "call_id": ids.prefixed("call_"),
                "name": self.choice.tool,
                "arguments": text,
            }
        return {
            "id": ids.prefixed("msg_"),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [text_part(text)] if text else [],
        }

    def _object(
        self, status: Status, output: list[JsonObject], usage: JsonObject | None
    ) -> JsonObject:
        reason = _INCOMPLETE.get(self.choice.finish_reason) if status == "incomplete" else None
        error = None
        if status == "failed" and self.failure is not None:
            error = {"code": self.failure.code, "message": self.failure.message}
        blocked = reason == "content_filter"
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.envelope.created,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": self.envelope.model,
            "output": output,
            "content_filters": response_filters(blocked=blocked) if output else None,
            "service_tier": self.envelope.service_tier,
            "usage": usage,
            **self._tool_usage(output),
            **self._echo(),
        }

    def _tool_usage(self, output: list[JsonObject]) -> JsonObject:
        calls = self.calls() if output and self.states_usage else []
        return {"tool_usage": tool_usage(calls)} if calls else {}

    def _echo(self) -> JsonObject:
        """What the API repeats of the request, with its defaults."""
        body = self.body
        return {
            "background": body.background or False,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "parallel_tool_calls": True,
            "previous_response_id": body.previous_response_id,
            "reasoning": body.reasoning or {"effort": None, "summary": None},
            "store": body.store is not False,
            "temperature": 1.0,
            "text": body.text or {"format": {"type": "text"}},
            "tool_choice": body.tool_choice or "auto",
            "tools": body.tools or [],
            "top_p": 1.0,
            "truncation": "disabled",
        }


def text_part(text: str) -> JsonObject:
    """The content part of a message."""
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
