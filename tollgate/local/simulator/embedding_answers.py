"""Answers of embeddings: one unit vector for each text, the same each time."""

from base64 import b64encode
from hashlib import blake2b
from math import hypot
from random import Random
from struct import pack

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.prompts import Prompt
from tollgate.local.simulator.token_counts import TokenCounts


def embedding_answer(
    prompts: list[Prompt], model: str, *, dimensions: int, as_base64: bool
) -> JsonObject:
    """The body of an embeddings answer.

    Args:
        prompts: The texts.
        model: What the answer bears as `model`.
        dimensions: Length of each vector.
        as_base64: Vectors as base64 of little-endian 32-bit floats, which SDKs ask for.
    """
    vectors = [_vector(prompt.text, dimensions) for prompt in prompts]
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _packed(vector) if as_base64 else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": embedding_counts(prompts).embedding_usage(),
    }


def embedding_counts(prompts: list[Prompt]) -> TokenCounts:
    """The tokens of the texts together."""
    return TokenCounts(input=sum(prompt.tokens for prompt in prompts))


def _vector(text: str, dimensions: int) -> list[float]:
    seed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    numbers = Random(seed)  # noqa: S311 - a made-up vector, not a secret
    raw = [numbers.random() - 0.5 for _ in range(dimensions)]
    length = hypot(*raw)
    return [value / length for value in raw]


def _packed(vector: list[float]) -> str:
    return b64encode(pack(f"<{len(vector)}f", *vector)).decode()
