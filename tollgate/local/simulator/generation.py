"""Generates answers: words seeded by the prompt, cut by the limits, counted."""

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Literal, TypeAlias

from tollgate.local.simulator.json_types import encode
from tollgate.local.simulator.schema_examples import example
from tollgate.local.simulator.settings import SimulatedDeployment
from tollgate.local.simulator.tasks import Task
from tollgate.local.simulator.token_counts import TokenCounts, prompt_counts, reasoning_tokens

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]

LONGEST_ANSWER_TOKENS = 32_768
AUDIO_TOKENS_PER_TOKEN = 4
_CHARACTERS_PER_PIECE = 4
_SHORTEST_TOKENS = 16
_SPREAD_TOKENS = 48
_LENGTH_ASKED_FOR = re.compile(r"\b(\d{1,5}) (?:words|tokens)\b")
_WHERE_LENGTH_IS_ASKED_CHARACTERS = 400
# Some words have characters of two, three and four bytes, so that splits can hit them.
_VOCABULARY = (
    "ledger account month region token statement team invoice meter balance audit total share "
    "façade Zürich naïve über ağaç 東京 계정 счёт café € 🙂 request gateway cell report budget line"
)
_WORDS = _VOCABULARY.split()


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of several.

    Attributes:
        index: Place among the choices.
        pieces: The text, or the arguments of the tool call; one piece is one token.
        finish_reason: Why it ended.
        tool: Name of the function that it calls; None for a text.
    """

    index: int
    pieces: tuple[str, ...]
    finish_reason: FinishReason
    tool: str | None = None

    @property
    def text(self) -> str:
        """The pieces put together."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Generation:
    """All that was generated for one request."""

    choices: tuple[Choice, ...]
    counts: TokenCounts

    def counts_until(self, pieces: int) -> TokenCounts:
        """What was used when only the first `pieces` pieces had been generated."""
        whole = sum(len(choice.pieces) for choice in self.choices)
        return self.counts.without_output(whole - pieces)


def generate(task: Task, deployment: SimulatedDeployment) -> Generation:
    """Answers a task, the same way each time.

    The length of an answer that no limit cuts: what the end of the prompt asks for ("in 500
    words", "200 tokens"), else the deployment's, else 16 to 63 tokens by the prompt.
    """
    seed = _seed(task, deployment)
    reasoning = reasoning_tokens(task.effort, reasons=deployment.reasons)
    if task.limit is not None:
        reasoning = min(reasoning, task.limit)
    whole = [_pieces(task, deployment, seed + index) for index in range(task.answers)]
    choices = tuple(_choice(task, index, pieces, reasoning) for index, pieces in enumerate(whole))
    return Generation(choices, _counts(task, choices, reasoning))


def _seed(task: Task, deployment: SimulatedDeployment) -> int:
    text = f"{deployment.full_model}\n{task.prompt.text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _pieces(task: Task, deployment: SimulatedDeployment, seed: int) -> tuple[str, ...]:
    words = Random(seed)  # noqa: S311 - words of a simulation, not secrets
    schema = task.tool.parameters if task.tool else task.schema
    if schema is not None:
        text = encode(example(schema, words.choice(_WORDS))).decode()
        starts = range(0, len(text), _CHARACTERS_PER_PIECE)
        return tuple(text[start : start + _CHARACTERS_PER_PIECE] for start in starts)
    first, *rest = words.choices(_WORDS, k=_length(task, deployment, seed))
    return (first.capitalize(), *(f" {word}" for word in rest))


def _length(task: Task, deployment: SimulatedDeployment, seed: int) -> int:
    end = task.prompt.text[-_WHERE_LENGTH_IS_ASKED_CHARACTERS:]
    if asked := _LENGTH_ASKED_FOR.findall(end):
        return min(max(1, int(asked[-1])), LONGEST_ANSWER_TOKENS)
    return deployment.answer_tokens or _SHORTEST_TOKENS + seed % _SPREAD_TOKENS


def _choice(task: Task, index: int, pieces: tuple[str, ...], reasoning: int) -> Choice:
    tool = task.tool.name if task.tool else None
    reason: FinishReason = "tool_calls" if task.tool and not task.tool.named else "stop"
    if task.filtered:
        pieces, reason = pieces[: len(pieces) // 2], "content_filter"
    room = None if task.limit is None else task.limit - reasoning
    if room is not None and len(pieces) > room:
        pieces, reason = pieces[:room], "length"
    return Choice(index, pieces, reason, tool)


def _counts(task: Task, choices: tuple[Choice, ...], reasoning: int) -> TokenCounts:
    visible = sum(len(choice.pieces) for choice in choices)
    hidden = (len(choices[0].pieces) + reasoning) * task.hidden_answers
    audio = visible * AUDIO_TOKENS_PER_TOKEN if task.audio else 0
    accepted = min(task.predicted_tokens, visible) // 2
    rejected = task.predicted_tokens - accepted
    return replace(
        prompt_counts(task.prompt),
        output=visible + hidden + reasoning * len(choices) + audio + rejected,
        reasoning_output=reasoning * len(choices),
        audio_output=audio,
        accepted_prediction=accepted,
        rejected_prediction=rejected,
    )
