import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from parser import Part
from worker.engine import conditioning
from worker.engine.checkpoint import Checkpoint
from worker.engine.conditioning import Conditioner, readable


@pytest.fixture(scope="session")
def conditioner(checkpoint: Checkpoint) -> Conditioner:
    return Conditioner(checkpoint)


@pytest.fixture(scope="session")
def narrow() -> CLIPTokenizer:
    """A vocabulary of plain letters: to it, as to the usual ones of CLIP, the rest ends the prompt."""
    letters = [letter + end for letter in "abcdefghijklmnopqrstuvwxyz" for end in ("", "</w>")]
    words = {word: number for number, word in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=words, merges=[], model_max_length=32)


def parts(*pairs: tuple[str, float]) -> tuple[Part, ...]:
    return tuple(Part(text=text, weight=weight) for text, weight in pairs)


def positive(conditioner: Conditioner, *pairs: tuple[str, float]) -> torch.Tensor:
    return conditioner.condition(parts(*pairs)).positive


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, atol=1e-5)


def test_only_the_ratio_of_weights_matters(conditioner: Conditioner) -> None:
    assert same(positive(conditioner, ("a", 2), ("b", 1)), positive(conditioner, ("a", 4), ("b", 2)))


def test_one_part_of_any_weight_is_the_plain_prompt(conditioner: Conditioner) -> None:
    plain = positive(conditioner, ("a red fox", 1))
    for weight in (0.001, 7.0, 1e300):
        assert torch.equal(positive(conditioner, ("a red fox", weight)), plain)


def test_the_order_of_parts_makes_no_difference_at_all(conditioner: Conditioner) -> None:
    one = positive(conditioner, ("a cat", 2), ("a dog", 1), ("the sea", 0.3))
    other = positive(conditioner, ("the sea", 0.3), ("a dog", 1), ("a cat", 2))
    assert torch.equal(one, other)


def test_a_heavier_part_pulls_the_mean_toward_itself(conditioner: Conditioner) -> None:
    cat = positive(conditioner, ("a cat", 1))
    even = positive(conditioner, ("a cat", 1), ("a dog", 1))
    leaning = positive(conditioner, ("a cat", 3), ("a dog", 1))
    assert torch.dist(leaning, cat) < torch.dist(even, cat)


def test_equal_texts_are_one_part_of_their_weights_together(conditioner: Conditioner) -> None:
    one = positive(conditioner, ("a cat", 1), ("a dog", 1), ("a cat", 2))
    assert same(one, positive(conditioner, ("a cat", 3), ("a dog", 1)))


