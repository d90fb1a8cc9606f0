"""How many tokens a prompt has: a fixed rule on its length, the same at every run."""

from collections.abc import Iterable
from dataclasses import dataclass

from tollgate.local.simulator.bodies import Message, Part, Texts
from tollgate.local.simulator.json_types import encode

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
TOKENS_PER_ANSWER_PRIMER = 3
TOKENS_PER_IMAGE = 765
TOKENS_PER_SMALL_IMAGE = 85
AUDIO_CHARACTERS_PER_TOKEN = 1000  # of base64


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, counted.

    Attributes:
        text: All its text, which seeds the answer and is searched for the blocked word.
        tokens: All tokens of the prompt, images and sound included.
        image_tokens: Those of images.
        audio_tokens: Those of sound.
    """

    text: str
    tokens: int
    image_tokens: int = 0
    audio_tokens: int = 0


def text_tokens(text: str) -> int:
    """Tokens of a text: a quarter of its characters, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def messages_prompt(
    messages: Iterable[Message], *, preamble: str = "", tools: object = None
) -> Prompt:
    """The prompt that messages and tool definitions make.

    Args:
        messages: Chat messages or input items.
        preamble: Text before them, such as the Responses API's instructions.
        tools: Tool definitions, counted as their JSON.
    """
    texts = [preamble]
    tokens = TOKENS_PER_ANSWER_PRIMER + text_tokens(preamble)
    tokens += text_tokens(encode(tools).decode()) if tools else 0
    images = audio = 0
    for message in messages:
        parts = list(_parts(message))
        texts += [part.text for part in parts if part.text]
        images += sum(_image_tokens(part) for part in parts)
        audio += sum(_audio_tokens(part) for part in parts)
        tokens += TOKENS_PER_MESSAGE
        tokens += sum(text_tokens(part.text) for part in parts if part.text)
    return Prompt("\n".join(texts), tokens + images + audio, images, audio)


def texts_prompts(texts: Texts) -> list[Prompt]:
    """One prompt for each text or list of token ids."""
    if isinstance(texts, str):
        return [Prompt(texts, max(1, text_tokens(texts)))]
    ids = [item for item in texts if isinstance(item, int)]
    if ids:
        return [Prompt(repr(ids), len(ids))]
    return [_text_prompt(item) for item in texts if not isinstance(item, int)]


def _text_prompt(item: str | list[int]) -> Prompt:
    if isinstance(item, str):
        return Prompt(item, max(1, text_tokens(item)))
    return Prompt(repr(item), len(item))


def _parts(message: Message) -> Iterable[Part]:
    for content in (message.content, message.output):
        if isinstance(content, str):
            yield Part("text", content)
        elif content:
            yield from content
    if message.arguments:
        yield Part("text", message.arguments)
    if message.tool_calls:
        yield Part("text", encode(message.tool_calls).decode())


def _image_tokens(part: Part) -> int:
    if part.type not in {"image_url", "input_image"}:
        return 0
    detail = part.image_url.get("detail") if isinstance(part.image_url, dict) else None
    return TOKENS_PER_SMALL_IMAGE if detail == "low" else TOKENS_PER_IMAGE


def _audio_tokens(part: Part) -> int:
    if part.type != "input_audio":
        return 0
    data = (part.input_audio or {}).get("data", "")
    return 1 + len(str(data)) // AUDIO_CHARACTERS_PER_TOKEN
