"""Replies with generated text: chat, completions, responses; whole or streamed."""

from dataclasses import dataclass
from functools import partial

from tollgate.local.simulator.billed_replies import plain_reply, stream_reply
from tollgate.local.simulator.bodies import ChatBody, CompletionBody, ResponseBody
from tollgate.local.simulator.chat_answers import chat_answer, completion_answer
from tollgate.local.simulator.chat_frames import Dialect, chat_frames
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.exchanges import Exchange, PlainReply, StreamReply
from tollgate.local.simulator.faults import NoUsageFrame, ResponsesFailed
from tollgate.local.simulator.frames import StreamStyle
from tollgate.local.simulator.generation import Generation
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.response_answers import Failure, ResponseAnswer
from tollgate.local.simulator.response_frames import response_frames
from tollgate.local.simulator.settings import SimulatedDeployment
from tollgate.local.simulator.stored_responses import StoredResponse, StoredResponses


@dataclass(frozen=True, slots=True)
class Generated:
    """A generation, with what its reply needs to know.

    Attributes:
        exchange: The call.
        deployment: What served it.
        generation: What was generated.
    """

    exchange: Exchange
    deployment: SimulatedDeployment
    generation: Generation

    def envelope(self, asked_tier: str | None) -> Envelope:
        """What the answer bears; the tier asked for only if the deployment has it."""
        served = asked_tier if asked_tier in self.deployment.service_tiers else "default"
        created = int(self.exchange.at.timestamp())
        return Envelope(self.exchange.ids, created, self.deployment.full_model, served or "default")

    def chat_usage_until(self, pieces: int) -> JsonObject:
        """Usage after that many pieces, as chat and completions have it."""
        return self.generation.counts_until(pieces).chat_usage()

    def response_usage_until(self, pieces: int) -> JsonObject:
        """Usage after that many pieces, as the Responses API has it."""
        return self.generation.counts_until(pieces).response_usage()


def chat_reply(
    made: Generated, body: ChatBody | CompletionBody, dialect: Dialect
) -> PlainReply | StreamReply:
    """The reply of chat/completions and of completions."""
    envelope = made.envelope(body.service_tier)
    if not body.stream:
        answer = chat_answer if dialect == "chat.completions" else completion_answer
        value = answer(made.generation, envelope)
        made.exchange.entry.response_id = str(value["id"])
        return plain_reply(made.exchange, value, made.generation.counts.chat_usage())
    options = body.stream_options
    style = StreamStyle(
        include_usage=bool(options and options.include_usage),
        send_usage=made.exchange.applied.first(NoUsageFrame) is None,
        obfuscate=bool(options and options.include_obfuscation),
        late_filter=made.deployment.asynchronous_filter,
    )
    prefix = "chatcmpl-" if dialect == "chat.completions" else "cmpl-"
    made.exchange.entry.response_id = envelope.ids.prefixed(prefix)
    frames = chat_frames(made.generation, envelope, style, dialect)
    return stream_reply(made.exchange, dialect, frames, made.chat_usage_until)


def response_reply(
    made: Generated, body: ResponseBody, stored: StoredResponses
) -> PlainReply | StreamReply:
    """The reply of the Responses API; stores it unless told not to."""
    fault = made.exchange.applied.first(ResponsesFailed)
    failure = Failure(fault.code, fault.message, fault.with_usage) if fault else None
    answer = ResponseAnswer(
        body,
        made.envelope(body.service_tier),
        made.generation,
        failure,
        states_usage=made.exchange.applied.first(NoUsageFrame) is None,
    )
    made.exchange.entry.response_id = answer.id
    response = _begun(made, answer)
    if body.background:
        stored.keep(response)
    if body.stream:
        obfuscate = bool(body.stream_options and body.stream_options.include_obfuscation)
        at_end = partial(_end, response, stored)
        frames = response_frames(answer, obfuscate=obfuscate, at_end=at_end)
        return stream_reply(made.exchange, "responses", frames, made.response_usage_until)
    if not body.background:
        _end(response, stored)
    usage = made.generation.counts.response_usage()
    return plain_reply(made.exchange, response.state(), usage)


def _begun(made: Generated, answer: ResponseAnswer) -> StoredResponse:
    background = answer.body.background
    return StoredResponse(
        answer,
        made.exchange.entry,
        made.deployment.background_s,
        "queued" if background else "in_progress",
    )


def _end(response: StoredResponse, stored: StoredResponses) -> None:
    """Finishes a response; one in the background has been stored since its beginning."""
    response.finish()
    if not response.answer.body.background and response.answer.body.store is not False:
        stored.keep(response)
