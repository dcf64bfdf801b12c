"""What admins are shown, as messages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot import echo
from bot.commands.admin.window import Answer, Page, Reply
from bot.moderation.verdict import Verdict
from bot.render import AMBER, RED, Button, Card, Letter, Rows, Style, mode
from bot.rights import needed
from bot.texts import Texts
from parser import Speed
from worker.accounts import Account, Allowance, Use, Whose, Window
from worker.admin import (
    ChannelRule,
    ChannelView,
    JobLine,
    Pending,
    PersonView,
    Powers,
    QueueView,
    Restriction,
    Word,
)
from worker.deeds import POWERS, Block, Cancel, Clear, Rank, ResetQuota, Which

LINES = 10  # of a page
GREY = 0x5865F2
DESCRIPTION_ROOM = 4000  # characters of an embed's description, with some to spare


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a list.

    Attributes:
        title: What it lists.
        head: Sentences above the lines.
        lines: At most `LINES`.
        total: How many there are on all pages.
    """

    title: str
    head: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    total: int = 0


class ChannelKind(StrEnum):
    """What was said about a channel, to filter by."""

    OPEN = "open"
    CLOSED = "closed"
    ADULT = "adult"

    def fits(self, rule: ChannelRule) -> bool:
        """Tell whether *rule* says so."""
        return {
            ChannelKind.OPEN: rule.allowed is True,
            ChannelKind.CLOSED: rule.allowed is False,
            ChannelKind.ADULT: rule.nsfw,
        }[self]


