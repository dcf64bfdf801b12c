"""A person or thing from a picture: what IP-Adapters do beside diffusers' own, alone and in company."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from parser import parse
from tests.worker.engine import adapters, tiny, tiny_xl
from tests.worker.engine.recipes import job
from tests.worker.engine.studio import SAME, Studio, cells, distance, painted
from tests.worker.engine.test_families import studio_of
from tests.worker.gallery import gallery_open
from tests.worker.house import house_in
from tests.worker.test_runner import reaches, running
from worker.api import ErrorCode, Imagine, JobState, WorkerError
from worker.catalogue import Build, Catalogue, Entry, PictureAdapter
from worker.device import DeviceJob, Dropped, Failed
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.ip_adapter import CACHE_BYTES, Eye, fitted, squared
from worker.engine.local import InProcessDevice
from worker.engine.models import Models
from worker.links import Links
from worker.recipe import Drawing, ModelProfile, picture_seed, resolve
from worker.references import Likeness

FOX = "a fox on a green background"
STEPS = 2


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.saved(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return cache(lambda kind: adapters.saved(tmp_path_factory.mktemp("adapter"), kind))


@pytest.fixture(scope="module")
def checkpoint(folder: Path, file_of: Callable[[str], Path]) -> Checkpoint:
    with torch.inference_mode():
        return loaded(folder, file_of("plain"))


@pytest.fixture
def studio(checkpoint: Checkpoint) -> Studio:
    return studio_of(checkpoint)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Checkpoint:
    with torch.inference_mode():
        return loaded(folder, None)


def loaded(folder: Path, adapter: Path | str | None) -> Checkpoint:
    profile = ModelProfile(name="tiny", source=str(folder), size=tiny.SIZE)
    build = Build(offline=True, ip_adapter=None if adapter is None else fitting_of(adapter))
    return load(profile, Hardware.named("cpu", "float32"), build)


def fitting_of(adapter: Path | str, encoder: Path | None = None) -> PictureAdapter:
    return PictureAdapter(source=str(adapter), encoder=None if encoder is None else str(encoder))


def picture(seed: int, size: tuple[int, int] = (48, 48)) -> bytes:
    """Return a PNG of colours that differ much from one *seed* to the next."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colours).resize(size, Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


BODIES = {f"{number}.png": picture(number) for number in range(3)}


def looking(*likenesses: tuple[tuple[str, ...], float], seed: int = 7, **typed: Any) -> Drawing:
    facts = {"model": "tiny", "width": tiny.SIZE, "height": tiny.SIZE, "steps": STEPS, "guidance": 4.0}
    shown = tuple(Likeness(pictures=names, scale=scale) for names, scale in likenesses)
    return painted((FOX, 1.0), seed=seed, likenesses=shown, **(facts | typed))


def work(name: str, recipe: Drawing, owner: int = 1) -> DeviceJob:
    return replace(job(name, recipe, owner=owner), references=BODIES)


def theirs(
    folder: Path,
    file: Path,
    shown: list[list[str]],
    scales: list[float],
    *,
    pipeline: Any = None,
    **typed: Any,
) -> Any:
    """Return what the pipeline of diffusers draws with the same adapter, once for each scale."""
    pipeline = pipeline or StableDiffusionPipeline.from_pretrained(str(folder), safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_ip_adapter(str(file.parent), subfolder="", weight_name=[file.name] * len(scales))
    pipeline.set_ip_adapter_scale(scales)
    pixels = [torch.cat([squared(BODIES[name], adapters.SIDE) for name in names]) for names in shown]
    facts = {"num_inference_steps": STEPS, "guidance_scale": 4.0, "output_type": "np"} | typed
    generator = torch.Generator().manual_seed(picture_seed(7, 0))
    images = pipeline(prompt=FOX, ip_adapter_image=pixels, generator=generator, **facts).images
    return (images * 255).round().astype(np.uint8)


@pytest.mark.parametrize(
    "kind", ["plain", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("plus", "full"))]
)
def test_every_kind_of_adapter_gives_the_stock_pipelines_picture(
    folder: Path, plain: Checkpoint, file_of: Callable[[str], Path], kind: str
) -> None:
    file = file_of(kind)
    ours = studio_of(loaded(folder, file)).draw(work("a", looking((("0.png",), 0.8))))
    assert distance(ours, theirs(folder, file, [["0.png"]], [0.8])) <= SAME
    assert distance(ours, studio_of(plain).draw(work("a", looking()))) > 10 * SAME


@pytest.mark.slow
def test_stable_diffusion_xl_looks_at_pictures_as_the_stock_pipeline_does(tmp_path: Path) -> None:
    folder = tiny_xl.saved(tmp_path / "xl")
    file = adapters.saved(
        tmp_path / "adapter", "plus", width=sum(tiny_xl.WIDTHS), unet=tiny_xl.pipeline().unet
    )
    recipe = looking((("0.png",), 0.8))
    ours = studio_of(loaded(folder, file)).draw(work("a", recipe))
    pipeline = StableDiffusionXLPipeline.from_pretrained(str(folder), add_watermarker=False)
    assert distance(ours, theirs(folder, file, [["0.png"]], [0.8], pipeline=pipeline)) <= SAME
    assert distance(ours, studio_of(loaded(folder, None)).draw(work("a", looking()))) > 10 * SAME


