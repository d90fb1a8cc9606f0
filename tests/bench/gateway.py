"""This proxy as it is measured: authenticating, routing, metering and publishing."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from bench.processes import FOLDER, LOAD_CORE, BenchError, Server, asked, program, running
from bench.serve_topic import Counted

KEY: Final = "contoso-key"
COMMAND: Final = [str(Path(sys.executable).parent / "tollgate"), "gateway"]
_PUBLISHED_S: Final = 60.0
_SETTINGS: Final = """
gateway: {{id: gw-bench}}
backends:
  - {{name: weu-1, region: westeurope, url: "{url}", auth: "env:BENCH_BACKEND_KEY", deployments:
      {{gpt-4o-mini: {{name: gpt-4o-mini, model: gpt-4o-mini, version: "2024-07-18"}}}}}}
  - {{name: weu-2, region: westeurope, url: "{url}", auth: "env:BENCH_BACKEND_KEY", deployments:
      {{gpt-4o-mini: {{name: gpt-4o-mini, model: gpt-4o-mini, version: "2024-07-18"}}}}}}
tenants:
  - {{name: contoso, keys: ["sha256:{key}"], billing_codes: [CC-1001]}}
"""


class Books:
    """What the topic has been sent, beside what clients have got.

    Args:
        gateway: The proxy that publishes.
        topic: Where its events go.
    """

    def __init__(self, gateway: Server, topic: Server) -> None:
        self._gateway, self._topic = gateway, topic
        self._answered = self._cut = 0

    def settle(self, answered: int, cut: int = 0) -> None:
        """Wait until every answer is published; its cost is part of the request's.

        Args:
            answered: How many more answers clients have got in full.
            cut: How many more requests the load left behind when its time was over. Their
                answers may or may not be complete, so their events may or may not be measured.

        Raises:
            BenchError: Events are missing, or there are more of them than requests.
        """
        self._answered += answered
        self._cut += cut
        self._gateway.wait_until(
            lambda: self.counted.measured >= self._answered,
            _PUBLISHED_S,
            f"has not published {self._answered} events",
        )
        self._wait_for_the_last()
        if self.counted.ids > self._answered + self._cut:
            raise BenchError(f"{self.counted} events for {self._answered} answers, {self._cut} cut")

    def _wait_for_the_last(self) -> None:
        before, now = -1, self.counted.ids
        give_up_s = time.monotonic() + _PUBLISHED_S
        while before != now and time.monotonic() < give_up_s:
            time.sleep(0.2)
            before, now = now, self.counted.ids

    @property
    def counted(self) -> Counted:
        """What the topic has counted."""
        status, content = asked(self._topic.port, "GET", "/")
        if status != 200:
            raise BenchError(f"the topic answers {status}: {content[:200]!r}")
        return msgspec.json.decode(content, type=Counted)

    def __str__(self) -> str:
        counted = self.counted
        repeated = counted.events - counted.ids
        return (
            f"{self._answered:,} answers and {self._cut:,} requests cut off at the end of a round;"
            f" {counted.measured:,} measured events, {counted.ids - counted.measured:,} others,"
            f" {repeated:,} sent again"
        )


@contextmanager
def tollgate(core: int, upstream: int) -> Generator[tuple[Server, Books]]:
    """The proxy with two backends (at one loopback port), and the topic to which it publishes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    journal, settings = FOLDER / "journal", FOLDER / "tollgate.yaml"
    shutil.rmtree(journal, ignore_errors=True)
    hashed = sha256(KEY.encode()).hexdigest()
    settings.write_text(_SETTINGS.format(url=f"http://127.0.0.1:{upstream}/openai", key=hashed))
    with running("topic", LOAD_CORE, program("serve_topic")) as topic:
        env = {
            "TOLLGATE_CONFIG": str(settings),
            "TOLLGATE_JOURNAL": str(journal),
            "BENCH_BACKEND_KEY": "backend-key",
            "EVENTGRID_TOPIC_ENDPOINT": f"http://127.0.0.1:{topic.port}/api/events",
            "EVENTGRID_TOPIC_KEY": "topic-key",
        }

        def command(port: int) -> list[str]:
            return [*COMMAND, "--port", str(port)]

        with running("tollgate", core, command, env) as server:
            yield server, Books(server, topic)
