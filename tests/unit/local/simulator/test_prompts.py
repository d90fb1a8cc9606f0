from tollgate.local.simulator.bodies import Message, Part, Texts
from tollgate.local.simulator.prompts import messages_prompt, text_tokens, texts_prompts


def test_text_is_counted_by_quarter_characters() -> None:
    assert [text_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_messages_cost_more_than_their_text() -> None:
    assert messages_prompt([Message(content="abcd"), Message(content="ab")]).tokens == 13


def test_tools_calls_and_instructions_are_counted() -> None:
    bare = messages_prompt([Message(content="abcd")]).tokens
    called = Message(content="abcd", tool_calls=[{"id": "1"}], arguments="abcd", output="abcd")
    full = messages_prompt([called], preamble="abcd", tools=[{"type": "function"}]).tokens
    assert full > bare + 4


def test_images_and_sound_are_told_apart() -> None:
    parts = [
        Part("image_url", image_url={"url": "x", "detail": "low"}),
        Part("input_image", image_url="x"),
        Part("input_audio", input_audio={"data": "a" * 1500}),
    ]
    prompt = messages_prompt([Message(content=parts)])
    assert (prompt.image_tokens, prompt.audio_tokens) == (850, 2)
    assert prompt.tokens == 3 + 4 + 850 + 2


def _tokens(texts: Texts) -> list[int]:
    return [prompt.tokens for prompt in texts_prompts(texts)]


def test_texts_and_token_ids_are_prompts() -> None:
    assert _tokens("abcdefgh") == [2]
    assert _tokens(["abcd", "abcde"]) == [1, 2]
    assert _tokens([1, 2, 3]) == [3]
    assert _tokens([[1, 2], [3]]) == [2, 1]
