"""What must hold of the policies does hold, and a policy that is changed is found out."""

from __future__ import annotations

import html
from dataclasses import dataclass

import pytest
from policies.behaviours import ALL
from policies.evaluator import Evaluator
from policies.world import FRAGMENTS, POLICIES, unchanged

from tollgate.errors import InvalidEvent


@dataclass(frozen=True)
class Mutation:
    """A change of a policy's text that must make a behaviour fail."""

    file: str
    old: str
    new: str
    behaviour: str

    def edit(self, name: str, text: str) -> str:
        """The changed file, in raw XML; the others as they are."""
        if name != self.file:
            return text
        return html.unescape(text).replace(self.old, self.new, 1)


MUTATIONS = {
    "a billing parameter is not stripped": Mutation(
        "tollgate-claims",
        '?? "billingCode")" exists-action="delete"',
        '?? "billingCode")" exists-action="skip"',
        "strips_billing_parameters",
    ),
    "a parameter is stripped in one spelling only": Mutation(
        "tollgate-claims",
        'k => string.Equals(k, "username", StringComparison.OrdinalIgnoreCase)',
        'k => k == "username"',
        "strips_billing_parameters",
    ),
    "unknown tokens are 0": Mutation(
        "tollgate-usage",
        'new JProperty("tokens", tokens.Count > 0 ? tokens : none ?',
        'new JProperty("tokens", tokens.Count > 0 ? tokens : true ?',
        "reports_null_for_unknown",
    ),
    "unknown tokens are none": Mutation(
        "tollgate-usage",
        "var none = tokens.Count == 0 && refused;",
        "var none = tokens.Count == 0;",
        "reports_null_for_unknown",
    ),
    "an unknown part is left out": Mutation(
        "tollgate-usage",
        "{ part.Value = null; } else { part.Remove(); }",
        "{ part.Remove(); } else { part.Remove(); }",
        "reports_null_for_unknown",
    ),
    "the request's body is not buffered": Mutation(
        "api-direct", ' buffer-request-body="true"', "", "sends_the_body_again"
    ),
    "the size of an event is not bounded": Mutation(
        "tollgate-event", "text.Take(256)", "text", "fits_an_event_into_the_hub"
    ),
    "the response is buffered": Mutation(
        "api-direct", ' buffer-response="false"', "", "lets_a_stream_through"
    ),
    "the response of the proxy is buffered": Mutation(
        "api-with-proxy", ' buffer-response="false"', "", "lets_a_stream_through"
    ),
    "a stream is known by the request only": Mutation(
        "tollgate-usage",
        '"text/event-stream"',
        '"nothing"',
        "lets_a_stream_through_that_nobody_asked_for",
    ),
    "a stream is kept for the cache": Mutation(
        "tollgate-cache-store",
        '&& !context.Variables.GetValueOrDefault<bool>("tollgate-streamed", false)',
        "",
        "lets_a_stream_through",
    ),
    "a client's headers are believed": Mutation(
        "api-with-proxy",
        '<include-fragment fragment-id="tollgate-clean-headers" />',
        "",
        "believes_no_header_of_a_client",
    ),
    "a client's key goes on": Mutation(
        "tollgate-backend-auth",
        '<set-header name="Ocp-Apim-Subscription-Key" exists-action="delete" />',
        "",
        "keeps_the_clients_key",
    ),
    "a client's key goes on to the proxy": Mutation(
        "tollgate-proxy-auth",
        '<set-header name="Authorization" exists-action="delete" />',
        "",
        "keeps_the_clients_key",
    ),
    "a company of the client's own header is believed": Mutation(
        "tollgate-clean-headers",
        '<set-header name="x-tollgate-company" exists-action="delete" />',
        "",
        "believes_no_header_of_a_client",
    ),
    "the scope around is passed over in inbound": Mutation(
        "api-with-proxy", "<base />", "", "lets_an_outer_scope_speak"
    ),
    "the scope around is passed over in outbound": Mutation(
        "api-with-proxy",
        "<base />\n    </outbound>",
        "</outbound>",
        "lets_an_outer_scope_speak",
    ),
    "the scope around is passed over in on-error": Mutation(
        "api-direct",
        "<base />\n    </on-error>",
        "</on-error>",
        "lets_an_outer_scope_speak",
    ),
    "the topic gets what the client sent": Mutation(
        "tollgate-emit-event-grid", 'mode="new"', 'mode="copy"', "bills_the_company_of_the_key"
    ),
    "an event is sent again": Mutation(
        "tollgate-emit-event-grid",
        '!context.Variables.GetValueOrDefault<bool>("tollgate-emitted", false)',
        "true",
        "sends_one_event",
    ),
    "an event is sent again to the hub": Mutation(
        "tollgate-emit-event-hub",
        '!context.Variables.GetValueOrDefault<bool>("tollgate-emitted", false)',
        "true",
        "sends_one_event",
    ),
    "a name is cut in the midst of a character": Mutation(
        "tollgate-event",
        "char.IsHighSurrogate(clean[clean.Length - 1])",
        "false",
        "fits_an_event_into_the_hub",
    ),
    "the proxy is asked again": Mutation(
        "api-with-proxy",
        '<forward-request timeout="240" buffer-response="false" />',
        '<retry condition="@(context.Response.StatusCode == 429)" count="2" interval="1">'
        '<forward-request buffer-request-body="true" buffer-response="false" /></retry>',
        "asks_the_proxy_once",
    ),
    "what the proxy emits is emitted again": Mutation(
        "api-with-proxy",
        '@(!context.Variables.GetValueOrDefault<bool>("tollgate-forwarded", false))',
        "@(true)",
        "asks_the_proxy_once",
    ),
    "a billing code is not checked": Mutation(
        "tollgate-payer",
        'string.Equals(code, claimed, StringComparison.OrdinalIgnoreCase)) ?? ""',
        "code == claimed) ?? claimed",
        "bills_the_company_of_the_key",
    ),
    "a company is not checked": Mutation(
        "tollgate-payer",
        "claimed != null && names.Count > 0",
        "false",
        "bills_the_company_of_the_key",
    ),
}


@pytest.mark.parametrize("name", ALL)
async def test_behaviour_holds(evaluator: Evaluator, name: str) -> None:
    await ALL[name](evaluator, unchanged)


@pytest.mark.parametrize("name", MUTATIONS)
async def test_changed_policy_is_found_out(evaluator: Evaluator, name: str) -> None:
    mutation = MUTATIONS[name]
    assert mutation.old in html.unescape((POLICIES | FRAGMENTS)[mutation.file])
    with pytest.raises((AssertionError, InvalidEvent)):
        await ALL[mutation.behaviour](evaluator, mutation.edit)
