from __future__ import annotations

import pytest

from accountant.rate_cards.retail_meters import read_meter


@pytest.mark.parametrize(
    ("name", "model", "version", "meter", "served"),
    [
        ("gpt-4o-mini-0718-Inp-glbl Tokens", "gpt-4o-mini", "2024-07-18", "input", "global"),
        ("gpt 4o 1120 cached Inp regnl", "gpt-4o", "2024-11-20", "cached_input", "regional"),
        ("gpt 4o 1120 Batch Outp Data Zone", "gpt-4o", "2024-11-20", "output", "data_zone batch"),
        ("GPT 5 Mini outpt Glbl 1M Tokens", "gpt-5-mini", None, "output", "global"),
        ("5.4 pp opt Gl", "gpt-5.4", None, "output", "global priority"),
        ("5.4 longco batch cd inp Dz", "gpt-5.4", None, "cached_input", "data_zone batch long"),
        ("5.6 sol ShortCo Cd Wr Std Gl", "gpt-5.6-sol", None, "cache_write_input", "global"),
        ("5.6 sol LoCo Cd Inp Fl Gl", "gpt-5.6-sol", None, "cached_input", "global flex long"),
        ("gpt-5-codex-ccchd-inp-glbl Tokens", "gpt-5-codex", None, "cached_input", "global"),
        ("o3 mini 0131 input glbl Tokens", "o3-mini", "2025-01-31", "input", "global"),
        ("gpt-image-1-inp-cached-img-glbl", "gpt-image-1", None, "cached_image_input", "global"),
        ("gpt-4o-mini-transcribe-aud-inp-glbl", "gpt-4o-mini-transcribe", None, "audio_input", ""),
        ("gpt-4o-mini-tts-aud-out-glbl", "gpt-4o-mini-tts", None, "audio_output", "global"),
        ("text-embedding-3-large-glbl", "text-embedding-3-large", None, "input", "global"),
    ],
)
def test_a_name_says_what_is_priced(
    name: str, model: str, version: str | None, meter: str, served: str
) -> None:
    found = read_meter(name)
    assert found is not None
    assert (found.model, found.model_version, found.meter) == (model, version, meter)
    said = [found.scope, *[found.deployment_type] * (found.deployment_type != "standard")]
    said += [found.service_tier] * (found.service_tier != "default") + ["long"] * found.long_prompt
    assert " ".join(said) == (served or "global")


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o-0806-FT-inp-glbl Tokens",
        "gpt-4o-rt-aud-1217 Inp glbl Tokens",
        "gpt-4o-9999 Inp glbl",
        "gpt-4o-1231 Inp glbl",
        "gpt-image-1-inp-img-txt-dzone",
        "babbage-002-base-glbl",
        "56luna LoCo Cd Inp Gl",
        "5.6 sol Cd Opt Gl",
        "5.6 sol Wr Gl",
        "5.4 pp fl inp Gl",
        "5.4 inp Gl Dz",
        "5.4 inp",
        "Inp Gl",
        "Provisioned Managed Global",
        "",
    ],
)
def test_what_is_not_all_understood_is_not_read(name: str) -> None:
    assert read_meter(name) is None
