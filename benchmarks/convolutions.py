"""Convolutions over small maps: as one product of matrices against the library's own way.

    python -m benchmarks.convolutions [--dtype bfloat16 float32] [--rows 2 16] [--rounds 5] [--threads N]

The sizes are those of the UNet of Stable Diffusion 1.5 at 256 and 512 pixels, and of the embedded one. Both
ways are interleaved; a ratio above 1 says that the product is faster. Prints a table and, as the last line,
one JSON object. What it showed is why `worker/engine/small_maps.py` chooses as it does.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from torch import nn

from benchmarks._chart import bars, draw, told
from worker.engine.precision import attune
from worker.engine.small_maps import LEAST_CHANNELS, LEAST_CHANNELS_PER_PIXEL, SmallMapConv2d

# Channels in, channels out, side.
MAPS = (
    (320, 320, 32), (640, 640, 16), (640, 640, 8), (1280, 1280, 16), (1280, 1280, 8), (2560, 1280, 8),
    (1280, 1280, 4), (48, 48, 16), (96, 96, 8), (192, 192, 4),
)  # fmt: skip
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Always(SmallMapConv2d):
    """Takes every map as a product, so that those that do not gain can be seen."""

    def takes(self, pixels: int, channels: int) -> bool:
        """Tell that it does."""
        del pixels, channels
        return True


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long *work* takes once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measured(channels: tuple[int, int, int], dtype: torch.dtype, rows: int, rounds: int) -> dict[str, Any]:
    """Return one row of the table."""
    into, out, side = channels
    library = nn.Conv2d(into, out, 3, padding=1).to(dtype, memory_format=torch.channels_last).eval()
    product = Always(into, out, 3, padding=1).to(dtype, memory_format=torch.channels_last).eval()
    given = torch.randn(rows, into, side, side).to(dtype, memory_format=torch.channels_last)
    ways = {"library": lambda: library(given), "product": lambda: product(given)}
    for way in ways.values():
        way()
    runs = [{name: seconds_of(way) for name, way in ways.items()} for _ in range(rounds)]
    taken = {name: statistics.median(run[name] for run in runs) for name in ways}
    count = 2 * 9 * into * out * side * side * rows
    small = into >= LEAST_CHANNELS and side * side * LEAST_CHANNELS_PER_PIXEL <= into
    return {
        "map": f"{into} to {out}, {side} x {side}, {rows} rows, {str(dtype).removeprefix('torch.')}",
        "gflops": {name: round(count / seconds / 1e9) for name, seconds in taken.items()},
        "ratio": round(statistics.median(run["library"] / run["product"] for run in runs), 2),
        "as_product": small,
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--dtype", nargs="*", default=["bfloat16", "float32"], choices=list(TYPES))
    options.add_argument("--rows", type=int, nargs="*", default=[2, 16])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    attune(chosen.threads)
    found = []
    with torch.inference_mode():
        for kind in chosen.dtype:
            for channels in MAPS:
                for rows in chosen.rows:
                    row = measured(channels, TYPES[kind], rows, chosen.rounds)
                    found.append(row)
                    rates = "  ".join(f"{way} {rate:4d} GFLOP/s" for way, rate in row["gflops"].items())
                    taken = "taken as product" if row["as_product"] else ""
                    print(f"{row['map']:>42}  {rates}  x{row['ratio']:.2f}  {taken}", flush=True)
    rates = {row["map"]: row["gflops"] for row in found}
    print(draw("convolutions", bars("Convolutions of 3 x 3", "GFLOP/s", rates)))
    told("convolutions", found)


if __name__ == "__main__":
    main()
