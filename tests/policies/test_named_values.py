"""The named values that the policies read, against what the Bicep declares and puts out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from policies.world import FOLDER, FRAGMENTS, POLICIES

BICEP = (FOLDER / "gateway.bicep").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
PROVISION = (Path(__file__).parents[2] / "provision/main.bicep").read_text("utf-8")
FILES = POLICIES | FRAGMENTS
PROXY_KEY = "tollgate-proxy-key"  # a secret: the Bicep has it from Key Vault


def put_up(policy: str) -> set[str]:
    """A policy and the fragments that the Bicep puts up with it."""
    return {policy, *re.findall(r'fragment-id="([\w-]+)"', POLICIES[policy])}


def read_by(files: set[str]) -> set[str]:
    return {name for file in files for name in re.findall(r"\{\{([\w.-]+)\}\}", FILES[file])}


def declared() -> dict[str, str]:
    """Named value -> its type, as the Bicep's parameter has them."""
    body = re.search(r"^type NamedValues = \{\n(.*?)^\}", BICEP, re.MULTILINE | re.DOTALL)
    assert body is not None
    assert re.search(r"^param namedValues NamedValues$", BICEP, re.MULTILINE)
    return dict(re.findall(r"^  '([\w.-]+)': (.+)$", body[1], re.MULTILINE))


def test_bicep_declares_what_the_policies_read_and_nothing_else() -> None:
    direct, proxy = read_by(put_up("api-direct")), read_by(put_up("api-with-proxy"))
    needed = dict.fromkeys(direct & proxy, "string")
    of_one = dict.fromkeys(direct ^ proxy, "string?")
    assert {**declared(), PROXY_KEY: "string?"} == needed | of_one
    assert PROXY_KEY not in declared()
    assert f"name: '{PROXY_KEY}'" in BICEP


def test_bicep_makes_each_of_them_under_its_own_name_before_what_reads_it() -> None:
    assert "for value in items(namedValues): {\n    parent: service\n    name: value.key" in BICEP
    fragments = BICEP.split("resource fragments ", 1)[1].split("\nresource ", 1)[0]
    assert "dependsOn: [values, proxyKey]" in fragments


def outputs() -> dict[str, str]:
    """Output of `provision/` -> its description."""
    found = re.findall(r"^@description\('(.*)'\)\noutput (\w+) ", PROVISION, re.MULTILINE)
    return {name: text for text, name in found}


def test_what_provision_puts_out_for_a_named_value_is_where_the_readme_says() -> None:
    said = {
        (value, output)
        for output, text in outputs().items()
        for value in re.findall(r"named value (tollgate-[\w-]+)", text)
    }
    rows = re.findall(
        r"^\| `(tollgate-[\w-]+)` \|.*the output `(\w+)` of `provision/`", README, re.MULTILINE
    )
    assert said == set(rows) != set()
    assert {value for value, _ in said} <= set(declared())


@pytest.mark.parametrize("topology", POLICIES)
def test_topology_is_one_that_the_bicep_takes(topology: str) -> None:
    assert f"'{topology}'" in BICEP.split("param topology", 1)[0]
