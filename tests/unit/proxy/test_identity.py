from __future__ import annotations

import pytest
from proxying import KEY, OTHER_KEY, TRUSTED_KEY, directory, request

from tollgate.proxy.billing_parameters import Claims
from tollgate.proxy.identity import Caller, Payer, forwarded_claims
from tollgate.proxy.messages import Headers
from tollgate.proxy.refusals import Refusal

FORWARDED: Headers = (
    ("api-key", TRUSTED_KEY),
    ("x-tollgate-request-id", "0f-1"),
    ("x-tollgate-subscription", "sub-42"),
    ("x-tollgate-user", "Zo%C3%AB"),
    ("x-tollgate-company", "contoso"),
    ("x-tollgate-billing-code", "CC-1002"),
)


def caller(*headers: tuple[str, str]) -> Caller:
    _, found = directory().identify(request(headers=headers))
    assert found is not None
    return found


def payer(claims: Claims, *, reject: bool = False) -> Payer:
    known = directory(reject_unknown_codes=reject)
    _, found = known.identify(request())
    assert found is not None
    return known.payer(found, claims)


def is_unknown(*headers: tuple[str, str]) -> bool:
    return directory().identify(request(headers=headers))[1] is None


def request_id(headers: Headers) -> str:
    return directory(new_id=lambda: "ours").identify(request(headers=headers))[0]


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {KEY}"),
        ("authorization", f" bearer  {KEY} "),
        ("api-key", KEY),
        ("ocp-apim-subscription-key", f" {KEY}"),
    ],
)
def test_a_key_is_taken_from_each_of_the_three_headers(header: tuple[str, str]) -> None:
    assert caller(header).tenant.name == "contoso"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("api-key", ""),),
        (("api-key", "unknown"),),
        (("authorization", KEY),),
        (("authorization", f"Basic {KEY}"),),
        (("authorization", "Bearer"),),
        (("x-api-key", KEY),),
        (("api-key", "\xe9\xff"),),
        (("api-key", KEY.upper()),),
    ],
)
def test_without_a_known_key_nobody_is_let_in(headers: Headers) -> None:
    assert is_unknown(*headers)


def test_several_keys_of_one_company_are_fine() -> None:
    found = caller(("api-key", KEY), ("authorization", f"Bearer {KEY}"), ("api-key", "unknown"))
    assert found.tenant.name == "contoso"


def test_keys_of_two_companies_are_refused() -> None:
    assert is_unknown(("api-key", KEY), ("authorization", f"Bearer {OTHER_KEY}"))


@pytest.mark.parametrize("company", [None, "contoso", "CONTOSO GMBH", "straße ag"])
def test_a_company_may_be_named_by_any_alias(company: str | None) -> None:
    assert payer(Claims(company=company)).tenant == "contoso"


def test_another_company_is_forbidden() -> None:
    with pytest.raises(Refusal) as refused:
        payer(Claims(company="fabrikam"))
    assert (refused.value.status, refused.value.param) == (403, "companyName")


def test_a_billing_code_is_booked_as_the_settings_spell_it() -> None:
    found = payer(Claims(user="alice", billing_code="cc-1001"))
    assert found == Payer(tenant="contoso", billing_code="CC-1001", user="alice", priority="high")


@pytest.mark.parametrize("code", [None, "FB-7", "CC-9"])
def test_an_unknown_billing_code_is_booked_unallocated(code: str | None) -> None:
    assert payer(Claims(billing_code=code)).billing_code is None


@pytest.mark.parametrize("code", [None, "FB-7"])
def test_an_unknown_billing_code_can_be_rejected(code: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        payer(Claims(billing_code=code), reject=True)
    assert (refused.value.status, refused.value.param) == (403, "billingCode")


def test_a_trusted_caller_speaks_for_a_subscription() -> None:
    found = caller(*FORWARDED)
    assert (found.tenant.name, found.subscription, found.trusted) == ("contoso", "sub-42", True)


@pytest.mark.parametrize("subscription", ["sub-43", ""])
def test_an_unknown_subscription_is_refused(subscription: str) -> None:
    assert is_unknown(("api-key", TRUSTED_KEY), ("x-tollgate-subscription", subscription))


def test_a_clients_own_headers_say_nothing() -> None:
    found = caller(("api-key", OTHER_KEY), *FORWARDED[1:])
    assert (found.tenant.name, found.subscription, found.trusted) == ("fabrikam", None, False)


def test_forwarded_claims_are_percent_decoded() -> None:
    claims = forwarded_claims(request(headers=FORWARDED))
    assert claims == Claims("Zoë", "contoso", "CC-1002")


def test_claims_that_are_not_forwarded_are_none() -> None:
    assert forwarded_claims(request(headers=())) == Claims()


def test_a_plus_sign_in_a_forwarded_claim_is_a_plus_sign() -> None:
    assert forwarded_claims(request(headers=(("x-tollgate-user", "a+b"),))).user == "a+b"


@pytest.mark.parametrize("value", ["a%0Ab", "x" * 129, "%FF"])
def test_a_bad_forwarded_claim_is_refused(value: str) -> None:
    with pytest.raises(Refusal) as refused:
        forwarded_claims(request(headers=(("x-tollgate-user", value),)))
    assert (refused.value.status, refused.value.param) == (400, "x-tollgate-user")


def test_a_request_id_is_never_a_clients() -> None:
    headers = (("api-key", KEY), *FORWARDED[1:])
    assert request_id(headers) == "ours"


def test_a_trusted_callers_request_id_is_kept() -> None:
    assert request_id(FORWARDED) == "0f-1"


@pytest.mark.parametrize(
    "given", ["", "a b", "-a", "x" * 129, "a\nb", "é", "a/b", "0f.a1", "a.a23"]
)
def test_an_odd_request_id_is_replaced(given: str) -> None:
    headers = (("api-key", TRUSTED_KEY), ("x-tollgate-request-id", given))
    assert request_id(headers) == "ours"


@pytest.mark.parametrize("given", ["0f.a", "0f.a1b", "0fa1", "0f.b1", "a1", "a.a1.b"])
def test_a_request_id_that_no_attempt_can_have_is_kept(given: str) -> None:
    assert request_id((("api-key", TRUSTED_KEY), ("x-tollgate-request-id", given))) == given


def test_the_id_of_a_request_under_way_is_not_given_twice() -> None:
    known = directory(new_id=lambda: "ours", under_way={"0f-1"})
    assert known.identify(request(headers=FORWARDED))[0] == "ours"


def test_our_request_ids_differ() -> None:
    known = directory()
    assert known.identify(request())[0] != known.identify(request())[0]
