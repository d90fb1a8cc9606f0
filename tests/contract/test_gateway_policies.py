"""The gateway's policies against API Management's rules, their README and the event's schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "gateway_policies"
POLICIES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.xml"))}
FRAGMENTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("fragments/*.xml"))}
FILES = POLICIES | FRAGMENTS
README = (FOLDER / "README.md").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads(
    (ROOT / "tollgate/usage/usage_event.v1.json").read_text("utf-8")
)
DATA: dict[str, Any] = SCHEMA["$defs"]["data"]

SECTIONS = ["inbound", "backend", "outbound", "on-error"]
CONTAINERS = {"choose", "when", "otherwise", "retry"}
ANYWHERE = "base choose include-fragment retry return-response send-one-way-request set-header"
ALLOWED_IN = {
    **dict.fromkeys((*ANYWHERE.split(), "set-variable", "trace"), SECTIONS),
    "authentication-managed-identity": ["inbound"],
    "forward-request": ["backend"],
    "set-backend-service": ["inbound", "backend"],
    "set-query-parameter": ["inbound", "backend"],
}
BILLING_PARAMETERS = {"username", "companyName", "billingCode"}
CLAIMED = ("request-id", "subscription", "user", "company", "billing-code")
TOLLGATE_HEADERS = {f"x-tollgate-{what}" for what in CLAIMED}

every_file = pytest.mark.parametrize("name", FILES)
every_policy = pytest.mark.parametrize("name", POLICIES)


def tree(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - the repository's own files


def code(text: str) -> str:
    """All attribute values and texts, as the gateway reads them after the XML."""
    return "\n".join(part for element in tree(text).iter() for part in spoken(element))


def spoken(element: ET.Element) -> list[str]:
    return [*element.attrib.values(), element.text or ""]


def steps(parent: ET.Element) -> Iterator[ET.Element]:
    """The policies under `parent` in order, fragments unfolded, their own parameters left out."""
    for child in parent:
        if child.tag not in {"when", "otherwise"}:
            yield child
        if child.tag == "include-fragment":
            yield from steps(tree(FRAGMENTS[child.attrib["fragment-id"]]))
        if child.tag in CONTAINERS:
            yield from steps(child)


def section(policy: str, name: str) -> ET.Element:
    found = tree(POLICIES[policy]).find(name)
    assert found is not None
    return found


def steps_of(policy: str, name: str) -> list[ET.Element]:
    return list(steps(section(policy, name)))


def property_names(text: str) -> list[str]:
    return re.findall(r'new JProperty\("(\w+)"', text)


def between(text: str, start: str, end: str) -> str:
    return text.split(start, 1)[1].split(end, 1)[0]


def unguarded_reads(text: str) -> list[str]:
    """Reads of the response's body that a stream can reach."""
    root = tree(text)
    parents = {child: parent for parent in root.iter() for child in parent}
    readers = [e for e in root.iter() if any("Response.Body" in part for part in spoken(e))]
    return [reader.tag for reader in readers if not behind_stream_guard(reader, parents)]


def behind_stream_guard(element: ET.Element, parents: dict[ET.Element, ET.Element]) -> bool:
    while element in parents:
        parent = parents[element]
        conditions = " ".join(when.attrib["condition"] for when in parent.findall("when"))
        guarded = '"text/event-stream"' in conditions and '"tollgate-streamed"' in conditions
        if element.tag == "otherwise" and guarded:
            return True
        element = parent
    return False


@every_policy
def test_policy_has_the_four_sections_in_order(name: str) -> None:
    root = tree(POLICIES[name])
    assert root.tag == "policies"
    assert [child.tag for child in root] == SECTIONS


@pytest.mark.parametrize("name", FRAGMENTS)
def test_fragment_has_no_section_and_includes_no_fragment(name: str) -> None:
    root = tree(FRAGMENTS[name])
    tags = {element.tag for element in root.iter()}
    assert root.tag == "fragment"
    assert not tags & {*SECTIONS, "base", "include-fragment", "policies"}


@every_policy
@pytest.mark.parametrize("where", SECTIONS)
def test_each_policy_stands_in_a_section_that_allows_it(name: str, where: str) -> None:
    for step in steps_of(name, where):
        assert where in ALLOWED_IN[step.tag], f"{step.tag} in {where}"


