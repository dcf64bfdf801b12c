"""What the models of a worker lack is fetched beside everything else."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import Hub, hub_of, use
from worker.fetching import Fetching
from worker.hub.choice import Role, Want
from worker.hub.trouble import Trouble

SECONDS = 30


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with two words that are taught, and a cache of our own."""
    for name in ("fox", "hen"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "learned_embeds.safetensors").write_bytes(name.encode() * 100_000)
    with hub_of({f"owner/{name}": tmp_path / name for name in ("fox", "hen")}) as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        yield hub


def ended() -> None:
    for thread in threading.enumerate():
        if thread.name == "fetching":
            thread.join(SECONDS)


def wants(*names: str) -> dict[str, list[Want]]:
    return {name: [Want(f"owner/{name}", Role.ADDITION)] for name in names}


async def test_a_model_is_absent_until_it_is_here_and_nobody_waits_for_the_next(hub: Hub) -> None:
    hub.hold = 1
    fetching = Fetching(wants("fox", "hen"))
    assert fetching.absent() == {"fox", "hen"}
    fetching.start()
    assert await asyncio.to_thread(hub.held.wait, SECONDS)
    waiting = asyncio.create_task(fetching.first("fox"))
    await asyncio.sleep(0)
    assert not waiting.done()  # and the loop goes on meanwhile
    waiting.cancel()
    fetching.stop()
    hub.release()
    await asyncio.to_thread(ended)  # before that the next one would find it at work, and wait for long
    again = Fetching(wants("fox", "hen"))
    again.start()
    async with asyncio.timeout(SECONDS):
        await again.first("fox")
        await again.first("hen")
    assert again.absent() == frozenset()
    assert Fetching(wants("fox", "hen")).absent() == frozenset()


async def test_what_does_not_come_is_told_and_keeps_the_next_from_nothing(hub: Hub) -> None:
    fetching = Fetching(wants("gone", "hen"))
    fetching.start()
    async with asyncio.timeout(SECONDS):
        with pytest.raises(Trouble, match="owner/gone is not given to us"):
            await fetching.first("gone")
        await fetching.first("hen")
    assert fetching.absent() == frozenset()
    fetching.stop()


def test_nothing_is_asked_where_all_is_here(hub: Hub) -> None:
    before = threading.active_count()
    fetching = Fetching({"embedded": []})
    fetching.start()
    assert (fetching.absent(), threading.active_count(), hub.asked) == (frozenset(), before, [])
