"""The product's figures through its real processes: answers under load, a job's overhead, idle cost.

    python -m benchmarks.product [--submissions 500] [--together 20] [--jobs 9] [--idle 20]

Starts the local Discord, the bot and the worker on a temporary folder. Prints a table and, as the last
line, one JSON object; charts go to `build/charts`. The baseline of a job's time is the stock pipeline of
diffusers with the same prompt, steps, number of pictures and type, run between the jobs while the worker is
idle.
"""

import argparse
import asyncio
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from diffusers import StableDiffusionPipeline

from benchmarks._chart import bars, draw, told
from cli.checkpoint import EMBEDDED_STEPS
from tests.acceptance.member import Member
from tests.acceptance.stage import Part, Stage
from worker.engine.precision import attune

DISCORD_EPOCH = 1_420_070_400  # Unix seconds where snowflakes begin
ROOM = {
    "JOURNEYMAN_LIMITS__WAITING": "100000",
    "JOURNEYMAN_LIMITS__RUNNING": "100000",
    "JOURNEYMAN_ENGINE__DTYPE": "float32",  # as the pipeline: what is around it is to be seen
}
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(part: Part) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{part.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def percentile(values: list[float], share: float) -> float:
    """Return the value below which *share* of them lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def journal(stage: Stage) -> list[dict[str, Any]]:
    """Return the requests the local Discord has seen."""
    entries: list[dict[str, Any]] = await stage.discord("GET", "/journal")
    return entries


def received(route: str) -> float:
    """Return when the interaction in a callback's route was made, Unix seconds."""
    snowflake = int(route.split("/interactions/", maxsplit=1)[1].partition("/")[0])
    return (snowflake >> 22) / 1000 + DISCORD_EPOCH


async def answers(stage: Stage, member: Member, submissions: int, together: int) -> list[float]:
    """Send many `/imagine`, some at a time, while the worker draws; return milliseconds to each answer."""
    await stage.discord("DELETE", "/journal")
    gate = asyncio.Semaphore(together)

    async def one(number: int) -> None:
        async with gate:
            nonce = await member.command("imagine", prompt=f"a fox number {number} --relax")
            await member.until(lambda: member.answer(nonce))

    await asyncio.gather(*(one(number) for number in range(submissions)))
    callbacks = [e for e in await journal(stage) if e["route"].endswith("/callback")]
    return [(entry["at"] - received(entry["route"])) * 1000 for entry in callbacks]


async def one_job(stage: Stage, member: Member, number: int) -> float:
    """Return seconds from an interaction to the POST of its grid."""
    await stage.discord("DELETE", "/journal")
    prompt = f"a red fox on a blue background number {number}"
    await member.command("imagine", prompt=prompt)
    await member.until(lambda: member.find(f"number {number}", having="MJ::JOB::reroll"))
    entries = await journal(stage)
    asked = next(received(e["route"]) for e in entries if e["route"].endswith("/callback"))
    posted = next(e["at"] for e in entries if e["method"] == "POST" and e["route"].endswith("/messages"))
    return float(posted - asked)


def bare(pipeline: StableDiffusionPipeline, number: int) -> float:
    """Return seconds the stock pipeline takes for the same four pictures."""
    began = time.perf_counter()
    pipeline(
        f"a red fox on a blue background number {number}",
        num_images_per_prompt=4,
        num_inference_steps=EMBEDDED_STEPS,
        guidance_scale=3.0,
    )
    return time.perf_counter() - began


async def beyond_the_pipeline(stage: Stage, member: Member, jobs: int) -> list[tuple[float, float]]:
    """Return pairs of seconds: one default job through the product, the bare pipeline right after it."""
    attune(2)
    pipeline = StableDiffusionPipeline.from_pretrained(
        "models/embedded", safety_checker=None, dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    with torch.inference_mode():
        bare(pipeline, 0)
        await one_job(stage, member, 0)
        return [(await one_job(stage, member, n), bare(pipeline, n)) for n in range(1, jobs + 1)]


async def idle(stage: Stage, seconds: float) -> float:
    """Return the share of a core that all parts use with nothing to do."""
    before = sum(map(cpu_seconds, stage.parts))
    await asyncio.sleep(seconds)
    return (sum(map(cpu_seconds, stage.parts)) - before) / seconds


async def measure(chosen: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Run everything once."""
    async with Stage(folder) as stage:
        bot = await stage.bot(**ROOM)
        worker = await stage.worker(**ROOM)
        async with Member(stage.facts) as member:
            pairs = await beyond_the_pipeline(stage, member, chosen.jobs)
            calm = await idle(stage, chosen.idle)
            waits = await answers(stage, member, chosen.submissions, chosen.together)
        return {
            "job_seconds": statistics.median(job for job, _ in pairs),
            "pipeline_seconds": statistics.median(stock for _, stock in pairs),
            "beyond_ms": statistics.median(job - stock for job, stock in pairs) * 1000,
            "ratio": statistics.median(job / stock for job, stock in pairs),
            "answers": len(waits),
            "answer_p50_ms": percentile(waits, 0.5),
            "answer_p99_ms": percentile(waits, 0.99),
            "answer_max_ms": max(waits),
            "idle_share_of_a_core": calm,
            "bot_peak_mb": bot.peak_megabytes(),
            "worker_peak_mb": worker.peak_megabytes(),
        }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--submissions", type=int, default=500)
    options.add_argument("--together", type=int, default=20)
    options.add_argument("--jobs", type=int, default=9)
    options.add_argument("--idle", type=float, default=20)
    chosen = options.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(chosen, Path(folder)))
    for name, value in result.items():
        print(f"{name:>22} {value:10.3f}")
    seconds = {
        "a job": {"through the product": result["job_seconds"], "bare pipeline": result["pipeline_seconds"]}
    }
    waits = {name: {"answer": result[f"answer_{name}_ms"]} for name in ("p50", "p99", "max")}
    draw("product-job", bars("From the order to the grid", "seconds", seconds))
    draw("product-answers", bars("From the order to the first answer, under load", "milliseconds", waits))
    told("product", result)


if __name__ == "__main__":
    main()
