"""Replies with images, transcripts and speech; whole or streamed."""

from tollgate.local.simulator.billed_replies import plain_reply, stream_reply
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.exchanges import Exchange, Reply
from tollgate.local.simulator.faults import NoUsageFrame
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.image_answers import TOKENS_PER_INPUT_IMAGE, ImageAnswer
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.media_bodies import (
    ImageBody,
    MediaBody,
    SpeechBody,
    TranscriptionBody,
)
from tollgate.local.simulator.media_checks import speaks_by_token
from tollgate.local.simulator.prompts import Prompt, text_tokens
from tollgate.local.simulator.routes import Operation
from tollgate.local.simulator.settings import SimulatedDeployment
from tollgate.local.simulator.speech_answers import SpeechAnswer
from tollgate.local.simulator.tasks import Task
from tollgate.local.simulator.transcript_answers import TranscriptAnswer, transcript_prompt


def media_prompt(body: MediaBody) -> Prompt:
    """What a request makes the model read, see or hear."""
    match body:
        case ImageBody():
            images = len(body.image) * TOKENS_PER_INPUT_IMAGE
            return Prompt(body.prompt, text_tokens(body.prompt) + images, images)
        case TranscriptionBody():
            return transcript_prompt(body)
        case SpeechBody():
            text = f"{body.instructions}\n{body.input}"
            return Prompt(text, text_tokens(body.instructions) + text_tokens(body.input))


def media_reply(
    exchange: Exchange, operation: Operation, deployment: SimulatedDeployment, body: MediaBody
) -> Reply:
    """The reply of an operation on images or audio.

    Args:
        exchange: The call; its log entry is completed.
        operation: What is asked for.
        deployment: What serves.
        body: The request, checked.
    """
    match body:
        case ImageBody():
            return _images(exchange, operation, deployment, body)
        case TranscriptionBody():
            return _transcript(exchange, operation, deployment, body)
        case SpeechBody():
            return _speech(exchange, deployment, body)


def _images(
    exchange: Exchange, operation: Operation, deployment: SimulatedDeployment, body: ImageBody
) -> Reply:
    created = int(exchange.at.timestamp())
    envelope = Envelope(exchange.ids, created, deployment.full_model)
    answer = ImageAnswer(body, envelope, deployment.family, _states_usage(exchange))
    billed = answer.billed()
    if not exchange.entry.streamed:
        return plain_reply(exchange, answer.whole(), billed)

    def whole_image(_pieces: int) -> JsonObject:
        """A picture that is begun is billed whole."""
        return billed

    return stream_reply(exchange, operation, answer.frames(operation), whole_image)


def _transcript(
    exchange: Exchange,
    operation: Operation,
    deployment: SimulatedDeployment,
    body: TranscriptionBody,
) -> Reply:
    generation = generate(Task(transcript_prompt(body)), deployment)
    states_usage = _states_usage(exchange)
    answer = TranscriptAnswer(body, generation, deployment.family, operation, states_usage)
    if exchange.entry.streamed:
        return stream_reply(exchange, operation, answer.frames(), answer.billed_until)
    exchange.generation_s = generation.counts.output * exchange.token_latency_s
    content, content_type = answer.whole()
    return plain_reply(exchange, content, answer.billed(), content_type)


def _speech(exchange: Exchange, deployment: SimulatedDeployment, body: SpeechBody) -> Reply:
    answer = SpeechAnswer(body, speaks_by_token(deployment), _states_usage(exchange))
    if exchange.entry.streamed:
        return stream_reply(exchange, "audio.speech", answer.frames(), answer.billed_until)
    billed = answer.billed_until(answer.pieces)
    return plain_reply(exchange, answer.whole(), billed, answer.content_type)


def _states_usage(exchange: Exchange) -> bool:
    return exchange.applied.first(NoUsageFrame) is None
