"""One request on its way through the sections of its policies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from policies.documents import Expression, Step, Value
from policies.evaluator import Failed
from policies.messages import Headers, Outgoing, Reply

if TYPE_CHECKING:
    from policies.gateway import ApiManagement

Handler = Callable[["Run", Step], Awaitable[None]]


class Returned(Exception):  # noqa: N818  it ends a run, and is no failure
    """`return-response`: nothing else of the policies runs."""


class Answered(Exception):  # noqa: N818  as above
    """The cache answers: what is left of inbound and backend is passed over."""


class Refused(Exception):  # noqa: N818  as above
    """A policy or the gateway fails the request: on-error is next.

    Args:
        source: The policy, as `context.LastError.Source` names it.
        reason: As `context.LastError.Reason` has it.
        reply: What the client gets unless on-error says otherwise.
    """

    def __init__(self, source: str, reason: str, reply: Reply) -> None:
        super().__init__(reason)
        self.source, self.reason, self.reply = source, reason, reply


@dataclass
class Counted:
    """What the gateway's own policies do once the answer is there."""

    token_counters: list[str] = field(default_factory=list[str])
    metrics: list[tuple[str, dict[str, str]]] = field(
        default_factory=list[tuple[str, dict[str, str]]]
    )
    cache_key: str | None = None


class Run:
    """A request, what policies made of it, and its answer.

    Args:
        gateway: Runs it.
        request: As it came, with the URL of the backend that the API names.
        original_url: As the client sent it.
        context: What else its expressions see.
        handlers: What each policy does.
    """

    def __init__(
        self,
        gateway: ApiManagement,
        request: Outgoing,
        original_url: str,
        context: dict[str, Any],
        handlers: Mapping[str, Handler],
    ) -> None:
        self.gateway = gateway
        self.request = request
        self.response: Reply | None = None
        self.counted = Counted()
        self.backend_id: str | None = None
        self.section = "inbound"
        self._original_url = original_url
        self._handlers = handlers
        self._consumed: set[str] = set()
        self._last_error: dict[str, str] | None = None
        self._scope = gateway.scopes
        self._number: Final = gateway.evaluator.begin({**context, **self._context()})

    @property
    def answer(self) -> Reply:
        """The response, which is there."""
        assert self.response is not None
        return self.response

    @property
    def headers(self) -> Headers:
        """Those that `set-header` changes in this section."""
        return self._changed.headers

    @headers.setter
    def headers(self, headers: Headers) -> None:
        self._changed.headers = headers

    @property
    def _changed(self) -> Outgoing | Reply:
        """What policies of this section change."""
        return self.request if self.section in {"inbound", "backend"} else self.answer

    async def go(self, refusal: Refused | None) -> None:
        """Run the sections.

        Args:
            refusal: What the gateway itself has against the request.
        """
        try:
            if refusal is not None:
                raise refusal
            await self._serve()
        except Returned:
            pass
        except Refused as refused:
            await self._on_error(refused)
        except Failed as failed:
            self.gateway.failures.append(str(failed))
            reply = Reply(500, "Internal Server Error", [("Content-Type", "application/json")])
            await self._on_error(Refused("expression", "ExpressionValueEvaluationFailure", reply))
        finally:
            self.gateway.evaluator.end(self._number)

    async def _serve(self) -> None:
        try:
            for section in ("inbound", "backend"):
                await self._run_section(section)
        except Answered:
            pass
        await self._run_section("outbound")

    async def _on_error(self, refused: Refused) -> None:
        self._last_error = {
            "Source": refused.source,
            "Reason": refused.reason,
            "Message": refused.reason,
            "Section": self.section,
        }
        self.respond(refused.reply)
        with suppress(Returned):
            await self._run_section("on-error")

    async def _run_section(self, section: str) -> None:
        self.section, self._scope = section, self.gateway.scopes
        await self.run_scope()

    async def run_scope(self) -> None:
        """Run this section of the innermost scope that is left, as `base` does of the next one."""
        scopes = self._scope
        if not scopes:
            if self.section == "backend":
                await self._handlers["forward-request"](self, _PLAIN_FORWARD)
            return
        section = scopes[0].child(self.section)
        assert section is not None
        self._scope = scopes[1:]
        await self.run_steps(section.children)
        self._scope = scopes

    async def run_steps(self, steps: tuple[Step, ...]) -> None:
        """Run policies one after the other."""
        for step in steps:
            await self._handlers[step.tag](self, step)

    def respond(self, reply: Reply) -> None:
        """Give the run a response in place of the one it had."""
        if self.response is not None:
            self.response.drop()
        self.response = reply
        self._consumed.discard("response")

    async def text(self, value: Value | None, default: str = "") -> str:
        """What an attribute or a text says."""
        if value is None:
            return default
        if isinstance(value, str):
            return value.strip()
        return (await self._evaluated(value))["text"]

    async def attribute(self, step: Step, name: str, default: str = "") -> str:
        """What an attribute says."""
        return await self.text(step.attributes.get(name), default)

    async def holds(self, step: Step) -> bool:
        """Whether a `condition` is true."""
        return (await self.attribute(step, "condition")).lower() == "true"

    async def set_variable(self, name: str, value: Value) -> None:
        """`set-variable`: an expression's value keeps its type."""
        if isinstance(value, Expression):
            await self._evaluated(value)
            self.gateway.evaluator.set_variable(self._number, name)
        else:
            self.gateway.evaluator.set_variable(self._number, name, text=value)

    def give_variable(self, name: str, **value: Any) -> None:
        """A variable that a policy sets: a `text`, a `token` or a `number`."""
        self.gateway.evaluator.set_variable(self._number, name, **value)

    def forwardable_body(self) -> bytes | None:
        """The request's body.

        Raises:
            Failed: An expression has read it and not left it.
        """
        if "request" in self._consumed:
            raise Failed("the request's body was read without preserveContent: nothing is left")
        return self.request.body

    async def _evaluated(self, expression: Expression) -> dict[str, Any]:
        async with self.gateway.evaluating:
            record = await self.gateway.evaluator.evaluate(
                self._number, self.gateway.place(expression), self._context(), self._fetch
            )
        self._consumed |= set(record["consumed"])
        return record

    async def _fetch(self, whose: str) -> bytes:
        if whose == "request":
            assert self.request.body is not None
            return self.request.body
        return await self.answer.read()

    def _context(self) -> dict[str, Any]:
        response = self.response
        return {
            "LastError": self._last_error,
            "Request": {
                "Method": self.request.method,
                "Url": self.request.url,
                "OriginalUrl": self._original_url,
                "Headers": _by_name(self.request.headers),
                "MatchedParameters": {},
                "HasBody": self.request.body is not None,
                "Consumed": "request" in self._consumed,
            },
            "Response": response
            and {
                "StatusCode": response.status,
                "StatusReason": response.reason,
                "Headers": _by_name(response.headers),
                "Consumed": "response" in self._consumed,
            },
        }


def _by_name(headers: Headers) -> dict[str, list[str]]:
    names: dict[str, tuple[str, list[str]]] = {}
    for name, value in headers:
        names.setdefault(name.lower(), (name, []))[1].append(value)
    return dict(names.values())


_PLAIN_FORWARD: Final = Step("forward-request", {}, "", (), "the gateway")
