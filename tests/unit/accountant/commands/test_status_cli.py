from __future__ import annotations

import json

from accounting import apply_on_redis
from closing_desk import Desk, on

pytest_plugins = ["servers", "closing_desk"]


def test_status_shows_every_month(desk: Desk) -> None:
    assert desk.run("status").stdout == "no month is closed\n"
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    desk.close("2024-11")
    lines = desk.run("status").stdout.splitlines()
    assert lines[0].startswith("2024-10  restated by 2024-11, closed ")
    assert " by ada: 2 statements, 0.30 USD, " in lines[0]
    assert lines[1].startswith("2024-11  closed ")
    assert lines[2] == "2024-12  draft, the next to be closed"
    months = json.loads(desk.run("status", "--format", "json").stdout)["months"]
    assert [month["status"] for month in months] == ["restated", "closed", "draft"]


def test_status_shows_all_of_one_month(desk: Desk) -> None:
    desk.close("2024-10")
    text = desk.run("status", "2024-10").stdout
    assert "  2024-000001  contoso  0.15\n  2024-000002  fabrikam  0.15\n" in text
    assert "  not seen at the close: what waits in the hub is not seen" in text
    assert desk.run("status", "2024-12").stdout == "2024-12  draft\n"
    found = json.loads(desk.run("status", "2024-12", "--format", "json").stdout)
    assert found == {"months": [{"month": "2024-12", "status": "draft"}]}


def test_status_tells_what_a_killed_close_left(desk: Desk) -> None:
    desk.close("2024-10")
    (desk.books / ".7.0.part").touch()
    result = desk.run("status")
    assert result.exit_code == 0
    assert ".7.0.part: is part of no closed month: a close that was killed left it" in (
        result.stderr
    )
