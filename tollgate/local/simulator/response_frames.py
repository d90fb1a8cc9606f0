"""Streams of the Responses API: `event:` and `data:` pairs, numbered, without `[DONE]`."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tollgate.local.simulator.frames import Frame, event_frame
from tollgate.local.simulator.hosted_tools import call_events
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.response_answers import ResponseAnswer, text_part


def response_frames(
    answer: ResponseAnswer, *, obfuscate: bool, at_end: Callable[[], None]
) -> Iterator[Frame]:
    """The frames of a stream.

    Args:
        answer: The response to stream.
        obfuscate: Whether deltas bear random padding.
        at_end: Called just before the last frame.
    """
    return _ResponseStream(answer, obfuscate=obfuscate).frames(at_end)


class _ResponseStream:
    def __init__(self, answer: ResponseAnswer, *, obfuscate: bool) -> None:
        self._answer = answer
        self._obfuscate = obfuscate
        self._number = -1
        self._sent = 0

    def frames(self, at_end: Callable[[], None]) -> Iterator[Frame]:
        answer = self._answer
        yield from self._openings()
        if answer.reasoned:
            item = answer.reasoning_item()
            yield self._event("response.output_item.added", output_index=0, item=item)
            yield self._event("response.output_item.done", output_index=0, item=item)
        calls = answer.calls()
        for place, call in enumerate(calls, int(answer.reasoned)):
            yield from self._call(call, place)
        if answer.choice.pieces:
            yield from self._item(int(answer.reasoned) + len(calls))
        at_end()
        yield self._event(f"response.{answer.last_status}", response=answer.finished())

    def _openings(self) -> Iterator[Frame]:
        """The events before any content; a background response is queued first."""
        answer = self._answer
        started = answer.underway("in_progress")
        opening = answer.underway("queued") if answer.body.background else started
        yield replace(self._event("response.created", response=opening), early=True)
        if answer.body.background:
            yield replace(self._event("response.queued", response=opening), early=True)
        yield replace(self._event("response.in_progress", response=started), early=True)

    def _call(self, call: JsonObject, place: int) -> Iterator[Frame]:
        begun = {**call, "status": "in_progress"}
        yield self._event("response.output_item.added", output_index=place, item=begun)
        for kind in call_events(call):
            yield self._event(kind, output_index=place, item_id=call["id"])
        yield self._event("response.output_item.done", output_index=place, item=call)

    def _item(self, output_index: int) -> Iterator[Frame]:
        answer = self._answer
        place: JsonObject = {"output_index": output_index}
        started = answer.answer_item("in_progress", "")
        yield self._event("response.output_item.added", **place, item=started)
        inside: JsonObject = {"item_id": started["id"], **place}
        if answer.choice.tool is None:
            yield from self._text({**inside, "content_index": 0})
        else:
            yield from self._arguments(inside)
        if answer.failure is None:
            item = answer.items()[-1]
            yield self._event("response.output_item.done", **place, item=item)

    def _text(self, inside: JsonObject) -> Iterator[Frame]:
        yield self._event("response.content_part.added", **inside, part=text_part(""))
        yield from self._deltas("response.output_text.delta", {**inside, "logprobs": []})
        if self._answer.failure is not None:
            return
        text = self._answer.choice.text
        yield self._event("response.output_text.done", **inside, text=text, logprobs=[])
        yield self._event("response.content_part.done", **inside, part=text_part(text))

    def _arguments(self, inside: JsonObject) -> Iterator[Frame]:
        yield from self._deltas("response.function_call_arguments.delta", inside)
        if self._answer.failure is None:
            arguments = self._answer.choice.text
            kind = "response.function_call_arguments.done"
            name = self._answer.choice.tool
            yield self._event(kind, **inside, name=name, arguments=arguments)

    def _deltas(self, kind: str, inside: JsonObject) -> Iterator[Frame]:
        for piece in self._answer.choice.pieces:
            self._sent += 1
            padding = {"obfuscation": "x" * (1 + self._sent % 16)} if self._obfuscate else {}
            yield self._event(kind, **inside, delta=piece, **padding)

    def _event(self, kind: str, **members: object) -> Frame:
        self._number += 1
        value = {"type": kind, "sequence_number": self._number, **members}
        return event_frame(kind, value, self._sent)
