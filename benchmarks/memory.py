"""What drawing takes of memory: weights, and what steps and decoding need beside them, by pictures together.

    python -m benchmarks.memory [--shape embedded sd15-256] [--pictures 1 2 4 8] [--dtype float32]

The peak is that of the process since the measurement began, as the kernel counts it, less what was in use
before. Prints a table and, as the last line, one JSON object.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch

from benchmarks._chart import bars, draw, told
from benchmarks._shapes import SHAPES, Shape, made
from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine import memory
from worker.engine.checkpoint import Hardware
from worker.engine.denoiser import Denoiser
from worker.engine.precision import attune
from worker.recipe import Drawing, picture_seed

CPU = torch.device("cpu")
MEGABYTE = 10**6
STEPS = 2


def job(shape: Shape, pictures: int) -> DeviceJob:
    """Return a job of so many pictures."""
    recipe = Drawing(
        model="model", width=shape.side, height=shape.side, steps=STEPS, stop_after=STEPS, guidance=3.0,
        positive=(Part(text="a red fox"),), negative=(), negative_pull=0,
        seeds=tuple(picture_seed(0, index) for index in range(pictures)),
    )  # fmt: skip
    return DeviceJob(JobId("job"), 1, Speed.FAST, 0, recipe, None, {})


def measured(name: str, counts: Sequence[int], dtype: torch.dtype) -> Iterator[dict[str, Any]]:
    """Yield a row for each number of pictures."""
    shape, checkpoint = SHAPES[name], made(SHAPES[name])
    checkpoint = replace(checkpoint, hardware=Hardware(CPU, dtype), unet=checkpoint.unet.to(dtype))
    denoiser = Denoiser(checkpoint)
    for pictures in counts:
        ids = [sample.id for sample in denoiser.open(job(shape, pictures))]
        idle = memory.in_use(CPU) or 0
        memory.begin_peak(CPU)
        for sample_id, output in zip(ids, denoiser.forward(ids), strict=True):
            denoiser.take(sample_id, output)
        stepping = memory.peak(CPU) or 0
        memory.begin_peak(CPU)
        denoiser.ended(ids)()
        decoding = memory.peak(CPU) or 0
        denoiser.close(ids)
        yield {
            "shape": name,
            "dtype": str(dtype).removeprefix("torch."),
            "pictures": pictures,
            "weights_mb": round(denoiser.bytes / MEGABYTE),
            "step_mb": round(max(0, stepping - idle) / MEGABYTE),
            "decode_mb": round(max(0, decoding - idle) / MEGABYTE),
            "process_mb": round(max(stepping, decoding) / MEGABYTE),
        }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--shape", nargs="*", default=["embedded"], choices=list(SHAPES))
    options.add_argument("--pictures", type=int, nargs="*", default=[1, 2, 4, 8])
    options.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    attune(chosen.threads)
    rows = []
    with torch.inference_mode():
        for name in chosen.shape:
            for row in measured(name, chosen.pictures, getattr(torch, chosen.dtype)):
                rows.append(row)
                print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    table = {
        f"{row['shape']}, {row['pictures']} pictures": {
            each: float(row[f"{each}_mb"]) for each in ("weights", "step", "decode")
        }
        for row in rows
    }
    print(draw("memory", bars("What drawing takes of memory", "MB", table)))
    told("memory", rows)


if __name__ == "__main__":
    main()
