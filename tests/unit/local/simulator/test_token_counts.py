from hypothesis import given
from hypothesis.strategies import integers

from tollgate.local.simulator.token_counts import TokenCounts, cached_tokens, reasoning_tokens


@given(integers(min_value=0, max_value=10**6))
def test_cached_part_comes_in_steps_inside_the_prompt(prompt_tokens: int) -> None:
    cached = cached_tokens(prompt_tokens)
    assert cached <= prompt_tokens
    assert cached % 128 == 0
    assert (cached >= 1024) == (prompt_tokens >= 1024)


def test_reasoning_follows_effort_or_model() -> None:
    assert reasoning_tokens(None, reasons=False) == 0
    assert reasoning_tokens(None, reasons=True) == 128
    assert reasoning_tokens("high", reasons=False) == 256
    assert reasoning_tokens("none", reasons=True) == 0


def test_each_api_spells_usage_its_way() -> None:
    counts = TokenCounts(input=10, cached_input=4, image_input=2, output=6, reasoning_output=5)
    assert counts.chat_usage()["total_tokens"] == counts.response_usage()["total_tokens"] == 16
    assert counts.response_usage()["input_tokens_details"] == {
        "cached_tokens": 4,
        "cache_write_tokens": 0,
    }
    assert counts.chat_usage()["prompt_tokens_details"] == {
        "cached_tokens": 4,
        "audio_tokens": 0,
        "image_tokens": 2,
    }
    assert counts.embedding_usage() == {"prompt_tokens": 10, "total_tokens": 10}
