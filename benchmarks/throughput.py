"""People who order at the same moment: our engine against the stock pipeline called once a job, in line.

    python -m benchmarks.throughput [--shapes embedded sd15-256] [--crowds 1 2 4 8] [--steps 8] [--rounds 3]

Three ways draw the same jobs, interleaved round by round: *ours* in shared steps; *plain*, which is
`StableDiffusionPipeline` in float32 as its README shows; *tuned*, the same in bfloat16 and channels_last.
A job is one guided picture, and four on the embedded model, which both run in float32. The other shapes have
random weights: only their cost is real. Each ratio is the median over rounds of seconds against seconds.
Prints a table and, as the last line, one JSON object.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Drawn, Engine
from worker.engine.plan import BatchKey
from worker.recipe import PICTURES, Drawing, ModelProfile, Recipe, picture_seed

EMBEDDED = Path(__file__).resolve().parent.parent / "models" / "embedded"
PROMPT = "a red fox on a blue background"
GUIDANCE = 3.0
TOKENS = 77


@dataclass(frozen=True)
class Shape:
    """A network of a certain cost; `side` in pixels, `pictures` a job, no `blocks` for the embedded one."""

    side: int
    pictures: int
    blocks: dict[str, Any] | None


SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
# SDXL's deep attention at its two lower levels, half as wide: of 2.6 billion weights no two copies would fit.
SDXL_CUT: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (160, 320, 640),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 768,
    "use_linear_projection": True,
}
SHAPES = {
    "embedded": Shape(128, PICTURES, None),
    "sd15-256": Shape(256, 1, SD15),
    "sd15-512": Shape(512, 1, SD15),
    "sdxl-cut-512": Shape(512, 1, SDXL_CUT),
}


class Only:
    """The one network that is measured, where the engine looks for networks."""

    def __init__(self, denoiser: Denoiser, side: int) -> None:
        self._denoiser, self._side = denoiser, side

    def preload(self) -> BatchKey:
        """Return the key of its jobs."""
        return self._denoiser.key(self._side, self._side)

    def backend(self, recipe: Recipe) -> Denoiser:
        """Return the network, whatever the recipe."""
        del recipe
        return self._denoiser


def made(shape: Shape) -> Checkpoint:
    """Return the shape's checkpoint in float32, random where it is not the embedded one."""
    profile = ModelProfile(name="model", source=str(EMBEDDED), size=shape.side)
    small = load(profile, Hardware(torch.device("cpu"), torch.float32))
    if shape.blocks is None:
        return small
    torch.manual_seed(0)
    words = CLIPTextConfig(
        vocab_size=len(small.tokenizer), hidden_size=768, intermediate_size=768, num_hidden_layers=1,
        num_attention_heads=12, max_position_embeddings=TOKENS, eos_token_id=small.tokenizer.eos_token_id,
    )  # fmt: skip
    small.tokenizer.model_max_length = TOKENS
    unet = UNet2DConditionModel(**shape.blocks).to(memory_format=torch.channels_last)
    return Checkpoint(
        profile=profile,
        hash="random",
        hardware=small.hardware,
        unet=unet.eval().requires_grad_(requires_grad=False),
        vae=small.vae,
        text_encoder=CLIPTextModel(words).eval(),
        tokenizer=small.tokenizer,
        scheduler=small.scheduler,
    )


def pipeline(checkpoint: Checkpoint, dtype: torch.dtype) -> StableDiffusionPipeline:
    """Return the stock pipeline on the same weights, a copy of them where the type is another."""
    unet = checkpoint.unet if dtype == torch.float32 else deepcopy(checkpoint.unet).to(dtype)
    made = StableDiffusionPipeline(
        vae=deepcopy(checkpoint.vae).to(dtype),
        text_encoder=deepcopy(checkpoint.text_encoder).to(dtype),
        tokenizer=checkpoint.tokenizer,
        unet=unet,
        scheduler=deepcopy(checkpoint.scheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.set_progress_bar_config(disable=True)
    return made


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


def measured(name: str, crowds: list[int], steps: int, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each crowd: seconds a job by each way, and how many times faster ours is."""
    shape = SHAPES[name]
    checkpoint = made(shape)
    plain, tuned = pipeline(checkpoint, torch.float32), pipeline(checkpoint, torch.bfloat16)
    if shape.blocks is not None:  # as tuned: what one would serve on this processor
        hardware = Hardware(torch.device("cpu"), torch.bfloat16)
        checkpoint = replace(checkpoint, hardware=hardware, unet=tuned.unet)
    engine = Engine(Only(Denoiser(checkpoint), shape.side), time.monotonic)
    ways: dict[str, Callable[[int], float]] = {
        "ours": partial(shared, engine, shape, steps),
        "plain": partial(in_line, plain, shape, steps),
        "tuned": partial(in_line, tuned, shape, steps),
    }
    rows = []
    for jobs in crowds:
        ways["ours"](jobs)  # the engine learns how many rows pay
        runs = [{way: run(jobs) for way, run in ways.items()} for _ in range(rounds)]
        each = {way: statistics.median(run[way] for run in runs) / jobs for way in ways}
        gains = {way: statistics.median(run[way] / run["ours"] for run in runs) for way in ("plain", "tuned")}
        rows.append({"shape": name, "people": jobs, "seconds_a_job": each, "against": gains})
        told = "  ".join(f"{way} {seconds:7.3f} s a job" for way, seconds in each.items())
        print(
            f"{name:>12} {jobs:>3} people  {told}  x{gains['plain']:.2f} / x{gains['tuned']:.2f}", flush=True
        )
    return rows


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--shapes", nargs="*", default=["embedded"], choices=list(SHAPES))
    options.add_argument("--crowds", type=int, nargs="*", default=[1, 2, 4, 8])
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    with torch.inference_mode():
        rows = [
            row
            for name in chosen.shapes
            for row in measured(name, chosen.crowds, chosen.steps, chosen.rounds)
        ]
    print(json.dumps({"throughput": rows}))


if __name__ == "__main__":
    main()
