"""From a call to its reply: the whole behaviour of a region, without a web framework."""

from dataclasses import replace

from tollgate.local.simulator.admission import Admission, Estimate, Server
from tollgate.local.simulator.bodies import (
    Body,
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ResponseBody,
    decode_body,
)
from tollgate.local.simulator.body_checks import check_body, check_context
from tollgate.local.simulator.deployments import StandingDeployments
from tollgate.local.simulator.embedding_answers import embedding_answer, embedding_counts
from tollgate.local.simulator.exchanges import CutReply, Exchange, PlainReply, Reply
from tollgate.local.simulator.faults import ContentFilter, Refuse, Reset, Subject
from tollgate.local.simulator.faults_in_force import AppliedFaults, FaultsInForce
from tollgate.local.simulator.generating import Generated, chat_reply, response_reply
from tollgate.local.simulator.generation import Generation, generate
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.media_bodies import MediaBody
from tollgate.local.simulator.media_checks import is_streamed as media_is_streamed
from tollgate.local.simulator.media_replies import media_prompt, media_reply
from tollgate.local.simulator.prompts import Prompt, texts_prompts
from tollgate.local.simulator.refusals import Refusal, prompt_filtered
from tollgate.local.simulator.reply_headers import base_headers
from tollgate.local.simulator.retrieving import stored_reply
from tollgate.local.simulator.routes import Route, find_route
from tollgate.local.simulator.settings import RegionSettings
from tollgate.local.simulator.stored_responses import StoredResponses
from tollgate.local.simulator.tasks import Task, chat_task, completion_task, response_task
from tollgate.local.simulator.token_counts import prompt_counts

# What the quota's estimate assumes of an answer that the request does not limit, in tokens.
ASSUMED_ANSWER_TOKENS = 16