def test_every_fragment_is_included_somewhere() -> None:
    included = set(re.findall(r'fragment-id="([^"]+)"', "".join(POLICIES.values())))
    assert included == set(FRAGMENTS)


@every_policy
def test_backend_section_is_one_policy_that_forwards_without_holding_back(name: str) -> None:
    forwards = [s for s in steps_of(name, "backend") if s.tag == "forward-request"]
    assert len(section(name, "backend")) == 1
    assert [f.attrib["buffer-response"] for f in forwards] == ["false"]


def test_direct_retry_can_send_the_body_again_and_repeats_only_what_used_nothing() -> None:
    retry = section("api-direct", "backend").find("retry")
    assert retry is not None
    assert [f.attrib["buffer-request-body"] for f in retry.findall("forward-request")] == ["true"]
    assert re.findall(r"StatusCode == (\d+)", retry.attrib["condition"]) == ["429", "503"]


def test_proxy_is_asked_once() -> None:
    assert "retry" not in {step.tag for step in steps_of("api-with-proxy", "backend")}


def test_proxy_emits_for_what_is_forwarded() -> None:
    emitted_after = steps_of("api-with-proxy", "backend") + steps_of("api-with-proxy", "outbound")
    on_error = section("api-with-proxy", "on-error").find("choose/when")
    assert on_error is not None
    assert "send-one-way-request" not in {step.tag for step in emitted_after}
    assert '!context.Variables.GetValueOrDefault<bool>("tollgate-forwarded"' in str(on_error.attrib)


@every_policy
def test_refusal_is_emitted_before_it_is_answered(name: str) -> None:
    tags = [step.tag for step in steps_of(name, "inbound")]
    assert tags.index("send-one-way-request") < tags.index("return-response")
    assert tags.index("return-response") < tags.index("set-backend-service")


def test_exactly_the_billing_parameters_are_taken_and_stripped() -> None:
    root = tree(FRAGMENTS["tollgate-claims"])
    stripped = [
        e for e in root.iter("set-query-parameter") if e.attrib["exists-action"] == "delete"
    ]
    names = [re.findall(r'"(\w+)"', e.attrib["name"]) for e in stripped]
    taken = re.findall(r'"(\w+)"', between(code(FRAGMENTS["tollgate-claims"]), "new[] {", "}"))
    assert [set(pair) for pair in names] == [{name} for name in taken]
    assert set(taken) == BILLING_PARAMETERS


@every_policy
def test_billing_parameters_are_stripped_before_anything_else_runs(name: str) -> None:
    included = [e.attrib["fragment-id"] for e in section(name, "inbound")[:2]]
    assert included == ["tollgate-clean-headers", "tollgate-claims"]


@pytest.mark.parametrize("name", ["tollgate-clean-headers", "tollgate-forward-claims"])
def test_every_tollgate_header_is_taken_from_clients_and_given_to_the_proxy(name: str) -> None:
    headers = tree(FRAGMENTS[name]).iter("set-header")
    action = "delete" if name == "tollgate-clean-headers" else "override"
    assert {(e.attrib["name"], e.attrib["exists-action"]) for e in headers} == {
        (header, action) for header in TOLLGATE_HEADERS
    }


def test_clients_key_goes_no_further() -> None:
    for name in ("tollgate-backend-auth", "tollgate-proxy-auth"):
        root = tree(FRAGMENTS[name])
        replaced = {e.attrib["name"] for e in root if e.attrib.get("exists-action")}
        assert replaced >= {"api-key", "Ocp-Apim-Subscription-Key", "subscription-key"}


def test_envelope_has_the_schemas_members() -> None:
    envelope = code(FRAGMENTS["tollgate-emit"]).split("return new JArray(", 1)[1]
    assert property_names(envelope) == list(SCHEMA["properties"])


def test_data_has_members_of_the_schema_and_all_required_ones() -> None:
    names = property_names(between(code(FRAGMENTS["tollgate-emit"]), "var data =", "return new"))
    assert set(names) <= set(DATA["properties"])
    assert set(names) >= set(DATA["required"])


