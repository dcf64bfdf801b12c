"""Persons and things from pictures, up to the device: numbers, files of adapters, and who is refused what."""

import json
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from parser import parse
from tests.worker.gallery import gallery_open
from tests.worker.house import house_in
from tests.worker.test_foreign import BLUE, encoded
from tests.worker.test_inputs import Place
from worker.api import ErrorCode, Imagine, JobId, PictureGone, Rejected, Reroll, Vary
from worker.catalogue import Catalogue, Entry
from worker.cost import credits
from worker.likeness_files import Unfit, encoder_beside, fit_of, hub_of, problem_of, shapes_of
from worker.links import Links
from worker.queue.inputs import at_home, pictures_of
from worker.queue.shelf import Shelf
from worker.recipe import Drawing, ModelProfile, Start, resolve
from worker.references import Likeness, likenesses_of, links_of

A, B = "https://cdn.discordapp.com/a.png", "https://cdn.discordapp.com/b.png"
NAMES = {A: "ab/x/a.png", B: "ab/x/b.png"}
SEEING = ModelProfile(name="seeing", source="seeing", size=128, adapter=True)
BLIND = ModelProfile(name="blind", source="blind", size=128)
BOTH = Catalogue(entries=(Entry(profile=BLIND), Entry(profile=SEEING, versions=("6", "6.1"))))


def scale(text: str) -> float:
    [only] = likenesses_of(parse(text), NAMES)
    return only.scale


def test_the_more_a_character_weighs_the_more_of_it_is_taken() -> None:
    scales = [scale(f"a fox --cref {A} --cw {weight}") for weight in (0, 50, 100)]
    assert scales == pytest.approx([0.3, 0.55, 0.8])
    assert scale(f"a fox --cref {A}") == scale(f"a fox --cref {A} --cw 100")


def test_a_thing_weighs_more_and_more_but_never_without_end() -> None:
    scales = [scale(f"a fox --oref {A} --ow {weight}") for weight in (1, 100, 400, 1000)]
    assert scales == pytest.approx([1.2 / 101, 0.6, 0.96, 1.2 / 1.1])
    assert scale(f"a fox --oref {A}") == scale(f"a fox --oref {A} --ow 100")


def test_both_may_be_asked_for_and_their_pictures_are_brought_along() -> None:
    request = parse(f"a fox --cref {A} {B} --oref {B} --cw 0")
    assert links_of(request) == (A, B)
    assert likenesses_of(request, NAMES) == (
        Likeness(pictures=(NAMES[A], NAMES[B]), scale=0.3),
        Likeness(pictures=(NAMES[B],), scale=0.6),
    )
    recipe = resolve(request, SEEING, seed=1, names=NAMES)
    assert pictures_of(recipe) == set(NAMES.values())
    moved = at_home(recipe, JobId("cd-job"))
    assert pictures_of(moved) == {"cd/cd-job/a.png", "cd/cd-job/b.png"}
    with pytest.raises(PictureGone):
        resolve(request, SEEING, seed=1, names={A: NAMES[A]})


def test_nothing_asked_for_is_nothing() -> None:
    assert resolve(parse("a fox"), SEEING, seed=1).likenesses == ()


def test_a_variation_keeps_the_likeness() -> None:
    start = Start(picture="ab/y/1.png", strength=0.75)
    recipe = resolve(parse(f"a fox --cref {A}"), SEEING, seed=1, start=start, names=NAMES)
    assert [each.pictures for each in recipe.likenesses] == [(NAMES[A],)]


def test_it_costs_what_the_prompt_costs_without() -> None:
    with_it, without = (
        resolve(parse(text), SEEING, seed=1, names=NAMES) for text in (f"a fox --oref {A}", "a fox")
    )
    assert credits(with_it, SEEING) == credits(without, SEEING)


def test_a_model_without_an_adapter_refuses_before_it_asks_for_the_picture() -> None:
    for flag in ("--cref", "--oref"):
        with pytest.raises(Rejected) as caught:
            resolve(parse(f"a fox {flag} {A}"), BLIND, seed=1)
        assert caught.value.code is ErrorCode.ADAPTER_UNAVAILABLE
        assert caught.value.detail == {"asked": flag, "model": "blind", "served": ""}


