"""How many CPU threads a forward pass gets."""

import os
from pathlib import Path

from cli.config import Engine
from cli.model_section import EMBEDDED, Model

MOST_FOR_EMBEDDED = 4  # more do not make it faster
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container, in cgroup version 2


def threads_for(models: tuple[Model, ...], engine: Engine) -> int:
    """Return what is configured, else all cores we may use; a few for the embedded model alone.

    A thread too many costs more than it brings: all wait for the one that had no core.
    """
    if engine.threads is not None:
        return engine.threads
    alone = all(model.source == EMBEDDED for model in models)
    return min(cores(), MOST_FOR_EMBEDDED) if alone else cores()


def cores(quota: Path = QUOTA) -> int:
    """Return how many cores this process may use: a container or `taskset` may allow fewer than there are."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        time, period = quota.read_text(encoding="ascii").split()
        return max(1, min(mine, int(time) // int(period)))
    except (OSError, ValueError):  # no container, or "max": no limit
        return mine
