"""Who is measured, and how each wants to be asked."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec
from bench.gateway import KEY, Books, tollgate
from bench.nginx import passing
from bench.peers import LITELLM_KEY, litellm, portkey
from bench.processes import PROXY_CORE, Server, asked

OURS: Final = "tollgate"
BASELINES: Final = ("direct", "nginx", "litellm", "portkey")
_READY_S: Final = 60.0
_AZURE_PATH: Final = "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
_BILLED: Final = "&username=alice&companyName=contoso&billingCode=CC-1001"
_OPENAI_PATH: Final = "/v1/chat/completions"
_PROMPT: Final = "Summarise the figures of the second quarter in three sentences for the board. "
_PROMPT_CHARACTERS: Final = 850  # makes a body of about 1 KB


class Target(msgspec.Struct, frozen=True):
    """A server to which chat completions are sent.

    Args:
        server: The server.
        path: With the query.
        headers: Beside the content's type and length.
        books: Of this proxy; others have none.
    """

    server: Server
    path: str
    headers: dict[str, str]
    books: Books | None = None

    @property
    def name(self) -> str:
        """The server's."""
        return self.server.name

    @property
    def all_headers(self) -> dict[str, str]:
        """What a request for JSON carries."""
        return {"content-type": "application/json", **self.headers}

    def request(self, body: bytes) -> bytes:
        """A whole HTTP request."""
        headers = {"host": f"127.0.0.1:{self.server.port}", **self.all_headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def request_body(first_words: str = "", *, streamed: bool) -> bytes:
    """A chat completion request of about 1 KB.

    Args:
        first_words: What the user's message begins with.
        streamed: Whether a stream with usage is asked for.
    """
    prompt = (first_words + _PROMPT * 20)[:_PROMPT_CHARACTERS]
    stream = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    messages = [
        {"role": "system", "content": "You are an assistant."},
        {"role": "user", "content": prompt},
    ]
    request = {"model": "gpt-4o-mini", "messages": messages, "max_tokens": 100, **stream}
    return msgspec.json.encode(request)


@contextmanager
def targets(direct: Server, upstream: int, body: bytes) -> Generator[Sequence[Target]]:
    """All of them, each answering `body`; all asleep: wake the one that is measured.

    Args:
        direct: The upstream's double, on the core of the proxies.
        upstream: The port of the upstream that the proxies call.
        body: A request.
    """
    with ExitStack() as servers:
        nginx = servers.enter_context(passing("nginx", PROXY_CORE, upstream))
        ours = our_target(*servers.enter_context(tollgate(PROXY_CORE, upstream)))
        others = [
            Target(direct, _AZURE_PATH, {"api-key": KEY}),
            Target(nginx, _AZURE_PATH, {"api-key": KEY}),
            _litellm(servers.enter_context(litellm(PROXY_CORE, upstream))),
            _portkey(servers.enter_context(portkey(PROXY_CORE)), upstream),
        ]
        found = [*others, ours]
        for target in found:
            check(target, body)
            target.server.sleep()
        yield found


def our_target(server: Server, books: Books) -> Target:
    """This proxy."""
    return Target(server, _AZURE_PATH + _BILLED, {"api-key": KEY}, books)


def check(target: Target, body: bytes) -> None:
    """Wait for an answer with usage.

    Raises:
        BenchError: There is none.
    """
    answers = list[tuple[int, bytes]]()

    def answers_well() -> bool:
        answers.append(asked(target.server.port, "POST", target.path, body, **target.all_headers))
        if target.books and answers[-1][0] == 200:
            target.books.settle(1)
        return answers[-1][0] == 200 and b'"total_tokens"' in answers[-1][1]

    target.server.wait_until(answers_well, _READY_S, "does not answer a chat completion well")


def _litellm(server: Server) -> Target:
    return Target(server, _OPENAI_PATH, {"authorization": f"Bearer {LITELLM_KEY}"})


def _portkey(server: Server, upstream: int) -> Target:
    headers = {
        "authorization": "Bearer backend-key",
        "x-portkey-provider": "azure-openai",
        "x-portkey-azure-resource-name": "weu-1",
        "x-portkey-azure-deployment-id": "gpt-4o-mini",
        "x-portkey-azure-api-version": "2024-10-21",
        "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/openai",
    }
    return Target(server, _OPENAI_PATH, headers)
