"""A network is compiled for the usual batches when it is loaded, never while somebody waits."""

import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from structlog.testing import capture_logs
from torch import nn
from torch._dynamo.utils import counters

from parser import Part
from tests.fakes import Clock
from tests.worker.engine import tiny, tiny_flow
from tests.worker.engine.recipes import drawing, job
from tests.worker.engine.studio import SAME, Studio, distance
from tests.worker.engine.test_guidance_interval import One
from worker.catalogue import Build
from worker.device import DeviceJob
from worker.engine import compiled
from worker.engine.checkpoint import Hardware
from worker.engine.compiled import USUAL, Compiled, compile_usual
from worker.engine.denoiser import Denoiser
from worker.engine.engine import Engine
from worker.engine.families import denoiser_of
from worker.engine.plan import BatchKey, Sample, SampleId
from worker.recipe import Drawing, ModelProfile

PROFILE = ModelProfile(name="tiny", source="tiny", size=tiny.SIZE)
FLOWS: dict[str, Callable[[], Any]] = {"sd3": tiny_flow.stable_diffusion_3, "flux": tiny_flow.flux}
Backend = Callable[[torch.fx.GraphModule, Sequence[torch.Tensor]], Callable[..., Any]]


class Network(nn.Linear):
    """A layer compiled by *backend*, which stands for the compiler."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(3, 3)
        self.backend = backend

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return super().forward(given).relu()

    def compile(self, **typed: Any) -> None:
        super().compile(backend=self.backend, **typed)


class Passes:
    """What draws with it; *forwards* are the sizes of its passes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.compiled = Compiled()
        self.held: set[SampleId] = set()
        self.forwards: list[int] = []

    def open(self, job: DeviceJob) -> list[Sample]:
        assert isinstance(job.recipe, Drawing)
        ids = [SampleId(job.job_id, job.attempt, i) for i in range(len(job.recipe.seeds))]
        self.held |= set(ids)
        return [Sample(i, BatchKey("tiny", 1, 1, 0, guided=False), job.speed, 0, 1) for i in ids]

    def forward(self, ids: Sequence[SampleId], *, plain: bool = True) -> Sequence[torch.Tensor]:
        self.forwards.append(len(ids))
        with self.compiled.passing(plain=plain):
            return [*self.network(torch.ones(len(ids), 3))]

    def close(self, ids: Sequence[SampleId]) -> None:
        self.held -= set(ids)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    torch.compiler.reset()


def compiler_here() -> bool:
    """Tell whether this machine has what torch's compiler takes: one for C++, and Python's headers."""
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    return shutil.which("clang++" if sys.platform == "darwin" else "g++") is not None and headers.is_file()


def ids(rows: int) -> list[SampleId]:
    return [SampleId(job("a").job_id, 1, cell) for cell in range(rows)]


def test_the_usual_batches_are_compiled_at_once_and_no_other_ever() -> None:
    made: list[int] = []
    ran: list[int] = []

    def compiler(graph: torch.fx.GraphModule, given: Sequence[torch.Tensor]) -> Callable[..., Any]:
        made.append(1)

        def run(*values: torch.Tensor) -> Any:
            ran.append(1)
            return graph.forward(*values)

        return run

    drawing = Passes(Network(compiler))
    with torch.inference_mode(), capture_logs() as logs:
        compile_usual(drawing, drawing.network, PROFILE, Clock())
        assert [entry["pictures"] for entry in logs if entry["event"] == "model_compiled"] == list(USUAL)
        assert (len(made), drawing.forwards, drawing.held) == (len(USUAL), list(USUAL), set())
        ran.clear()
        drawing.forward(ids(4))
        assert len(ran) == 1
        drawing.forward(ids(3))  # a size it was not compiled for
        drawing.forward(ids(4), plain=False)
    assert (len(ran), len(made)) == (1, len(USUAL))


