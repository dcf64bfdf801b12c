"""Jobs for engine tests."""

from typing import Any

from parser import Part, Speed
from worker.api import JobId
from worker.device import DeviceJob
from worker.recipe import Drawing, picture_seed


def drawing(prompt: str = "a red fox", *, seed: int = 1, pictures: int = 4, **typed: Any) -> Drawing:
    defaults: dict[str, Any] = {
        "model": "fake",
        "width": 128,
        "height": 128,
        "steps": 4,
        "guidance": 3.0,
        "positive": (Part(text=prompt),),
        "negative": (),
        "negative_pull": 0.0,
        "seeds": tuple(picture_seed(seed, i) for i in range(pictures)),
    }
    defaults |= typed
    defaults.setdefault("stop_after", defaults["steps"])
    return Drawing(**defaults)


def job(
    name: str,
    recipe: Any = None,
    *,
    owner: int = 1,
    speed: Speed = Speed.FAST,
    source: bytes | None = None,
    attempt: int = 1,
) -> DeviceJob:
    recipe = recipe or drawing()
    return DeviceJob(JobId(name), attempt, speed, owner, recipe, source, {"prompt": "a red fox", "seed": "1"})
