import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.worker.engine import tiny
from tests.worker.engine.recipes import drawing, job
from tests.worker.engine.studio import Studio, cells
from worker.catalogue import Build
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.plan import BatchKey
from worker.recipe import ModelProfile, Recipe

STEPS = 10


class One:
    """The network of a test, where the engine looks for networks."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser

    def preload(self) -> BatchKey:
        return self.denoiser.key(tiny.SIZE, tiny.SIZE)

    def backend(self, _recipe: Recipe) -> Denoiser:
        return self.denoiser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.saved(tmp_path_factory.mktemp("tiny") / "tiny")


def loaded(folder: Path, *interval: float) -> Checkpoint:
    build = Build(guidance_interval=interval) if interval else Build()
    return load(
        ModelProfile(name="tiny", source=str(folder), size=tiny.SIZE), Hardware.named("cpu", "float32"), build
    )


def order(name: str, *, guidance: float = 5.0) -> Any:
    recipe = drawing(
        model="tiny", width=tiny.SIZE, height=tiny.SIZE, steps=STEPS, pictures=1, guidance=guidance
    )
    return job(name, recipe)


def rows_of(checkpoint: Checkpoint, *orders: Any) -> tuple[list[int], dict[str, Any]]:
    """Draw *orders*; return how many rows each pass had, and how they ended."""
    seen: list[int] = []
    hook = checkpoint.unet.register_forward_pre_hook(lambda _module, given: seen.append(len(given[0])))
    with torch.inference_mode():
        ended = Studio(Engine(One(Denoiser(checkpoint)), time.monotonic)).play(*orders)
    hook.remove()
    return seen, ended


def test_guidance_takes_a_second_row_within_its_interval_alone(folder: Path) -> None:
    seen, _ = rows_of(loaded(folder, 0.25, 0.75), order("a"))
    assert len(seen) == STEPS
    assert seen[0] == seen[-1] == 1
    assert seen[STEPS // 2] == 2
    assert sum(seen) == STEPS + 5  # the timesteps are evenly apart: half of them


def test_without_an_interval_every_step_is_guided(folder: Path) -> None:
    assert rows_of(loaded(folder), order("a"))[0] == [2] * STEPS


def test_outside_its_interval_a_step_is_that_of_a_picture_without_guidance(folder: Path) -> None:
    last = loaded(folder, 0.9995, 1.0)  # the end of the schedule: no step is so late
    _, guided = rows_of(last, order("a", guidance=9.0))
    _, plain = rows_of(replace(last, span=(0.0, 1.0)), order("a", guidance=1.0))
    assert (guided["a"].cells[0] == plain["a"].cells[0]).all()


def test_pictures_inside_and_outside_of_the_interval_share_steps(folder: Path) -> None:
    checkpoint = loaded(folder, 0.25, 0.75)
    alone = {name: rows_of(checkpoint, order(name))[1][name].cells[0] for name in ("a", "b")}
    with torch.inference_mode():
        studio = Studio(Engine(One(Denoiser(checkpoint)), time.monotonic))
        late = {4: lambda engine: engine.submit(order("b"))}
        together = studio.play(order("a"), notes=late)
    for name, cell in alone.items():
        assert abs(cells(together[name])[0].astype(int) - cell.astype(int)).max() <= 1


def test_pictures_with_an_interval_are_known_to_be_others(folder: Path) -> None:
    assert loaded(folder, 0.25, 0.75).hash != loaded(folder).hash
