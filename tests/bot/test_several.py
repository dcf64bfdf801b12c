"""Which jobs one command asks for."""

import pytest

from bot.faults import BotCode, BotError
from bot.preferences import NONE, Preferences
from bot.several import Misread, understood
from parser import Speed
from parser.errors import ErrorCode

LIMIT = 6


def prompts(text: str, preferences: Preferences = NONE) -> list[str]:
    return [job.wanted.prompt for job in understood(text, preferences, limit=LIMIT)]


def test_every_job_is_completed_by_itself() -> None:
    suffix = Preferences(suffix="--ar 3:2")
    assert prompts("a {red, green} bird", suffix) == ["a red bird --ar 3:2", "a green bird --ar 3:2"]
    assert prompts("a bird {--ar 1:1, --q 2}", suffix) == ["a bird --ar 1:1", "a bird --q 2 --ar 3:2"]


def test_own_options_are_understood_inside_groups_and_may_be_groups_themselves() -> None:
    own = Preferences(options={"mine": "in snow --q 2"})
    assert prompts("a bird {--mine, --q 5}", own) == ["a bird in snow --q 2", "a bird --q 5"]


def test_a_repeated_prompt_is_several_jobs() -> None:
    assert len(understood("a bird --repeat 3")) == 3
    assert len(understood("{a, b} bird --repeat 3")) == 6


@pytest.mark.parametrize(
    ("text", "preferences", "code"),
    [
        ("{a, b}{c, d}{e, f} x", NONE, ErrorCode.TOO_MANY_JOBS),
        ("x --repeat 7", NONE, ErrorCode.TOO_MANY_JOBS),
        ("{a, b} x --repeat 4", NONE, ErrorCode.TOO_MANY_JOBS),
        ("{a, b} x --relax", NONE, ErrorCode.BATCH_IN_RELAX),
        ("{a, b} x", Preferences(speed=Speed.RELAX), ErrorCode.BATCH_IN_RELAX),
        ("{a, b} x", Preferences(suffix="--relax"), ErrorCode.BATCH_IN_RELAX),
        ("x --repeat 2", Preferences(speed=Speed.RELAX), ErrorCode.BATCH_IN_RELAX),
        ("{a, b} x --foo", NONE, ErrorCode.UNKNOWN_PARAMETER),
    ],
)
def test_what_is_wrong_is_shown_in_the_command_as_typed(
    text: str, preferences: Preferences, code: ErrorCode
) -> None:
    with pytest.raises(Misread) as refused:
        understood(text, preferences, limit=LIMIT)
    assert {error.code for error in refused.value.errors.errors} == {code}
    assert refused.value.wanted.prompt.startswith(text)


def test_a_fix_in_a_command_for_several_jobs_leaves_the_suffix_to_be_added() -> None:
    suffix = Preferences(suffix="--ar 3:2")
    with pytest.raises(Misread) as refused:
        understood("{a, b} x --foo", suffix)
    [error] = refused.value.errors.errors
    assert error.suggestion is not None
    assert not refused.value.complete
    assert prompts(error.suggestion, suffix) == ["a x --ar 3:2", "b x --ar 3:2"]


def test_what_own_options_cause_is_refused_where_no_place_shows_it() -> None:
    with pytest.raises(BotError) as refused:
        understood("{a, b} --slow", Preferences(options={"slow": "--relax"}))
    assert refused.value.code is BotCode.BATCH_RELAX
    with pytest.raises(BotError) as refused:
        understood("{a, b} --often", Preferences(options={"often": "--repeat 4"}), limit=LIMIT)
    assert refused.value.code is BotCode.BATCH_TOO_LARGE


def test_a_bomb_of_groups_is_refused_before_it_is_written_out() -> None:
    with pytest.raises(Misread):
        understood("{a, b}" * 900, Preferences(suffix="--ar 3:2", options={"mine": "x"}))