@pytest.mark.parametrize(
    ("off", "served"), [(frozenset(), "--v 6"), (frozenset({"seeing"}), "")], ids=["on", "off"]
)
def test_a_refusal_tells_which_version_has_one_that_is_on(off: frozenset[str], served: str) -> None:

    shelf = Shelf(BOTH, off, BOTH.entries[0])
    with pytest.raises(Rejected) as caught:
        shelf.pick(Imagine(request=parse(f"a fox --cref {A}")), None)
    assert caught.value.detail["served"] == served
    if served:
        profile, _ = shelf.pick(Imagine(request=parse(f"a fox --cref {A} {served}")), None)
        assert profile == SEEING


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    catalogue = Catalogue(entries=(Entry(profile=SEEING), Entry(profile=BLIND, versions=("5",))))
    async with gallery_open() as gallery:
        links = Links(gallery.guard)
        async with house_in(tmp_path, links=links, catalogue=catalogue) as house:
            yield Place(house, gallery)


async def test_the_pictures_are_the_jobs_own_and_come_along_to_what_is_made_of_it(place: Place) -> None:
    red, blue = place.red, place.gallery.show("blue.png", encoded("PNG", BLUE))
    job = await place.draw(await place.imagine(f"a fox --cref {red} --oref {blue} --ow 400"))
    recipe = await place.recipe(job)
    assert pictures_of(recipe) == set((await place.inputs(job)).values())
    for order in (Reroll(source=job.id), Vary(source=job.id, index=2)):
        made = await place.order(order)
        own = await place.recipe(made)
        assert [each.scale for each in own.likenesses] == pytest.approx([0.8, 0.96])
        assert all(name.startswith(f"{made.id[:2]}/{made.id}/") for name in pictures_of(own))
        assert pictures_of(own) <= place.files()


async def test_who_asks_a_model_without_an_adapter_has_nothing_fetched_or_queued(place: Place) -> None:
    red = place.red
    with pytest.raises(Rejected) as caught:
        await place.imagine(f"a fox --cref {red} --v 5")
    assert caught.value.code is ErrorCode.ADAPTER_UNAVAILABLE
    assert place.gallery.asked == []
    assert await place.house.desk.recent() == []


async def test_what_the_default_cannot_do_is_not_drawn_without_it(place: Place) -> None:
    job = await place.draw(await place.imagine(f"a fox --cref {place.red}"))
    place.house.desk._catalogue = Catalogue(entries=(Entry(profile=BLIND),))
    with pytest.raises(Rejected) as caught:
        await place.order(Reroll(source=job.id))
    assert caught.value.code is ErrorCode.ADAPTER_UNAVAILABLE


UNET = {"cross_attention_dim": 768}
ENCODER = {"model_type": "clip_vision_model", "projection_dim": 1024, "hidden_size": 1280}
LAYERS: dict[str, tuple[int, ...]] = {
    "ip_adapter.1.to_k_ip.weight": (320, 768),
    "ip_adapter.1.to_v_ip.weight": (320, 768),
    "ip_adapter.3.to_k_ip.weight": (640, 768),
    "ip_adapter.3.to_v_ip.weight": (640, 768),
    "ip_adapter.11.to_k_ip.weight": (1280, 768),
    "ip_adapter.11.to_v_ip.weight": (1280, 768),
}
PLAIN: dict[str, tuple[int, ...]] = {"image_proj.proj.weight": (3072, 1024), "image_proj.norm.weight": (768,)}
PLUS: dict[str, tuple[int, ...]] = {
    "image_proj.latents": (1, 16, 768),
    "image_proj.proj_in.weight": (768, 1280),
    "image_proj.proj_out.weight": (768, 768),
}
FULL: dict[str, tuple[int, ...]] = {
    "image_proj.proj.0.weight": (1280, 1280),
    "image_proj.proj.3.weight": (768,),
}
FACE: dict[str, tuple[int, ...]] = {"image_proj.proj.0.weight": (1024, 512), "image_proj.norm.weight": (768,)}


