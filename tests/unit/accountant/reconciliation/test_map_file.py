from __future__ import annotations

from pathlib import Path

import pytest

from accountant.rate_cards.retail_meters import MeterName
from accountant.reconciliation.map_file import read_map
from accountant.reconciliation.naming import Resource, ResourceMap
from tollgate.errors import SettingsError


def read(tmp_path: Path, text: str) -> ResourceMap:
    path = tmp_path / "map.toml"
    path.write_text(text)
    return read_map(path)


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as found:
        read(tmp_path, text)
    return [each.removeprefix(f"{tmp_path / 'map.toml'}: ") for each in found.value.problems]


def test_resources_deployments_and_meters_have_our_names(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        [[resource]]
        id = "/subscriptions/1/accounts/aoai"
        backend = "weu-1"
        region = "westeurope"
        deployments = { "mini-prod" = "mini" }
        [[resource]]
        id = "other"
        backend = "weu-2"
        endpoint = "https://metrics.example"
        [[meter]]
        name = "Odd Name"
        model = "gpt-9"
        meter = "cached_input"
        scope = "global"
        """,
    )
    assert found.resources == (
        Resource(
            id="/subscriptions/1/accounts/aoai",
            backend="weu-1",
            region="westeurope",
            deployments={"mini-prod": "mini"},
        ),
        Resource(id="other", backend="weu-2", endpoint="https://metrics.example"),
    )
    assert found.meters == {
        "odd name": MeterName(
            model="gpt-9",
            model_version=None,
            meter="cached_input",
            scope="global",
            deployment_type="standard",
            service_tier="default",
            long_prompt=False,
        )
    }


def test_every_problem_is_told_with_its_row(tmp_path: Path) -> None:
    meter = '[[meter]]\nname = "a"\nmodel = "b"\nmeter = "inputs"\nscope = "global"\n'
    resource = '[[resource]]\nid = "a"\nregion = "West Europe"\nbackend = 1\nname = "x"\n'
    found = refused(tmp_path, resource + meter)
    assert [each.partition(":")[0] for each in found] == [
        *("resource 1 backend", "resource 1 region", "resource 1 name", "meter 1")
    ]
    assert found[-1].startswith("meter 1: meter 'inputs' is none of input, cached_input,")


def test_two_rows_for_one_name_are_refused(tmp_path: Path) -> None:
    row = '[[resource]]\nid = "{}"\nbackend = "x"\n'
    assert refused(tmp_path, row.format("a") + row.format("A")) == [
        "resource 'a': has more than one row"
    ]


@pytest.mark.parametrize(
    ("content", "told"), [(b"\xff", "is not TOML: "), (b"= 1", "is not TOML: ")]
)
def test_a_file_that_is_not_toml_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=told):
        read_map(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_map(tmp_path / "none.toml")
