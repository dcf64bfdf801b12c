"""Whether the engine's memory stays flat while people order, stop and order again for a long time.

    python -m benchmarks.soak [--minutes 60] [--seed 0] [--steps 4]

Jobs of random people, words, sizes and lanes are drawn with the embedded model; some are stopped midway. The
process's memory is read after every full round. The slope is that of a straight line through the second half,
when every size has been seen. Draws a chart and prints, as the last line, one JSON object; ends with
1 if the slope is above `--bound` megabytes an hour and what was gained above it is more than a few megabytes
of noise.
"""

import argparse
import gc
import os
import random
import time
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch

from benchmarks._chart import bars, draw, told
from benchmarks._shapes import EMBEDDED
from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine import memory
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.outcomes import Drawn
from worker.engine.precision import attune
from worker.recipe import Drawing, ModelProfile, picture_seed

CPU = torch.device("cpu")
MEGABYTE = 10**6
CROWD = 6  # jobs of a round
SIZES = ((128, 128), (192, 128), (128, 192))
WORDS = ("fox", "car", "sun", "tree", "house", "fish", "star", "boat", "red", "blue", "green", "yellow")
NOISE = 8.0  # megabytes that the allocator comes and goes by


def job(number: int, dice: random.Random, steps: int) -> DeviceJob:
    """Return the job of that number: whatever the dice say."""
    width, height = dice.choice(SIZES)
    taken = dice.randint(1, steps)
    recipe = Drawing(
        model="model", width=width, height=height, steps=taken, stop_after=taken,
        guidance=dice.choice((1.0, 3.0)),
        positive=(Part(text=" ".join(dice.choices(WORDS, k=dice.randint(1, 9)))),),
        negative=(), negative_pull=0,
        seeds=tuple(picture_seed(number, index) for index in range(dice.choice((1, 4)))),
    )  # fmt: skip
    return DeviceJob(
        JobId(f"job-{number}"), 1, dice.choice(list(Speed)), dice.randint(1, 5), recipe, None, {}
    )


def played(engine: Engine, first: int, dice: random.Random, steps: int) -> int:
    """Draw a round of jobs from number *first* on, stopping one now and then; return how many were drawn."""
    drawn = 0
    for number in range(first, first + CROWD):
        engine.submit(job(number, dice, steps))
        drawn += sum(isinstance(each, Drawn) for each in engine.step())
        if dice.random() < 0.1:  # noqa: PLR2004 - of ten
            engine.cancel(JobId(f"job-{number}"))
    while engine.busy:
        drawn += sum(isinstance(each, Drawn) for each in engine.step())
    return drawn


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the rise of the straight line through *points* by least squares."""
    middle = [sum(each) / len(points) for each in zip(*points, strict=True)]
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    below = sum((x - middle[0]) ** 2 for x, _ in points)
    return above / below if below else 0.0


def soaked(minutes: float, seed: int, steps: int) -> dict[str, Any]:
    """Draw for so many minutes; return how memory went."""
    dice = random.Random(seed)
    profile = ModelProfile(name="model", source=str(EMBEDDED), size=128)
    engine = Engine(Models([profile], Hardware.named("cpu")), time.monotonic)
    began, drawn, number = time.monotonic(), 0, 0
    seen: list[tuple[float, float]] = []
    while (now := time.monotonic() - began) < 60 * minutes or len(seen) < 4:  # noqa: PLR2004 - for two halves
        drawn += played(engine, number, dice, steps)
        number += CROWD
        gc.collect()
        seen.append((now / 3600, (memory.in_use(CPU) or 0) / MEGABYTE))
        print(f"{now:7.0f} s  {number:6} jobs  {seen[-1][1]:8.1f} MB", flush=True)
    half = seen[len(seen) // 2 :]
    tenths = seen[:: max(1, len(seen) // 10)]
    held = {f"{60 * hours:.1f} minutes": {"MB": megabytes} for hours, megabytes in tenths}
    print(draw("soak", bars("Memory of the process", "MB", held)))
    return {
        "minutes": round(minutes, 1),
        "jobs": number,
        "drawn": drawn,
        "first_mb": round(seen[0][1], 1),
        "last_mb": round(seen[-1][1], 1),
        "second_half_mb": round(half[-1][1] - half[0][1], 1),
        "slope_mb_an_hour": round(slope(half), 2),
    }


def main() -> None:
    """Soak and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--minutes", type=float, default=1)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--steps", type=int, default=4, help="at most, of a job")
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options.add_argument("--bound", type=float, default=20.0, help="megabytes an hour that are still flat")
    chosen = options.parse_args()
    attune(chosen.threads)
    with torch.inference_mode():
        found = soaked(chosen.minutes, chosen.seed, chosen.steps)
    print(f"slope {found['slope_mb_an_hour']} MB an hour over the second half")
    told("soak", found)
    if found["slope_mb_an_hour"] > chosen.bound and found["second_half_mb"] > NOISE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