def written(file: Path, shapes: Mapping[str, Any]) -> Path:
    """Write a file with that head; nobody reads on."""
    head = {name: {"dtype": "F16", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    body = json.dumps(head | {"__metadata__": {"format": "pt"}}).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(struct.pack("<Q", len(body)) + body)
    return file


def encoder(folder: Path, **told: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(ENCODER | told))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


@pytest.mark.parametrize("kind", [PLAIN, PLUS, FULL], ids=["plain", "plus", "full"])
def test_the_kinds_of_adapters_are_told_apart_by_their_heads(tmp_path: Path, kind: dict[str, Any]) -> None:
    file = written(tmp_path / "ip.safetensors", LAYERS | kind)
    encoder(tmp_path / "image_encoder")
    fit = fit_of(shapes_of(file))
    assert (fit.width, fit.layers) == (768, (320, 640, 1280))
    assert (fit.embedding, fit.pooled) == ((1024, True) if kind is PLAIN else (1280, False))
    assert problem_of(str(file), None, UNET) is None
    assert problem_of(str(file), None, None) is None
    assert "for prompts of width 768, and this model's have 1024" in str(
        problem_of(str(file), None, {"cross_attention_dim": 1024})
    )


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (LAYERS | FACE, "is a FaceID adapter"),
        ({"lora_unet_down.weight": (1,)}, "is no IP-Adapter"),
        (LAYERS, "is no IP-Adapter"),
        (LAYERS | PLAIN | {"image_proj.norm.weight": (1024,)}, "its halves are of different widths"),
        (LAYERS | {"image_proj.proj.weight": (3072, 1024)}, "of an unknown kind"),
    ],
)
def test_another_file_says_what_it_is(tmp_path: Path, shapes: dict[str, Any], told: str) -> None:
    with pytest.raises(Unfit, match=told):
        fit_of(shapes_of(written(tmp_path / "ip.safetensors", shapes)))


@pytest.mark.parametrize("body", [b"", b"\x80\x04.", b"\xff" * 64, struct.pack("<Q", 3) + b"[1]", b"\0" * 80])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "ip.safetensors").write_bytes(body)
    assert problem_of(str(tmp_path / "ip.safetensors"), None, UNET) in {
        "is damaged or no safetensors file",
        "is no IP-Adapter: such a file has tensors called image_proj and ip_adapter",
    }


def test_the_image_encoder_has_to_be_there_and_the_right_one(tmp_path: Path) -> None:
    file = str(written(tmp_path / "ip.safetensors", LAYERS | PLAIN))
    assert f"in {tmp_path}/image_encoder, where none is" in str(problem_of(file, None, UNET))
    small = encoder(tmp_path / "small", projection_dim=768)
    assert "says 1024 numbers, and the one there says 768" in str(problem_of(file, str(small), UNET))
    siglip = encoder(tmp_path / "siglip", model_type="siglip_vision_model")
    assert "of the kind CLIP" in str(problem_of(file, str(siglip), UNET))
    (encoder(tmp_path / "pickled") / "model.safetensors").rename(tmp_path / "pickled" / "model.bin")
    assert "no weights as safetensors" in str(problem_of(file, str(tmp_path / "pickled"), UNET))
    assert problem_of(str(tmp_path / "ip.bin"), None, UNET) == "is no .safetensors file"
    assert problem_of(str(tmp_path / "no.safetensors"), None, UNET) == "does not exist"


def test_what_is_on_the_hub_is_named_with_its_place_there(tmp_path: Path) -> None:
    source = "owner/name/models/ip.safetensors"
    assert hub_of(source) == ("owner/name", "models/ip.safetensors")
    assert encoder_beside(source) == "owner/name/models/image_encoder"
    assert problem_of(source, None, UNET) is None
    for here in (
        str(tmp_path / "gone" / "ip.safetensors"),
        "./a/b/c",
        "~/a/b/c",
        "ip.safetensors",
        "a/ip.safetensors",
    ):
        assert hub_of(here) is None
    assert encoder_beside("ip.safetensors") == "image_encoder"


def test_a_recipe_of_an_earlier_day_is_read(tmp_path: Path) -> None:
    recipe = resolve(parse("a fox"), BLIND, seed=1)
    old = json.loads(recipe.model_dump_json())
    del old["likenesses"]
    assert Drawing.model_validate(old) == recipe
