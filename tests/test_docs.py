"""What the documents say is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from accountant.cli import app
from tollgate import settings_sections
from tollgate.settings import Settings, check_settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "accountant/README.md").read_text()
SAMPLE = (ROOT / "tollgate.sample.yaml").read_text()
MAX_README_LINES = 150


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A settings model and all below it."""
    found = {model}
    for field in model.model_fields.values():
        for part in re.findall(r"\w+Settings", str(field.annotation)):
            found |= models(getattr(settings_sections, part))
    return found


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("path", re.findall(r"`((?:tollgate|accountant|tests)/[\w./]+)`", README))
def test_a_path_in_the_readme_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", re.findall(r"`((?:[a-z_]+/)?[a-z_]+\.py)`", GUIDE))
def test_a_file_in_the_accountants_guide_exists(path: str) -> None:
    assert list((ROOT / "accountant").rglob(path))


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(accountant [a-z]+)", GUIDE))))
def test_a_command_in_the_accountants_guide_exists(command: str) -> None:
    assert command.split()[1] in {*get_command(app).commands}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  a group has them


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)))
)
def test_a_make_target_in_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    [
        *("tollgate serve", "tollgate ingest", "tollgate seal", "tollgate config check"),
        *("accountant report", "accountant audit", "accountant rebuild"),
    ],
)
def test_a_command_in_the_readme_has_help(command: str) -> None:
    assert f"`{command}" in README
    name, *rest = command.split()
    done = subprocess.run(
        [Path(sys.executable).parent / name, *rest, "--help"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0


def test_every_variable_that_is_read_is_in_the_readme() -> None:
    readers = ("tollgate/settings.py", "tollgate/environment.py")
    source = "".join((ROOT / name).read_text() for name in readers)
    for name in re.findall(r'"((?:TOLLGATE|EVENTGRID)_\w+)"', source):
        assert f"`{name}`" in README, name


def test_every_app_setting_of_ours_is_in_the_readme() -> None:
    values: dict[str, Any] = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    for name in values:
        if not name.startswith(("FUNCTIONS_", "AzureWebJobsStorage")):
            assert f"`{name}" in README, name


def test_the_sample_settings_are_good_and_name_every_key() -> None:
    check_settings(yaml.safe_load(SAMPLE))
    for model in models(Settings):
        for name in model.model_fields:
            assert re.search(rf"\b{name}:", SAMPLE), f"{model.__name__}.{name}"