def test_a_long_part_among_many_short_ones_takes_little_memory(
    conditioner: Conditioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0
    cat = torch.cat

    def watched(tensors: list[torch.Tensor], dim: int = 0) -> torch.Tensor:
        nonlocal largest
        joined = cat(tensors, dim=dim)
        largest = max(largest, joined.nbytes)
        return joined

    def refused(_tensors: list[torch.Tensor]) -> torch.Tensor:
        raise AssertionError("all parts at once")

    monkeypatch.setattr(torch, "cat", watched)
    monkeypatch.setattr(torch, "stack", refused)
    mean = positive(conditioner, ("q " * 2500, 1.0), *((f"part {n}", 1.0) for n in range(63)))
    assert largest == mean.nbytes


def test_what_is_remembered_of_parts_is_bounded_in_bytes(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    conditioner = Conditioner(checkpoint)
    one = conditioner.encode("a fox").nbytes
    monkeypatch.setattr(conditioning, "CACHE_BYTES", 4 * one)
    kept = [conditioner.encode(f"number {n}") for n in range(10)]
    conditioner.encode("q " * 200)  # more than all that fits
    again = [conditioner.encode(f"number {n}") for n in range(6, 10)]
    assert all(before is not after for before, after in zip(kept[6:], again, strict=True))
    assert all(conditioner.encode(f"number {n}") is again[n - 6] for n in range(6, 10))


def test_huge_and_tiny_weights_stay_finite(conditioner: Conditioner) -> None:
    mean = positive(conditioner, ("a cat", 1e308), ("a dog", 1e308), ("a fox", 5e-324))
    assert bool(torch.isfinite(mean).all())


def test_a_plain_prompt_is_encoded_as_the_stock_pipeline_does(
    conditioner: Conditioner, checkpoint: Checkpoint
) -> None:
    ids = checkpoint.tokenizer(
        "a red fox", padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    with torch.no_grad():
        assert same(conditioner.encode("a red fox"), checkpoint.text_encoder(ids)[0])


def test_without_negatives_the_unconditional_side_is_the_empty_prompt(conditioner: Conditioner) -> None:
    assert same(conditioner.condition(parts(("a", 1))).unconditional, conditioner.encode(""))


def test_negatives_move_the_empty_prompt_toward_their_mean(conditioner: Conditioner) -> None:
    negative = parts(("red", 0.5), ("blue", 0.5))
    target = positive(conditioner, ("red", 1), ("blue", 1))
    half = conditioner.condition(parts(("a", 1)), negative, 0.5).unconditional
    assert same(half, (conditioner.encode("") + target) / 2)
    assert same(conditioner.condition(parts(("a", 1)), negative, 1.0).unconditional, target)


def test_a_long_prompt_is_chunked_and_its_last_word_counts(conditioner: Conditioner) -> None:
    words = " ".join(["a red fox on a green background"] * 12)
    ending_in_cat, ending_in_dog = conditioner.encode(f"{words} cat"), conditioner.encode(f"{words} dog")
    assert ending_in_cat.shape[1] % 32 == 0
    assert ending_in_cat.shape[1] > 64
    assert not same(ending_in_cat, ending_in_dog)


def test_both_sides_are_equally_long_whichever_is_longer(conditioner: Conditioner) -> None:
    long = " ".join(["fox"] * 70)
    for positive_text, negative_text in ((long, "red"), ("red", long)):
        told = conditioner.condition(parts((positive_text, 1)), parts((negative_text, 1)), 1.0)
        assert told.positive.shape == told.unconditional.shape


@pytest.mark.parametrize("prompt", ["🦊 a red fox", "a 🦊 red fox", "a_red_fox", "猫a red fox", "a red, fox"])
def test_unknown_symbols_do_not_end_the_prompt(narrow: CLIPTokenizer, prompt: str) -> None:
    assert readable(prompt, narrow).split() == ["a", "red", "fox"]


@pytest.mark.parametrize("prompt", ["<|endoftext|>a red fox", "a red<|startoftext|> fox"])
def test_a_typed_end_of_the_prompt_does_not_end_it(conditioner: Conditioner, prompt: str) -> None:
    assert same(conditioner.encode(prompt), conditioner.encode("a red fox"))


@pytest.mark.parametrize(
    "prompt", ["🦊 on a {} background", "猫 on a {} background", "señal… — on a {} background"]
)
def test_the_embedded_vocabulary_reads_on_behind_any_letter(conditioner: Conditioner, prompt: str) -> None:
    red, blue = (conditioner.encode(prompt.format(colour)) for colour in ("red", "blue"))
    assert not same(red, blue)


def test_letters_with_accents_are_read_as_their_base_letters(narrow: CLIPTokenizer) -> None:
    assert readable("a café naïve", narrow) == "a cafe naive"


def test_nothing_is_left_of_a_prompt_of_which_nothing_is_known(narrow: CLIPTokenizer) -> None:
    assert not readable("🦊🦊 猫", narrow).strip()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_encoded_to_finite_numbers(checkpoint: Checkpoint, text: str) -> None:
    conditioner = Conditioner(checkpoint)
    encoded = conditioner.encode(text)
    assert encoded.shape[1] % 32 == 0
    assert bool(torch.isfinite(encoded).all())
    ids = checkpoint.tokenizer(readable(text, checkpoint.tokenizer), add_special_tokens=False)["input_ids"]
    assert checkpoint.tokenizer.eos_token_id not in ids


def test_a_part_is_encoded_once(conditioner: Conditioner, monkeypatch: pytest.MonkeyPatch) -> None:
    first = conditioner.encode("a fox that is new")
    monkeypatch.setattr(conditioner, "_compel", None)
    assert conditioner.encode("a fox that is new") is first