def letter(sheet: Sheet, page: Page, texts: Texts) -> Letter:
    """Return the message for a page, with buttons to the others."""
    pages = max(1, -(-sheet.total // LINES))
    text = "\n".join((*sheet.head, *(sheet.lines or ((texts("admin.list.none"),) if not sheet.head else ()))))
    foot = (
        texts("admin.list.foot", page=page.number + 1, pages=pages, total=sheet.total) if sheet.lines else ""
    )
    return Letter(rows=_turns(page, pages, texts), card=Card(sheet.title, within(text), GREY, foot))


def _turns(page: Page, pages: int, texts: Texts) -> Rows:
    """Return the buttons: every press carries which list, which page, whose."""
    buttons = [Button(page.custom_id, texts("admin.button.again"))]
    if page.number > 0:
        back = min(page.number - 1, pages - 1)
        buttons.insert(0, Button(page.turned(back).custom_id, texts("admin.button.back")))
    if page.number + 1 < pages:
        buttons.append(Button(page.turned(page.number + 1).custom_id, texts("admin.button.on")))
    return (tuple(buttons),)


def question(pending: Pending, texts: Texts, *, changed: bool = False) -> Letter:
    """Return what asks whether a deed shall be done, and says what it touches."""
    deed = pending.deed
    facts: dict[str, object] = {"touches": pending.touches}
    match deed:
        case Cancel(which=which) | Clear(which=which):
            facts["target"] = named(which, texts)
        case Block(user_id=user_id) | ResetQuota(user_id=user_id):
            facts["user_id"] = user_id
    before = texts("admin.ask.changed") if changed else ""
    yes, no = (Answer(reply, pending.id, pending.user_id).custom_id for reply in (Reply.YES, Reply.NO))
    row = (
        Button(yes, texts("admin.button.yes"), style=Style.RED),
        Button(no, texts("admin.button.no")),
    )
    words = before + texts(f"admin.ask.{deed.verb}", **facts)
    return Letter(rows=(row,), card=Card(texts("admin.ask.title"), words, AMBER))


def said(words: str, texts: Texts) -> Letter:
    """Return a short answer."""
    return Letter(card=Card(texts("admin.done.title"), within(words), GREY))


def to_person(server: str, text: str, texts: Texts) -> Letter:
    """Return what is sent to a person in the name of a server."""
    header = texts("admin.contact.header", server=server)
    return Letter(header, card=Card(server, text, GREY, texts("admin.contact.footer")))


def refusal(title: str, words: str) -> Letter:
    """Return what replaces a question that cannot be answered any more."""
    return Letter(card=Card(title, words, RED))


def named(which: Which, texts: Texts) -> str:
    """Return what *which* names, for people."""
    parts = (
        f"`{which.job_id}`" if which.job_id else "",
        f"<@{which.owner_id}>" if which.owner_id else "",
        mode(which.speed, texts) if which.speed else "",
    )
    return ", ".join(filter(None, parts)) or texts("admin.everybody")


def queue(view: QueueView, lines: Sequence[JobLine], total: int, texts: Texts) -> Sheet:
    """Return jobs."""
    head = texts(
        "admin.queue.head",
        mode=texts(f"admin.mode.{view.mode}"),
        waiting=lanes(view.waiting, texts),
        running=sum(view.running.values()),
        people=view.people,
    )
    return Sheet(texts("admin.title.queue show"), (head,), tuple(_job(line, texts) for line in lines), total)


def _job(line: JobLine, texts: Texts) -> str:
    return texts(
        "admin.queue.line",
        id=line.id,
        state=line.state,
        first=texts("admin.queue.first") if line.promoted and not line.state.final else "",
        kind=line.kind,
        lane=mode(line.speed, texts),
        owner_id=line.owner_id,
        at=int(line.finished_at or line.started_at or line.created_at),
        error=f" · `{line.error}`" if line.error else "",
    )


def lanes(counts: Mapping[Speed, int], texts: Texts) -> str:
    """Return how many jobs are in which lane."""
    parts = [f"{count} {mode(lane, texts)}" for lane, count in counts.items() if count]
    return ", ".join(parts) or "0"


def person(view: PersonView, texts: Texts) -> Sheet:
    """Return one person."""
    facts = texts(
        "admin.person", minutes=view.seconds / 60, **view.model_dump(exclude={"seconds", "restriction"})
    )
    return Sheet(texts("admin.title.user"), (facts, _restriction(view.restriction, texts)))


def _restriction(found: Restriction | None, texts: Texts) -> str:
    if found is None:
        return texts("admin.person.free")
    reason = f" {echo.escaped(found.reason)}" if found.reason else ""
    key = f"admin.person.{found.kind}"
    return texts(key, created_at=int(found.created_at), until=int(found.until or 0), reason=reason)


def restricted(found: Sequence[Restriction], total: int, texts: Texts) -> Sheet:
    """Return who may not order."""
    lines = (texts("admin.person.line", user_id=r.user_id, words=_restriction(r, texts)) for r in found)
    return Sheet(texts("admin.title.user show"), (), tuple(lines), total)


def roles(powers: Powers, rank: Rank | None, number: int, texts: Texts) -> Sheet:
    """Return what each rank, or one of them, may do, and a page of those who hold it."""
    ranks = [each for each in Rank if rank in {None, each}]
    head = [texts("admin.role.verbs", rank=each, verbs=_verbs(powers, each, texts) or "-") for each in ranks]
    held = [(each, f"<@&{role}>") for each in ranks for role in powers.roles.get(each, ())]
    if Rank.OWNER in ranks:
        held.insert(0, (Rank.OWNER, texts("admin.role.administrators")))
    lines = [texts("admin.role.line", rank=each, role=role) for each, role in held]
    head += [] if lines else [texts("admin.role.nobody")]
    return cut(Sheet(texts("admin.title.role list"), tuple(head), tuple(lines)), number)


def _verbs(powers: Powers, rank: Rank, texts: Texts) -> str:
    """Return what takes *rank*, by group."""
    groups: dict[str, list[str]] = {}
    for power in POWERS:
        if needed(power, powers) is rank:
            group, _, verb = power.partition(" ")
            groups.setdefault(group, []).append(verb)
    return " · ".join(
        texts("admin.role.group", group=group, verbs=", ".join(verbs)).strip()
        for group, verbs in groups.items()
    )


def cut(sheet: Sheet, number: int) -> Sheet:
    """Return the page *number* of a sheet whose lines are all there."""
    first = number * LINES
    return replace(sheet, lines=sheet.lines[first : first + LINES], total=len(sheet.lines))


def channels(view: ChannelView, kind: ChannelKind | None, missed: int, number: int, texts: Texts) -> Sheet:
    """Return a page of the rules about channels, perhaps of one kind.

    *missed* entries of the record have not been posted to the log channel.
    """
    log = texts("admin.channel.nolog")
    if view.log_channel_id is not None:
        log = texts("admin.channel.log", channel_id=view.log_channel_id)
        log += texts("admin.channel.missed", n=missed) if missed else ""
    kinds = {None: "admin.channel.usual", True: "admin.channel.open", False: "admin.channel.closed"}
    lines = [
        texts(
            "admin.channel.line",
            channel=f"<#{rule.channel_id}>" if rule.channel_id else texts("admin.channel.every"),
            words=texts(kinds[rule.allowed]) + (texts("admin.channel.nsfw") if rule.nsfw else ""),
        )
        for rule in view.rules
        if kind is None or kind.fits(rule)
    ]
    return cut(Sheet(texts("admin.title.channel list"), (log,), tuple(lines)), number)


def words(found: Sequence[Word], total: int, texts: Texts) -> Sheet:
    """Return a server's own words."""
    lines = (
        texts(
            "admin.words.line",
            category=word.category,
            phrase=echo.unticked(word.phrase),
            kind=texts("admin.words.allow" if word.allow else "admin.words.refuse"),
        )
        for word in found
    )
    return Sheet(texts("admin.title.words list"), (), tuple(lines), total)


def verdict(found: Verdict, texts: Texts) -> Sheet:
    """Return what the words say about a text."""
    lines = tuple(
        texts(
            "admin.words.found",
            category=each.category,
            matched=echo.escaped(each.matched),
            phrase=echo.unticked(each.phrase),
        )
        for each in found.findings[:LINES]
    )
    head = () if lines else (texts("admin.words.clean"),)
    return Sheet(texts("admin.title.words test"), (*head, *lines))


def account(found: Account, texts: Texts) -> Sheet:
    """Return what a person may use and has used."""
    uses = {window: _use(found.person[window], texts) for window in Window}
    head = [
        texts(
            "admin.quota.person",
            user_id=found.owner_id,
            day=uses[Window.DAY],
            month=uses[Window.MONTH],
            left=f"{found.granted:g}",
        ),
        texts("admin.quota.places", running=found.running, waiting=found.waiting, batch=found.batch),
    ]
    if found.own is not None:
        head.append(texts("admin.quota.own", own=_said(found.own)))
    return Sheet(texts("admin.title.quota show"), tuple(head))


def _use(use: Use, texts: Texts) -> str:
    if use.allowed is None:
        return texts("admin.quota.unlimited", used=f"{use.used:g}")
    return texts("admin.quota.use", used=f"{use.used:g}", allowed=f"{use.allowed:g}")


def allowances(found: Sequence[tuple[Whose, int, Allowance]], total: int, texts: Texts) -> Sheet:
    """Return what was said of people, roles and servers."""
    forms = {Whose.PERSON: "<@{}>", Whose.ROLE: "<@&{}>", Whose.SERVER: "server `{}`"}
    lines = tuple(
        texts("admin.quota.line", subject=forms[whose].format(subject), said=_said(allowance))
        for whose, subject, allowance in found
    )
    head = () if lines else (texts("admin.quota.nothing"),)
    return Sheet(texts("admin.title.quota show"), head, lines, total)


def _said(allowance: Allowance) -> str:
    facts = allowance.model_dump(exclude_defaults=True)
    return ", ".join(f"{name} {value:g}" if value is not True else name for name, value in facts.items())


def within(text: str) -> str:
    """Return *text* cut to what an embed holds."""
    return echo.cut(text, DESCRIPTION_ROOM)
