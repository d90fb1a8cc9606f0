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


def test_status_says_what_a_month_corrects_and_what_was_let_pass(desk: Desk) -> None:
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late"), on("2024-11-20", "x", model="gpt-9")])
    waivers = desk.folder / "waivers.toml"
    waivers.write_text(desk.close("2024-11").stdout.replace('reason = ""', 'reason = "free"'))
    desk.close("2024-11", "--waivers", str(waivers))
    text = desk.run("status", "2024-11").stdout
    assert "  corrects 2024-10\n" in text
    assert "  let pass: contoso: gpt-9 input: 1,000,000 tokens without a rate: free (ada)\n" in text
    [month] = json.loads(desk.run("status", "2024-11", "--format", "json").stdout)["months"]
    assert month["waivers"][0]["reason"] == "free"


def test_books_that_are_not_there_are_said_to_be_so(desk: Desk) -> None:
    result = desk.run("status")
    assert (result.exit_code, result.stdout) == (0, "no month is closed\n")
    assert result.stderr == f"accountant: there are no books at {desk.books} yet\n"


def test_a_month_before_the_books_is_no_draft(desk: Desk) -> None:
    desk.close("2024-10")
    assert desk.run("status", "2024-09").stdout == "2024-09  before the books\n"
    found = json.loads(desk.run("status", "2024-09", "--format", "json").stdout)
    assert found == {"months": [{"month": "2024-09", "status": "before the books"}]}


def test_a_seal_that_cannot_be_read_is_one_line(desk: Desk) -> None:
    desk.close("2024-10")
    (desk.books / "2024-11.json").mkdir()
    result = desk.run("status")
    assert result.exit_code == 2
    assert result.stderr == (
        f"accountant: {desk.books / '2024-11.json'}: cannot be read: Is a directory\n"
    )
