import random
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
import torch
from transformers import CLIPTokenizer

from training import networks
from training.art import Sprites
from training.captions import Author
from training.diffusion import Painter, Trainer
from training.lexicon import STYLE_NAMES, STYLE_NAMES_ES, STYLES, Subject
from training.pool import Batch, LatentPool
from training.scenes import Scene

EMBEDDED = Path(__file__).parent.parent.parent / "models" / "embedded"


@pytest.fixture
def pool(sprites: Sprites) -> LatentPool:
    vae = networks.load_autoencoder(EMBEDDED).eval().requires_grad_(False)
    return LatentPool(sprites, vae, random.Random(0), compared=0.6)


def families(batch: Batch) -> list[list[tuple[int, Scene]]]:
    rows = zip(batch.families.tolist(), batch.scenes, strict=True)
    return [list(family) for _, family in groupby(rows, key=lambda row: row[0])]


def test_a_family_is_one_scene_in_every_style(pool: LatentPool) -> None:
    batch = pool.batch(24, square=1)
    assert (len(batch.scenes), *batch.latents.shape) == (24, 24, 4, 16, 16)
    whole = [[scene for _, scene in family] for family in families(batch)[:-1]]  # the last may be cut off
    assert {len(family) for family in whole} == {1, 3}
    for family in whole:
        if len(family) == 3:
            assert [replace(scene, style="3d") for scene in family] == [replace(family[0], style="3d")] * 3
            assert [scene.style for scene in family] == list(STYLES)


def test_captions_of_a_family_differ_in_nothing_but_the_style(
    pool: LatentPool, four: tuple[Subject, ...], tmp_path: Path
) -> None:
    author = Author(four, ("bridge", "moon"), random.Random(0))
    trainer = Trainer(
        Painter(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), None), pool, author, tmp_path / "a"
    )
    phrases = sorted(
        (name for table in (STYLE_NAMES, STYLE_NAMES_ES) for names in table.values() for name in names),
        key=len,
        reverse=True,
    )

    def bare(caption: str) -> str:
        text = caption.lower()
        return next((text.replace(phrase, "*", 1) for phrase in phrases if phrase in text), text)

    seen = 0
    for _ in range(8):
        batch = pool.batch(24, square=1)
        captions = iter(trainer._captions(batch))
        for family in families(batch)[:-1]:
            written = [next(captions) for _ in family]
            seen += len(family) == 3
            assert len(set(written)) in {1, len(family)}
            assert len({bare(caption) for caption in written}) == 1, written
    assert seen > 10


def test_new_layers_of_a_text_encoder_pass_on_what_they_get(tmp_path: Path) -> None:
    words = CLIPTokenizer.from_pretrained(EMBEDDED / "tokenizer")
    old, new = (networks.new_text_encoder(words, layers) for layers in (2, 3))
    old.save_pretrained(tmp_path / "text_encoder")
    networks.inherit(new, tmp_path)
    ids = words(["a red fox in the snow"], padding="max_length", return_tensors="pt").input_ids
    assert new.config.num_hidden_layers == 3
    assert torch.equal(new(ids).last_hidden_state, old(ids).last_hidden_state)


def test_what_a_family_has_in_common_is_taken_away() -> None:
    batch = Batch([], torch.zeros(0), torch.tensor([0, 0, 0, 1]))
    values = torch.tensor([1.0, 2.0, 6.0, 5.0]).view(-1, 1, 1, 1).expand(-1, 4, 2, 2)
    assert batch.within(values)[:, 0, 0, 0].tolist() == [-2, -1, 3, 0]
