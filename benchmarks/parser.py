"""How long parsing takes: everyday prompts, and the longest texts that are hard to read.

    python -m benchmarks.parser

Prints two tables, draws a chart of each and prints, as the last line, one JSON object.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from textwrap import shorten

from benchmarks._chart import bars, draw, told
from parser import PROMPT_LIMIT, canonical, parse, report

ROUNDS = 15
EVERYDAY = (
    "a cat",
    "a red fox::2 on a blue background --no hat --seed 42 --quality 2",
    "<https://example.com/a.png>::2 still life:: fruit::-.5 --ar 3:2 --stop 80 --relax",
)
HARD = (
    *("word ", "{", "{}", "{a, b}", "::1 ", "--", "https://a ", "--a ", "--qualityx ", "--aspects 3 "),
    *("--chaos x ", "--seed 1 ", "--no a, "),
)


def milliseconds(work: Callable[[], object]) -> float:
    """Return the median time of *work* over ``ROUNDS`` runs."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def everyday(prompt: str) -> dict[str, float]:
    """Return the milliseconds that parsing and repeating a prompt take."""
    return {
        "parse_ms": milliseconds(partial(parse, prompt)),
        "echo_ms": milliseconds(partial(canonical, parse(prompt))),
    }


def hard(piece: str) -> dict[str, float]:
    """Return the milliseconds for the longest prompt made of *piece*, and the growth over half of it."""
    half, whole = (
        milliseconds(partial(report, (piece * length)[:length]))
        for length in (PROMPT_LIMIT // 2, PROMPT_LIMIT)
    )
    return {"ms": whole, "growth": whole / half}


def main() -> None:
    """Measure and print."""
    usual = {prompt: everyday(prompt) for prompt in EVERYDAY}
    print(f"{'parse ms':>9} {'echo ms':>9}  prompt")
    for prompt, row in usual.items():
        print(f"{row['parse_ms']:9.3f} {row['echo_ms']:9.3f}  {prompt}")
    longest = {piece: hard(piece) for piece in HARD}
    print(f"\n{'ms':>9} {'growth':>9}  {PROMPT_LIMIT} characters of (growth over half as many: 2 is linear)")
    for piece, row in longest.items():
        print(f"{row['ms']:9.2f} {row['growth']:9.2f}  {piece!r}")
    short = {shorten(prompt, 36, placeholder=" …"): row for prompt, row in usual.items()}
    print(draw("parser-everyday", bars("Parsing everyday prompts", "milliseconds", short)))
    taken = {repr(piece): {"ms": row["ms"]} for piece, row in longest.items()}
    print(
        draw("parser-hard", bars(f"Reading {PROMPT_LIMIT} characters of what is hard", "milliseconds", taken))
    )
    told("parser", {"everyday": usual, "hard": longest})


if __name__ == "__main__":
    main()
