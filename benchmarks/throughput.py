"""People who order at the same moment: our engine against the stock pipeline called once a job, in line.

    python -m benchmarks.throughput [--shape embedded sd15-256] [--people 1 8] [--steps 8] [--rounds 3]

Three ways draw the same jobs, interleaved round by round: *ours* in shared steps; *plain*, which is
`StableDiffusionPipeline` in float32 as its README shows; *tuned*, the same in bfloat16 and channels_last.
Ours runs in the type that `dtype = "auto"` takes here, unless `--dtype` says otherwise. A job is one guided
picture, and four on the embedded model. The other shapes have random weights: only their cost is real. Each
ratio is the median over rounds of seconds against seconds. All shapes are measured unless some are named,
which takes a quarter of an hour. Prints a table and, as the last line, one JSON object; draws a chart for
each shape into build/charts.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from diffusers import StableDiffusionPipeline

from benchmarks._chart import bars, draw, told
from benchmarks._shapes import SHAPES, Only, Shape, made, pipeline
from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine.checkpoint import Checkpoint, Hardware
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.outcomes import Drawn
from worker.engine.precision import attune, layout, placed
from worker.engine.small_maps import quickened
from worker.recipe import Drawing, picture_seed


@dataclass(frozen=True)
class Usual:
    """What is measured unless somebody says otherwise."""

    people: tuple[int, ...]
    steps: int
    rounds: int


SMALL, LARGE = Usual((1, 2, 4, 8, 16), 8, 3), Usual((1, 8), 1, 1)
PROMPT = "a red fox on a blue background"
GUIDANCE = 3.0


def in_line(pipe: StableDiffusionPipeline, shape: Shape, steps: int, jobs: int) -> float:
    """Return the seconds of *jobs* calls of the pipeline, one after another."""
    began = time.perf_counter()
    for job in range(jobs):
        pipe(
            PROMPT,
            height=shape.side,
            width=shape.side,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            num_images_per_prompt=shape.pictures,
            generator=[torch.Generator().manual_seed(picture_seed(job, i)) for i in range(shape.pictures)],
            output_type="np",
        )
    return time.perf_counter() - began


def shared(engine: Engine, shape: Shape, steps: int, jobs: int) -> float:
    """Return the seconds that *jobs* jobs of different people take together, files not counted."""
    began = time.perf_counter()
    for number in range(jobs):
        recipe = Drawing(
            model="model", width=shape.side, height=shape.side, steps=steps, stop_after=steps,
            guidance=GUIDANCE, positive=(Part(text=PROMPT),), negative=(), negative_pull=0,
            seeds=tuple(picture_seed(number, index) for index in range(shape.pictures)),
        )  # fmt: skip
        engine.submit(DeviceJob(JobId(f"job-{number}"), 1, Speed.FAST, number, recipe, None, {}))
    drawn = 0
    while engine.busy:
        drawn += sum(isinstance(outcome, Drawn) for outcome in engine.step())
    if drawn != jobs:
        raise SystemExit("a job was not drawn")
    return time.perf_counter() - began


def measured(name: str, crowds: Sequence[int], steps: int, rounds: int, dtype: str) -> list[dict[str, Any]]:
    """Return a row for each crowd: seconds a job by each way, and how many times faster ours is."""
    shape = SHAPES[name]
    checkpoint = made(shape)
    plain = pipeline(checkpoint, torch.float32, torch.contiguous_format)
    tuned = pipeline(checkpoint, torch.bfloat16, torch.channels_last)
    engine = Engine(Only(Denoiser(_served(checkpoint, shape, tuned, dtype)), shape.side), time.monotonic)
    ways: dict[str, Callable[[int], float]] = {
        "ours": partial(shared, engine, shape, steps),
        "plain": partial(in_line, plain, shape, steps),
        "tuned": partial(in_line, tuned, shape, steps),
    }
    for way in ways.values():
        way(1)
    rows: list[dict[str, Any]] = []
    for people in crowds:
        ways["ours"](people)  # the engine learns how many rows pay
        runs = [{way: run(people) for way, run in ways.items()} for _ in range(rounds)]
        each = {way: statistics.median(run[way] for run in runs) / people for way in ways}
        gains = {way: statistics.median(run[way] / run["ours"] for run in runs) for way in ("plain", "tuned")}
        rows.append({"shape": name, "people": people, "seconds_a_job": each, "against": gains})
        said = "  ".join(f"{way} {seconds:7.3f} s a job" for way, seconds in each.items())
        print(
            f"{name:>12} {people:>3} people  {said}  x{gains['plain']:.2f} / x{gains['tuned']:.2f}",
            flush=True,
        )
    title = f"Jobs of people who order at once, {name}, {steps} steps"
    table = {f"{row['people']} people": row["seconds_a_job"] for row in rows}
    print(draw(f"throughput-{name}", bars(title, "seconds a job", table)))
    return rows


def _served(checkpoint: Checkpoint, shape: Shape, tuned: StableDiffusionPipeline, dtype: str) -> Checkpoint:
    """Return *checkpoint* as we would load it; large weights are those of one of the pipelines."""
    hardware = Hardware.named("cpu", dtype)
    large = shape.blocks is not None
    chosen = (hardware.large if large else None) or hardware.dtype
    stock = tuned.unet if chosen == torch.bfloat16 else checkpoint.unet
    unet = deepcopy(stock, {id(each): each for each in stock.parameters()} if large else {})
    unet = unet.to(memory_format=layout(hardware.device, large=large))
    return replace(
        checkpoint,
        hardware=Hardware(hardware.device, chosen),
        unet=quickened(unet, hardware.device),
        vae=placed(deepcopy(checkpoint.vae), hardware.device, chosen),
    )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--shape", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    options.add_argument("--people", type=int, nargs="*", help="default: 1 2 4 8 16; large shapes: 1 8")
    options.add_argument("--steps", type=int, help="default: 8; large shapes: 1")
    options.add_argument("--rounds", type=int, help="default: 3; large shapes: 1")
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options.add_argument("--dtype", default="auto", choices=["auto", "float32", "bfloat16"], help="ours")
    chosen = options.parse_args()
    attune(chosen.threads)
    with torch.inference_mode():
        rows = [
            row
            for name in chosen.shape
            for usual in [LARGE if SHAPES[name].blocks else SMALL]
            for row in measured(
                name,
                chosen.people or usual.people,
                chosen.steps or usual.steps,
                chosen.rounds or usual.rounds,
                chosen.dtype,
            )
        ]
    told("throughput", rows)


if __name__ == "__main__":
    main()
