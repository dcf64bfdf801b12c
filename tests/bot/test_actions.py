from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions import CUSTOM_ID_LIMIT, DRAWS, OF_NO_JOB, Action, Unreadable, Verb, job_named, read
from bot.buttons import order_for

JOB = "11111111-2222-4333-8444-555555555555"
PICTURE_VERBS = (Verb.UPSAMPLE, Verb.VARIATION)


@st.composite
def actions(draw: st.DrawFn) -> Action:
    verb = draw(st.sampled_from(Verb))
    if verb in OF_NO_JOB:
        return Action(verb, str(draw(st.integers(0, 2**64 - 1))))
    index = 0
    if verb in PICTURE_VERBS:
        index = draw(st.integers(1, 4))
    relaxed = verb in DRAWS and draw(st.booleans())
    return Action(verb, str(UUID(int=draw(st.integers(0, 2**128 - 1)))), index, relaxed)


@given(actions())
def test_every_action_survives_its_custom_id(action: Action) -> None:
    assert read(action.custom_id) == action
    assert len(action.custom_id) <= CUSTOM_ID_LIMIT


@pytest.mark.parametrize(
    "custom_id",
    [
        "JM::relax::",
        f"JM::relax::JM::delete::{JOB}",
        f"JM::relax::JM::relax::MJ::JOB::reroll::0::{JOB}::SOLO",
    ],
)
def test_only_what_draws_can_be_ordered_in_relax(custom_id: str) -> None:
    assert read(custom_id) is Unreadable.FOREIGN


@given(st.text(max_size=CUSTOM_ID_LIMIT))
def test_any_text_is_an_action_or_a_reason(text: str) -> None:
    assert isinstance(read(text), Action | Unreadable)


@pytest.mark.parametrize(
    ("custom_id", "action"),
    [
        (f"MJ::JOB::upsample::2::{JOB}", Action(Verb.UPSAMPLE, JOB, 2)),
        (f"MJ::JOB::reroll::0::{JOB}::SOLO", Action(Verb.REROLL, JOB)),
        (f"MJ::JOB::variation::3::{JOB}", Action(Verb.VARIATION, JOB, 3)),
        (f"MJ::JOB::variation::3::{JOB.upper()}", Action(Verb.VARIATION, JOB, 3)),
        (f"MJ::JOB::upsample_v6r1_2x_subtle::1::{JOB}::SOLO", Action(Verb.UPSCALE_SUBTLE, JOB)),
        (f"MJ::JOB::upsample_v7_2x_subtle::1::{JOB}::SOLO", Action(Verb.UPSCALE_SUBTLE, JOB)),
        (f"MJ::JOB::low_variation::1::{JOB}::SOLO", Action(Verb.VARY_SUBTLE, JOB)),
        (f"MJ::JOB::high_variation::1::{JOB}::SOLO", Action(Verb.VARY_STRONG, JOB)),
        (f"MJ::CancelJob::ByJobid::{JOB}", Action(Verb.CANCEL, JOB)),
    ],
)
def test_midjourneys_ids_mean_what_they_meant_there(custom_id: str, action: Action) -> None:
    assert read(custom_id) == action


@pytest.mark.parametrize(
    "custom_id",
    [
        f"MJ::Outpaint::50::1::{JOB}::SOLO",
        f"MJ::Inpaint::1::{JOB}::SOLO",
        f"MJ::JOB::pan_left::1::{JOB}::SOLO",
        f"MJ::JOB::upsample::5::{JOB}",
        f"MJ::JOB::upsample::1::{JOB}\n",
        "MJ::Settings::VersionSelector",
    ],
)
def test_other_ids_of_midjourneys_are_known_as_such(custom_id: str) -> None:
    assert read(custom_id) is Unreadable.LATER


def test_strangers_ids_are_foreign() -> None:
    assert read("") is Unreadable.FOREIGN
    assert read(f"JM::fly::{JOB}") is Unreadable.FOREIGN


def test_every_drawing_button_orders_something_and_no_other_does() -> None:
    for verb in Verb:
        order = order_for(Action(verb, JOB, 1))
        assert (order is not None) == (verb in DRAWS)


def test_a_messages_job_is_the_one_its_buttons_name() -> None:
    assert job_named(["x", "JM::fix::1", f"MJ::JOB::upsample::2::{JOB}"]) == JOB
    assert job_named(["x"]) is None
