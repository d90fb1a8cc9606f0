from __future__ import annotations

import pytest

from tollgate.proxy.billing_parameters import Claims, read_claims, split_query
from tollgate.proxy.refusals import Refusal


def claims(query: str) -> Claims:
    return read_claims(split_query(query)[0])


def refusal(query: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        claims(query)
    assert (refused.value.status, refused.value.code) == (400, "invalid_billing_parameter")
    return refused.value


def test_all_three_are_read() -> None:
    found = claims("username=alice&companyName=Contoso&billingCode=CC-1001")
    assert found == Claims("alice", "Contoso", "CC-1001")


@pytest.mark.parametrize(
    "name",
    [
        "BILLINGCODE",
        "billingcode",
        "bIlLiNgCoDe",
        "billing%43ode",
        "%62illingCode",
        "+billingCode",
        "billingCode%20",
        "%0AbillingCode",
        "billing%63%6fde",
    ],
)
def test_however_a_name_is_spelled_it_is_taken_out(name: str) -> None:
    found, rest = split_query(f"a=1&{name}=CC-1001&b=2")
    assert read_claims(found).billing_code == "CC-1001"
    assert rest == "a=1&b=2"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("alice", "alice"),
        ("", None),
        ("%20+", None),
        ("+alice%20", "alice"),
        ("Al+Ice", "Al Ice"),
        ("a%2Bb", "a+b"),
        ("a=b", "a=b"),
        ("Zo%C3%AB", "Zoë"),
        ("Zo\xc3\xab", "Zoë"),  # raw UTF-8, as the edges hand it on
        ("%F0%9F%99%82", "🙂"),
        ("100%", "100%"),
        ("%", "%"),
        ("%2541", "%41"),
        ("x" * 128, "x" * 128),
        ("%C3%AB" * 128, "ë" * 128),
    ],
)
def test_a_value_is_decoded_once(value: str, read: str | None) -> None:
    assert claims(f"username={value}").user == read


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x" * 129, "longer than 128"),
        ("%C3%AB" * 129, "longer than 128"),
        ("a%00b", "control characters"),
        ("a%0D%0Ab", "control characters"),
        ("a%7F", "control characters"),
        ("a%C2%85", "control characters"),
        ("%E2%80%A8", "control characters"),
        ("%FF", "not UTF-8"),
        ("%C3", "not UTF-8"),
        ("%ED%A0%80", "not UTF-8"),
        ("\xff", "not UTF-8"),
    ],
)
def test_a_bad_value_is_refused(value: str, reason: str) -> None:
    refused = refusal(f"companyName={value}")
    assert reason in refused.message
    assert refused.param == "companyName"


def test_repeats_that_agree_are_one() -> None:
    assert claims("username=alice&USERNAME=%61lice&username=+alice").user == "alice"


def test_repeats_that_contradict_each_other_are_refused() -> None:
    assert refusal("billingCode=CC-1&billingcode=CC-2").param == "billingCode"


def test_an_empty_repeat_says_nothing() -> None:
    assert claims("username=&username=alice&username").user == "alice"


def test_the_rest_stays_byte_for_byte() -> None:
    rest = "api-version=2024-10-21&&x&y=&=z&q=%7e~+%2B&api-version=%ff&é=ü;&usernames=1&user=2"
    found, kept = split_query(rest)
    assert (found, kept) == ({}, rest)


@pytest.mark.parametrize("query", ["", "username=a", "username=a&billingCode=b", "username"])
def test_nothing_may_be_left(query: str) -> None:
    assert split_query(query)[1] == ""


@pytest.mark.parametrize(
    "name", ["subscription-key", "Subscription-Key", "code", "api-key", "Ocp-Apim-Subscription-Key"]
)
def test_credentials_are_taken_out(name: str) -> None:
    assert split_query(f"{name}=secret&api-version=1")[1] == "api-version=1"
