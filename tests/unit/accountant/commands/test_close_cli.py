from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from accounting import apply_on_redis
from closing_desk import Desk, on
from typer.testing import CliRunner

from accountant.cli import app
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
            "accountant: 3 events refused and kept as dead letters (2 of 2024-09):"
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
    assert "the month before has usage (2 requests), and is not closed (2 of 2024-10)" in (
        result.stderr
    )
    assert 'what = "month-before"\nat_most = 2\n' in result.stdout
    desk.close("2024-10")
    result = desk.close("2024-12")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "accountant: 2024-11 is next: months are closed in order, and it is open\n"
    )
