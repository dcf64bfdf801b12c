"""`--cref` and `--oref` where no model can look at pictures: refused with the way around."""

from pathlib import Path

import pytest

from bot.closures import closed_by, without_adapter
from bot.commands.help import about
from bot.facts import NOTHING, Facts
from bot.texts import Texts
from cli.facts import facts
from parser import Closed, PromptErrors, parse
from tests.cli.test_model_section import loaded
from tests.worker.test_likeness import LAYERS, PLAIN, encoder, written
from worker.api import ErrorCode, LinksRefused, Rejected, WorkerError

INK = "https://cdn.discordapp.com/ink.png"
CUP = "https://cdn.discordapp.com/cup.png"
INSTEAD = "put the picture in front of the text, as an image prompt, and raise `--iw`."


def refused(prompt: str, closed: Closed) -> tuple[list[str], str | None]:
    with pytest.raises(PromptErrors) as caught:
        parse(prompt, closed)
    return [each.message for each in caught.value.errors], caught.value.errors[0].suggestion


def test_a_character_becomes_an_image_prompt_where_nothing_can_be_done_with_it() -> None:
    closed = Closed(parameters=frozenset({"cref", "cw"}), reasons=without_adapter("no model here has one"))
    messages, fixed = refused(f"a fox --cref {INK} <{CUP}> --cw 50 --ar 3:2", closed)
    assert messages == [
        f"`--cref` needs an IP-Adapter, and no model here has one; {INSTEAD}",
        "`--cw` goes with `--cref`, which needs an IP-Adapter, and no model here has one; leave it out.",
    ]
    assert fixed == f"<{INK}> <{CUP}> a fox --ar 3:2"
    assert len(parse(fixed, closed).images) == 2


def test_where_no_pictures_are_fetched_it_is_left_out() -> None:
    closed = Closed(
        parameters=frozenset({"oref"}), images=True, reasons=without_adapter("no model here has one")
    )
    assert refused(f"a fox --oref {INK}", closed)[1] == "a fox"


@pytest.mark.parametrize(("served", "advice"), [("--v 6", ", but `--v 6` has;"), ("", " has none; put")])
def test_a_model_that_cannot_says_which_can(served: str, advice: str) -> None:
    error = Rejected(ErrorCode.ADAPTER_UNAVAILABLE, asked="--oref", model="inker", served=served)
    [message, _], fixed = refused(f"a fox --oref {INK} --ow 20", closed_by(error, Texts()))
    assert "needs an IP-Adapter, and the model `inker` has none" in message
    assert advice in message
    assert fixed == f"<{INK}> a fox"


def test_a_picture_of_a_character_that_is_not_to_be_had_is_shown_in_its_place() -> None:
    error = LinksRefused({CUP: WorkerError(ErrorCode.LINK_GONE)})
    with pytest.raises(PromptErrors) as caught:
        parse(f"a fox --cref {INK} {CUP}", closed_by(error, Texts()))
    [found] = caught.value.errors
    assert found.source[slice(*found.span)] == CUP
    assert found.suggestion == f"a fox --cref {INK}"


def model(folder: Path, adapter: str) -> Facts:
    text = f'[model]\nsource = "embedded"\nip_adapter = {{ source = "{adapter}" }}\n'
    return facts(loaded(text, folder))


def test_help_tells_what_holds_here(tmp_path: Path) -> None:
    embedded = facts(loaded("", tmp_path))
    for name in ("cref", "cw", "oref", "ow"):
        assert "and no model here has one" in about(name, Texts(), embedded).description
        assert "needs an IP-Adapter" not in about(name, Texts(), NOTHING).description
        assert name not in embedded.prices


def test_an_adapter_that_fits_opens_them_and_one_that_does_not_leaves_them_closed(tmp_path: Path) -> None:
    width = 128  # of the embedded model's prompts
    layers = {name: (shape[0], width) for name, shape in LAYERS.items()}
    encoder(tmp_path / "image_encoder")
    fits = written(tmp_path / "fits.safetensors", layers | PLAIN | {"image_proj.norm.weight": (width,)})
    assert not {"cref", "cw", "oref", "ow"} & model(tmp_path, str(fits)).closed.parameters
    for source in (
        written(tmp_path / "wide.safetensors", LAYERS | PLAIN),
        tmp_path / "gone.safetensors",
        written(tmp_path / "lora.safetensors", {"lora.weight": (1,)}),
    ):
        assert {"cref", "cw", "oref", "ow"} <= model(tmp_path, str(source)).closed.parameters


def test_one_model_with_an_adapter_opens_them_for_all(tmp_path: Path) -> None:
    text = """
    [[models]]
    [[models]]
    name = "painter"
    source = "owner/painter"
    versions = ["6"]
    ip_adapter = { source = "owner/ip/sd15/ip.safetensors" }
    """
    assert not {"cref", "cw", "oref", "ow"} & facts(loaded(text, tmp_path)).closed.parameters
