"""What the parameters do to the pictures: for each a property, measured at three settings.

    python -m benchmarks.effects [--steps 8] [--seed 3] [--model models/embedded] [--only chaos]

Prints two tables as it goes, draws a chart of each and prints, as the last line, one JSON object. Every
prompt is typed, read and resolved as a person's is, so that nothing is measured that nobody can ask for.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from benchmarks import _chart
from parser import Speed, parse
from worker import cost
from worker.api import JobId
from worker.device import DeviceJob
from worker.engine.checkpoint import Hardware
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.engine.outcomes import Drawn
from worker.engine.precision import attune
from worker.recipe import Drawing, ModelProfile, resolve

FOX = "a fox on a blue background"
CAT = "a cat on a white background"
BOTH = "a fox and an apple on a white background"
HOUSE = "3d render"
PLAINLY = 0.35  # by so much a red pixel is redder than anything else
EDGE = 6  # pixels of a picture's rim, where the ground is

Grid = NDArray[np.float64]  # (pictures, height, width, 3), 0..1
Measure = Callable[[Grid, Grid], float]  # of the pictures, and of those they are compared with


@dataclass(frozen=True, slots=True)
class Trial:
    """One parameter.

    Attributes:
        name: Its name.
        what: What is measured, in words.
        prompts: What is typed, one prompt a setting.
        measure: What is measured.
        beside: The prompt whose pictures are the second argument; the first setting's by default.
    """

    name: str
    what: str
    prompts: tuple[str, ...]
    measure: Measure
    beside: str = ""


def apart(grid: Grid, _beside: Grid) -> float:
    """Return the mean difference between any two pictures of a grid."""
    return float(np.mean([np.abs(one - other).mean() for one, other in combinations(grid, 2)]))


def away(grid: Grid, beside: Grid) -> float:
    """Return the mean difference between two grids, picture by picture."""
    return float(np.abs(grid - beside).mean())


def roughness(grid: Grid, _beside: Grid) -> float:
    """Return the energy of the finest detail: the mean square of the Laplacian of the grey pictures."""
    grey = grid.mean(axis=3)
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return float(((4 * grey[:, 1:-1, 1:-1] - around) ** 2).mean())


def contrast(grid: Grid, _beside: Grid) -> float:
    """Return the energy of details as large as a latent: of 5 to 17 pixels, in 1/100."""
    grey = torch.from_numpy(grid.mean(axis=3))
    narrow, wide = (
        functional.avg_pool2d(grey, side, stride=1, padding=side // 2, count_include_pad=False)
        for side in (5, 17)
    )
    return 100 * float(((narrow - wide) ** 2).mean())


def seam(grid: Grid, _beside: Grid) -> float:
    """Return the difference across opposite edges, in parts of that between neighbours inside."""
    across = np.abs(grid[:, 0] - grid[:, -1]).mean() + np.abs(grid[:, :, 0] - grid[:, :, -1]).mean()
    inside = np.abs(np.diff(grid, axis=1)).mean() + np.abs(np.diff(grid, axis=2)).mean()
    return float(across / inside)


def greenness(grid: Grid, _beside: Grid) -> float:
    """Return how green the rim is against red and blue: -1..1."""
    rim = np.concatenate([grid[:, :EDGE].reshape(-1, 3), grid[:, -EDGE:].reshape(-1, 3)]).mean(axis=0)
    return float(rim[1] - (rim[0] + rim[2]) / 2)


def red(grid: Grid, _beside: Grid) -> float:
    """Return the share of the pixels that are red and nothing else."""
    return float((grid[..., 0] - grid[..., 1:].max(axis=3) > PLAINLY).mean())


def fineness(grid: Grid, beside: Grid) -> float:
    """Return the energy of the finest detail, in parts of what *beside* has at the same size, enlarged."""
    return roughness(grid, grid) / roughness(resized(beside, grid.shape[2], Image.Resampling.BICUBIC), grid)


def likeness(grid: Grid, beside: Grid) -> float:
    """Return the correlation of two grids, picture by picture, at the size of the second."""
    small = resized(grid, beside.shape[2], Image.Resampling.BOX)
    return float(
        np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(small, beside, strict=True)])
    )


def resized(grid: Grid, side: int, way: Image.Resampling) -> Grid:
    """Return square pictures at another size."""
    sized = [
        Image.fromarray((each * 255).round().astype(np.uint8)).resize((side, side), way) for each in grid
    ]
    return np.stack([np.asarray(each) for each in sized]) / 255


def redness(grid: Grid, _beside: Grid) -> float:
    """Return how red the rim is against blue: -1..1."""
    rim = np.concatenate([grid[:, :EDGE].reshape(-1, 3), grid[:, -EDGE:].reshape(-1, 3)])
    return float((rim[:, 0] - rim[:, 2]).mean())


def typed(prompt: str, name: str, values: Sequence[object]) -> tuple[str, ...]:
    """Return *prompt* with each of *values* of one parameter."""
    return tuple(f"{prompt} --{name} {value}" for value in values)


TRIALS = (
    Trial("chaos", "difference within the grid", typed(FOX, "chaos", (0, 50, 100)), apart),
    Trial("weird", "difference from the plain pictures", typed(FOX, "weird", (0, 1000, 3000)), away),
    Trial(
        "stylize",
        f"difference from the pictures of `{HOUSE}` typed out",
        typed(CAT, "stylize", (0, 100, 1000)),
        away,
        f"{CAT}, {HOUSE}",
    ),
    Trial(
        "raw",
        "difference from the plain pictures at --stylize 1000, without and with it",
        (f"{CAT} --stylize 1000", f"{CAT} --stylize 1000 --raw"),
        away,
        CAT,
    ),
    Trial("exp", "energy of details as large as a latent", typed(FOX, "exp", (0, 50, 100)), contrast),
    Trial("stop", "energy of fine detail", typed(FOX, "stop", (30, 60, 100)), roughness),
    Trial("tile", "seam against neighbours inside", ("a fox at sunset", "a fox at sunset --tile"), seam),
    Trial(
        "sameseed",
        "difference within the grid; plain, with it, with it and --chaos 60",
        (FOX, f"{FOX} --sameseed 4", f"{FOX} --sameseed 4 --chaos 60"),
        apart,
    ),
    Trial(
        "no",
        "green ground against red and blue; plain, green part -0.2, --no",
        ("a fox", "a fox:: green background::-0.2", "a fox --no green background"),
        greenness,
    ),
    Trial(
        "negative",
        "share of red pixels; plain, apple part -0.2 and -0.5",
        (BOTH, *(f"{BOTH}:: an apple::{weight}" for weight in (-0.2, -0.5))),
        red,
    ),
    Trial("hd", "fine detail beside a bicubic enlargement", (FOX, f"{FOX} --hd"), fineness),
    Trial("hd alike", "correlation with the plain picture, made small", (FOX, f"{FOX} --hd"), likeness),
    Trial(
        "weights",
        "red against blue ground, red part 1/4, 1 and 4 times as heavy",
        tuple(f"a fox on a red background::{w} {FOX}::1" for w in (0.25, 1, 4)),
        redness,
    ),
)
PRICED = (
    "",
    "--draft",
    "--q 0.5",
    "--q 2",
    "--stop 50",
    "--ar 3:2",
    "--ar 2:1",
    "--exp 100",
    "--tile",
    "--hd",
)


def recipe(prompt: str, profile: ModelProfile, seed: int) -> Drawing:
    """Return what *prompt*, as typed, comes to."""
    return resolve(parse(prompt), profile, seed=seed)


def draw(engine: Engine, recipes: Mapping[str, Drawing]) -> dict[str, Grid]:
    """Return the grids of *recipes*, drawn together."""
    for number, (name, each) in enumerate(recipes.items()):
        engine.submit(DeviceJob(JobId(name), 1, Speed.FAST, number, each, None, {}))
    grids: dict[str, Grid] = {}
    while engine.busy:
        for outcome in engine.step():
            if isinstance(outcome, Drawn):
                grids[outcome.job_id] = np.stack(list(outcome.cells)) / 255
    if set(grids) != set(recipes):
        raise SystemExit(f"not drawn: {set(recipes) - set(grids)}")
    return grids


def measured(engine: Engine, trial: Trial, profile: ModelProfile, seed: int) -> list[float]:
    """Return the property at each setting of *trial*."""
    beside = trial.beside or trial.prompts[0]
    wanted = dict.fromkeys([*trial.prompts, beside])
    grids = draw(engine, {prompt: recipe(prompt, profile, seed) for prompt in wanted})
    return [round(trial.measure(grids[prompt], grids[beside]), 4) for prompt in trial.prompts]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--seed", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--model", default="models/embedded")
    options.add_argument("--only", nargs="*", default=[trial.name for trial in TRIALS])
    chosen = options.parse_args()
    attune(chosen.threads)
    profile = ModelProfile(
        name="model", source=chosen.model, size=128, steps=chosen.steps, guidance=3, house_style=HOUSE
    )
    found: dict[str, object] = {}
    effects: dict[str, dict[str, float]] = {}
    prices: dict[str, dict[str, float]] = {}
    with torch.inference_mode():
        engine = Engine(Models([profile], Hardware.named("cpu")), time.monotonic)
        for trial in (trial for trial in TRIALS if trial.name in chosen.only):
            values = measured(engine, trial, profile, chosen.seed)
            found[trial.name] = values
            effects[trial.name] = {f"setting {index + 1}": value for index, value in enumerate(values)}
            print(
                f"{trial.name:>9}  {'  '.join(f'{value:8.4f}' for value in values):28}  {trial.what}",
                flush=True,
            )
    for extra in PRICED:
        each = recipe(f"{FOX} {extra}", profile, chosen.seed)
        found[f"cost {extra}".strip()] = price = cost.credits(each, profile)
        prices[extra or "plain"] = {"credits": price}
        print(f"{price:9.3f}  credits  {each.width} x {each.height}  {extra or 'plain'}")
    print(_chart.draw("effects", _chart.bars("Each parameter at its settings", "its own property", effects)))
    print(_chart.draw("effects-prices", _chart.bars("What a prompt costs", "credits", prices)))
    _chart.told("effects", found)


if __name__ == "__main__":
    main()
