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
    found, rest = split_query(f"api-version=1&{name}=CC-1001&b=2")
    assert read_claims(found).billing_code == "CC-1001"
    assert rest == "api-version=1"


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


@pytest.mark.parametrize(
    "kept", ["api-version=2024-10-21", "API-Version=preview", "api-version=v1"]
)
def test_the_api_version_goes_upstream_as_it_was_written(kept: str) -> None:
    assert split_query(f"x=1&{kept}&username=a") == ({"user": ["a"]}, kept)


@pytest.mark.parametrize(
    "other", ["api-version=%ff", "api-version=1;billingCode=X", "api-version", "q=1", "", "é=ü;"]
)
def test_nothing_else_goes_upstream(other: str) -> None:
    assert split_query(other) == ({}, "")


def test_codes_and_companies_are_the_same_in_any_case_and_users_are_not() -> None:
    assert claims("billingCode=CC-1&billingcode=cc-1").billing_code == "CC-1"
    assert claims("companyName=Contoso&companyName=CONTOSO").company == "Contoso"
    assert refusal("username=al&username=AL").param == "username"


@pytest.mark.parametrize("query", ["", "username=a", "username=a&billingCode=b", "username"])
def test_nothing_may_be_left(query: str) -> None:
    assert split_query(query)[1] == ""


@pytest.mark.parametrize(
    "name", ["subscription-key", "Subscription-Key", "code", "api-key", "Ocp-Apim-Subscription-Key"]
)
def test_credentials_are_taken_out(name: str) -> None:
    assert split_query(f"{name}=secret&api-version=1")[1] == "api-version=1"
