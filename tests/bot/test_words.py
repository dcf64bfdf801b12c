"""What is said, and that it always fits."""

import re
import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import echo, errors, render
from bot.faults import BotCode, BotError
from bot.origin import Origin, Reach, origin_of
from bot.policy import Caller, Place, may_cancel, must_own, reach
from bot.texts import Texts
from bot.texts.en import WORDS
from parser import ImagineRequest, Part, PromptErrors, Speed, canonical, parse
from worker.admin import AdminCode, AdminError
from worker.api import (
    Cell,
    ErrorCode,
    Imagine,
    Job,
    JobId,
    JobState,
    Order,
    Progress,
    Reroll,
    Standing,
    Strength,
    Upscale,
    Vary,
    WorkerError,
)

TEXTS = Texts()
ID = JobId("11111111-2222-4333-8444-555555555555")
LONG = st.builds(lambda text, n: (text * n)[:6000], st.text(min_size=1, max_size=60), st.integers(1, 3000))
PROMPTS = st.builds(
    lambda text, tail: text[: 6000 - len(tail)] + tail, LONG, st.sampled_from(["", " --seeed 4"])
)
ORDERS: list[Order] = [
    Reroll(source=ID),
    Vary(source=ID, index=4),
    Vary(source=ID, index=1, strength=Strength.SUBTLE),
    Cell(source=ID, index=2),
    Upscale(source=ID),
]


ORIGIN = Origin(
    interaction_id=2**63,
    application_id=2,
    token="secret",
    expires_at=1.5,
    reach=Reach.CHANNEL,
    channel_id=3,
    guild_id=None,
    reply_to=None,
    user_name="ann",
    file_limit=10,
)


def job(text: str = "a fox", order: Order | None = None, **changes: object) -> Job:
    request = ImagineRequest(text=text, parts=(Part(text=text),))
    fields: dict[str, object] = {
        "id": ID,
        "order": Imagine(request=request) if order is None else order,
        "request": request,
        "state": JobState.SUCCEEDED,
        "speed": Speed.FAST,
        "owner_id": 2**63,
        "seed": 1,
        "attempt": 1,
        "cancel_requested": False,
        "origin": "",
        "model": "tiny",
        "width": 64,
        "height": 64,
        "files": ("a",),
        "error": None,
        "created_at": 0.0,
        "started_at": None,
        "finished_at": None,
    }
    return Job.model_validate(fields | changes)


LOOKS: list[Callable[[Job], render.Letter]] = [
    lambda it: render.waiting(it, Standing(place=3, wait_seconds=41, away=False), TEXTS),
    lambda it: render.running(it, Progress(job_id=it.id, fraction=0.5, at=0), TEXTS, small="soon"),
    lambda it: render.stopped(it, TEXTS),
    lambda it: render.failed(it, errors.failure_card(None, it.id, TEXTS), TEXTS),
    lambda it: render.result(it, render.File("a.png", b""), TEXTS),
]


@given(st.text(max_size=6000), st.sampled_from(LOOKS), st.sampled_from([None, *ORDERS]))
def test_every_message_of_every_job_fits(
    text: str, look: Callable[[Job], render.Letter], order: Order
) -> None:
    letter = look(job(text or "x", order))
    assert echo.units(letter.content) <= render.CONTENT_LIMIT
    assert f"<@{2**63}>" in letter.content
    ids = [button.custom_id for row in letter.rows for button in row]
    assert len(ids) == len(set(ids))
    assert all(len(each) <= 100 for each in ids)
    assert letter.mentions == 2**63


@settings(deadline=None)
@given(LONG)
def test_a_prompt_is_shown_whole_or_comes_whole_as_a_file(text: str) -> None:
    letter = render.stopped(job(text), TEXTS)
    if letter.files:
        assert "…** - <@" in letter.content
        assert letter.files[0].body.decode() == f"/imagine {canonical(job(text).request)}"
    else:
        assert f"**{echo.escaped(canonical(job(text).request))}**" in letter.content


