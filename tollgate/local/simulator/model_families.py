"""What kind of model stands behind a name, and which operations that kind can do."""

from typing import Literal, TypeAlias

from tollgate.local.simulator.routes import Operation

Family: TypeAlias = Literal[
    "text", "embedding", "gpt_image", "dall_e", "transcribe", "whisper", "speech"
]

_OPERATIONS: dict[Family, frozenset[Operation]] = {
    "text": frozenset({"chat.completions", "completions", "responses"}),
    "embedding": frozenset({"embeddings"}),
    "gpt_image": frozenset({"images.generations", "images.edits"}),
    "dall_e": frozenset({"images.generations"}),
    "transcribe": frozenset({"audio.transcriptions"}),
    "whisper": frozenset({"audio.transcriptions", "audio.translations"}),
    "speech": frozenset({"audio.speech"}),
}


def family_of(model: str) -> Family:
    """The family of a base model, by its name ("gpt-image-1" -> "gpt_image")."""
    if model.startswith("text-embedding"):
        return "embedding"
    if model.startswith("gpt-image"):
        return "gpt_image"
    if model.startswith("dall-e"):
        return "dall_e"
    if model.startswith("whisper"):
        return "whisper"
    if "-transcribe" in model:
        return "transcribe"
    return "speech" if model.startswith("tts") or "-tts" in model else "text"


def can_do(model: str, operation: Operation) -> bool:
    """Whether a base model can do what a path asks for."""
    return operation in _OPERATIONS[family_of(model)]
