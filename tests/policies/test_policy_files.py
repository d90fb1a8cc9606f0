"""The gateway's policies against API Management's rules, their README and the event's schema."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import Path

import pytest
from policies.allowed_members import is_allowed
from policies.compiler import compile_expressions
from policies.documents import Expression, Step, read_document
from policies.evaluator import Evaluator
from policies.gateway import Api, read_api
from policies.topic import SCHEMA
from policies.vocabulary import MAX_FRAGMENT_BYTES, MAX_POLICY_BYTES, SECTIONS, check_fragment
from policies.world import FOLDER, FRAGMENTS, NAMED_VALUES, POLICIES

BICEP = (FOLDER / "gateway.bicep").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
PROVISION = Path(__file__).parents[2] / "provision"
FILES = POLICIES | FRAGMENTS
VALUES = {
    **NAMED_VALUES,
    "tollgate-event-grid-endpoint": "https://topic/api/events",
    "tollgate-proxy-url": "https://proxy/openai",
}
# In place of `tollgate-emit-event-grid`.
ALTERNATIVES = {"tollgate-emit-event-hub"}
MAX_NAMED_VALUE = 4096

every_file = pytest.mark.parametrize("name", FILES)
every_policy = pytest.mark.parametrize("name", POLICIES)


def root(name: str) -> Step:
    return read_document(FILES[name], f"{name}.xml", VALUES)


def said(step: Step) -> list[str]:
    values = [value for each in step.walk() for value in (*each.attributes.values(), each.text)]
    return [value.code if isinstance(value, Expression) else value for value in values]


def code(name: str) -> str:
    """All that a file says, without its comments."""
    return "\n".join(said(root(name)))


def api(name: str) -> Api:
    return Api(policy=POLICIES[name], fragments=FRAGMENTS, named_values=VALUES, backends={})


def section(name: str) -> str:
    return README.split(f"## {name}", 1)[1].split("\n## ", 1)[0]


def first_cells(table: str) -> set[str]:
    """What the rows of a table begin with, `code` in it."""
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([\w.-]+)`", cell)}


@every_policy
def test_api_management_takes_the_policy_and_its_fragments(name: str) -> None:
    read_api(api(name))


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_api_management_takes_an_alternative_wherever_an_event_is_sent(name: str) -> None:
    for where in ("inbound", "outbound", "on-error"):
        check_fragment(root(name), where)


def test_every_fragment_is_included_somewhere() -> None:
    included = {name for policy in POLICIES for name in read_api(api(policy))[1]}
    assert included | ALTERNATIVES == set(FRAGMENTS)


@every_file
def test_file_is_small_enough(name: str) -> None:
    limit = MAX_POLICY_BYTES if name in POLICIES else MAX_FRAGMENT_BYTES
    assert len(FILES[name].encode()) < limit


@every_file
def test_expressions_use_what_microsoft_lists(evaluator: Evaluator, name: str) -> None:
    expressions = root(name).expressions()
    used = evaluator.members_used(compile_expressions(expressions)) if expressions else []
    assert [member for members in used for member in members if not is_allowed(member)] == []


@every_file
def test_named_values_stand_only_where_they_are_put_in(name: str) -> None:
    rest = re.sub(r"\{\{tollgate-[a-z-]+\}\}", "", FILES[name])
    assert "{{" not in rest
    assert "}}" not in rest


def test_every_named_value_is_documented_and_no_other() -> None:
    used = set(re.findall(r"\{\{([\w.-]+)\}\}", "".join(FILES.values())))
    assert first_cells(section("Named values")) == used


def test_named_values_that_provision_makes_are_used() -> None:
    """Where the topic and the identity that may send to it are made, their names agree."""
    outputs = "".join(path.read_text("utf-8") for path in PROVISION.glob("*.bicep"))
    assert re.search(r"^output topicEndpoint string", outputs, re.MULTILINE)
    assert "`topicEndpoint`" in section("Named values")


def test_example_values_are_as_long_as_a_named_value_may_be() -> None:
    assert all(0 < len(text) <= MAX_NAMED_VALUE for text in VALUES.values())


def test_every_variable_is_set_before_and_documented() -> None:
    text = "".join(code(name) for name in FILES)
    read = set(re.findall(r'(?:Variables\[|ContainsKey\(|>\()"(tollgate-[a-z-]+)"', text))
    written = {
        str(value)
        for name in FILES
        for step in root(name).walk()
        for attribute, value in step.attributes.items()
        if (step.tag, attribute) == ("set-variable", "name")
        or attribute == "output-token-variable-name"
    }
    assert read <= written
    assert first_cells(section("Variables between the fragments")) == written


@every_file
def test_readme_says_what_the_file_does(name: str) -> None:
    assert f"| `{name}`" in README or f"| `{name}.xml`" in README


@every_file
def test_no_secret_stands_in_a_policy(name: str) -> None:
    text = html.unescape(FILES[name])
    assert not re.search(r"(?i)sharedaccess|aeg-sas|accountkey=|[?&]sig=|bearer \w|password", text)
    assert not re.search(r"[A-Za-z0-9+/]{32,}={0,2}", text)


@every_policy
def test_backend_section_is_one_policy(name: str) -> None:
    backend = root(name).child("backend")
    assert backend is not None
    assert len(backend.children) == 1


@every_policy
def test_backend_is_waited_for_no_longer_than_a_connection_may_be_idle(name: str) -> None:
    """Longer ones may not be honoured, says the reference of `forward-request`."""
    timeouts = [step.attributes["timeout"] for step in root(name).walk() if "forward" in step.tag]
    assert [str(each) for each in timeouts] == ["240"]


@every_policy
def test_each_event_is_built_before_it_is_sent(name: str) -> None:
    for where in SECTIONS:
        inside = root(name).child(where)
        assert inside is not None
        order = [str(step.attributes.get("fragment-id")) for step in inside.walk()]
        sent = [pair for pair in pairwise(order) if pair[1] == "tollgate-emit-event-grid"]
        assert all(before == "tollgate-event" for before, _ in sent)


@pytest.mark.parametrize("member", ["deployment_type", "scope"])
def test_deployments_have_the_schemas_vocabulary(member: str) -> None:
    found = re.search(
        rf'"{member}", new\[\] \{{ ([^}}]*) \}}\.Contains', code("tollgate-deployment")
    )
    assert found is not None
    allowed = SCHEMA.schema["$defs"]["data"]["properties"][member]["enum"]
    assert [*re.findall(r'"(\w+)"', found[1]), None] == allowed


def fragments_in_bicep(*names: str) -> set[str]:
    """What the objects of these names load, each under its own name."""
    found: set[str] = set()
    for name in names:
        body = BICEP.split(f"var {name} = {{", 1)[1].split("\n}", 1)[0]
        pairs = re.findall(r"'([\w-]+)': loadTextContent\('fragments/([\w-]+)\.xml'\)", body)
        assert all(key == file for key, file in pairs)
        found |= {key for key, _ in pairs}
    return found


@pytest.mark.parametrize(
    ("policy", "own"),
    [("api-direct", "fragmentsOfDirect"), ("api-with-proxy", "fragmentsOfProxy")],
)
def test_bicep_puts_up_what_the_policy_includes(policy: str, own: str) -> None:
    assert fragments_in_bicep("fragmentsOfBoth", own) == set(read_api(api(policy))[1])
    assert f"loadTextContent('{policy}.xml')" in BICEP


def test_bicep_masks_billing_parameters_and_keys_and_logs_no_body() -> None:
    found = re.search(r"var billingParameters = \[(.*)\]", BICEP)
    assert found is not None
    taken = re.search(r"foreach \(var name in new\[\] \{ (.*) \}\)", code("tollgate-claims"))
    assert taken is not None
    assert re.findall(r"'(\w+)'", found[1]) == re.findall(r'"(\w+)"', taken[1])
    keys = re.findall(r"    (?:header|query): '([\w-]+)'", BICEP)
    found = re.search(r"var keyParameters = \[(.*)\]", BICEP)
    assert found is not None
    assert set(re.findall(r"'([\w-]+)'", found[1])) == {*keys, "subscription-key"}
    masked = "concat(billingParameters, keyParameters)"
    assert f"queryParams: [for name in {masked}: {{ value: name, mode: 'Mask' }}]" in BICEP
    assert re.findall(r"bytes: (\d+)", BICEP) == ["0", "0"]
    assert "percentage: 100" in BICEP


def test_bicep_describes_its_parameters_and_holds_no_secret() -> None:
    declared = re.findall(r"((?:^@.*\n)*)^param (\w+) ", BICEP, re.MULTILINE)
    assert [name for decorators, name in declared if "@description('" not in decorators] == []
    assert [name for _, name in declared if f"{name}=" not in README] == []
    assert "secret: true" in BICEP


def test_script_of_the_readme_finds_the_fragments_of_a_policy() -> None:
    found = set(re.findall(r'(tollgate-[a-z-]*)" />', POLICIES["api-direct"]))
    assert found == set(read_api(api("api-direct"))[1])
