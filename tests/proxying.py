"""Builds what the proxy's tests speak of: a gateway in front of a scripted upstream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from builders import NOON

from tollgate.proxy.identity import Directory, Tenant
from tollgate.proxy.messages import Answer, Headers, Request
from tollgate.proxy.metering import Clock
from tollgate.proxy.pool import Backend, Deployment, Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.routes import Route, find_route
from tollgate.usage.event import UsageEvent, decode_event, encode_event

KEY, OTHER_KEY, TRUSTED_KEY = "contoso-key", "fabrikam-key", "gateway-key"
BACKEND_KEY = "backend-key"
JSON_HEADERS: Headers = (("content-type", "application/json"),)
STREAM_HEADERS: Headers = (("content-type", "text/event-stream; charset=utf-8"),)

Step = bytes | BaseException | asyncio.Event


def hashed(key: str) -> str:
    """A key as the settings hold it."""
    return f"sha256:{sha256(key.encode()).hexdigest()}"


CONTOSO = Tenant(
    name="contoso",
    aliases=("Contoso GmbH", "STRASSE AG"),
    keys=(hashed(KEY),),
    subscriptions=("sub-42",),
    billing_codes=("CC-1001", "CC-1002"),
    priority="high",
)
FABRIKAM = Tenant(name="fabrikam", keys=(hashed(OTHER_KEY),), billing_codes=("FB-7",))


def directory(**options: Any) -> Directory:
    """Contoso, fabrikam, and a trusted caller."""
    return Directory([CONTOSO, FABRIKAM], trusted_callers=[hashed(TRUSTED_KEY)], **options)


class RecordingSink:
    """Keeps the events, after a check that the ledger can read them."""

    def __init__(self) -> None:
        self.begun: list[UsageEvent] = []
        self.events: list[UsageEvent] = []

    def begin(self, request_id: str, event: bytes) -> None:
        self.begun.append(decode_event(event).event)
        assert self.begun[-1].id == request_id

    def record(self, event: UsageEvent) -> None:
        self.events.append(decode_event(encode_event(event)).event)

    @property
    def only(self) -> UsageEvent:
        """The one event that there is."""
        (event,) = self.events
        return event


class FakeClock:
    """Stands still unless it is told otherwise."""

    def __init__(self) -> None:
        self.s = 1000.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.s - 1000.0)

    def steady_s(self) -> float:
        return self.s

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.steady_s)


class FakeAnswer:
    """An answer in scripted steps: bytes, an exception to raise, an event to wait for."""

    def __init__(self, *steps: Step, status: int = 200, headers: Headers = JSON_HEADERS) -> None:
        self._steps = list(steps)
        self._status = status
        self._headers = headers
        self.closed = False

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Headers:
        return self._headers

    @property
    def fields(self) -> dict[str, str]:
        return dict(self._headers)

    async def read(self, max_bytes: int) -> bytes:
        body = b""
        while chunk := await self.next_chunk():
            body += chunk
        assert len(body) <= max_bytes
        return body

    async def next_chunk(self) -> bytes:
        while self._steps:
            step = self._steps[0]
            if isinstance(step, asyncio.Event):
                await step.wait()
            self._steps.pop(0)
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, bytes):
                return step
        return b""

    def close(self) -> None:
        self.closed = True


class FakeUpstream:
    """Gives scripted answers, and keeps what was sent."""

    def __init__(self, *script: FakeAnswer | BaseException | asyncio.Event) -> None:
        self._script = list(script)
        self.sent: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest) -> FakeAnswer:
        self.sent.append(request)
        step = self._script.pop(0)
        if isinstance(step, asyncio.Event):
            await step.wait()
            step = self._script.pop(0)
        if isinstance(step, FakeAnswer):
            return step
        raise step if isinstance(step, BaseException) else AssertionError("not in the script")


class StaticKey:
    """A backend's credential."""

    ready: Mapping[str, str] | None = {"api-key": BACKEND_KEY}

    async def headers(self) -> Mapping[str, str]:
        return {"api-key": BACKEND_KEY}


_STATIC_KEY = StaticKey()


class SlowToken:
    """A credential that is never there."""

    ready = None

    async def headers(self) -> Mapping[str, str]:
        await asyncio.Event().wait()
        raise AssertionError


def deployment(**changes: Any) -> Deployment:
    """A gpt-4o-mini."""
    made = Deployment(
        name="mini",
        model="gpt-4o-mini",
        version="2024-07-18",
        deployment_type="standard",
        scope="regional",
    )
    return msgspec.structs.replace(made, **changes)


def backend(name: str = "weu-1", **changes: Any) -> Backend:
    """A backend that serves the alias gpt-4o-mini."""
    made = Backend(
        name=name,
        url=f"https://{name}.example/openai",
        region="westeurope",
        priority=1,
        weight=100,
        credential=_STATIC_KEY,
        deployments={"gpt-4o-mini": deployment()},
    )
    return msgspec.structs.replace(made, **changes)


def target(name: str = "weu-1", **changes: Any) -> Target:
    """A backend with one deployment there."""
    return Target(backend(name), deployment(**changes))


def request(**changes: Any) -> Request:
    """Contoso asks for a chat completion."""
    made = Request(
        method="POST",
        path="/openai/deployments/gpt-4o-mini/chat/completions",
        query="api-version=2024-10-21&companyName=contoso&billingCode=CC-1001&username=alice",
        headers=(("api-key", KEY),),
        body=chat(),
    )
    return msgspec.structs.replace(made, **changes)


def route(path: str) -> Route:
    """The route of a call of a model."""
    found = find_route("POST", path)
    assert isinstance(found, Route)
    return found


def chat(**members: Any) -> bytes:
    """The body of a chat completion whose prompt has 12 characters."""
    messages = [{"role": "user", "content": "Say hi to me"}]
    return msgspec.json.encode({"messages": messages, **members})


def usage(prompt: int = 10, completion: int = 5) -> dict[str, Any]:
    """Usage as chat completions state it."""
    return {"prompt_tokens": prompt, "completion_tokens": completion}


def completion(**members: Any) -> bytes:
    """A whole chat completion of 10 + 5 tokens."""
    return msgspec.json.encode({"model": "gpt-4o-mini-2024-07-18", "usage": usage(), **members})


def sse(data: object) -> bytes:
    """A frame."""
    encoded = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
    return b"data: " + encoded + b"\n\n"


MODEL = {"model": "gpt-4o-mini-2024-07-18"}
HELLO = sse({**MODEL, "choices": [{"delta": {"content": "Hello"}}]})  # 5 characters
USAGE = sse({**MODEL, "choices": [], "usage": usage()})
DONE = sse("[DONE]")
ERROR = sse({"error": {"code": "InternalServerError", "message": "no"}})


def stream(*steps: Step) -> FakeAnswer:
    """A streamed answer; without steps, a good one."""
    return FakeAnswer(*(steps or (HELLO, USAGE, DONE)), headers=STREAM_HEADERS)


def error_of(answer: Answer) -> dict[str, Any]:
    """The error that the gateway itself answers."""
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body)["error"]


async def read_all(answer: Answer) -> bytes:
    """The whole body, as a client that stays reads it."""
    if isinstance(answer.body, bytes):
        return answer.body
    return b"".join([chunk async for chunk in answer.body])
