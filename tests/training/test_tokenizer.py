from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from training import captions, tokenizer
from training.lexicon import Subject


@pytest.fixture(scope="module")
def clip(four: tuple[Subject, ...], tmp_path_factory: pytest.TempPathFactory) -> tuple[CLIPTokenizer, Path]:
    folder = tmp_path_factory.mktemp("tokenizer")
    return tokenizer.build(four, folder), folder


def test_every_known_word_is_one_token(clip: tuple[CLIPTokenizer, Path], four: tuple[Subject, ...]) -> None:
    vocabulary = clip[0].get_vocab()
    for word in captions.known_words(four):
        for part in tokenizer.SPLIT.findall(word):
            assert tokenizer.token_of(part) in vocabulary


@pytest.mark.parametrize(
    "text", ["ñandú 漢字 🦊 — “fox” \u0301 Ωmega", "🦊🦊🦊", "zzxqj", "¡Qué zorro! 👩‍👩‍👧"]
)
def test_no_letter_accent_or_emoji_ends_the_prompt(clip: tuple[CLIPTokenizer, Path], text: str) -> None:
    ids = clip[0](text).input_ids
    assert clip[0].eos_token_id not in ids[1:-1]
    assert ids[-1] == clip[0].eos_token_id


def test_a_row_of_emoji_keeps_each_as_one_token(clip: tuple[CLIPTokenizer, Path]) -> None:
    assert len(clip[0]("🦊🦊🦊").input_ids) == 2 + 3


def test_the_saved_tokenizer_reads_as_the_built_one(clip: tuple[CLIPTokenizer, Path]) -> None:
    built, folder = clip
    read = CLIPTokenizer.from_pretrained(folder)
    text = "Un zorro y a fox, 🦊 masterpiece"
    assert read(text).input_ids == built(text).input_ids
    assert read.model_max_length == tokenizer.CONTEXT
    assert read.pad_token_id == read.eos_token_id


def test_a_long_messy_prompt_fits(clip: tuple[CLIPTokenizer, Path]) -> None:
    text = "a beautiful highly detailed fox, trending, masterpiece by a famous artist, volumetric light"
    assert len(clip[0](text).input_ids) <= 24