def test_token_counts_have_the_schemas_names() -> None:
    emitted = property_names(
        between(code(FRAGMENTS["tollgate-usage"]), "var tokens = new JObject(", "));")
    )
    tokens: dict[str, Any] = SCHEMA["$defs"]["tokens"]
    assert set(tokens["required"]) < set(emitted) <= set(tokens["properties"])


def test_provenances_and_event_type_are_the_schemas() -> None:
    text = code(FRAGMENTS["tollgate-emit"]) + code(FRAGMENTS["tollgate-usage"])
    claimed = re.findall(r'"provenance", ([^()]*)', text)
    named = set(re.findall(r'"(\w+)"', " ".join(claimed))) - {"provenance"}
    assert named == {"measured", "pending", "none", "unknown"}
    assert named <= set(DATA["properties"]["provenance"]["enum"])
    assert f'"type", "{SCHEMA["properties"]["type"]["const"]}"' in text


@pytest.mark.parametrize("member", ["deployment_type", "scope"])
def test_deployments_have_the_schemas_vocabulary(member: str) -> None:
    text = code(FRAGMENTS["tollgate-deployment"])
    allowed = re.findall(r'"(\w+)"', between(text, f'"{member}", new[] {{', "}"))
    assert [*allowed, None] == DATA["properties"][member]["enum"]


def test_event_is_a_batch_of_one_sent_with_the_gateways_identity() -> None:
    request = tree(FRAGMENTS["tollgate-emit"]).find(".//send-one-way-request")
    assert request is not None
    identity = request.find("authentication-managed-identity")
    assert identity is not None
    assert identity.attrib["resource"] == "https://eventgrid.azure.net"
    assert (request.findtext("set-header/value") or "").startswith(
        "application/cloudevents-batch+json"
    )


def test_stream_is_never_read() -> None:
    assert [unguarded_reads(text) for text in FILES.values() if unguarded_reads(text)] == []


@pytest.mark.parametrize("guard", ["text/event-stream", "tollgate-streamed&quot;, false"])
def test_stream_guard_is_missed_when_removed(guard: str) -> None:
    text = FRAGMENTS["tollgate-usage"]
    assert guard in text
    assert unguarded_reads(text.replace(guard, "x")) == ["set-variable"]


def test_read_outside_the_guards_other_branch_is_found() -> None:
    text = FRAGMENTS["tollgate-usage"].replace("otherwise>", 'when condition="@(true)">')
    text = text.replace('/when condition="@(true)">', "/when>")
    assert unguarded_reads(text) == ["set-variable"]


def test_every_named_value_is_documented_and_no_other() -> None:
    used = set(re.findall(r"\{\{([\w.-]+)\}\}", "".join(FILES.values())))
    documented = between(README, "## Named values", "## Assumed")
    assert set(re.findall(r"^\| `([\w.-]+)`", documented, re.MULTILINE)) == used


@every_file
def test_double_braces_are_named_values_only(name: str) -> None:
    rest = re.sub(r"\{\{tollgate-[a-z-]+\}\}", "", FILES[name])
    assert "{{" not in rest
    assert "}}" not in rest


def test_every_variable_is_set_by_a_policy_and_documented() -> None:
    text = "".join(code(text) for text in FILES.values())
    read = set(re.findall(r'(?:Variables\[|ContainsKey\(|>\()"(tollgate-[a-z-]+)"', text))
    written = {e.attrib["name"] for t in FILES.values() for e in tree(t).iter("set-variable")}
    documented = between(README, "## Variables", "## Named values")
    assert read <= written
    assert written == set(re.findall(r"`(tollgate-[a-z-]+)`", documented))


@every_file
def test_readme_says_what_the_file_does(name: str) -> None:
    assert f"| `{name}`" in README or f"| `{name}.xml`" in README


@every_file
def test_no_secret_stands_in_a_policy(name: str) -> None:
    text = code(FILES[name])
    assert not re.search(r"(?i)sharedaccess|aeg-sas|accountkey=|[?&]sig=|bearer |password", text)
    assert not re.search(r"[A-Za-z0-9+/]{32,}={0,2}", text)


@every_file
def test_expressions_keep_to_what_the_gateway_compiles(name: str) -> None:
    beyond = r"\bis null\b|\bswitch\b|\?\?=|\busing\b|\bdynamic\b|\bEnvironment\b|\bTask\b|\bFile\."
    assert not re.search(beyond, code(FILES[name]))
