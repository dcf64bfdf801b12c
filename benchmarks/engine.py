"""The engine's own loop against the stock pipeline, and what jobs gain from sharing steps.

    python -m benchmarks.engine [--rounds 5] [--threads 2] [--model models/embedded]

Both run in float32. Prints a table and, as the last line, one JSON object; a chart goes to `build/charts`.
Runs of the two are interleaved, so that a busy machine slows both.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from diffusers import StableDiffusionPipeline

from benchmarks._chart import bars, draw, told
from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.outcomes import Drawn
from worker.engine.precision import attune
from worker.recipe import PICTURES, Drawing, ModelProfile, picture_seed

PROMPT = "a red fox on a blue background"
STEPS = 20
GUIDANCE = 3.0
CROWDS = (1, 2, 4, 8)


def drawing(model: str, side: int, seed: int) -> Drawing:
    """Return the recipe of one default job."""
    return Drawing(
        model=model,
        width=side,
        height=side,
        steps=STEPS,
        stop_after=STEPS,
        guidance=GUIDANCE,
        positive=(Part(text=PROMPT),),
        negative=(),
        negative_pull=0,
        seeds=tuple(picture_seed(seed, index) for index in range(PICTURES)),
    )


def ours(engine: Engine, model: str, side: int, jobs: int) -> float:
    """Return the seconds that *jobs* default jobs of different people take together, files not counted."""
    began = time.perf_counter()
    for number in range(jobs):
        recipe = drawing(model, side, number)
        engine.submit(DeviceJob(JobId(f"job-{number}"), 1, Speed.FAST, number, recipe, None, {}))
    drawn = 0
    while engine.busy:
        drawn += sum(isinstance(outcome, Drawn) for outcome in engine.step())
    if drawn != jobs:
        raise SystemExit("a job was not drawn")
    return time.perf_counter() - began


def stock(pipeline: StableDiffusionPipeline, side: int) -> float:
    """Return the seconds the stock pipeline takes for the same grid."""
    generators = [torch.Generator().manual_seed(picture_seed(0, index)) for index in range(PICTURES)]
    began = time.perf_counter()
    pipeline(
        PROMPT,
        height=side,
        width=side,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        num_images_per_prompt=PICTURES,
        generator=generators,
        output_type="np",
    )
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--model", default="models/embedded")
    options.add_argument("--side", type=int, default=128)
    options.add_argument("--crowds", type=int, nargs="*", default=CROWDS, help="jobs at once")
    chosen = options.parse_args()
    attune(chosen.threads)
    profile = ModelProfile(name="model", source=chosen.model, size=chosen.side)
    with torch.inference_mode():
        engine = Engine(Models([profile], Hardware.named(dtype="float32")), time.monotonic)
        pipeline = StableDiffusionPipeline.from_pretrained(chosen.model, safety_checker=None).to(
            torch.float32
        )
        pipeline.set_progress_bar_config(disable=True)
        ours(engine, "model", chosen.side, 1)
        stock(pipeline, chosen.side)
        pairs = [
            (ours(engine, "model", chosen.side, 1), stock(pipeline, chosen.side))
            for _ in range(chosen.rounds)
        ]
        crowds = {
            jobs: min(ours(engine, "model", chosen.side, jobs) for _ in range(2)) for jobs in chosen.crowds
        }
    result = {
        "engine_seconds": round(statistics.median(mine for mine, _ in pairs), 4),
        "pipeline_seconds": round(statistics.median(bare for _, bare in pairs), 4),
        "ratio": round(statistics.median(mine / bare for mine, bare in pairs), 4),
        "seconds_per_job": {str(jobs): round(seconds / jobs, 4) for jobs, seconds in crowds.items()},
        "batches": {str(rows): passes for rows, passes in sorted(engine.passes.items())},
    }
    print(f"one job: engine {result['engine_seconds']} s, stock pipeline {result['pipeline_seconds']} s")
    print(f"ratio: {result['ratio']} (median of {chosen.rounds} interleaved pairs)")
    for jobs, seconds in crowds.items():
        print(f"{jobs} jobs at once: {seconds:.2f} s, {seconds / jobs:.2f} s a job")
    table = {f"{jobs} jobs": {"seconds a job": seconds / jobs} for jobs, seconds in crowds.items()}
    draw("engine", bars("Jobs of the embedded model at once", "seconds a job", table))
    told("engine", result)


if __name__ == "__main__":
    main()
