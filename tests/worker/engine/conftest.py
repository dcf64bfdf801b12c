"""The embedded model, loaded once for all tests of the engine."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from tests.worker.engine.studio import PROFILE, Studio
from worker.engine.checkpoint import Checkpoint, Hardware, load
from worker.engine.engine import Engine
from worker.engine.models import Models
from worker.recipe import ModelProfile


@pytest.fixture(scope="session")
def profile(root: Path) -> ModelProfile:
    return PROFILE.model_copy(update={"source": str(root / PROFILE.source)})


@pytest.fixture(scope="session")
def checkpoint(profile: ModelProfile) -> Checkpoint:
    return load(profile, Hardware.named("cpu", "float32"))


@pytest.fixture(scope="session")
def models(profile: ModelProfile) -> Models:
    return Models([profile], Hardware.named("cpu", "float32"))


@pytest.fixture
def studio(models: Models) -> Iterator[Studio]:
    with torch.inference_mode():
        yield Studio(Engine(models, time.monotonic))


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Give what loads the model on a busy machine the time it needs."""
    for item in items:
        if {"studio", "checkpoint", "models", "profile"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(300))
