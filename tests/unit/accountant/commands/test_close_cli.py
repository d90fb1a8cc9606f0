from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from accounting import apply_on_redis
from closing_desk import Desk, on
from typer.testing import CliRunner

from accountant.cli import app
from accountant.closing import close as close_module
from accountant.closing.books import Books
from accountant.closing.seals import Seal
from accountant.commands import arrivals as arrivals_module
from accountant.commands.arrivals import Arrivals
from tollgate.connections.redis import open_redis
from tollgate.events.dead_letters import DeadLetter, RedisDeadLetters

pytest_plugins = ["servers", "closing_desk"]


def test_a_month_is_closed_and_says_so(desk: Desk) -> None:
    result = desk.close("2024-10")
    assert result.exit_code == 0
    first, last = result.stdout.splitlines()
    assert first == "2024-10 is closed: 2 statements, 2024-000001 to 2024-000002, 0.30 USD"
    assert last.startswith("digest ")
    assert result.stderr.splitlines() == [
        "accountant: journals of gateways are not seen from here: give --journal DIR",
        "accountant: what waits in the hub is not seen from here: give --health URL",
        ("accountant: Event Grid's dead-letter blobs are not looked at: give --blobs LOCATION"),
    ]


def test_the_last_month_that_there_is_is_not_over(desk: Desk) -> None:
    result = desk.close("9999-12")
    assert result.exit_code == 1
    assert "9999-12 is not over" in result.stderr


def test_closing_twice_does_nothing_and_says_so(desk: Desk) -> None:
    desk.close("2024-10")
    before = {path.name: path.read_bytes() for path in desk.books.iterdir()}
    result = desk.run("close", "2024-10", "--by", "bob", url="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("accountant: 2024-10 was closed by ada on ")
    assert result.stderr.endswith(" already; nothing is to be done\n")
    assert {path.name: path.read_bytes() for path in desk.books.iterdir()} == before


def test_a_refusal_tells_every_reason_and_prints_the_waivers_that_would_do(desk: Desk) -> None:
    late = [
        on("2024-10-20", "4", model="gpt-9"),
        on("2024-10-21", "5", tokens=None, provenance="pending"),
    ]
    apply_on_redis(desk.url, late)
    asyncio.run(refuse(desk.url, b'{"time": "2024-10-05T00:00:00Z"}', b"no JSON", b'{"time": 1}'))
    result = desk.close("2024-10")
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if ": give --" not in line]
    assert told == [
        "accountant: contoso: gpt-9 input: 1,000,000 tokens without a rate: add a rate",
        ("accountant: contoso: 1 request without a count yet: wait until they are completed"),
        (
            "accountant: 3 events refused and kept as dead letters (3 of 2024-09):"
            " see: tollgate dead-letters list"
        ),
    ]
    assert not list(desk.books.iterdir())
    waivers = desk.folder / "waivers.toml"
    waivers.write_text(result.stdout)
    assert desk.close("2024-10", "--waivers", str(waivers)).exit_code == 2  # no reasons yet
    waivers.write_text(result.stdout.replace('reason = ""', 'reason = "agreed with contoso"'))
    closed = desk.close("2024-10", "--waivers", str(waivers))
    assert (closed.exit_code, closed.stderr.count("let pass: ")) == (0, 3)
    read = desk.read("report", "2024-10", url="")
    assert read.exit_code == 0
    assert (
        "let pass at the close by ada: contoso: gpt-9 input: 1,000,000 tokens without a rate:"
        " agreed with contoso\n" in read.stderr
    )
    assert desk.run("focus", "2024-10", url="").exit_code == 0


async def refuse(url: str, *bodies: bytes) -> None:
    """Have events among the dead letters, received in September."""
    received = datetime(2024, 9, 3, tzinfo=UTC)
    async with open_redis(url) as redis:
        letters = [
            DeadLetter(reason="it is none", source="test", received=received, body=body)
            for body in bodies
        ]
        await RedisDeadLetters(redis).keep(letters)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("close", "2024-13", "--by", "ada"), "'2024-13' is not a month"),
        (("close", "2024-10", "--by", " "), "--by: a name of at most 200 characters"),
        (("close", "2024-10", "--by", "a\nb"), "--by: a name of at most 200 characters"),
        (("close", "2024-10", "--by", "ada", "--waivers", "x"), "x: cannot be read: No such file"),
        (("close", "2024-10", "--by", "ada", "--blobs", "x"), "x: no folder, and no URL"),
        (("close", "2024-10", "--by", "ada", "--journal", "x"), "x: is no folder of a journal"),
        (("close", "2024-10", "--by", "ada", "--health", "x"), "--health 'x': is no URL"),
        (("close", "2024-10", "--by", "ada", "--redis-url", "x://"), "x"),
    ],
)
def test_bad_usage_is_one_line(desk: Desk, arguments: tuple[str, ...], told: str) -> None:
    result = desk.run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert not desk.books.exists()


def test_where_the_books_are_must_be_said() -> None:
    for command in (("close", "2024-10", "--by", "ada"), ("status",)):
        result = CliRunner().invoke(app, command, env={"TOLLGATE_BOOKS": ""})
        assert result.exit_code == 2
        assert result.stderr == (
            "accountant: which books? Set TOLLGATE_BOOKS, or give --books DIR\n"
        )


def test_books_that_cannot_be_written_are_one_line(desk: Desk) -> None:
    desk.books = desk.folder / "file" / "books"
    (desk.folder / "file").touch()
    result = desk.close("2024-10")
    assert result.exit_code == 2
    assert "Not a directory" in result.stderr


