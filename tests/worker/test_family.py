"""What a family of checkpoints cannot honour is refused before anything is queued."""

from typing import Any

import pytest

from bot.closures import closed_by
from bot.texts import Texts
from parser import ImagineRequest, Part, PromptErrors, parse
from tests.worker.house import PROFILE, request
from worker.api import ErrorCode, Rejected
from worker.family import Family
from worker.recipe import ModelProfile, resolve

TILE = ImagineRequest(text="a fox", parts=(Part(text="a fox"),), tile=True)


def of(family: Family, **typed: Any) -> ModelProfile:
    facts = {"family": family, "name": "m", "size": 128, "grid": 8 * family.facts.patch}
    return PROFILE.model_copy(update=facts | typed)


def refusal(asked: ImagineRequest, profile: ModelProfile) -> Rejected:
    with pytest.raises(Rejected) as caught:
        resolve(asked, profile, seed=1)
    assert caught.value.code is ErrorCode.NOT_WITH_MODEL
    return caught.value


@pytest.mark.parametrize("family", [Family.STABLE_DIFFUSION_3, Family.FLUX])
def test_a_transformer_has_no_edges_to_join(family: Family) -> None:
    assert refusal(TILE, of(family)).detail["parameter"] == "tile"
    assert resolve(TILE, of(Family.STABLE_DIFFUSION), seed=1).tile


@pytest.mark.parametrize(
    "asked",
    [
        request(negative=("trees",)),
        ImagineRequest(text="", parts=(Part(text="a"), Part(text="b", weight=-0.5))),
    ],
    ids=["--no", "negative weight"],
)
def test_negatives_need_something_to_lead_away_from(asked: ImagineRequest) -> None:
    assert refusal(asked, of(Family.FLUX)).detail["parameter"] == "no"
    assert refusal(asked, of(Family.STABLE_DIFFUSION, guidance=1)).detail["parameter"] == "no"
    steered = refusal(asked, of(Family.STABLE_DIFFUSION_XL, guidance=8.5, steered=True))
    assert "guidance is an input of its network" in str(steered.detail["reason"])
    assert resolve(asked, of(Family.STABLE_DIFFUSION_XL), seed=1).negative
    assert resolve(asked, of(Family.STABLE_DIFFUSION_3), seed=1).negative


def test_stylizing_needs_guidance_or_a_house_style() -> None:
    asked = request(stylize=300)
    assert refusal(asked, of(Family.FLUX, guidance=1)).detail["parameter"] == "stylize"
    assert resolve(asked, of(Family.FLUX), seed=1).guidance > PROFILE.guidance
    assert len(resolve(asked, of(Family.FLUX, guidance=1, house_style="ink"), seed=1).positive) == 2
    assert resolve(request(stylize=100), of(Family.FLUX, guidance=1), seed=1)


def test_the_place_is_shown_with_the_reason_and_is_left_out() -> None:
    error = refusal(TILE, of(Family.FLUX))
    with pytest.raises(PromptErrors) as caught:
        parse("a fox --tile --ar 3:2", closed_by(error, Texts()))
    [found] = caught.value.errors
    assert found.message.startswith("The model m cannot do `--tile`: its network is told where")
    assert found.message.endswith("Leave it out.")
    assert found.suggestion == "a fox --ar 3:2"
