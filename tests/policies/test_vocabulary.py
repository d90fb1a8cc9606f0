"""A document holds only policies that are known, where they may stand."""

from __future__ import annotations

import pytest
from policies.documents import read_document
from policies.expression_ends import Unreadable
from policies.gateway import HANDLERS
from policies.vocabulary import POLICIES, check_fragment, check_policy

LIMIT = "<llm-token-limit counter-key='k' estimate-prompt-tokens='true'"
DIMENSION = "<dimension name='d' value='1' />"
LOOKUP = "<llm-semantic-cache-lookup score-threshold='0.1' embeddings-backend-id='e' />"


def policy(inbound: str = "", backend: str = "", outbound: str = "", on_error: str = "") -> str:
    """A document with these sections."""
    return (
        f"<policies><inbound>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound>{outbound}</outbound><on-error>{on_error}</on-error></policies>"
    )


def test_every_policy_that_is_known_can_be_run() -> None:
    assert set(HANDLERS) == set(POLICIES)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (policy("<set-headerr name='x' />"), "<set-headerr> is no policy"),
        (policy("<forward-request />"), "<forward-request> in inbound"),
        (policy("<choose><when condition='true'><forward-request /></when></choose>"), "in inb"),
        (policy(backend="<set-status code='200' />"), "<set-status> in backend"),
        (policy(backend="<retry condition='true' count='1' />"), "<retry> without interval"),
        (policy(backend="<forward-request timeoutt='1' />"), "has no attribute timeoutt"),
        (policy("<include-fragment fragment-id='@(1)' />"), "fragment-id takes no expression"),
        (policy("<choose><if condition='true' /></choose>"), "<if> in <choose>"),
        (policy("<base>text</base>"), "<base> has text"),
        (policy("<return-response><set-header /></return-response>"), "<set-header> without name"),
        (policy(f"{LIMIT} token-quota='5' />"), "token-quota without token-quota-period"),
        (policy(f"{LIMIT} />"), "neither tokens-per-minute nor token-quota"),
        (
            policy(f"{LIMIT} tokens-per-minute='5' token-quota-period='Monthly' />"),
            "without token-",
        ),
        (policy(f"{LIMIT} token-quota='5' token-quota-period='Century' />"), "Century"),
        (
            policy(backend="<retry condition='true' count='51' interval='1' />"),
            "count is not 1 to 50",
        ),
        (policy(f"<llm-emit-token-metric>{DIMENSION * 6}</llm-emit-token-metric>"), "6 dimensions"),
        (policy("<llm-emit-token-metric />"), "0 dimensions"),
        (policy("<set-header name='x' exists-action='remove' />"), "exists-action remove"),
        (policy("<set-query-parameter name='x' exists-action='remove' />"), "exists-action remove"),
        (policy("<send-one-way-request mode='both' />"), "mode both"),
        (policy(f"{LOOKUP}<choose><when condition='true'>{LOOKUP}</when></choose>"), "twice"),
        ("<policies><inbound /></policies>", "sections are inbound, not"),
        ("<policy><inbound /><backend /><outbound /><on-error /></policy>", "is not <policies>"),
    ],
)
def test_document_that_api_management_would_not_take_is_refused(document: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        check_policy(read_document(document, "api.xml", {}))


@pytest.mark.parametrize(
    ("fragment", "reason"),
    [
        ("<fragment><base /></fragment>", "<base> in a fragment"),
        ("<fragment><include-fragment fragment-id='x' /></fragment>", "in a fragment"),
        ("<policies />", "is not <fragment>"),
        ("<fragment><set-query-parameter name='x' /></fragment>", "in outbound"),
    ],
)
def test_fragment_that_may_not_be_included_is_refused(fragment: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        check_fragment(read_document(fragment, "f.xml", {}), "outbound")
