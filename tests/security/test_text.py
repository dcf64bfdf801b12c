"""What people type, in the places where others read it."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import echo, errors, payload, render
from bot.moderation import letters
from bot.moderation.records import Gate, Refusal, RefusalState
from bot.render import Letter
from bot.texts import Texts
from parser import ImagineRequest, Part, PromptErrors, canonical, parse
from tests.bot.test_words import job
from worker.api import Category

TEXTS = Texts()
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
PIECES = st.sampled_from(
    [
        *(
            "@everyone",
            "@here",
            "<@1>",
            "<@!1>",
            "<@&1>",
            "<#1>",
            "</imagine:1>",
            "<:a:1>",
            "<t:1:R>",
            "<id:guide>",
        ),
        *(
            "**",
            "__",
            "~~",
            "||",
            "`",
            "```",
            "> ",
            "# ",
            "-# ",
            "[a](https://evil.example)",
            "[",
            "](",
            "\\",
            "\n",
        ),
        *(
            "https://evil.example/",
            "<https://evil.example>",
            "http://a.example)",
            "a",
            " ",
            "fox",
            "\u200b",
            "\ufeff",
        ),
        *TURNS,
    ]
)
PROMPTS = st.lists(PIECES, min_size=1, max_size=12).map("".join)


def accepted(prompt: str) -> ImagineRequest | None:
    try:
        return parse(prompt)
    except PromptErrors:
        return None


def bare(shown: str) -> str:
    """Return *shown* without what is escaped and without links that have no preview."""
    return re.sub(r"\\.|<https?://[^\s<>]+>", "", shown)


@settings(deadline=None)
@given(PROMPTS)
@example("[free nitro](https://evil.example)")
@example("a**b` ||c|| <@1> ~~d~~ _e_")
def test_nothing_typed_means_anything_to_discord(prompt: str) -> None:
    """Neither markup, nor a mention, nor a link under another name, nor a preview."""
    request = accepted(prompt)
    if request is None:
        return
    shown = bare(echo.escaped(canonical(request)))
    assert not re.search(r"[*_~|`<\[\]]", shown)
    assert "://" not in shown
    assert "\n" not in shown


@settings(deadline=None)
@given(PROMPTS)
def test_a_message_permits_a_ping_of_its_person_and_of_nobody_else(prompt: str) -> None:
    request = accepted(prompt)
    if request is None:
        return
    ordered = job(prompt).model_copy(update={"request": request})
    for letter in (render.waiting(ordered, None, TEXTS), render.stopped(ordered, TEXTS)):
        for keywords in (payload.to_send(letter), payload.to_edit(letter)):
            allowed = keywords["allowed_mentions"].to_dict()
            assert allowed.get("parse", []) == []
            assert [int(each) for each in allowed["users"]] == [ordered.owner_id]
            assert not allowed.get("roles")
            assert not allowed.get("replied_user")


def test_a_message_to_nobody_in_particular_pings_nobody() -> None:
    allowed = payload.to_send(Letter("@everyone <@1> <@&2>"))["allowed_mentions"].to_dict()
    assert allowed.get("parse", []) == []
    assert not allowed.get("users")
    assert not allowed.get("roles")


@settings(deadline=None)
@given(PROMPTS)
@example("```--sed 5```")
@example("`` ` --sed 5")
def test_a_wrong_prompt_does_not_leave_the_blocks_it_is_shown_in(prompt: str) -> None:
    for wrong in (prompt, f"{prompt} --sed 5", f"{prompt} --nope {prompt}"):
        error = refusal_of(wrong)
        if error is None:
            continue
        card = errors.refused_prompt(error, wrong, TEXTS).card
        assert card is not None
        fences = card.description.count("```")
        assert fences % 2 == 0
        assert fences <= 2 * min(len(error.errors), errors.SHOWN_PROBLEMS)


def refusal_of(prompt: str) -> PromptErrors | None:
    try:
        parse(prompt)
    except PromptErrors as error:
        return error
    return None


@settings(deadline=None)
@given(PROMPTS)
@example("``` [a](https://evil.example)")
def test_an_appealed_prompt_stays_in_its_place_before_the_moderators(prompt: str) -> None:
    request = accepted(prompt)
    if request is None:
        return

    def shown(text: str) -> str:
        refusal = Refusal(
            id="1",
            guild_id=1,
            channel_id=2,
            user_id=3,
            locale="en-US",
            category=Category.HATE,
            gate=Gate.WORDS,
            prompt=text,
            fingerprint="",
            created_at=0.0,
            state=RefusalState.APPEALED,
        )
        card = letters.before_moderators(refusal, TEXTS).card
        assert card is not None
        return card.description

    assert shown(canonical(request)).count("`") == shown("a fox").count("`")


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: f"U+{ord(turn):04X}")
def test_a_prompt_cannot_turn_the_words_behind_it(turn: str) -> None:
    """An override without an end would show mention and mode backwards."""
    request = parse(f"a fox{turn} gnp.exe")
    assert turn not in canonical(request)
    assert turn not in render.waiting(job().model_copy(update={"request": request}), None, TEXTS).content


def test_arabic_and_hebrew_marks_and_joined_emoji_stay() -> None:
    kept = "\u0628\u200f \u200c \u200e \U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert parse(kept).text == kept


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_a_file_name_holds_no_path_no_ending_and_no_direction_of_its_own(user: str, prompt: str) -> None:
    request = ImagineRequest(text=prompt, parts=(Part(text=prompt),))
    name = echo.file_name(user, request, "11111111-2222-4333-8444-555555555555")
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.png", name)
    assert len(name) < 200  # file systems end at 255
