"""What draws with a checkpoint, whatever its family."""

import time

from torch import nn

from worker.catalogue import Build
from worker.engine.checkpoint import PIPELINES, PLAIN, Hardware, load
from worker.engine.compiled import compile_usual
from worker.engine.denoiser import Denoiser
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import load_flow
from worker.engine.own_checkpoint import load_own
from worker.engine.own_pipeline import OwnPipelineDenoiser
from worker.engine.sources import Located, located
from worker.recipe import ModelProfile

AnyDenoiser = Denoiser | FlowDenoiser | OwnPipelineDenoiser


def denoiser_of(profile: ModelProfile, hardware: Hardware, build: Build = PLAIN) -> AnyDenoiser:
    """Load the checkpoint that *profile* names.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    found = located(profile.source, build)
    if found.family.facts.alone:
        return OwnPipelineDenoiser(load_own(profile, hardware, build, found))
    denoiser, network = _loaded(profile, hardware, build, found)
    if build.compile:
        compile_usual(denoiser, network, profile, time.monotonic)
    return denoiser


def _loaded(
    profile: ModelProfile, hardware: Hardware, build: Build, found: Located
) -> tuple[Denoiser | FlowDenoiser, nn.Module]:
    """Return the denoiser, and its largest part."""
    if found.family in PIPELINES:
        checkpoint = load(profile, hardware, build, found)
        return Denoiser(checkpoint), checkpoint.unet
    flow = load_flow(profile, hardware, build, found)
    return FlowDenoiser(flow), flow.parts[0]