def test_several_pictures_and_two_scales_give_the_stock_pipelines_picture(
    folder: Path, file_of: Callable[[str], Path], studio: Studio
) -> None:
    ours = studio.draw(work("a", looking((("0.png", "1.png"), 0.5), (("2.png",), 0.9))))
    shown = [["0.png", "1.png"], ["2.png"]]
    assert distance(ours, theirs(folder, file_of("plain"), shown, [0.5, 0.9])) <= SAME


def test_without_guidance_it_is_the_stock_pipelines_picture_too(
    folder: Path, file_of: Callable[[str], Path], studio: Studio
) -> None:
    ours = studio.draw(work("a", looking((("0.png",), 0.7), guidance=1.0)))
    same = theirs(folder, file_of("plain"), [["0.png"]], [0.7], guidance_scale=1.0)
    assert distance(ours, same) <= SAME


def test_in_company_each_sample_sees_its_own_pictures_at_its_own_scale(studio: Studio) -> None:
    recipes = {
        "none": looking(seed=1),
        "one": looking((("0.png",), 0.8), seed=2),
        "weak": looking((("0.png",), 0.2), seed=3),
        "two": looking((("1.png", "2.png"), 0.6), (("0.png",), 1.1), seed=4),
    }
    alone = {name: studio.draw(work(name, recipe)) for name, recipe in recipes.items()}
    together = studio.play(
        *(work(name, recipes[name], owner) for owner, name in enumerate(("one", "none", "two"))),
        notes={1: lambda engine: engine.submit(work("weak", recipes["weak"], 9))},
    )
    assert studio.engine.passes[4] > 0
    assert max(distance(alone[name], cells(together[name])) for name in recipes) <= SAME


def test_a_scale_of_nothing_and_no_picture_are_as_without_the_adapter(
    plain: Checkpoint, studio: Studio
) -> None:
    without = studio_of(plain).draw(work("a", looking()))
    for recipe in (looking(), looking((("0.png",), 0.0))):
        assert np.array_equal(studio.draw(work("a", recipe)), without)


@pytest.mark.parametrize("flags", ["--cref {} --cw", "--oref {} --ow"])
def test_the_more_it_weighs_the_further_a_picture_is_from_the_plain_one(studio: Studio, flags: str) -> None:
    address = "https://cdn.discordapp.com/a.png"
    profile = ModelProfile(name="tiny", source="tiny", size=tiny.SIZE, steps=STEPS, adapter=True)
    without = studio.draw(work("a", resolve(parse(FOX), profile, seed=3))).astype(float)
    far = []
    for weight in (1, 50, 100):
        request = parse(f"{FOX} {flags.format(address)} {weight}")
        recipe = resolve(request, profile, seed=3, names={address: "0.png"})
        far.append(np.abs(studio.draw(work("a", recipe)) - without).mean())
    assert far[0] * 1.2 < far[1] < far[2] / 1.2, far


def test_a_sample_that_looks_at_pictures_can_be_gone_on_with(studio: Studio, checkpoint: Checkpoint) -> None:
    recipe = looking((("0.png",), 0.8))
    whole = studio.draw(work("a", recipe))
    engine = studio.engine
    engine.submit(work("a", recipe))
    engine.step()
    [dropped] = engine.suspend()
    assert isinstance(dropped, Dropped)
    other = studio_of(checkpoint)
    kept = replace(work("a", recipe), kept=dropped.kept)
    assert distance(other.draw(kept), whole) <= SAME
    assert sum(other.engine.passes.values()) == STEPS - 1


def test_a_job_of_a_checkpoint_that_lost_its_adapter_fails_and_says_so(plain: Checkpoint) -> None:
    ended = studio_of(plain).play(work("a", looking((("0.png",), 0.8))))["a"]
    assert isinstance(ended, Failed)
    assert (ended.code, ended.retryable) == (ErrorCode.MODEL_MISSING, False)


def test_each_picture_is_read_once_and_the_memory_of_them_is_bounded(checkpoint: Checkpoint) -> None:
    eye = checkpoint.eye
    assert eye is not None
    read: list[int] = []
    hook = eye._encoder.register_forward_pre_hook(lambda _module, given: read.append(len(given[0])))
    try:
        bodies = [picture(50), picture(51), picture(50)]
        first = eye.seen(bodies, 0.5)
        asked = len(read)
        again = eye.seen(bodies, 0.9)
    finally:
        hook.remove()
    assert asked in {2, 3}  # the empty picture, if this is the first that is read
    assert len(read) == asked
    assert torch.equal(first.tokens, again.tokens)
    assert first.tokens.shape == first.blank.shape == (3 * adapters.TOKENS["plain"], tiny.WIDTH)


