"""Rebuilding a month's ledger, beside reading and decoding the archive alone.

A month of requests as they come: several tenants, billing codes, users and models, 8 days of them
still remembered. Worker and Redis take a core each.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
from bench.measuring import Result
from bench.processes import BenchError
from bench.rebuild_once import Measured
from builders import event
from captures import write_capture
from redis import Redis
from servers import running

from tollgate.usage.event import Template
from tollgate.usage.periods import Month
from tollgate.usage.tokens import Tokens

_MONTH: Final = Month(2026, 10)
_EVENTS: Final = 800_000
_FEW: Final = _EVENTS // 4
_CAPTURED_AT_ONCE: Final = 5_000
_ROUNDS: Final = 3
_USERS: Final = 400
_OTHER: Final = 0.05  # of the requests go to another model, or to another region
_TESTS: Final = Path(__file__).parents[1]


def archive_contests() -> list[Result]:
    """Rates for both kinds of archive, and what memory four times as many events take."""
    with (
        tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name,
        running("redis-server") as url,
    ):
        folder = Path(name)
        for kind in ("lines", "few", "capture"):
            _write(folder / kind, kind)
        lines = _rates("archive.rebuild", folder / "lines", url)
        capture = _rates("archive.rebuild_capture", folder / "capture", url)
        return [lines, capture, _memory(folder, url)]


def _rates(name: str, folder: Path, url: str) -> Result:
    rounds = [
        (_run("rebuild", folder, url), _run("decode_only", folder, url)) for _ in range(_ROUNDS)
    ]
    ours = median(each.events / each.wall_s for each, _ in rounds)
    theirs = median(each.events / each.wall_s for _, each in rounds)
    return Result(name, ours, "events/s", "decode_only", theirs, ours / theirs)


def _memory(folder: Path, url: str) -> Result:
    many, few = (_run("rebuild", folder / kind, url).peak_mb for kind in ("lines", "few"))
    return Result("archive.rebuild_mb", many, "MB", "a quarter of it", few, many / few)


def _run(way: str, folder: Path, url: str) -> Measured:
    with Redis.from_url(url) as redis:  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        redis.flushall()  # pyright: ignore[reportUnknownMemberType]  same
    now = (_MONTH.end + timedelta(hours=1)).isoformat()
    command = [sys.executable, "-m", "bench.rebuild_once", way, str(folder), url, now]
    done = subprocess.run(command, cwd=_TESTS, capture_output=True, check=False)
    if done.returncode:
        raise BenchError(f"{way} of {folder.name}: {done.stderr.decode()[-500:]}")
    return msgspec.json.decode(done.stdout, type=Measured)


def _write(folder: Path, kind: str) -> None:
    if kind == "capture":
        batch: list[bytes] = []
        for number, (_, line) in enumerate(_month(_EVENTS), start=1):
            batch.append(line)
            if number % _CAPTURED_AT_ONCE == 0:
                write_capture(folder, batch, minutes=5 * number // _CAPTURED_AT_ONCE)
                batch = []
        return
    by_hour: dict[str, list[bytes]] = {}
    for time, line in _month(_EVENTS if kind == "lines" else _FEW):
        by_hour.setdefault(time.strftime("%Y/%m/%d/%H.jsonl"), []).append(line + b"\n")
    for name, lines in by_hour.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines))


def _month(events: int) -> Iterator[tuple[datetime, bytes]]:
    """A month's events in the order of their times; one in fifty is delivered twice."""
    chance = random.Random(20261031)  # noqa: S311  the same events at each run
    templates = [_template(chance) for _ in range(2_000)]
    step = (_MONTH.end - _MONTH.start) / events
    for number in range(events):
        time = _MONTH.start + step * number
        line = chance.choice(templates).encode(f"3f0c{number:028x}", time)
        yield time, line
        if number % 50 == 0:
            yield time, line


def _template(chance: random.Random) -> Template:
    """What a user asks for: each has a tenant, a billing code, and one model for the most part."""
    user, whole = chance.randrange(_USERS), chance.randrange(1, 20_000)
    tokens = Tokens(
        input=whole,
        cached_input=chance.choice([0, whole // 2]),
        output=chance.randrange(1, 2_000),
        reasoning_output=0,
    )
    return Template(
        event(
            "x",
            tenant=f"tenant-{user % 5}",
            billing_code=f"CC-{user % 40}",
            user=f"user-{user}",
            model="gpt-4o" if user % 4 == 0 or chance.random() < _OTHER else "gpt-4o-mini",
            backend="swc-1" if chance.random() < _OTHER else "weu-1",
            tokens=tokens,
        )
    )
