"""Turns what a provider states into counts under our names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from tollgate.usage.provider_answers import (
    NO_INPUT_DETAILS,
    NO_OUTPUT_DETAILS,
    ImagesAnswer,
    InputDetails,
    OutputDetails,
    OutputItem,
    ProviderAnswer,
    ToolUsage,
    TranscriptAnswer,
    Usage,
)
from tollgate.usage.tokens import MAX_COUNT, Tokens

_UNKNOWN_INPUT: Final = InputDetails(None, None, None, None)
_UNKNOWN_OUTPUT: Final = OutputDetails(None, None, None)

_FREE_ACTIONS: Final = frozenset({"open_page", "find_in_page"})

# The answers of these APIs hold nothing but images or sound, so all of their output tokens are
# such, and their usage need not say so.
_ALL_OUTPUT_IS: Final = {
    "images.generations": "image_output",
    "images.edits": "image_output",
    "audio.speech": "audio_output",
}


class Measurement(msgspec.Struct, frozen=True):
    """What an answer says of itself.

    Args:
        tokens: The provider's counts; None if it stated none.
        model: Model and version as the provider names them, for example gpt-4o-2024-11-20.
        service_tier: The tier that served the call.
        response_id: The provider's id of the answer.
        status: Of a response: completed, incomplete, failed, cancelled, queued, in_progress.
        units: What is metered otherwise: `milliseconds` of sound heard, calls of tools.
        images: How many images the answer of an images API holds; None if that is not known.
    """

    tokens: Tokens | None = None
    model: str | None = None
    service_tier: str | None = None
    response_id: str | None = None
    status: str | None = None
    units: Mapping[str, int] = {}
    images: int | None = None


NOTHING_MEASURED: Final = Measurement()


def measured(answer: ProviderAnswer, api: str) -> Measurement:
    """What a whole answer, or the `response` of a stream's event, says of itself.

    The tokens that a response's image generation tool used stand beside its `usage`, not in it.
    They are tokens of the same call, so they are added to the counts, and the images among them
    are parts of them: the totals are all tokens that the call used.
    """
    usage, tools = answer.usage, answer.tool_usage
    tokens = None if usage is None else tokens_stated(usage, api)
    return Measurement(
        tokens=tokens if tokens is None or tools is None else _with_image_tool(tokens, tools),
        model=answer.model or None,
        service_tier=answer.service_tier or None,
        response_id=answer.id or None,
        status=answer.status or None,
        units=_units(answer, tokens),
        images=_images(answer),
    )


def tokens_stated(usage: Usage, api: str) -> Tokens | None:
    """The counts in our names; None if the totals are missing or impossible.

    Totals with impossible parts are kept, and the parts are then not known.
    """
    if usage.input_tokens is not None:
        totals = {"input": usage.input_tokens, "output": usage.output_tokens}
        inside, made = usage.input_tokens_details, usage.output_tokens_details
        if inside is NO_INPUT_DETAILS:
            inside = usage.input_token_details
    else:
        totals = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
        inside, made = usage.prompt_tokens_details, usage.completion_tokens_details
    parts = _parts(inside or _UNKNOWN_INPUT, made or _UNKNOWN_OUTPUT)
    if api in _ALL_OUTPUT_IS and (made is None or made is NO_OUTPUT_DETAILS):
        totals[_ALL_OUTPUT_IS[api]] = totals["output"]
    return _possible({**parts, **totals}) or _possible({**dict.fromkeys(parts), **totals})


def time_stated(usage: Usage) -> dict[str, int]:
    """The sound heard, of a usage that states seconds in place of tokens."""
    return _milliseconds(usage.seconds) if usage.input_tokens is None else {}


def _possible(counts: Mapping[str, int | None]) -> Tokens | None:
    for count in counts.values():
        if count is not None and not 0 <= count <= MAX_COUNT:
            return None
    if counts["input"] is None or counts["output"] is None:
        return None
    try:
        return Tokens(**counts)  # pyright: ignore[reportArgumentType]  neither total is None
    except ValueError:
        return None


def _parts(inside: InputDetails, made: OutputDetails) -> dict[str, int | None]:
    return {
        "cached_input": inside.cached_tokens,
        "cache_write_input": inside.cache_write_tokens,
        "audio_input": inside.audio_tokens,
        "image_input": inside.image_tokens,
        "reasoning_output": made.reasoning_tokens,
        "audio_output": made.audio_tokens,
        "image_output": made.image_tokens,
    }


def _with_image_tool(tokens: Tokens, tools: ToolUsage) -> Tokens:
    """Both counts together; where the tool does not say what was cached, nothing is added."""
    drawn = tools.image_gen and tokens_stated(tools.image_gen, "images.generations")
    if tools.image_gen is None or drawn is None:
        return tokens
    cached, details = tools.image_gen.cached_tokens, tools.image_gen.cached_tokens_details
    total = _sum(msgspec.structs.asdict(tokens), msgspec.structs.asdict(drawn))
    of_cache = {
        "cached_input": cached or 0,
        "cached_image_input": (details and details.cached_image_tokens) or 0,
    }
    return _possible(_sum(total, of_cache)) or _possible(total) or tokens


def _sum(counts: Mapping[str, int | None], more: Mapping[str, int | None]) -> dict[str, int | None]:
    """Each count with what is added to it; with what is not known it is not known."""
    pairs = ((name, count, more.get(name, 0)) for name, count in counts.items())
    return {
        name: None if count is None or added is None else count + added
        for name, count, added in pairs
    }


def _images(answer: ProviderAnswer) -> int | None:
    if isinstance(answer, ImagesAnswer) and answer.data is not None:
        return len(answer.data)
    return None


def _units(answer: ProviderAnswer, tokens: Tokens | None) -> dict[str, int]:
    """Tool calls count beside tokens alone: what has no usage yet, is not measured yet."""
    if isinstance(answer, TranscriptAnswer):
        heard = _milliseconds(answer.duration)
        return heard if answer.usage is None else time_stated(answer.usage)
    if tokens is None or (answer.output is None and answer.tool_usage is None):
        return {}
    return _tool_calls(answer)


def _tool_calls(answer: ProviderAnswer) -> dict[str, int]:
    """The calls that are billed as such.

    The response's own count of web searches goes before the calls among its output, of which those
    that open a page or look something up in one are free (the `ToolUsage` of OpenAI's SDK says so).
    Calls of the code interpreter that name one container are one session.
    """
    output = answer.output or []
    calls = Counter(item.type for item in output if not _is_free(item))
    containers = {item.container_id for item in output if item.type == "code_interpreter_call"}
    search = answer.tool_usage and answer.tool_usage.web_search
    searches = None if search is None else search.num_requests
    if searches is None or not 0 <= searches <= MAX_COUNT:
        searches = calls["web_search_call"]
    units = {
        "web_search_calls": searches,
        "file_search_calls": calls["file_search_call"],
        "code_interpreter_sessions": len(containers),
    }
    return {name: count for name, count in units.items() if count}


def _is_free(item: OutputItem) -> bool:
    return item.action is not None and item.action.type in _FREE_ACTIONS


def _milliseconds(seconds: Decimal | None) -> dict[str, int]:
    """Seconds may be fractions; a half of a millisecond counts as a whole one."""
    if seconds is None or not seconds.is_finite() or not 0 <= seconds <= MAX_COUNT // 1000:
        return {}
    return {"milliseconds": int((seconds * 1000).to_integral_value(ROUND_HALF_UP))}
