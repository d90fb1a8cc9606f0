from datetime import UTC, datetime, timedelta

from tollgate.local.simulator.request_log import LogEntry, RequestLog, shown_headers, without_keys

AT = datetime(2026, 10, 31, tzinfo=UTC)


def _entry(number: int) -> LogEntry:
    return LogEntry(number, AT, "POST", "/openai", "", {}, "id")


def test_oldest_requests_are_dropped_and_counted() -> None:
    log = RequestLog(2)
    for number in range(5):
        log.add(_entry(number))
    assert ([entry.number for entry in log], log.dropped) == ([3, 4], 3)


def test_cleared_log_begins_anew() -> None:
    log = RequestLog(1)
    log.add(_entry(1))
    log.add(_entry(2))
    log.clear()
    assert (len(log), log.dropped) == (0, 0)


def test_ended_entry_knows_how_long_it_took() -> None:
    entry = _entry(1)
    entry.end("answered", AT + timedelta(seconds=1.5))
    assert (entry.outcome, entry.duration_ms) == ("answered", 1500)


def test_headers_that_may_be_secret_have_names_only() -> None:
    sent = [("API-Key", "x"), ("Authorization", "Bearer x"), ("Cookie", "x"), ("X-Odd", "a-k-b")]
    assert shown_headers(sent, ("k",)) == dict.fromkeys(
        ("api-key", "authorization", "cookie", "x-odd")
    )


def test_other_headers_are_shown_together() -> None:
    sent = [("Accept", "a"), ("accept", "b"), ("traceparent", "00-1")]
    assert shown_headers(sent, ("key",)) == {"accept": "a, b", "traceparent": "00-1"}


def test_keys_are_hidden_in_queries() -> None:
    assert without_keys("a=secret-1&b=2", ("secret-1",)) == "a=[hidden]&b=2"
