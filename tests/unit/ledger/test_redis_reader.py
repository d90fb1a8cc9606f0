"""The reader where it differs from its twin: a server that is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ledgers import OCTOBER
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tollgate.errors import StoreUnavailable
from tollgate.ledger.redis_reader import RedisReader


@pytest.fixture
def away() -> Iterator[RedisReader]:
    with Redis(port=1, retry=Retry(NoBackoff(), 0)) as client:
        yield RedisReader(client)


@pytest.mark.parametrize(
    "read", ["tenants", "money_cells", "user_cells", "money_sums", "user_sums", "kept_aside"]
)
def test_a_server_that_is_away_is_unavailable(away: RedisReader, read: str) -> None:
    sums = ("contoso", OCTOBER, OCTOBER.days())
    arguments: dict[str, tuple[Any, ...]] = {"tenants": (), "kept_aside": ("contoso",)}
    arguments |= {"money_sums": sums, "user_sums": sums}
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        list(getattr(away, read)(*arguments.get(read, (OCTOBER,))))