def test_what_was_read_longest_ago_is_forgotten() -> None:
    class Large(torch.nn.Module):
        def forward(self, _embedding: torch.Tensor) -> torch.Tensor:
            return torch.zeros(1, CACHE_BYTES // 8 // 3, 2)  # a third of what is kept

    class Reader(torch.nn.Module):
        config = type("Config", (), {"image_size": 8})
        read = 0

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, pixels: torch.Tensor, **_options: bool) -> Any:
            Reader.read += 1
            return type("Told", (), {"image_embeds": pixels.mean(dim=(2, 3))})

    eye = Eye(Reader(), Large(), pooled=True)
    for seed in (1, 2, 3, 1, 4, 1):
        eye.seen([picture(seed)], 1.0)
    assert Reader.read == 5  # the empty one, and each of four
    eye.seen([picture(2)], 1.0)
    assert Reader.read == 6


def test_a_tall_picture_is_seen_to_its_edges() -> None:
    tall = squared(picture(1, (32, 128)), 32)
    assert torch.allclose(tall, squared(picture(1, (32, 32)), 32), atol=0.6)
    assert tall.shape == (1, 3, 32, 32)


def test_what_does_not_exist_or_fit_is_one_sentence(file_of: Callable[[str], Path], tmp_path: Path) -> None:
    pipeline = tiny.pipeline()

    def told(adapter: Path | str, encoder: Path | None = None) -> str:
        build = Build(offline=True, ip_adapter=fitting_of(adapter, encoder))
        with pytest.raises(WorkerError) as caught:
            fitted(pipeline, "tiny", build, Hardware.named("cpu", "float32"))
        assert caught.value.code is ErrorCode.MODEL_MISSING
        sentence = str(caught.value.detail["reason"])
        assert sentence.startswith(f"The model tiny wants the IP-Adapter {adapter}, which ")
        assert sentence.endswith(".")
        return sentence

    assert "does not exist" in told(tmp_path / "gone.safetensors")
    assert "is no .safetensors file" in told(tmp_path / "old.bin")
    assert "is not on this machine, and `offline` forbids" in told("nobody/no/such.safetensors")
    wide = adapters.saved(tmp_path / "wide", width=32)
    assert "for prompts of width 32, and this model's have 16" in told(wide)
    own = file_of("plain")
    assert "where none is; name its folder as `encoder`" in told(own, tmp_path / "none")
    other = adapters.encoder(tmp_path / "other", says=8)
    assert "that says 24 numbers, and the one there says 8" in told(own, other)
    fewer = load_file(own)
    del fewer["ip_adapter.1.to_k_ip.weight"], fewer["ip_adapter.1.to_v_ip.weight"]
    save_file(fewer, tmp_path / "fewer.safetensors")
    assert "is made for another UNet" in told(tmp_path / "fewer.safetensors", own.parent / "image_encoder")


def test_a_checkpoint_whose_adapter_is_not_there_is_refused_when_it_is_loaded(folder: Path) -> None:
    with pytest.raises(WorkerError, match="model_missing"):
        loaded(folder, "/no/such.safetensors")


def test_an_adapter_is_part_of_what_tells_pictures_apart(plain: Checkpoint, checkpoint: Checkpoint) -> None:
    assert checkpoint.hash != plain.hash
    assert checkpoint.bytes > plain.bytes


@pytest.mark.slow
async def test_a_picture_by_address_reaches_the_network_through_desk_and_runner(
    folder: Path, file_of: Callable[[str], Path], tmp_path: Path
) -> None:
    profile = ModelProfile(name="tiny", source=str(folder), size=tiny.SIZE, steps=STEPS, adapter=True)
    builds = {"tiny": Build(offline=True, ip_adapter=fitting_of(file_of("plain")))}
    models = Models([profile], Hardware.named("cpu", "float32"), builds=builds)
    device = InProcessDevice(lambda: models, time.monotonic, threads=1)
    await device.open()
    async with gallery_open() as gallery:
        catalogue = Catalogue(entries=(Entry(profile=profile),))
        async with house_in(tmp_path, links=Links(gallery.guard), catalogue=catalogue) as house:
            red = gallery.show("red.png", picture(1))
            drawn = {}
            async with running(house, device):  # type: ignore[arg-type]
                for text in (
                    "a fox --seed 1",
                    f"a fox --seed 1 --cref {red}",
                    f"a fox --seed 1 --oref {red}",
                ):
                    order = Imagine(request=parse(text))
                    job = await house.desk.submit(order, owner_id=1, key=text, origin="{}")
                    done = await reaches(house, job.id, JobState.SUCCEEDED, JobState.FAILED)
                    drawn[text] = house.images.read(done.files[1])
            assert len(set(drawn.values())) == 3
    await device.close()
