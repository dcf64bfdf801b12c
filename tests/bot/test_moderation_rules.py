"""What follows from what was found: pure rules, strikes on a clock of the test's."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.moderation.gate import asked_for, fingerprint, veiled
from bot.moderation.rules import (
    DAY_SECONDS,
    DEFAULTS,
    RELAXABLE,
    Outcome,
    Rules,
    Sanctions,
    ruling,
    strictest,
)
from bot.moderation.verdict import Finding, Verdict
from bot.origin import Origin, Reach, Veil
from parser import parse
from worker.api import Category

CATEGORIES = st.sampled_from(Category)
OUTCOMES = st.sampled_from(Outcome)


def verdict(*categories: Category, minors: bool = False) -> Verdict:
    findings = tuple(Finding(each, (n, n + 1), "x", "x") for n, each in enumerate(categories))
    return Verdict(findings, minors)


def test_every_category_has_a_default() -> None:
    assert set(DEFAULTS) == set(Category)


@given(st.lists(CATEGORIES), st.dictionaries(CATEGORIES, OUTCOMES), st.booleans())
def test_the_strictest_outcome_wins_and_names_a_category_that_was_found(
    found: list[Category], outcomes: dict[Category, Outcome], nsfw: bool
) -> None:
    rules = Rules(outcomes={**DEFAULTS, **outcomes})
    ruled = ruling(verdict(*found), rules, nsfw=nsfw)
    assert ruled.outcome is strictest([rules.outcome(each, nsfw=nsfw) for each in found])
    assert (ruled.category is None) is (ruled.outcome is Outcome.ALLOW)
    if ruled.category is not None:
        assert rules.outcome(ruled.category, nsfw=nsfw) is ruled.outcome


@given(st.dictionaries(CATEGORIES, OUTCOMES), st.booleans())
def test_no_rule_allows_sexual_words_beside_minors(outcomes: dict[Category, Outcome], nsfw: bool) -> None:
    rules = Rules(outcomes={**DEFAULTS, **outcomes}, nsfw=dict.fromkeys(RELAXABLE, Outcome.ALLOW))
    ruled = ruling(verdict(Category.SEXUAL, minors=True), rules, nsfw=nsfw)
    assert (ruled.outcome, ruled.final) == (Outcome.STRIKE, True)
    assert ruling(verdict(Category.POLITICAL, minors=True), rules, nsfw=nsfw).final is False


@pytest.mark.parametrize(
    ("score", "nsfw", "outcome"),
    [
        (None, False, Outcome.ALLOW),
        (0.79, False, Outcome.ALLOW),
        (0.8, False, Outcome.REFUSE),
        (1.0, True, Outcome.SPOILER),
    ],
)
def test_a_picture_is_judged_by_its_score_and_its_channel(
    score: float | None, nsfw: bool, outcome: Outcome
) -> None:
    rules = Rules(picture=Outcome.REFUSE, picture_threshold=0.8, nsfw={Category.SEXUAL: Outcome.SPOILER})
    assert rules.for_picture(score, nsfw=nsfw) is outcome


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ([], None),
        ([0, 1], None),
        ([0, 1, 2], 3.0),  # the third within thirty days: a day, from it on
        ([0, 1, 2, 2.5], 3.5),  # and each further one again
        ([0, 1, 31.5], None),  # the first has aged out
        ([0, 1, 2, 40], 3.0),  # long over, but it was
        ([0, 20, 40, 45], 46.0),
    ],
)
def test_strikes_within_the_window_lead_to_a_timeout_from_the_latest_on(
    days: Sequence[float], until: float | None
) -> None:
    sanctions = Sanctions(strikes=3, days=30, hours=24)
    found = sanctions.timeout_until([day * DAY_SECONDS for day in days])
    assert found == (None if until is None else until * DAY_SECONDS)


@given(st.lists(st.floats(0, 1e7), max_size=12), st.integers(1, 4))
def test_forgiving_never_lengthens_a_timeout(times: list[float], needed: int) -> None:
    sanctions = Sanctions(strikes=needed, days=30, hours=24)
    ordered = sorted(times)
    before = sanctions.timeout_until(ordered) or 0.0
    for skipped in range(len(ordered)):
        fewer = ordered[:skipped] + ordered[skipped + 1 :]
        assert (sanctions.timeout_until(fewer) or 0.0) <= before


def test_what_is_asked_for_leaves_out_what_shall_be_absent() -> None:
    request = parse("a meadow:: naked people::-.4 --no blood")
    assert asked_for(request) == "a meadow"


def test_a_prompt_is_the_same_whatever_its_parameters() -> None:
    one, two = parse("a  red fox --seed 4 --ar 3:2"), parse("a red fox")
    assert fingerprint(one) == fingerprint(two) != fingerprint(parse("a red fox --no snow"))


def test_what_was_allowed_with_one_picture_is_not_allowed_with_another() -> None:
    place = "https://cdn.discordapp.com/attachments/1/2"
    prompts = [
        f"{place}/a.png?ex=1 a red fox",
        f"{place}/a.png?ex=2&hm=3 a red fox --iw 2",
        f"{place}/b.png a red fox",
        f"a red fox --sref {place}/b.png?ex=5",
        "a red fox",
    ]
    marks = [fingerprint(parse(text)) for text in prompts]
    assert marks[0] == marks[1]
    assert marks[2] == marks[3]
    assert len(set(marks)) == 3


def test_a_private_result_goes_through_the_token_but_in_a_direct_message_nothing_changes() -> None:
    origin = Origin(
        interaction_id=1, application_id=2, token="t", expires_at=0, reach=Reach.CHANNEL, channel_id=3,
        guild_id=4, reply_to=None, user_name="ada", file_limit=5,
    )  # fmt: skip
    private = veiled(origin, Outcome.PRIVATE)
    assert (private.veil, private.reach) == (Veil.PRIVATE, Reach.TOKEN)
    direct = origin.model_copy(update={"guild_id": None})
    assert veiled(direct, Outcome.PRIVATE) == direct
    assert veiled(origin, Outcome.SPOILER).veil is Veil.SPOILER
    assert veiled(origin, Outcome.ALLOW) == origin


def test_an_origin_stored_before_there_was_moderation_is_still_read() -> None:
    text = (
        '{"interaction_id":1,"application_id":2,"token":"t","expires_at":0,"reach":"channel","channel_id":3,'
        '"guild_id":4,"reply_to":null,"user_name":"ada","file_limit":5}'
    )
    assert Origin.model_validate_json(text).veil is Veil.NONE
    assert Origin.pardon_in(text) is None
    assert Origin.pardon_in("{}") is None
