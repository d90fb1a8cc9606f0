from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from closed_months import OCTOBER

from accountant.closing.gateway_health import health_seen
from tollgate.errors import SettingsError

NOW = datetime(2026, 11, 1, 1, tzinfo=UTC)


@contextmanager
def serving(body: bytes, status: int = 200) -> Generator[str]:
    """The URL of a `/health` that says this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as it is called
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/health?code=secret"
        finally:
            server.shutdown()
            thread.join()


def told(status: int = 200, **facts: Any) -> Callable[[], Any]:
    return lambda: serving(json.dumps(facts).encode(), status)


@pytest.mark.parametrize("status", [200, 503])
def test_what_gateways_have_still_to_publish_is_added_up(status: int) -> None:
    with told(status, journal_depth=3)() as one, told(journal_depth=4)() as other:
        found = health_seen([one, other], OCTOBER, NOW)
    assert [(each.what, each.count) for each in found.blockers] == [("journal", 7)]


def test_a_ledger_that_is_behind_by_more_than_the_month_is_old_is_in_the_way() -> None:
    with told(journal_depth=0, ledger={"lag_s": 3601.0})() as url:
        found = health_seen([url], OCTOBER, NOW)
    assert [(each.what, each.count) for each in found.blockers] == [("hub-minutes", 61)]
    with told(ledger={"lag_s": 3599.0})() as url:
        assert health_seen([url], OCTOBER, NOW).blockers == []


def test_a_ledger_that_counted_nothing_lately_may_be_done_or_stuck() -> None:
    with told(journal_depth=0, ledger={"lag_s": None})() as url:
        found = health_seen([url], OCTOBER, NOW)
    [unseen] = found.unseen
    assert unseen.endswith("counted nothing in the last minutes: the hub is empty or is stuck")
    assert "secret" not in unseen


@pytest.mark.parametrize(
    ("facts", "unseen"),
    [
        ({"journal_depth": 0}, ["what waits in the hub"]),
        ({"ledger": {"lag_s": 1.0}}, ["what gateways have still to publish"]),
        ({"reasons": []}, ["what gateways have still to publish", "what waits in the hub"]),
    ],
)
def test_what_no_answer_speaks_of_is_not_seen(facts: dict[str, Any], unseen: list[str]) -> None:
    with told(**facts)() as url:
        found = health_seen([url], OCTOBER, NOW)
    assert [line.partition(" is not seen")[0] for line in found.unseen] == unseen


def test_every_place_that_does_not_answer_as_health_does_is_told_without_its_key() -> None:
    with (
        serving(b"<html>") as page,
        serving(b"no", 401) as closed,
        pytest.raises(SettingsError) as caught,
    ):
        health_seen([page, closed, "ftp://x", "http://127.0.0.1:1/health"], OCTOBER, NOW)
    problems = caught.value.problems
    assert len(problems) == 4
    assert "does not say how it is: JSON is malformed" in problems[0]
    assert "does not say how it is: Unauthorized" in problems[1]
    assert problems[2] == "--health 'ftp://x': is no URL, such as https://HOST/api/health"
    assert "Connection refused" in problems[3]
    assert "secret" not in "".join(problems)
