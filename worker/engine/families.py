"""What draws with a checkpoint, whatever its family."""

from worker.catalogue import Build
from worker.engine.checkpoint import PIPELINES, PLAIN, Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.flow import FlowDenoiser
from worker.engine.flow_checkpoint import load_flow
from worker.engine.sources import located
from worker.recipe import ModelProfile

AnyDenoiser = Denoiser | FlowDenoiser


def denoiser_of(profile: ModelProfile, hardware: Hardware, build: Build = PLAIN) -> AnyDenoiser:
    """Load the checkpoint that *profile* names.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    found = located(profile.source, build)
    if found.family in PIPELINES:
        return Denoiser(load(profile, hardware, build, found))
    return FlowDenoiser(load_flow(profile, hardware, build, found))
