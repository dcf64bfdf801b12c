"""Chaos, the short way. `make chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.disk import SmallDisk
from tests.chaos.plan import Fault
from tests.chaos.run import Bounds, Run

SEED = "3"
# What needs a minute or more until all is calm again is left to the long way.
BRIEF = tuple(set(Fault) - {Fault.TIMEOUT, Fault.JUMP_CLOCK, Fault.JUMP_MACHINE_CLOCK})


@pytest.mark.slow
@pytest.mark.timeout(900)  # processes that start and die on a busy machine
async def test_nothing_is_lost_or_shown_twice_while_everything_breaks(tmp_path: Path) -> None:
    report = await Run(tmp_path, SEED, BRIEF, people=3).go(Bounds(kills=5, seconds=300))
    assert not report.findings, report
    assert report.kills >= 4
    assert report.jobs > report.kills
    assert report.pressed > 0


def test_a_disk_that_is_not_our_own_is_never_filled(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not a file system of our own"):
        SmallDisk(tmp_path).fill()
    assert not list(tmp_path.iterdir())