@given(st.text(alphabet="ab*_~|`<>[]() \\", max_size=80))
def test_escaped_prompts_read_as_they_were_typed(text: str) -> None:
    shown = echo.escaped(text)
    assert re.sub(r"\\(.)", r"\1", shown) == text
    assert re.search(r"(?<!\\)(?:\\\\)*[*_~|`<\[\]]", shown) is None


def test_links_stay_whole_and_are_shown_without_preview() -> None:
    assert echo.escaped("see https://a.example/x_y_z *now*") == r"see <https://a.example/x_y_z> \*now\*"
    assert echo.escaped("<https://a.example/x_y.png>::2 fox") == "<https://a.example/x_y.png>::2 fox"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://a.example/x, please", "see <https://a.example/x>, please"),
        ("is it https://a.example/x?", "is it <https://a.example/x>?"),
        ("a fox (https://a.example/x).", "a fox (<https://a.example/x>)."),
        ("a https://a.example/fox_(red)", "a <https://a.example/fox_(red)>"),
        ("a https://a.example/x::2 dog", "a <https://a.example/x>::2 dog"),
    ],
)
def test_a_link_ends_before_the_punctuation_behind_it(text: str, shown: str) -> None:
    assert echo.escaped(text) == shown


URLS = [
    "https://",
    "http://a",
    "a.b/c",
    " ",
    ",",
    ".",
    "(",
    ")",
    ":",
    "::",
    "::2 ",
    "!",
    "'",
    "]",
    "_",
    "fox",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(URLS), max_size=12).map("".join))
def test_what_discord_shows_can_be_sent_again(text: str) -> None:
    try:
        request = parse("a " + text)
    except PromptErrors:
        return
    shown = re.sub(r"\\(.)", r"\1", echo.escaped(canonical(request)))
    assert parse(shown) == request


@given(st.text(max_size=300), st.integers(2, 100))
def test_a_cut_is_never_longer_than_its_room(text: str, room: int) -> None:
    assert echo.units(echo.cut(text, room)) <= room
    assert echo.units(echo.fitted(text, room)) <= max(room, 1) or echo.escaped(text) == echo.fitted(
        text, room
    )


def test_file_names_are_midjourneys() -> None:
    request = parse("a red fox, on “snow” --seed 42")
    assert echo.file_name("ann.b", request, ID) == f"ann_b_a_red_fox_on_snow_{ID}.png"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (Standing(place=1, wait_seconds=None, away=False), "next in line"),
        (Standing(place=3, wait_seconds=41, away=False), "3rd in line · about 40 s"),
        (Standing(place=12, wait_seconds=130, away=False), "12th in line · about 2 min"),
        (Standing(place=21, wait_seconds=8000, away=False), "21st in line · about 2 h"),
        (Standing(place=1001, wait_seconds=None, away=False, far=True), "more than 1,000 before you"),
        (
            Standing(place=1, wait_seconds=5, away=False, off="inker"),
            "The model inker is switched off: your job is kept and starts when it is switched on again.",
        ),
    ],
)
def test_the_place_in_line_is_told_below(place: Standing, line: str) -> None:
    assert render.waiting(job(), place, TEXTS).content.split("\n") == [
        f"**a fox** - <@{2**63}> (Waiting to start)",
        f"-# {line}",
    ]


def test_a_paused_job_says_so() -> None:
    progress = Progress(job_id=ID, fraction=0.5, paused=True, at=0)
    assert "(paused) (fast)" in render.running(job(), progress, TEXTS).content


def test_a_grid_has_nine_buttons_and_single_pictures_their_own() -> None:
    def labels(order: Order | None) -> list[str | None]:
        return [b.label or b.emoji for row in render.result_rows(job(order=order), TEXTS) for b in row]

    assert labels(None) == ["U1", "U2", "U3", "U4", "🔄", "V1", "V2", "V3", "V4"]
    assert labels(Cell(source=ID, index=1)) == ["Upscale (Subtle)", "Vary (Subtle)", "Vary (Strong)"]
    assert labels(Upscale(source=ID)) == ["Vary (Subtle)", "Vary (Strong)"]