def test_where_nothing_can_be_compiled_one_warning_says_why_and_passes_run_as_ever() -> None:
    def broken(_graph: object, _given: object) -> Callable[..., Any]:
        raise RuntimeError("No working C++ compiler found")

    drawing = Passes(Network(broken))
    with torch.inference_mode(), capture_logs() as logs:
        compile_usual(drawing, drawing.network, PROFILE, Clock())
        output = torch.stack(list(drawing.forward(ids(4))))
        expected = nn.Linear.forward(drawing.network, torch.ones(4, 3)).relu()
    assert torch.equal(output, expected)
    [warning] = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warning["event"] == "model_not_compiled"
    assert "No working C++ compiler found" in warning["reason"]


def test_what_was_compiled_stays_when_memory_does_not_suffice_for_a_larger_batch() -> None:
    ran: list[int] = []

    def short(graph: torch.fx.GraphModule, given: Sequence[torch.Tensor]) -> Callable[..., Any]:
        def run(*values: torch.Tensor) -> Any:
            ran.append(1)
            return graph.forward(*values)

        if any(len(each) == USUAL[-1] for each in given):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run

    drawing = Passes(Network(short))
    with torch.inference_mode(), capture_logs() as logs:
        compile_usual(drawing, drawing.network, PROFILE, Clock())
        ran.clear()
        drawing.forward(ids(4))
        drawing.forward(ids(USUAL[-1]))
    assert len(ran) == 1
    assert not [entry for entry in logs if entry["log_level"] == "warning"]
    assert drawing.held == set()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's compiler about parts of torch
def test_compiled_pictures_are_the_ones_drawn_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "USUAL", (2,))
    profile = PROFILE.model_copy(update={"source": str(tiny.saved(tmp_path / "tiny")), "guidance": 3.0})
    order = job("a", drawing(model="tiny", width=tiny.SIZE, height=tiny.SIZE, pictures=2))
    pictures = []
    with torch.inference_mode(), capture_logs() as logs:
        for build in (Build(), Build(compile=True)):
            denoiser = denoiser_of(profile, Hardware.named("cpu", "float32"), build)
            assert isinstance(denoiser, Denoiser)
            graphs = counters["stats"]["unique_graphs"]
            pictures.append(Studio(Engine(One(denoiser), time.monotonic)).draw(order))
            assert counters["stats"]["unique_graphs"] == graphs, "nothing is compiled while somebody waits"
    # Where there is nothing to compile with, they are drawn as ever, and the operator is told.
    warned = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert warned == ([] if compiler_here() else ["model_not_compiled"])
    assert counters["stats"]["unique_graphs"] > 0
    assert distance(*pictures) <= SAME


@pytest.mark.slow
@pytest.mark.parametrize("family", list(FLOWS))
def test_every_step_of_a_usual_batch_of_a_transformer_runs_what_was_compiled(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is traced is run as it is: that torch's own compiler computes the same is torch's business."""
    ran: list[int] = []

    def traced(graph: torch.fx.GraphModule, _given: Sequence[torch.Tensor]) -> Callable[..., Any]:
        def run(*values: torch.Tensor) -> Any:
            ran.append(1)
            return graph.forward(*values)

        return run

    plain = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda module, **typed: plain(module, backend=traced, **typed))
    monkeypatch.setattr(compiled, "USUAL", (2,))
    folder = tiny_flow.saved(tmp_path / family, FLOWS[family]())
    profile = PROFILE.model_copy(update={"source": str(folder), "grid": 4, "guidance": 3.0})
    recipe = drawing(model="tiny", width=tiny.SIZE, height=tiny.SIZE, pictures=2, steps=3, guidance=3.0)
    other = recipe.model_copy(update={"positive": (Part(text="two hens in the rain, at night"),)})
    pictures = []
    with torch.inference_mode():
        for build in (Build(), Build(compile=True)):
            denoiser = denoiser_of(profile, Hardware.named("cpu", "float32"), build)
            ran.clear()
            pictures.append(Studio(Engine(One(denoiser), time.monotonic)).draw(job("a", other)))
    assert len(ran) == recipe.steps
    assert distance(*pictures) <= SAME
