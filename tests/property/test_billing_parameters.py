"""No billing parameter goes upstream, however it is spelled."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote

import hypothesis.strategies as st
from hypothesis import given

from tollgate.proxy.billing_parameters import read_claims, split_query
from tollgate.proxy.refusals import Refusal

NAMES = ("username", "companyName", "billingCode")
BLANKS = st.sampled_from(["", "+", "%20", "%09", "%0A", "%0d", "%C2%A0", "%E3%80%80"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=40)


@st.composite
def spellings(draw: st.DrawFn, name: str) -> str:
    """A name in any case, any of its characters percent-encoded, with blanks around it."""
    made = draw(BLANKS)
    for character in name:
        cased = draw(st.sampled_from([character.lower(), character.upper()]))
        code = f"%{ord(cased):02x}"
        made += draw(st.sampled_from([cased, code, code.upper()]))
    return made + draw(BLANKS)


ANY_PAIRS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="&"), max_size=20
)
VERSIONS = st.sampled_from(
    ["api-version=2024-10-21", "API-Version=preview", "api-version=v1", "api-version=1_0"]
)
# What some other reader of a query could take for a billing parameter.
DISGUISES = st.sampled_from(
    [
        ";billingCode=X",
        "a=1;username=X",
        "a=1?companyName=X",
        "%2562illingCode=X",
        "b%C4%B1llingCode=X",
        "%EF%BD%82illingCode=X",
        "billingCode%00=X",
        "billingCode[]=X",
        "%E2%80%8BbillingCode=X",
        "a=1#billingCode=X",
        "api-version=1;billingCode=X",
        "code=secret",
        "subscription-key=secret",
    ]
)


@st.composite
def billing_pairs(draw: st.DrawFn) -> str:
    """A billing parameter with any value, or without one."""
    name = draw(spellings(draw(st.sampled_from(NAMES))))
    return draw(st.sampled_from([name, f"{name}=", f"{name}={draw(ANY_PAIRS)}"]))


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, str]:
    """A query, and what of it the upstream knows."""
    versions = draw(st.lists(VERSIONS, max_size=2))
    mixed = list(versions)
    for pair in draw(st.lists(billing_pairs() | DISGUISES | ANY_PAIRS, max_size=5)):
        mixed.insert(draw(st.integers(0, len(mixed))), pair)
    return "&".join(mixed), "&".join(versions)


@given(queries())
def test_only_the_api_version_goes_upstream_as_it_was_written(query: tuple[str, str]) -> None:
    whole, known = query
    assert split_query(whole)[1] == known


@given(st.text() | queries().map(lambda query: query[0]))
def test_nothing_else_goes_upstream(query: str) -> None:
    rest = split_query(query)[1]
    assert all(pair.lower().startswith("api-version=") for pair in rest.split("&") if rest)
    assert re.fullmatch(r"[A-Za-z0-9._=&-]*", rest)


@given(st.sampled_from(NAMES).flatmap(spellings), TEXTS, st.booleans())
def test_a_value_is_read_as_it_was_meant(name: str, value: str, everything: bool) -> None:  # noqa: FBT001  drawn
    encoded = quote(value, safe="" if everything else "~!*'()")
    found, rest = split_query(f"{name}={encoded}&{name}={encoded}")
    claims = read_claims(found)
    said = {claims.user, claims.company, claims.billing_code} - {None}
    assert rest == ""
    assert said == ({value.strip()} - {""})


@given(st.lists(billing_pairs(), max_size=4).map("&".join) | st.text())
def test_any_value_is_read_or_refused(query: str) -> None:
    with suppress(Refusal):
        read_claims(split_query(query)[0])
