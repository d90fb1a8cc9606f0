"""nginx as the upstream that answers at once, and as the plainest reverse proxy."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from bench.processes import FOLDER, Server, running

_SAFE: Final[dict[str, Any]] = {
    category: {"filtered": False, "severity": "safe"}
    for category in ("hate", "self_harm", "sexual", "violence")
}
_WORDS: Final = "The second quarter closed nine percent above plan, most of it from renewals. " * 2
# A chat completion of about 1 KB, as Azure OpenAI answers it.
_ANSWER: Final[dict[str, Any]] = {
    "choices": [
        {
            "content_filter_results": _SAFE,
            "finish_reason": "stop",
            "index": 0,
            "logprobs": None,
            "message": {"content": _WORDS, "refusal": None, "role": "assistant"},
        }
    ],
    "created": 1_793_491_200,
    "id": "chatcmpl-CWxYz0123456789abcdefghijkl",
    "model": "gpt-4o-mini-2024-07-18",
    "object": "chat.completion",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}],
    "system_fingerprint": "fp_efad92c60b",
    "usage": {
        "completion_tokens": 31,
        "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0},
        "prompt_tokens": 187,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "total_tokens": 218,
    },
}
_HEADERS: Final = {
    "apim-request-id": "0b1d7b9c-3b53-4a3a-9f0e-6a1d2c0f9b11",
    "x-ms-region": "West Europe",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "9999000",
}
_CONFIGURATION: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""
_ANSWERING: Final = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location ~ ^/(openai|v1)/ {{ {headers} return 200 '{answer}'; }}
        location / {{ return 404; }}
    }}
"""
_PASSING: Final = """
    upstream behind {{ server 127.0.0.1:{upstream}; keepalive 1024; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
"""


@contextmanager
def answering(name: str, core: int) -> Generator[Server]:
    """An upstream whose answer to every chat completion is the same 1 KB with usage."""
    answer = msgspec.json.encode(_ANSWER).decode()
    headers = " ".join(f'add_header {name} "{value}";' for name, value in _HEADERS.items())

    def servers(port: int) -> str:
        return _ANSWERING.format(port=port, headers=headers, answer=answer)

    with _nginx(name, core, servers) as server:
        yield server


@contextmanager
def passing(name: str, core: int, upstream: int) -> Generator[Server]:
    """A reverse proxy with connections that are kept, before a loopback port."""
    with _nginx(name, core, lambda port: _PASSING.format(port=port, upstream=upstream)) as server:
        yield server


@contextmanager
def _nginx(name: str, core: int, servers: Callable[[int], str]) -> Generator[Server]:
    folder = FOLDER / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        path = folder / "nginx.conf"
        path.write_text(_CONFIGURATION.format(folder=folder, servers=servers(port)))
        return ["nginx", "-p", str(folder), "-c", str(path), "-e", "stderr"]

    with running(name, core, command) as server:
        yield server
