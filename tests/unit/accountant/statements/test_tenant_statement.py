from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256

import msgspec
from stating import CLOSED, REQUESTS, everything, facts, statement

from accountant.reports.report_json import as_json


def test_lines_then_entries_are_numbered_from_1() -> None:
    found = statement()
    assert [each.number for each in found.lines] == [1, 2]
    assert [each.number for each in found.entries] == [3, 4, 5]


def test_what_is_owed_beside_usage_is_of_three_kinds() -> None:
    found = statement()
    kinds = (found.shared, found.other, found.corrections)
    amounts = [[each.amount for each in kind] for kind in kinds]
    assert amounts == [[Decimal("33.34")], [Decimal("-2.00")], [Decimal("0.004")]]


def test_billing_codes_add_up_to_the_exact_sum() -> None:
    found = statement()
    sums = [(each.billing_code, each.amount) for each in found.by_code]
    assert sums == [("CC-1001", Decimal("31.494")), (None, Decimal(6))]
    assert sum(amount for _, amount in sums) == found.exact == Decimal("37.494")
    assert found.exact + found.report.rounding == found.report.total == Decimal("37.49")


def test_what_is_for_no_billing_code_is_known() -> None:
    assert statement().unallocated == Decimal(6)
    assert statement([], facts(REQUESTS)).unallocated == 0


def test_requests_without_a_count_are_known() -> None:
    assert statement().unmetered == 3


def test_a_draft_has_no_number() -> None:
    assert statement().number == "2026-10-0001"
    assert statement(everything(), facts()).number is None


def test_the_digest_can_be_worked_out_from_the_json_of_the_statement() -> None:
    found = statement()
    content = json.loads(as_json(found.report))
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found.digest == sha256(plain.encode()).hexdigest()


def test_the_digest_follows_the_content() -> None:
    edition = msgspec.structs.replace(CLOSED, rate_card="another")
    digests = {
        statement().digest,
        statement(everything()[1:]).digest,
        statement(everything(), facts(REQUESTS, edition)).digest,
    }
    assert len(digests) == 3
    assert statement(reversed(everything())).digest == statement().digest
