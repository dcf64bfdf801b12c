import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional

from tests.fakes import Clock
from tests.worker.engine.recipes import job
from worker.api import ErrorCode, WorkerError
from worker.device import Failed
from worker.engine import pictures, upscaler
from worker.engine.engine import Engine
from worker.engine.ncnn import Network
from worker.engine.outcomes import Drawn, Moved
from worker.engine.upscaler import MARGIN, Upscaler, cut
from worker.recipe import Upscaling

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def doubling() -> Upscaler:
    return Upscaler(2, CPU)


class Only:
    """Backends of one upscaler."""

    def __init__(self, backend: Upscaler) -> None:
        self._backend = backend

    def preload(self) -> upscaler.BatchKey:
        return upscaler.BatchKey("none", 1, 1, 0, guided=False)

    def backend(self, _recipe: object) -> Upscaler:
        return self._backend


def scene(height: int, width: int) -> np.ndarray:
    """Return discs and stripes with hard edges."""
    y, x = np.mgrid[:height, :width]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 3) ** 2
    picture = np.stack([np.where(disc, 220, 40), (x * 3 + y) % 256, np.where(y // 9 % 2, 200, 90)], axis=-1)
    return picture.astype(np.uint8)


def enlarge(backend: Upscaler, source: np.ndarray, **text: str) -> tuple[Drawn, list[Moved]]:
    height, width = source.shape[:2]
    engine = Engine(Only(backend), Clock())
    recipe = Upscaling(picture="p", factor=2, width=width * 2, height=height * 2)
    outcomes = engine.submit(job("up", recipe, source=pictures.png(source, text)))
    while engine.busy:
        outcomes += engine.step()
    [drawn] = [outcome for outcome in outcomes if isinstance(outcome, Drawn)]
    return drawn, [outcome for outcome in outcomes if isinstance(outcome, Moved)]


@pytest.mark.parametrize(("height", "width"), [(100, 72), (37, 150)])
def test_tiles_leave_no_seams(doubling: Upscaler, height: int, width: int) -> None:
    source = scene(height, width)
    drawn, moved = enlarge(doubling, source)
    assert moved
    with torch.inference_mode():
        whole = doubling._network(pictures.tensor(pictures.png(source, {})) / 2 + 0.5)
    untiled = pictures.pixels(whole * 2 - 1)[0]
    assert drawn.cells[0].shape == (height * 2, width * 2, 3)
    assert np.abs(drawn.cells[0].astype(int) - untiled.astype(int)).max() <= 1


def test_the_result_is_sharper_than_plain_enlargement_and_of_the_same_picture(doubling: Upscaler) -> None:
    y, x = np.mgrid[:512, :512]
    disc = np.where((x - 256) ** 2 + (y - 256) ** 2 < 180**2, 220, 40).astype(np.uint8)
    large = Image.fromarray(np.stack([disc] * 3, axis=-1))
    source = np.asarray(
        large.resize((128, 128), Image.Resampling.BOX).resize((64, 64), Image.Resampling.BICUBIC)
    )
    result = enlarge(doubling, source)[0].cells[0].astype(float)
    plain = np.asarray(Image.fromarray(source).resize((128, 128), Image.Resampling.BICUBIC), dtype=float)

    def steepest(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture[..., 0], axis=1)).max())

    assert steepest(result) > 1.2 * steepest(plain)
    shrunk = np.asarray(Image.fromarray(result.astype(np.uint8)).resize((64, 64), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(float) - source).mean() < 16


def test_progress_comes_with_every_tile(doubling: Upscaler) -> None:
    _, moved = enlarge(doubling, scene(128, 128))
    assert [outcome.fraction for outcome in moved] == [0.25, 0.5, 0.75]


def test_the_png_keeps_the_sources_story(doubling: Upscaler) -> None:
    drawn, _ = enlarge(doubling, scene(16, 16), parameters="a red fox\nSteps: 20")
    said = Image.open(io.BytesIO(pictures.files(drawn.cells, drawn.text)["1.png"])).info
    assert said["parameters"] == "a red fox\nSteps: 20"
    assert said["job_id"] == "up"
    assert said["upscaler"] == "REALESRGAN_ANIMAVIDEOV3_UP2X"


def test_two_pictures_of_one_size_share_their_tiles_forward_passes(doubling: Upscaler) -> None:
    engine = Engine(Only(doubling), Clock())
    recipe = Upscaling(picture="p", factor=2, width=64, height=64)
    for name in ("a", "b"):
        engine.submit(job(name, recipe, source=pictures.png(scene(32, 32), {})))
    engine.step()
    assert engine.passes == {2: 1}


def test_a_file_that_is_no_picture_fails_its_job(doubling: Upscaler) -> None:
    recipe = Upscaling(picture="p", factor=2, width=64, height=64)
    [outcome] = Engine(Only(doubling), Clock()).submit(job("a", recipe, source=b"no picture"))
    assert isinstance(outcome, Failed)


@given(st.integers(1, 700), st.integers(1, 700))
def test_tiles_cover_every_pixel_once_and_see_enough_around(height: int, width: int) -> None:
    (window_height, window_width), tiles = cut(height, width)
    covered = np.zeros((height, width), dtype=np.uint8)
    for tile in tiles:
        top, left, bottom, right = tile.core
        covered[top:bottom, left:right] += 1
        assert 0 <= tile.top <= max(0, top - MARGIN) or tile.top == height - window_height
        assert 0 <= tile.left <= max(0, left - MARGIN) or tile.left == width - window_width
        assert tile.top + window_height >= min(height, bottom + MARGIN)
        assert tile.left + window_width >= min(width, right + MARGIN)
    assert (covered == 1).all()


def test_the_large_network_of_the_gpu_is_read_as_well() -> None:
    network = Network(upscaler._weights_folder(), "REALESRGAN_X4PLUS_UP4X", CPU)
    source = pictures.tensor(pictures.png(scene(16, 16), {})) / 2 + 0.5
    with torch.inference_mode():
        result = network(source)
    assert result.shape == (1, 3, 64, 64)
    assert float((functional.avg_pool2d(result, 4) - source).abs().mean()) < 0.1


def test_damaged_weights_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "REALESRGAN_ANIMAVIDEOV3_UP2X"
    folder = upscaler._weights_folder()
    (tmp_path / f"{name}.param").write_bytes((folder / f"{name}.param").read_bytes())
    (tmp_path / f"{name}.bin").write_bytes((folder / f"{name}.bin").read_bytes()[:5000])
    monkeypatch.setattr(upscaler, "_weights_folder", lambda: tmp_path)
    with pytest.raises(WorkerError) as caught:
        Upscaler(2, CPU)
    assert caught.value.code is ErrorCode.MODEL_MISSING
    assert name in str(caught.value.detail["reason"])
