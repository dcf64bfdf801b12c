"""Steps on a device that runs beside the CPU: what is prepared for one never waits for what runs there.

The device is torch's ``meta``, which has shapes and no numbers. Whatever would make a graphics card be waited
for, it cannot answer: to read a number, to decide by one, to pick by a mask, to copy to the CPU. What the
schedules keep on the CPU is read there for nothing. Only a copy *to* the device that waits is not refused by
itself; the two modes below refuse it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.worker.engine import tiny, tiny_flow, tiny_xl
from tests.worker.engine.recipes import drawing, job
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import assembled
from worker.engine.glimpse import Glimpse
from worker.engine.plan import SampleId
from worker.engine.region import Region
from worker.engine.style import Pull, palette_of
from worker.family import Family
from worker.recipe import ModelProfile

DEVICE = torch.device("meta")
aten = torch.ops.aten
STEPS = 4
# Schedules of diffusers that make the CPU wait at each step all the same, and by what.
WAITING = {
    "EulerAncestralDiscreteScheduler": "copies noise to the device, which a seed draws on the CPU",
    "UniPCMultistepScheduler": "lays out the weights of its steps on the device, one by one",
}


class NoWaitingCopies(TorchDispatchMode):
    """Refuse copies from the CPU to the device that wait until the device has come to them."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        made = func(*args, **named)
        source = {aten._to_copy.default: 0, aten.copy_.default: 1}.get(func)
        if source is not None and made.device == DEVICE != args[source].device:
            assert named.get("non_blocking") or args[2:] == (True,), "a copy to the device that waits for it"
        return made


class NoNumbersMadeThere(TorchFunctionMode):
    """Refuse tensors of Python's numbers made on the device: a copy that waits, which is not dispatched."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        there = func in (torch.tensor, torch.as_tensor) and made.device == DEVICE
        assert not there, "numbers copied to the device, which is waited for"
        return made


@pytest.fixture(autouse=True)
def no_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the fitting of what shows previews, which takes longer than all steps here."""
    monkeypatch.setattr(Glimpse, "fitted", lambda _checkpoint: None)


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return with_unet_on_the_device(tiny.saved(tmp_path_factory.mktemp("waits") / "tiny"))


def with_unet_on_the_device(folder: Path) -> Checkpoint:
    """Load a checkpoint whose prompts are encoded on the CPU."""
    profile = ModelProfile(name="tiny", source=str(folder), size=tiny.SIZE)
    checkpoint = load(profile, Hardware.named("cpu", "float32"))
    checkpoint.unet.to(DEVICE)
    return checkpoint


def scheduled(checkpoint: Checkpoint, schedule: str) -> Denoiser:
    scheduler = getattr(diffusers, schedule).from_config(checkpoint.scheduler.config)
    return Denoiser(replace(checkpoint, scheduler=scheduler))


def opened(denoiser: Any, *, guidance: float = 3.0) -> list[SampleId]:
    """Return two pictures of one job whose tensors are on the device, but for what schedules keep."""
    denoiser._device = DEVICE
    size = {"width": tiny.SIZE, "height": tiny.SIZE}
    order = job("job", drawing(**size, pictures=2, steps=STEPS, guidance=guidance))
    ids = [sample.id for sample in denoiser.open(order)]
    for row in denoiser._rows.values():
        row.latents = row.latents.to(DEVICE)
        row.positive, row.unconditional = (
            replace(told, context=told.context.to(DEVICE), pooled=told.pooled.to(DEVICE))
            for told in (row.positive, row.unconditional)
        )
    return ids


def step(denoiser: Any, ids: Sequence[SampleId]) -> None:
    """Take a step as the engine does: one pass for the batch, then each row's own schedule."""
    for sample_id, output in zip(ids, denoiser.forward(ids), strict=True):
        denoiser.take(sample_id, output)


def walk(denoiser: Any, ids: Sequence[SampleId]) -> None:
    with torch.no_grad(), NoWaitingCopies(), NoNumbersMadeThere():  # inference mode hides copies
        for _ in range(STEPS):
            step(denoiser, ids)
    assert all(row.latents.device == DEVICE for row in denoiser._rows.values())


@pytest.mark.parametrize(
    "schedule",
    [
        "DDIMScheduler",
        "DPMSolverMultistepScheduler",
        "EulerDiscreteScheduler",
        "HeunDiscreteScheduler",
        "LMSDiscreteScheduler",
        "PNDMScheduler",
    ],
)
def test_a_step_of_a_unet_never_waits_for_the_device(unet: Checkpoint, schedule: str) -> None:
    denoiser = scheduled(unet, schedule)
    walk(denoiser, opened(denoiser))


def test_a_step_of_the_larger_family_never_waits_either(tmp_path: Path) -> None:
    denoiser = Denoiser(with_unet_on_the_device(tiny_xl.saved(tmp_path / "tiny")))
    walk(denoiser, opened(denoiser))


@pytest.mark.parametrize("schedule", WAITING)
def test_schedules_that_make_their_steps_wait_are_known(unet: Checkpoint, schedule: str) -> None:
    denoiser = scheduled(unet, schedule)
    ids = opened(denoiser)
    with pytest.raises(AssertionError, match="device"):
        walk(denoiser, ids)


def test_neither_a_region_nor_detail_nor_a_second_pass_waits(unet: Checkpoint) -> None:
    denoiser = scheduled(unet, "DDIMScheduler")
    ids = opened(denoiser)
    for row in denoiser._rows.values():
        like = torch.empty_like(row.latents)
        row.region, row.detail = Region(like[:, :1], like, like), 0.5
        row.shape = torch.empty(1, 4, 4, 4, device=DEVICE)
    walk(denoiser, ids)


def test_the_span_of_guidance_is_found_without_waiting(unet: Checkpoint) -> None:
    denoiser = Denoiser(replace(unet, span=(0.3, 0.8)))
    walk(denoiser, opened(denoiser))


@pytest.mark.parametrize(
    ("family", "made"),
    [(Family.STABLE_DIFFUSION_3, tiny_flow.stable_diffusion_3), (Family.FLUX, tiny_flow.flux)],
)
def test_a_step_of_a_transformer_never_waits_for_the_device(family: Family, made: Any) -> None:
    profile = ModelProfile(name="tiny", source="tiny", size=tiny_flow.SIZE, grid=4, family=family)
    pipeline = made()
    denoiser = FlowDenoiser(assembled(profile, Hardware.named("cpu", "float32"), pipeline, "0" * 10))
    pipeline.transformer.to(DEVICE)
    ids = opened(denoiser)
    for row in denoiser._rows.values():
        like = torch.empty_like(row.latents)
        row.region, row.detail = Region(like[:, :1], like, like), 0.5
    walk(denoiser, ids)


def test_a_style_waits_for_its_statistics_are_of_the_cpu(unet: Checkpoint) -> None:
    denoiser = scheduled(unet, "DDIMScheduler")
    ids = opened(denoiser)
    for row in denoiser._rows.values():
        row.pull = Pull(palette_of(torch.randn(1, 4, 8, 8)), 0.5, 7)
    with pytest.raises(RuntimeError, match="Cannot copy out of meta"):
        walk(denoiser, ids)
