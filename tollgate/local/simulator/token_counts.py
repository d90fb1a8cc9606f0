"""The tokens of one answer, and the usage objects that the APIs make of them."""

from dataclasses import dataclass, replace

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.prompts import Prompt

CACHE_FLOOR_TOKENS = 1024
CACHE_STEP_TOKENS = 128
_REASONING_TOKENS = {"none": 0, "minimal": 0, "low": 64, "medium": 128, "high": 256, "xhigh": 512}


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Inclusive counts, as the provider gives them: parts are inside `input` and `output`."""

    input: int
    cached_input: int = 0
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning_output: int = 0
    audio_output: int = 0
    accepted_prediction: int = 0
    rejected_prediction: int = 0

    def without_output(self, tokens: int) -> "TokenCounts":
        """The counts when the last `tokens` tokens of the answer were not generated."""
        return replace(self, output=self.output - tokens)

    def chat_usage(self) -> JsonObject:
        """`usage` of chat/completions and completions."""
        return {
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {
                "cached_tokens": self.cached_input,
                "audio_tokens": self.audio_input,
                **({"image_tokens": self.image_input} if self.image_input else {}),
            },
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning_output,
                "audio_tokens": self.audio_output,
                "accepted_prediction_tokens": self.accepted_prediction,
                "rejected_prediction_tokens": self.rejected_prediction,
            },
        }

    def response_usage(self) -> JsonObject:
        """`usage` of the Responses API."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached_input, "cache_write_tokens": 0},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_output},
            "total_tokens": self.input + self.output,
        }

    def embedding_usage(self) -> JsonObject:
        """`usage` of embeddings."""
        return {"prompt_tokens": self.input, "total_tokens": self.input}


def prompt_counts(prompt: Prompt) -> TokenCounts:
    """The counts of a prompt alone."""
    return TokenCounts(
        input=prompt.tokens,
        cached_input=cached_tokens(prompt.tokens),
        audio_input=prompt.audio_tokens,
        image_input=prompt.image_tokens,
    )


def cached_tokens(prompt_tokens: int) -> int:
    """Cached part of a prompt: about three quarters of a long one, none of a short one.

    Azure caches the first 1,024 tokens of a prompt and then steps of 128.
    """
    if prompt_tokens < CACHE_FLOOR_TOKENS:
        return 0
    steps = prompt_tokens * 3 // 4 // CACHE_STEP_TOKENS
    return max(CACHE_FLOOR_TOKENS, steps * CACHE_STEP_TOKENS)


def reasoning_tokens(effort: str | None, *, reasons: bool) -> int:
    """Hidden output of one answer: by the effort asked for, or "medium" if the model reasons."""
    if effort is None:
        return _REASONING_TOKENS["medium"] if reasons else 0
    return _REASONING_TOKENS.get(effort, _REASONING_TOKENS["medium"])
