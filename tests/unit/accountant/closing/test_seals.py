from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from accountant.closing.charge_files import ChargeFile
from accountant.closing.seals import LetPass, NumberedStatement, Seal, read_seal, seal_bytes
from accountant.edition import Edition, Waiver

WAIVER = Waiver(what="contoso: 1 request without a count yet", reason="it failed", by="ada")


def seal(**changes: Any) -> Seal:
    made = Seal(
        month="2026-10",
        closed_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
        by="Ada «L»",
        product="0.1.0",
        currency="USD",
        draft=Edition(rate_card="abc"),
        previous=None,
        charges=ChargeFile(name="2026-10-1.jsonl.gz", sha256="1", size_bytes=5, rows=1),
        cells={"2026-10": "f"},
        requests=[("contoso", "measured", 3)],
        statements=[NumberedStatement(tenant="c", number="2026-000001", total=Decimal("1.20"))],
        total=Decimal("1.20"),
        last_number=1,
        let_pass=(LetPass(what="pending", tenant="c", months={"2026-10": 1}, waiver=WAIVER),),
    )
    return msgspec.structs.replace(made, **changes)


def test_a_seal_is_read_as_it_was_written() -> None:
    sealed = read_seal(seal_bytes(seal()))
    assert sealed
    assert sealed.seal == seal()
    assert sealed.seal.numbers == {"c": "2026-000001"}


def test_a_person_can_read_it() -> None:
    text = seal_bytes(seal()).decode()
    assert '    "by": "Ada «L»",\n' in text
    assert json.loads(text)["closed"]["total"] == "1.20"


def test_the_digest_is_of_all_that_it_says() -> None:
    one, other = (read_seal(seal_bytes(seal(by=by))) for by in ("ada", "bob"))
    assert one
    assert other
    assert one.digest != other.digest


def test_a_change_of_any_byte_is_found() -> None:
    content = seal_bytes(seal())
    for place in range(len(content)):
        for bit in (1, 32):
            changed = bytes([content[place] ^ bit])
            assert read_seal(content[:place] + changed + content[place + 1 :]) is None


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_half_a_seal_is_none(cut: int) -> None:
    assert read_seal(seal_bytes(seal())[:cut]) is None


def test_what_a_later_version_adds_is_covered_by_the_digest_all_the_same() -> None:
    document = json.loads(seal_bytes(seal()))
    document["closed"]["new"] = 1
    assert read_seal(json.dumps(document, indent=2).encode() + b"\n") is None