def test_months_are_closed_in_order(desk: Desk) -> None:
    result = desk.close("2024-11")
    assert result.exit_code == 1
    assert (
        "the month before the books has usage (2 requests), and is not closed (2 of 2024-10)"
        in (result.stderr)
    )
    assert 'what = "month-before"\nat_most = 2\n' in result.stdout
    desk.close("2024-10")
    result = desk.close("2024-12")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "accountant: 2024-11 is next: months are closed in order, and it is open\n"
    )


def test_a_month_that_someone_closes_at_the_same_time_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Books.add

    def late(self: Books, seal: Seal) -> bool:
        monkeypatch.setattr(Books, "add", add)
        desk.close("2024-10", "--by", "bob")
        return add(self, seal)

    monkeypatch.setattr(Books, "add", late)
    result = desk.close("2024-10")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2024-10 was closed by bob on " in result.stderr
    assert result.stderr.endswith(" at the same time; this one did nothing\n")


def test_a_ledger_whose_closed_months_never_rest_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*_: object) -> None:
        """What `close` answers when the ledger took events meanwhile."""

    monkeypatch.setattr(close_module, "close", moved)
    result = desk.close("2024-10")
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "the ledger takes events of closed months all the time; close 2024-10 later\n"
    )


def test_a_waiver_that_was_not_needed_is_said(desk: Desk) -> None:
    waivers = desk.folder / "waivers.toml"
    waivers.write_text('[[waiver]]\nwhat = "late"\ntenant = "a"\nat_most = 1\nreason = "settled"\n')
    result = desk.close("2024-10", "--waivers", str(waivers))
    assert result.exit_code == 0
    assert 'waiver of late, tenant "a": nothing of it is there\n' in result.stderr


def test_a_month_that_someone_closes_while_it_is_looked_at_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = arrivals_module.awaited

    def slow(*asked: Any) -> Arrivals:
        monkeypatch.setattr(arrivals_module, "awaited", look)
        desk.close("2024-10", "--by", "bob")
        return look(*asked)

    monkeypatch.setattr(arrivals_module, "awaited", slow)
    result = desk.close("2024-10")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2024-10 was closed by bob on " in result.stderr


def test_a_month_before_books_that_someone_began_meanwhile_is_not_closed_into_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = arrivals_module.awaited
    waivers = desk.folder / "waivers.toml"
    waivers.write_text(
        '[[waiver]]\nwhat = "month-before"\nat_most = 2\nreason = "billed by hand"\n'
    )

    def slow(*asked: Any) -> Arrivals:
        monkeypatch.setattr(arrivals_module, "awaited", look)
        assert desk.close("2024-11", "--waivers", str(waivers)).exit_code == 0
        return look(*asked)

    monkeypatch.setattr(arrivals_module, "awaited", slow)
    result = desk.close("2024-10")
    assert result.exit_code == 1
    assert "2024-10 lies before 2024-11, with which the books begin\n" in result.stderr
    assert desk.run("status").exit_code == 0


def test_books_that_two_begin_at_once_begin_with_one_month(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Books.add
    waivers = desk.folder / "waivers.toml"
    waivers.write_text(
        '[[waiver]]\nwhat = "month-before"\nat_most = 2\nreason = "billed by hand"\n'
    )

    def late(self: Books, seal: Seal) -> bool:
        monkeypatch.setattr(Books, "add", add)
        assert desk.close("2024-11", "--waivers", str(waivers)).exit_code == 0
        return add(self, seal)

    monkeypatch.setattr(Books, "add", late)
    result = desk.close("2024-10")
    assert result.exit_code == 1
    assert "2024-10 lies before 2024-11, with which the books begin\n" in result.stderr
    status = desk.run("status")
    assert (status.exit_code, status.stderr) == (0, "")


def test_nothing_is_closed_on_charges_that_were_changed(desk: Desk) -> None:
    desk.close("2024-10")
    [path] = desk.books.glob("*.gz")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    result = desk.close("2024-11")
    assert result.exit_code == 2
    assert result.stderr == (
        f"accountant: {path}: was changed after the close; restore it from a copy\n"
    )


def test_a_reason_is_shown_in_one_line(desk: Desk) -> None:
    apply_on_redis(desk.url, [on("2024-10-21", "5", tokens=None, provenance="pending")])
    waivers = desk.folder / "waivers.toml"
    waivers.write_text(
        '[[waiver]]\nwhat = "pending"\ntenant = "contoso"\nat_most = 1\n'
        'reason = "agreed\\nlet pass: all"\nby = "a\\u001bb"\n'
    )
    told = desk.close("2024-10", "--waivers", str(waivers)).stderr
    read = desk.read("report", "2024-10").stderr
    assert "agreed\N{REPLACEMENT CHARACTER}let pass: all (a\N{REPLACEMENT CHARACTER}b)" in told
    assert "by a\N{REPLACEMENT CHARACTER}b: " in read
    assert "agreed\N{REPLACEMENT CHARACTER}let pass: all" in read


def test_nobody_waits_for_ever(desk: Desk) -> None:
    result = desk.close("2024-10", "--wait-minutes", "inf")
    assert result.exit_code == 2
    assert "Invalid value for '--wait-minutes'" in result.stderr


def test_nobody_waits_to_hear_that_the_rates_or_the_costs_are_wrong(desk: Desk) -> None:
    desk.rates.write_text("[[rate]]\n")
    result = desk.close("2024-10")
    assert result.exit_code == 2
    assert "rates.toml: row 1 (line 1)" in result.stderr
    assert "--health" not in result.stderr  # it has not looked yet
