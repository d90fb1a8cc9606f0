from __future__ import annotations

import pytest

from tollgate.proxy.geography import Geography, plain

GEOGRAPHY = Geography(
    "x-client-region", {"CH": ("switzerlandnorth", "Germany West Central"), "nowhere": ()}
)


@pytest.mark.parametrize("name", ["CH", "ch", " Ch "])
def test_a_name_of_the_table_has_its_regions_in_order(name: str) -> None:
    assert GEOGRAPHY.preference(name) == ("switzerlandnorth", "germanywestcentral")


@pytest.mark.parametrize("name", ["westeurope", "West Europe"])
def test_an_azure_region_is_nearest_to_itself(name: str) -> None:
    assert GEOGRAPHY.preference(name) == ("westeurope",)


def test_a_name_without_regions_prefers_nothing_that_exists() -> None:
    assert GEOGRAPHY.preference("nowhere") == ("nowhere",)


def test_a_region_has_one_spelling() -> None:
    assert plain("Sweden Central") == plain("swedencentral") == "swedencentral"
