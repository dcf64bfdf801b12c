"""How much of what the machine can multiply the denoiser reaches, and what keeps it from the rest.

    python -m benchmarks.ceiling [--shape sd15-256 sd15-512] [--dtype bfloat16] [--profile] [--compile]

The peak is that of large square matrix products in the same type, measured between the forward passes, so
that a busy machine lowers both. Operations are counted by running the network on tensors without data:
products and convolutions alone, two for each multiplication that is added. Some counters leave out the two
products inside of attention, so the share is given without them too. `--stock` measures the network as the
library runs it, without what we change of it; `--compile` as `compile = true` of a model has it, which takes
minutes first. The roofline says how short a pass could be by arithmetic, and by reading the weights and what
goes in and out of each layer once. Prints a table and, as the last line, one JSON object; draws a chart into
build/charts.
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
from diffusers import UNet2DConditionModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks._chart import bars, draw, told
from benchmarks._shapes import SHAPES, TOKENS, made
from worker.engine.checkpoint import Checkpoint
from worker.engine.precision import attune
from worker.engine.small_maps import quickened

SIDE = 2048  # of the matrices
COPIED = 256 * 2**20  # bytes; more than any cache holds
SHOWN = 12  # kinds of operations in a profile
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def operations(checkpoint: Checkpoint, rows: int, side: int) -> tuple[int, int]:
    """Return the floating point operations of one forward pass: all, and those inside of attention."""
    with torch.device("meta"):
        network = UNet2DConditionModel.from_config(checkpoint.unet.config)
        given = inputs(checkpoint, rows, side, torch.float32)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        network(**given)
    inside = counter.get_flop_counts()["Global"].get(torch.ops.aten.bmm, 0)
    return int(counter.get_total_flops()), int(inside)


def inputs(checkpoint: Checkpoint, rows: int, side: int, dtype: torch.dtype) -> dict[str, Any]:
    """Return what a forward pass is given, *side* in pixels."""
    config, latents = checkpoint.unet.config, side // checkpoint.grid
    return {
        "sample": torch.randn(rows, config.in_channels, latents, latents).to(
            dtype, memory_format=torch.channels_last
        ),
        "timestep": torch.full((rows,), 500),
        "encoder_hidden_states": torch.randn(rows, TOKENS, config.cross_attention_dim).to(dtype),
        "return_dict": False,
    }


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long *work* takes once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def touched(network: UNet2DConditionModel, given: dict[str, Any]) -> int:
    """Return the bytes that layers read and write at least: weights, inputs and outputs, each once."""
    total: int = sum(each.nbytes for each in network.parameters())

    def count(_module: object, taken: tuple[Any, ...], made: object) -> None:
        nonlocal total
        total += sum(each.nbytes for each in (*taken, made) if isinstance(each, torch.Tensor))

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in leaves]
    network(**given)
    for hook in hooks:
        hook.remove()
    return total


def measured(name: str, rows: int, kind: str, rounds: int, *, profile: bool, way: str) -> dict[str, Any]:
    """Return one row of the table."""
    shape, dtype = SHAPES[name], TYPES[kind]
    checkpoint = made(shape)
    network = checkpoint.unet.to(dtype, memory_format=torch.channels_last)
    if way != "stock":
        quickened(network, checkpoint.hardware.device)
    given = inputs(checkpoint, rows, shape.side, dtype)
    moved = touched(network, given)
    if way == "compile":
        network.compile(dynamic=False)
    left, right = torch.randn(SIDE, SIDE).to(dtype), torch.randn(SIDE, SIDE).to(dtype)
    page = torch.empty(COPIED, dtype=torch.uint8)
    work: dict[str, Callable[[], object]] = {
        "product": lambda: left @ right,
        "copy": page.clone,
        "pass": lambda: network(**given),
    }
    for each in work.values():
        each()
    runs = [{what: seconds_of(each) for what, each in work.items()} for _ in range(rounds)]
    taken = {what: statistics.median(run[what] for run in runs) for what in work}
    peak, (count, inside) = 2 * SIDE**3 / taken["product"], operations(checkpoint, rows, shape.side)
    bandwidth = 2 * COPIED / taken["copy"]
    share = statistics.median((count / run["pass"]) / (2 * SIDE**3 / run["product"]) for run in runs)
    if profile:
        _profiled(work["pass"])
    return {
        "shape": name,
        "rows": rows,
        "dtype": kind,
        "way": way,
        "gflop": round(count / 1e9, 1),
        "seconds": round(taken["pass"], 4),
        "gflops": round(count / taken["pass"] / 1e9, 1),
        "peak_gflops": round(peak / 1e9, 1),
        "share_of_peak": round(share, 3),
        "share_without_attention": round(share * (1 - inside / count), 3),
        "least_seconds_arithmetic": round(count / peak, 4),
        "least_seconds_memory": round(moved / bandwidth, 4),
        "bandwidth_gb": round(bandwidth / 1e9, 1),
        "operations_a_byte": round(count / moved, 1),
    }


def note(row: dict[str, Any]) -> str:
    """Return what limits a pass, by the roofline."""
    arithmetic, memory = row["least_seconds_arithmetic"], row["least_seconds_memory"]
    limit = "arithmetic" if arithmetic >= memory else "memory"
    rest = row["seconds"] - max(arithmetic, memory)
    rate = f"{row['gflops']:.0f} of {row['peak_gflops']:.0f} GFLOP/s, {row['share_of_peak']:.0%} of the peak"
    rate += f" ({row['share_without_attention']:.0%} without the products inside of attention)"
    roof = f"bound by {limit} ({arithmetic:.3f} s by arithmetic, {memory:.3f} s by memory)"
    left = f"{rest:.3f} of {row['seconds']:.3f} s go to what neither explains"
    return f"{row['shape']} x{row['rows']} {row['dtype']}: {rate}; {roof}; {left}"


def _profiled(work: Callable[[], object]) -> None:
    """Print which kinds of operations a pass consists of."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        work()
    print(
        profiler.key_averages().table(
            sort_by="self_cpu_time_total", row_limit=SHOWN, max_name_column_width=40
        )
    )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--shape", nargs="*", default=["embedded"], choices=list(SHAPES))
    options.add_argument("--rows", type=int, nargs="*", default=[2, 8], help="of a forward pass")
    options.add_argument("--dtype", nargs="*", default=["float32", "bfloat16"], choices=list(TYPES))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    ways = options.add_mutually_exclusive_group()
    ways.add_argument(
        "--stock", dest="way", action="store_const", const="stock", help="as the library runs it"
    )
    ways.add_argument("--compile", dest="way", action="store_const", const="compile", help="compiled")
    options.add_argument("--profile", action="store_true", help="print what each pass consists of")
    chosen = options.parse_args()
    attune(chosen.threads)
    found = []
    with torch.inference_mode():
        for name in chosen.shape:
            for kind in chosen.dtype:
                for rows in chosen.rows:
                    found.append(
                        measured(
                            name, rows, kind, chosen.rounds, profile=chosen.profile, way=chosen.way or "ours"
                        )
                    )
                    print(note(found[-1]), flush=True)
    table = {
        f"{row['shape']} x{row['rows']} {row['dtype']}": {
            "peak": row["peak_gflops"],
            "denoiser": row["gflops"],
        }
        for row in found
    }
    print(draw("ceiling", bars("What the denoiser reaches of the peak", "GFLOP/s", table)))
    told("ceiling", found)


if __name__ == "__main__":
    main()
