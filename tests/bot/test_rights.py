"""Who may do what: pure."""

import re
from pathlib import Path

import pytest

from bot.commands.admin.command import AdminCommand
from bot.commands.admin.options import seconds_of
from bot.commands.admin.window import Answer, Page, Reply, read
from bot.commands.moderation import ModerationCommand
from bot.faults import BotCode, BotError
from bot.rights import USUAL, Holder, at_home, authorise, may_appoint, may_judge, rank_of, shared
from worker.admin import Powers
from worker.api import Category, JobState
from worker.deeds import POWERS, Power, Rank, SetPower, SetRole, Verb, Watch

ROOT = Path(__file__).resolve().parents[2]
SAID = Powers(roles={Rank.ADMIN: (10,), Rank.MODERATOR: (20, 21)}, ranks={Verb.QUEUE_PAUSE: Rank.OWNER})
NOBODY = Holder(1, frozenset({99}))
MODERATOR = Holder(2, frozenset({99, 21}))
ADMIN = Holder(3, frozenset({10, 20}))
OWNER = Holder(4, administrator=True)


def test_the_highest_of_several_ranks_counts_and_administrators_are_owners() -> None:
    assert [rank_of(each, SAID) for each in (NOBODY, MODERATOR, ADMIN, OWNER)] == [
        None,
        Rank.MODERATOR,
        Rank.ADMIN,
        Rank.OWNER,
    ]


@pytest.mark.parametrize("verb", POWERS)
def test_every_verb_takes_a_rank_and_whoever_has_none_may_do_nothing(verb: Power) -> None:
    assert USUAL[verb] in Rank
    with pytest.raises(BotError) as refused:
        authorise(verb, NOBODY, SAID, home=True)
    assert refused.value.code is BotCode.NO_RANK
    assert authorise(verb, OWNER, SAID, home=True) is Rank.OWNER


def test_a_server_may_ask_for_another_rank() -> None:
    with pytest.raises(BotError) as refused:
        authorise(Verb.QUEUE_PAUSE, ADMIN, SAID, home=True)
    assert refused.value.detail["rank"] is Rank.OWNER
    assert authorise(Verb.QUEUE_DRAIN, ADMIN, SAID, home=True) is Rank.ADMIN


def test_a_refusal_names_the_roles_that_would_do() -> None:
    with pytest.raises(BotError) as refused:
        authorise(Verb.QUEUE_SHOW, NOBODY, SAID, home=True)
    assert refused.value.detail["roles"] == ", <@&10>, <@&20>, <@&21>"


def test_only_what_all_servers_share_needs_a_home() -> None:
    for verb in POWERS:
        if shared(verb):
            with pytest.raises(BotError, match="not_home"):
                authorise(verb, OWNER, SAID, home=False)
        else:
            authorise(verb, OWNER, SAID, home=False)
    assert {verb.partition(" ")[0] for verb in POWERS if not shared(verb)} == {
        "role",
        "channel",
        "words",
        "audit",
        "moderation",
    }


def test_the_only_server_is_home_until_servers_are_named() -> None:
    assert at_home(frozenset(), 5, servers=frozenset({5}))
    assert not at_home(frozenset(), 5, servers=frozenset({5, 6}))
    assert not at_home(frozenset(), 6, servers=frozenset({5}))  # installed by a person there
    assert not at_home(frozenset(), 5, servers=frozenset())
    assert at_home(frozenset({5}), 5, servers=frozenset({5, 6}))
    assert not at_home(frozenset({5}), 6, servers=frozenset({6}))
    assert not at_home(frozenset({5}), None, servers=frozenset({5}))


def test_nobody_appoints_above_themselves() -> None:
    may_appoint(Rank.ADMIN, SetRole(guild_id=1, rank=Rank.ADMIN, role_id=1))
    for deed in (
        SetRole(guild_id=1, rank=Rank.OWNER, role_id=1),
        SetPower(guild_id=1, power=Verb.STATUS, rank=Rank.MODERATOR),
    ):
        with pytest.raises(BotError, match="above_you"):
            may_appoint(Rank.ADMIN, deed)
        may_appoint(Rank.OWNER, deed)


def test_nobody_judges_themselves_or_up() -> None:
    may_judge(ADMIN, Rank.ADMIN, MODERATOR, SAID)
    may_judge(OWNER, Rank.OWNER, Holder(5, administrator=True), SAID)
    for judged in (ADMIN, OWNER, Holder(6, frozenset({10}))):
        with pytest.raises(BotError, match="above_you"):
            may_judge(ADMIN, Rank.ADMIN, judged, SAID)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("90m", 5400), ("12 h", 43200), ("1d 12h", 129600), ("2W", 1209600), ("400d", 34560000)],
)
def test_lengths_of_time_are_understood(typed: str, seconds: float) -> None:
    assert seconds_of(typed) == seconds


@pytest.mark.parametrize(
    "typed", ["", "0m", "soon", "1.5h", "-3d", "401d", "3", "12h extra", "٣d٣", "9" * 30 + "d"]
)
def test_what_is_no_length_of_time_is_refused(typed: str) -> None:
    with pytest.raises(BotError) as refused:
        seconds_of(typed)
    assert refused.value.code is BotCode.NOT_A_TIME


@pytest.mark.parametrize("verb", Verb)
def test_pages_and_answers_survive_their_custom_id_in_a_hundred_characters(verb: Verb) -> None:
    longest = {"s": max(JobState, key=len), "l": "relax", "p": "9" * 19, "c": max(Category, key=len)}
    page = Page(verb, 2**63 - 1, 99_999, {name: str(value) for name, value in list(longest.items())[:3]})
    assert len(page.custom_id) <= 100
    assert read(page.custom_id) == page
    answer = Answer(Reply.YES, "0123456789abcdef", 2**63 - 1)
    assert read(answer.custom_id) == answer


@pytest.mark.parametrize(
    "custom_id",
    [
        "JA::",
        "JA::yes::zz::1",
        "JA::page::no such::0::1::",
        "JA::page::status::-1::1::",
        "x",
        "JA::yes::0123456789abcdef::",
    ],
)
def test_what_is_no_custom_id_of_ours_means_nothing(custom_id: str) -> None:
    assert read(custom_id) is None


def test_every_verb_is_a_subcommand_and_in_the_table_with_its_rank() -> None:
    class Nothing:
        """Stands where nothing is called."""

    nothing: object = Nothing()
    command = AdminCommand(nothing, office=nothing, outlet=nothing, moderation=nothing)  # type: ignore[arg-type]
    offered = {each.qualified_name.removeprefix("admin ") for each in command.walk_commands()}
    groups = {verb.partition(" ")[0] for verb in Verb if " " in verb}
    assert offered - groups == {verb.value for verb in Verb}
    page = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `([a-z ]+)` \| (\w+) \|", page, re.MULTILINE))
    assert table == {verb.value: USUAL[verb].value for verb in Verb}


def test_every_moderation_command_takes_a_rank_and_is_in_the_table_with_it() -> None:
    class Nothing:
        """Stands where nothing is called."""

    nothing: object = Nothing()
    command = ModerationCommand(nothing, authority=None, clock=float)  # type: ignore[arg-type]
    offered = {each.qualified_name for each in command.walk_commands()}
    assert offered == {power.value for power in Watch}
    page = (ROOT / "docs" / "moderation.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `/(moderation [a-z]+)` \| (\w+) \|", page, re.MULTILINE))
    assert table == {power.value: USUAL[power].value for power in Watch}
