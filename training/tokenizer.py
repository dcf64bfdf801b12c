"""A CLIP tokenizer of our own: every byte is a token, and every word of the captions is one token."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTokenizer

from training import captions
from training.lexicon import Subject

CONTEXT = 64
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
# How CLIP splits text before the merges: its pattern, in the terms of the standard library.
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")


def byte_letters() -> dict[int, str]:
    """GPT-2's map from each byte to a printable letter."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    spare = iter(range(256, 512))
    return {byte: chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)}


_LETTERS = byte_letters()


def spelled(word: str, *, ended: bool = True) -> tuple[str, ...]:
    """`word` as base tokens, one a byte; the last one carries the end-of-word mark."""
    letters = [_LETTERS[byte] for byte in word.encode()]
    if ended:
        letters[-1] += WORD_END
    return tuple(letters)


def token_of(word: str) -> str:
    """The token a whole word becomes."""
    return "".join(spelled(word))


def corpus(subjects: Sequence[Subject]) -> tuple[tuple[str, ...], ...]:
    """Every word that shall be a single token, spelled; emoji also as they stand inside a row of emoji."""
    texts: list[str] = sorted(captions.known_words(subjects))
    texts += [
        *captions.PRAISE,
        *captions.PRAISE_ES,
        *captions.CRAFT,
        *captions.OPENINGS,
        *captions.OPENINGS_ES,
    ]
    words = {word for text in texts for word in SPLIT.findall(text.lower())}
    glyphs = [form for subject in subjects for form in subject.emoji_forms]
    spellings = {spelled(word) for word in (*words, *glyphs)} | {
        spelled(glyph, ended=False) for glyph in glyphs
    }
    return tuple(sorted(spellings))


def learn_merges(words: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Byte-pair merges, commonest pair first, until every word is one token."""
    open_words = [list(word) for word in words if len(word) > 1]
    merges: list[tuple[str, str]] = []
    while open_words:
        counts = Counter(pair for word in open_words for pair in pairwise(word))
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        for word in open_words:
            _merge(word, best)
        open_words = [word for word in open_words if len(word) > 1]
    return merges


def _merge(word: list[str], pair: tuple[str, str]) -> None:
    place = 0
    while place < len(word) - 1:
        if word[place] == pair[0] and word[place + 1] == pair[1]:
            word[place : place + 2] = [pair[0] + pair[1]]
        place += 1


def build(subjects: Sequence[Subject], folder: Path) -> CLIPTokenizer:
    """Learn the vocabulary, save it under `folder` in the layout diffusers reads and return it."""
    merges = learn_merges(corpus(subjects))
    tokens = [*_LETTERS.values(), *(letter + WORD_END for letter in _LETTERS.values())]
    tokens += dict.fromkeys(a + b for a, b in merges)
    vocabulary = {token: number for number, token in enumerate([*dict.fromkeys(tokens), START, END])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=CONTEXT, pad_token=END
    )
    tokenizer.save_pretrained(folder)
    return tokenizer
