"""What moderation says. Pure."""

from collections.abc import Awaitable, Callable, Sequence

from bot import echo
from bot.actions import Action, Verb
from bot.errors import with_prompt
from bot.moderation.records import Refusal, RefusalState, Strike
from bot.moderation.rules import Outcome, Rules
from bot.render import AMBER, RED, Button, Card, File, Letter, Style
from bot.texts import Texts
from worker.api import Category

Work = Callable[[], Awaitable[None]]

GREEN = 0x57F287
SHOWN_STRIKES = 25
PROMPT_ROOM = 1500  # characters of a prompt in a message; the whole comes as a file


def category(name: Category, texts: Texts) -> str:
    """Return how people call a category."""
    return texts(f"moderation.category.{name}")


def outcome(name: Outcome, texts: Texts) -> str:
    """Return how people call an outcome."""
    return texts(f"moderation.outcome.{name}")


def refused(refusal: Refusal, texts: Texts, *, appeals: bool) -> Letter:
    """Return what tells a person that their prompt is refused; *appeals* says whether they can appeal."""
    title = texts("moderation.refused.title")
    words = texts(f"moderation.refused.{refusal.gate}", category=category(refusal.category, texts))
    if refusal.state is RefusalState.FINAL:
        how = texts("moderation.refused.final" if refusal.guild_id else "moderation.refused.nobody")
        return with_prompt(Letter(), title, f"{words}\n{how}", refusal.prompt)
    if not appeals:
        words += "\n" + texts("moderation.refused.nowhere")
        return with_prompt(Letter(), title, words, refusal.prompt)
    button = Button(Action(Verb.APPEAL, refusal.id).custom_id, texts("button.appeal"))
    words += "\n" + texts("moderation.refused.appeal")
    return with_prompt(Letter(rows=((button,),)), title, words, refusal.prompt)


def before_moderators(refusal: Refusal, texts: Texts) -> Letter:
    """Return the message with which a refusal goes before the moderators, as it stands."""
    shown = echo.cut(echo.unticked(refusal.prompt), PROMPT_ROOM)
    files = () if len(refusal.prompt) <= PROMPT_ROOM else (File("prompt.txt", refusal.prompt.encode()),)
    description = texts(
        "moderation.appeal",
        user_id=refusal.user_id,
        channel_id=refusal.channel_id,
        category=category(refusal.category, texts),
        prompt=shown,
    )
    if refusal.decided_by is None:
        approve = Action(Verb.APPROVE, refusal.id).custom_id
        deny = Action(Verb.DENY, refusal.id).custom_id
        row = (
            Button(approve, texts("button.approve"), style=Style.GREEN),
            Button(deny, texts("button.deny"), style=Style.RED),
        )
        return Letter(
            rows=(row,), card=Card(texts("moderation.appeal.title"), description, AMBER), files=files
        )
    denied = refusal.state is RefusalState.DENIED
    outcome = texts(
        "moderation.appeal.denied" if denied else "moderation.appeal.approved", user_id=refusal.decided_by
    )
    card = Card(texts("moderation.appeal.title"), f"{description}\n{outcome}", RED if denied else GREEN)
    return Letter(card=card, files=files)


def decision(refusal: Refusal, texts: Texts) -> Letter:
    """Return what tells the person how the moderators decided."""
    if refusal.state is RefusalState.DENIED:
        card = Card(texts("moderation.denied.title"), texts("moderation.denied"), RED)
        return Letter(card=card)
    words = texts("moderation.approved", channel_id=refusal.channel_id)
    return with_prompt(Letter(), texts("moderation.approved.title"), words, refusal.prompt, color=GREEN)


def rules(rules: Rules, texts: Texts) -> Letter:
    """Return a server's rules."""
    lines = [_rule(each, rules, texts) for each in Category]
    words = outcome(rules.picture, texts)
    lines.append(texts("moderation.rules.pictures", outcome=words, threshold=rules.picture_threshold))
    if rules.moderators_channel_id is None:
        lines.append(texts("moderation.rules.no_appeals"))
    else:
        lines.append(texts("moderation.rules.appeals", channel_id=rules.moderators_channel_id))
    return Letter(card=Card(texts("moderation.rules.title"), "\n".join(lines), AMBER))


def _rule(about: Category, rules: Rules, texts: Texts) -> str:
    plain, adult = (rules.outcome(about, nsfw=nsfw) for nsfw in (False, True))
    facts = {"category": category(about, texts), "outcome": outcome(plain, texts)}
    if adult is plain:
        return texts("moderation.rules.line", **facts)
    return texts("moderation.rules.adult", **facts, adult=outcome(adult, texts))


def strikes(user_id: int, strikes: Sequence[Strike], until: float | None, texts: Texts) -> Letter:
    """Return a person's latest strikes, and the end of their timeout if they are in one."""
    title = texts("moderation.strikes.title")
    if not strikes and until is None:
        return Letter(card=Card(title, texts("moderation.strikes.none", user_id=user_id), GREEN))
    lines = [f"<@{user_id}>", *(_strike(each, texts) for each in strikes[-SHOWN_STRIKES:])]
    if until is not None:
        lines.append(texts("moderation.strikes.until", until=int(until)))
    return Letter(card=Card(title, "\n".join(lines), AMBER))


def _strike(strike: Strike, texts: Texts) -> str:
    facts = {"at": int(strike.at), "category": category(strike.category, texts)}
    if strike.forgiven_by is None:
        return texts("moderation.strikes.line", **facts)
    return texts("moderation.strikes.forgiven", **facts, by=strike.forgiven_by)


def forgiven(user_id: int, count: int, texts: Texts) -> Letter:
    """Return that a person's strikes no longer count."""
    words = texts("moderation.forgiven", user_id=user_id, n=count)
    return Letter(card=Card(texts("moderation.forgiven.title"), words, GREEN))
