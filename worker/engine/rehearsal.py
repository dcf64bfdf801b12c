"""Ordinary jobs that nobody ordered: what a network is tried, measured and compiled with."""

from parser import ImagineRequest, Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.recipe import Drawing, ModelProfile, picture_seed, resolve

PROMPT = "a red fox"


def rehearsal(profile: ModelProfile, pictures: int, steps: int | None = None) -> DeviceJob:
    """Return a job as people get it who ask for nothing but a subject; *steps* by default the model's."""
    request = ImagineRequest(text=PROMPT, parts=(Part(text=PROMPT),))
    plain = resolve(request, profile, seed=0)
    taken = plain.steps if steps is None else steps
    recipe: Drawing = plain.model_copy(
        update={
            "steps": taken,
            "stop_after": taken,
            "seeds": tuple(picture_seed(0, index) for index in range(pictures)),
        }
    )
    return DeviceJob(JobId("rehearsal"), 1, Speed.FAST, 0, recipe, None, {"prompt": PROMPT, "seed": "0"})
