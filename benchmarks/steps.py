"""How long a step takes by model, size and how many pictures share it: the table that simulations rest on.

    python -m benchmarks.steps [--sizes 128x128 192x128] [--batches 1 2 4 8] [--steps 3] [--write]

Measured on one thread in processor time, which neighbours on the machine change little, and interleaved: each
round takes every size and batch once. Prints a table and, as the last line, one JSON object; ``--write`` puts
that into `benchmarks/steps.json`. A chart goes to `build/charts`.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch

from benchmarks._chart import bars, draw, machine
from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.plan import StepScheduler
from worker.engine.precision import attune
from worker.recipe import Drawing, ModelProfile, picture_seed

TABLE = Path(__file__).with_name("steps.json")
Size = tuple[int, int]  # width and height, pixels


def seconds(models: Models, size: Size, batch: int, steps: int) -> list[float]:
    """Return the processor seconds of *steps* steps of *batch* guided pictures, after one to warm up."""
    engine = Engine(models, time.monotonic, StepScheduler(first_cap=batch, most=batch))
    recipe = Drawing(
        model="embedded", width=size[0], height=size[1], steps=20, stop_after=20, guidance=3.0,
        positive=(Part(text="a red fox on a blue background"),), negative=(), negative_pull=0,
        seeds=tuple(picture_seed(0, index) for index in range(batch)),
    )  # fmt: skip
    engine.submit(DeviceJob(JobId("job"), 1, Speed.FAST, 1, recipe, None, {}))
    engine.step()
    taken = []
    for _ in range(steps):
        began = time.process_time()
        engine.step()
        taken.append(time.process_time() - began)
    return taken


def measured(models: Models, sizes: Sequence[Size], batches: Sequence[int], steps: int) -> dict[str, Any]:
    """Return the table: model, then size as width x height, then pictures, then seconds."""
    found: dict[Size, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(2):
        for size in sizes:
            for batch in batches:
                found[size][batch] += seconds(models, size, batch, steps)
    return {
        "embedded": {
            f"{width}x{height}": {str(rows): round(median(each), 4) for rows, each in by_batch.items()}
            for (width, height), by_batch in found.items()
        }
    }


def size_of(text: str) -> Size:
    """Read ``192x128``."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--sizes", type=size_of, nargs="*", default=[(128, 128), (192, 128)])
    options.add_argument("--batches", type=int, nargs="*", default=[1, 2, 4, 8])
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--model", default="models/embedded")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    attune(1)
    profile = ModelProfile(name="embedded", source=chosen.model, size=128)
    with torch.inference_mode():
        table = measured(Models([profile], Hardware.named("cpu")), chosen.sizes, chosen.batches, chosen.steps)
    for name, sizes in table.items():
        for size, rows in sizes.items():
            told = "  ".join(f"{batch}: {each:.3f} s" for batch, each in rows.items())
            print(f"{name:>10} {size:>9}  {told}")
    by_size = {f"{name} {size}": rows for name, sizes in table.items() for size, rows in sizes.items()}
    print(draw("steps", bars("A step by pictures that share it", "processor seconds", by_size)))
    result = {"steps": table, "machine": machine() | {"threads": 1}}
    if chosen.write:
        TABLE.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