class Answering:
    """Answers calls as one region does.

    Args:
        settings: The region.
        faults: The faults in force; they change while the region runs.
        deployments: The region's deployments; they too may change.
    """

    def __init__(
        self, settings: RegionSettings, faults: FaultsInForce, deployments: StandingDeployments
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._deployments = deployments
        self._admission = Admission(settings, deployments)
        self._stored = StoredResponses(settings.stored_responses)

    def reply(self, exchange: Exchange) -> Reply:
        """The reply to a call; completes the call's log entry and headers."""
        exchange.reply_headers |= base_headers(self._settings, exchange)
        try:
            return self._reply(exchange)
        except Refusal as refusal:
            return PlainReply(
                refusal.status, refusal.body, refusal.headers, content_type=refusal.content_type
            )

    def _reply(self, exchange: Exchange) -> Reply:
        self._admission.authorise(exchange)
        route = find_route(exchange.method, exchange.path, exchange.query.get("api-version"))
        content_type = exchange.headers.get("content-type", "")
        body = decode_body(route.operation, exchange.content, content_type)
        name = route.deployment or (body.model if body else None)
        self._note(exchange, route, name)
        server = None if body is None else self._admission.named(name, route)
        exchange.entry.streamed = _is_streamed(exchange, route, server, body)
        exchange.applied = self._draw(exchange, route, name)
        if exchange.applied.first(Refuse):
            return CutReply("close")
        if exchange.applied.first(Reset):
            return CutReply("reset")
        if body is None or server is None:
            return self._bodiless(exchange, route)
        check_body(body, route, server.deployment)
        if isinstance(body, EmbeddingBody):
            return self._embed(exchange, route, server, body)
        if isinstance(body, MediaBody):
            return self._render(exchange, route, server, body)
        return self._generate(exchange, route, server, body)

    def _note(self, exchange: Exchange, route: Route, name: str | None) -> None:
        exchange.entry.operation = route.operation
        exchange.entry.deployment = name
        exchange.entry.response_id = route.response_id

    def _draw(self, exchange: Exchange, route: Route, name: str | None) -> AppliedFaults:
        applied = self._faults.draw(Subject(route.operation, name, exchange.entry.streamed))
        exchange.entry.faults = applied.kinds
        return applied

    def _bodiless(self, exchange: Exchange, route: Route) -> Reply:
        """Operations without a body: models and stored responses."""
        self._admission.raise_fault(exchange)
        if route.operation == "models":
            return PlainReply(200, encode(self._models()), {})
        return stored_reply(exchange, route, self._stored)

    def _models(self) -> JsonObject:
        """The base models that the resource offers; not its deployments."""
        models = {item.full_model: item for item in self._deployments.all().values()}
        shared: JsonObject = {"object": "model", "status": "succeeded", "created_at": 0}
        return {
            "object": "list",
            "data": [
                {"id": model, **shared, "capabilities": {"embeddings": deployment.embeds}}
                for model, deployment in models.items()
            ],
        }

    def _embed(
        self, exchange: Exchange, route: Route, server: Server, body: EmbeddingBody
    ) -> PlainReply:
        prompts = texts_prompts(body.input)
        counts = embedding_counts(prompts)
        server = self._admission.admit(exchange, server, route, Estimate(counts.input))
        for prompt in prompts:
            self._filter(exchange, prompt, counts.embedding_usage())
        exchange.entry.usage = counts.embedding_usage()
        answer = embedding_answer(
            prompts,
            server.deployment.full_model,
            dimensions=body.dimensions or server.deployment.dimensions,
            as_base64=body.encoding_format == "base64",
        )
        return PlainReply(200, encode(answer), {})

    def _render(self, exchange: Exchange, route: Route, server: Server, body: MediaBody) -> Reply:
        """Images and audio."""
        prompt = media_prompt(body)
        server = self._admission.admit(exchange, server, route, Estimate(prompt.tokens))
        self._filter(exchange, prompt, None, forced=bool(exchange.applied.first(ContentFilter)))
        return media_reply(exchange, route.operation, server.deployment, body)

    def _generate(
        self,
        exchange: Exchange,
        route: Route,
        server: Server,
        body: ChatBody | CompletionBody | ResponseBody,
    ) -> Reply:
        task = self._task(body)
        answers = task.answers + task.hidden_answers
        most_tokens = (task.limit or ASSUMED_ANSWER_TOKENS) * answers
        estimate = Estimate(task.prompt.tokens, most_tokens)
        server = self._admission.admit(exchange, server, route, estimate)
        check_context(task, server.deployment)
        counts = prompt_counts(task.prompt)
        responds = isinstance(body, ResponseBody)
        billed = counts.response_usage() if responds else counts.chat_usage()
        fault = exchange.applied.first(ContentFilter)
        self._filter(exchange, task.prompt, billed, forced=bool(fault and fault.on == "prompt"))
        task = replace(task, filtered=bool(fault and fault.on == "completion"))
        generation = generate(task, server.deployment)
        exchange.generation_s = _generation_s(exchange, task, generation, body)
        made = Generated(exchange, server.deployment, generation)
        if isinstance(body, ResponseBody):
            return response_reply(made, body, self._stored)
        dialect = "chat.completions" if isinstance(body, ChatBody) else "completions"
        return chat_reply(made, body, dialect)

    def _task(self, body: ChatBody | CompletionBody | ResponseBody) -> Task:
        match body:
            case ChatBody():
                return chat_task(body)
            case CompletionBody():
                return completion_task(body)
            case ResponseBody():
                context = self._stored.context_tokens(body.previous_response_id)
                return response_task(body, context)

    def _filter(
        self, exchange: Exchange, prompt: Prompt, billed: JsonObject | None, *, forced: bool = False
    ) -> None:
        """Refuses a prompt that the content filter blocks; text is billed all the same."""
        word = self._settings.blocked_word
        if forced or (word is not None and word in prompt.text):
            exchange.entry.usage = billed
            raise prompt_filtered()


def _is_streamed(
    exchange: Exchange, route: Route, server: Server | None, body: Body | None
) -> bool:
    """Whether the answer is to be a stream."""
    if body is None or server is None:
        return route.operation == "responses.get" and exchange.query.get("stream") == "true"
    if isinstance(body, MediaBody):
        return media_is_streamed(body, server.deployment)
    return not isinstance(body, EmbeddingBody) and bool(body.stream)


def _generation_s(
    exchange: Exchange,
    task: Task,
    generation: Generation,
    body: ChatBody | CompletionBody | ResponseBody,
) -> float:
    """Seconds that a whole answer takes, by its limit if it has one; the background takes none."""
    if isinstance(body, ResponseBody) and body.background:
        return 0.0
    return (task.limit or generation.counts.output) * exchange.token_latency_s
