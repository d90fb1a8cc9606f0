"""From a call to its reply: the whole behaviour of a region, without a web framework."""

from dataclasses import replace

from tollgate.local.simulator.admission import Admission, Server
from tollgate.local.simulator.bodies import (
    Body,
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ResponseBody,
    decode_body,
)
from tollgate.local.simulator.body_checks import check_body, check_context
from tollgate.local.simulator.embedding_answers import embedding_answer, embedding_counts
from tollgate.local.simulator.exchanges import CutReply, Exchange, PlainReply, Reply
from tollgate.local.simulator.faults import ContentFilter, Refuse, Reset, Subject
from tollgate.local.simulator.faults_in_force import AppliedFaults, FaultsInForce
from tollgate.local.simulator.generating import Generated, chat_reply, response_reply
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.prompts import Prompt, texts_prompts
from tollgate.local.simulator.refusals import Refusal, prompt_filtered, resource_not_found
from tollgate.local.simulator.reply_headers import base_headers
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
    """

    def __init__(self, settings: RegionSettings, faults: FaultsInForce) -> None:
        self._settings = settings
        self._faults = faults
        self._admission = Admission(settings)
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
        body = decode_body(route.operation, exchange.content)
        name = route.deployment or (body.model if body else None)
        self._note(exchange, route, name, body)
        server = None if body is None else self._admission.named(name, route)
        exchange.applied = self._draw(exchange, route, name)
        if exchange.applied.first(Refuse):
            return CutReply("close")
        if exchange.applied.first(Reset):
            return CutReply("reset")
        if body is None or server is None:
            return self._stateful(exchange, route)
        check_body(body, route, server.deployment)
        if isinstance(body, EmbeddingBody):
            return self._embed(exchange, route, server, body)
        return self._generate(exchange, route, server, body)

    def _note(self, exchange: Exchange, route: Route, name: str | None, body: Body | None) -> None:
        exchange.entry.operation = route.operation
        exchange.entry.deployment = name
        exchange.entry.response_id = route.response_id
        exchange.entry.streamed = not isinstance(body, EmbeddingBody | None) and bool(body.stream)

    def _draw(self, exchange: Exchange, route: Route, name: str | None) -> AppliedFaults:
        applied = self._faults.draw(Subject(route.operation, name, exchange.entry.streamed))
        exchange.entry.faults = applied.kinds
        return applied

    def _stateful(self, exchange: Exchange, route: Route) -> PlainReply:
        """Operations without a body: models and stored responses."""
        self._admission.raise_fault(exchange)
        if route.operation == "models":
            return PlainReply(200, encode(self._models()), {})
        if route.response_id is None:
            raise resource_not_found()
        found = self._stored.poll if route.operation == "responses.get" else self._stored.delete
        return PlainReply(200, encode(found(route.response_id)), {})

    def _models(self) -> JsonObject:
        """The base models that the resource offers; not its deployments."""
        models = {item.full_model: item for item in self._settings.deployments.values()}
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
        server = self._admission.admit(exchange, server, route, counts.input)
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

    def _generate(
        self,
        exchange: Exchange,
        route: Route,
        server: Server,
        body: ChatBody | CompletionBody | ResponseBody,
    ) -> Reply:
        task = self._task(body)
        answers = task.answers + task.hidden_answers
        estimate = task.prompt.tokens + (task.limit or ASSUMED_ANSWER_TOKENS) * answers
        server = self._admission.admit(exchange, server, route, estimate)
        check_context(task, server.deployment)
        counts = prompt_counts(task.prompt)
        responds = isinstance(body, ResponseBody)
        billed = counts.response_usage() if responds else counts.chat_usage()
        fault = exchange.applied.first(ContentFilter)
        self._filter(exchange, task.prompt, billed, forced=bool(fault and fault.on == "prompt"))
        task = replace(task, filtered=bool(fault and fault.on == "completion"))
        made = Generated(exchange, server.deployment, generate(task, server.deployment))
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
        self, exchange: Exchange, prompt: Prompt, billed: JsonObject, *, forced: bool = False
    ) -> None:
        """Refuses a prompt that the content filter blocks; it is billed all the same."""
        word = self._settings.blocked_word
        if forced or (word is not None and word in prompt.text):
            exchange.entry.usage = billed
            raise prompt_filtered()
