from datetime import UTC, datetime

from tollgate.local.simulator.exchanges import Exchange
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.request_log import LogEntry

AT = datetime(2026, 10, 31, tzinfo=UTC)


def _exchange() -> Exchange:
    entry = LogEntry(1, AT, "POST", "/", "", {}, "id")
    return Exchange("POST", "/", {}, {}, b"", AT, Identifiers("a"), entry)


def test_new_exchange_has_no_faults_and_headers_of_its_own() -> None:
    first, second = _exchange(), _exchange()
    first.reply_headers["x-odd"] = "1"
    assert second.reply_headers == {}
    assert second.applied.kinds == []