FACTS = {  # whatever some code may tell
    "waiting": 10,
    "served": "`--v 6`",
    "text": "a fox",
    "length": 6001,
    "jobs": 41,
    "until": 0,
    "reason": "",
    "model": "tiny",
    "parameter": "tile",
    "low": "1:2",
    "high": "2:1",
    "cost": 1.0,
    "left": 0.0,
    "missing": 1.0,
    "allowed": 1.0,
    "window": "day",
    "refill_at": 0,
    "permissions": "Attach Files",
    "contacts": "a moderator",
    "rank": "admin",
    "roles": "",
    "channel_id": 1,
    "typed": "x",
    "options": "",
    "state": "running",
    "job_id": "1",
    "name": "tiny",
    "known": "",
    "touches": 2,
    "category": "hate",
    "host": "example.org",
    "seconds": 10,
    "error": "HTTP 500",
    "limit": "10 MB",
    "most": 8,
    "asked": "--v 9",
}


@pytest.mark.parametrize("code", AdminCode)
def test_every_code_of_the_admins_has_words(code: AdminCode) -> None:
    assert all(errors.words(AdminError(code, **FACTS), TEXTS))


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_of_the_worker_has_words(code: ErrorCode) -> None:
    title, description = errors.words(WorkerError(code, **FACTS), TEXTS)
    assert title
    assert description


@pytest.mark.parametrize("code", BotCode)
def test_every_code_of_the_bot_has_words(code: BotCode) -> None:
    assert all(errors.words(BotError(code, **FACTS), TEXTS))


@settings(deadline=None)  # the parser's own tests bound its time
@given(PROMPTS)
def test_every_refused_prompt_fits_into_its_embed(text: str) -> None:
    try:
        request = parse(text)
    except PromptErrors as error:
        letter = errors.refused_prompt(error, text, TEXTS, fix="1")
        card = letter.card
        assert card is not None
        assert echo.units(card.description) <= errors.DESCRIPTION_LIMIT
        assert echo.units(card.footer) <= errors.FOOTER_LIMIT
        assert echo.units(card.title + card.description + card.footer) <= errors.EMBED_LIMIT
        assert card.footer == f"/imagine {text}" or letter.files[0].body.decode() == f"/imagine {text}"
    else:
        assert canonical(request)


def test_many_problems_are_counted_where_they_do_not_fit() -> None:
    with pytest.raises(PromptErrors) as caught:
        parse("fox " + " ".join(f"--wrong{n} {n}" for n in range(30)))
    card = errors.refused_prompt(caught.value, "fox", TEXTS).card
    assert card is not None
    assert "more." in card.description


def test_every_text_has_places_that_can_be_filled() -> None:
    for key, words in WORDS.items():
        names = {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}
        assert TEXTS(key, **dict.fromkeys(names, 1)), key  # a number, since some are rounded


def test_an_origin_survives_being_stored_and_strangers_have_none() -> None:
    assert origin_of(job(origin=ORIGIN.text)) == ORIGIN
    assert origin_of(job(origin="command line")) is None


def test_owners_and_moderators_cancel_and_nobody_else() -> None:
    may_cancel(Caller(2**63), job())
    here = job(origin=ORIGIN.text)
    may_cancel(Caller(1, moderator=True, channel_id=ORIGIN.channel_id), here)
    for stranger in (Caller(1, channel_id=ORIGIN.channel_id), Caller(1, moderator=True, channel_id=4)):
        with pytest.raises(BotError):
            may_cancel(stranger, here)
    with pytest.raises(BotError):
        may_cancel(Caller(1, moderator=True), job())
    with pytest.raises(BotError):
        must_own(Caller(1, moderator=True), job())


def test_reach_follows_membership_and_permissions() -> None:
    assert reach(Place(guild=True, member=False, lacking=("Attach Files",))) is Reach.TOKEN
    assert reach(Place(guild=True, member=True)) is Reach.CHANNEL
    assert reach(Place(guild=False, member=True, lacking=("Attach Files",))) is Reach.CHANNEL
    with pytest.raises(BotError):
        reach(Place(guild=True, member=True, lacking=("Attach Files",)))
