from __future__ import annotations

import base64
import hashlib
import logging
from pathlib import Path
from time import perf_counter

import msgspec
import pytest

from tollgate.proxy.vocabulary import CL100K, O200K, SLICE_CHARACTERS, Vocabulary, load_tokenizer

pytest.importorskip("tiktoken")

MERGES = [b"he", b"ll", b"hell", b"hello", b" w", b"or", b" wor", b"ld", b" world"]
TOKENS = [bytes([byte]) for byte in range(256)] + MERGES


def kept_in(folder: Path, vocabulary: Vocabulary = O200K) -> Vocabulary:
    """Puts a small vocabulary of the same form in the place of the real one."""
    lines = [base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(TOKENS)]
    content = b"".join(lines)
    vocabulary.file(folder).write_bytes(content)
    return msgspec.structs.replace(vocabulary, sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("vocabulary", [O200K, CL100K], ids=lambda each: each.name)
def test_tokens_are_counted_with_the_vocabulary_that_is_there(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    count_tokens = load_tokenizer(tmp_path, [kept_in(tmp_path, vocabulary)])
    assert count_tokens is not None
    assert (count_tokens("hello world"), count_tokens("he!"), count_tokens("")) == (2, 2, 0)


def test_the_first_vocabulary_that_is_there_is_taken(tmp_path: Path) -> None:
    assert load_tokenizer(tmp_path, [O200K, kept_in(tmp_path, CL100K)]) is not None


def test_a_file_is_named_as_tiktoken_names_it(tmp_path: Path) -> None:
    assert O200K.file(tmp_path).name == "fb374d419588a4632f3f557e76b4b70aebbca790"
    assert CL100K.file(tmp_path).name == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"


def test_without_a_vocabulary_there_is_no_tokenizer(tmp_path: Path) -> None:
    assert load_tokenizer(None) is None
    assert load_tokenizer(tmp_path) is None
    assert load_tokenizer(tmp_path / "nowhere") is None


def test_a_vocabulary_that_is_damaged_is_left_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept_in(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert load_tokenizer(tmp_path, [O200K]) is None
    assert "damaged" in caplog.text


def test_special_tokens_in_a_text_are_text(tmp_path: Path) -> None:
    count_tokens = load_tokenizer(tmp_path, [kept_in(tmp_path)])
    assert count_tokens is not None
    assert count_tokens("<|endoftext|>") > 1


@pytest.mark.parametrize("run", ["a", " ", "\n", "!", "€", "A", "\ud800"])
def test_a_long_run_takes_no_longer_than_a_text(tmp_path: Path, run: str) -> None:
    count_tokens = load_tokenizer(tmp_path, [kept_in(tmp_path)])
    assert count_tokens is not None
    began = perf_counter()
    assert count_tokens(run * 20 * SLICE_CHARACTERS) > 0
    assert perf_counter() - began < 5
