"""No billing parameter goes upstream, however it is spelled; everything else does, unchanged."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl, quote, unquote

import hypothesis.strategies as st
from hypothesis import given

from tollgate.proxy.billing_parameters import read_claims, split_query
from tollgate.proxy.refusals import Refusal

NAMES = ("username", "companyName", "billingCode")
STRIPPED = {*map(str.casefold, NAMES)} | {
    "api-key",
    "code",
    "ocp-apim-subscription-key",
    "subscription-key",
}
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


def is_foreign(pair: str) -> bool:
    name = unquote(pair.partition("=")[0].replace("+", " "))
    return name.strip().casefold() not in STRIPPED


ANY_PAIRS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="&"), max_size=20
)
FOREIGN_PAIRS = (ANY_PAIRS | st.sampled_from(["", "=", "api-version=2024-10-21"])).filter(
    is_foreign
)


@st.composite
def billing_pairs(draw: st.DrawFn) -> str:
    """A billing parameter with any value, or without one."""
    name = draw(spellings(draw(st.sampled_from(NAMES))))
    return draw(st.sampled_from([name, f"{name}=", f"{name}={draw(ANY_PAIRS)}"]))


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, str]:
    """A query, and the same without its billing parameters."""
    foreign = draw(st.lists(FOREIGN_PAIRS, max_size=4))
    mixed = list(foreign)
    for pair in draw(st.lists(billing_pairs(), max_size=4)):
        mixed.insert(draw(st.integers(0, len(mixed))), pair)
    return "&".join(mixed), "&".join(foreign)


@given(queries())
def test_the_rest_goes_upstream_byte_for_byte(query: tuple[str, str]) -> None:
    whole, rest = query
    assert split_query(whole)[1] == rest


@given(queries() | st.text().map(lambda text: (text, "")))
def test_nothing_that_goes_upstream_is_a_billing_parameter(query: tuple[str, str]) -> None:
    rest = split_query(query[0])[1]
    names = {name.strip().casefold() for name, _ in parse_qsl(rest, keep_blank_values=True)}
    assert not names & STRIPPED


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
