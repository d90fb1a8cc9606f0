"""What the content filter says: on prompts, on completions, when it blocks."""

from tollgate.local.simulator.json_types import JsonObject

_CATEGORIES = ("hate", "self_harm", "sexual", "violence")


def _harms(blocked: str | None) -> JsonObject:
    return {
        category: {
            "filtered": category == blocked,
            "severity": "medium" if category == blocked else "safe",
        }
        for category in _CATEGORIES
    }


def prompt_filter_results(prompts: int = 1) -> list[JsonObject]:
    """`prompt_filter_results` of an answer: nothing found, one entry for each prompt."""
    return [
        {
            "prompt_index": index,
            "content_filter_results": {
                **_harms(None),
                "jailbreak": {"filtered": False, "detected": False},
            },
        }
        for index in range(prompts)
    ]


def choice_filter_results(*, blocked: bool) -> JsonObject:
    """`content_filter_results` of one choice."""
    return {
        **_harms("violence" if blocked else None),
        "protected_material_code": {"filtered": False, "detected": False},
        "protected_material_text": {"filtered": False, "detected": False},
    }


def blocked_prompt_results() -> JsonObject:
    """`content_filter_result` in the error of a blocked prompt."""
    return {**_harms("violence"), "jailbreak": {"filtered": False, "detected": False}}


def response_filters(*, blocked: bool) -> list[JsonObject]:
    """`content_filters` of an answer of the Responses API."""
    return [
        {
            "blocked": blocked,
            "source_type": "completion",
            "content_filter_results": _harms("violence" if blocked else None),
        }
    ]
