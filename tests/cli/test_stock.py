"""The bot takes orders for a model as soon as its files say what it is, without being started again."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from bot.facts import Facts
from cli import checkpoint
from cli.checkpoint import catalogue
from cli.config import Settings
from cli.discord_process import restocked
from cli.facts import facts
from cli.failures import Failure
from tests.cli.test_families import sd3
from tests.cli.test_model_section import loaded
from tests.hub import hub_of, use
from tests.worker.house import house_in
from worker.api import ErrorCode, Rejected
from worker.catalogue import Catalogue
from worker.family import Family
from worker.hub.choice import Want
from worker.hub.fetch import fetched, here

SECONDS = 30


def served(folder: Path) -> Settings:
    return loaded('[[models]]\n[[models]]\nsource = "owner/sd3"\nversions = ["7"]\n', folder)


async def test_a_model_can_be_ordered_while_its_weights_are_still_coming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sd3(tmp_path / "sd3")
    for path in source.rglob("*.safetensors"):
        path.rename(path.with_name("diffusion_pytorch_model.safetensors")).write_bytes(b"weights" * 9_000)
    parts = ("transformer", "vae", "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")
    index = {"_class_name": "StableDiffusion3Pipeline"} | {part: ["diffusers", "Any"] for part in parts}
    (source / "model_index.json").write_text(json.dumps(index))
    settings = served(tmp_path)
    with hub_of({"owner/sd3": source}) as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        before = catalogue(settings)
        client = SimpleNamespace(facts=facts(settings))
        async with house_in(tmp_path, catalogue=before) as house:
            with pytest.raises(Rejected) as refused:
                await house.submit(version="7")
            assert refused.value.code is ErrorCode.MODEL_UNREADY
            looking = asyncio.create_task(restocked(settings, house.desk, client, before, pause=0))  # type: ignore[arg-type]
            hub.hold = 1_000
            fetching = asyncio.create_task(asyncio.to_thread(fetched, Want("owner/sd3")))
            async with asyncio.timeout(SECONDS):
                await looking
            assert here(Want("owner/sd3")) is None  # its weights are not
            job = await house.submit(version="7")
            assert (job.model, job.width) == ("sd3", 1024)
            with pytest.raises(Rejected) as refused:
                await house.submit(version="7", tile=True)
            assert refused.value.code is ErrorCode.NOT_WITH_MODEL
            hub.release()
            async with asyncio.timeout(SECONDS):
                await fetching
    assert here(Want("owner/sd3")) is not None
    assert catalogue(settings).entries[1].profile.family is Family.STABLE_DIFFUSION_3


async def test_files_that_are_being_changed_end_nothing_and_what_is_told_of_them_changes_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = loaded(f'[model]\nsource = "{tmp_path}/sd3"\n', tmp_path)
    sd3(tmp_path / "sd3")
    sound = catalogue(settings)
    entry = sound.entries[0].model_copy(update={"ready": False})
    before = sound.model_copy(update={"entries": (entry,)})
    index = tmp_path / "sd3" / "model_index.json"
    text = index.read_text()
    index.write_text("{")
    client = SimpleNamespace(facts=Facts())
    async with house_in(tmp_path, catalogue=before) as house:
        loop, unreadable = asyncio.get_running_loop(), asyncio.Event()

        def read(settings: Settings) -> Catalogue:
            try:
                return catalogue(settings)
            except Failure:
                loop.call_soon_threadsafe(unreadable.set)
                raise

        monkeypatch.setattr(checkpoint, "catalogue", read)
        looks = asyncio.create_task(restocked(settings, house.desk, client, before, pause=0))  # type: ignore[arg-type]
        async with asyncio.timeout(SECONDS):
            await unreadable.wait()
        assert not looks.done()
        index.write_text(text)
        async with asyncio.timeout(SECONDS):
            await looks
        assert (await house.submit()).width == 1024
    assert "tile" in client.facts.closed.parameters
