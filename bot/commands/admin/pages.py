"""What admins are shown, as messages. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from bot import echo
from bot.commands.admin.window import Answer, Page, Reply
from bot.moderation.verdict import Verdict
from bot.render import AMBER, RED, Button, Card, Letter, Rows, Style, mode
from bot.rights import needed
from bot.texts import Texts
from parser import Speed
from worker.accounts import Account, Allowance, Use, Whose, Window
from worker.admin import (
    ChannelView,
    Entry,
    JobLine,
    ModelLine,
    Pending,
    PersonView,
    Powers,
    QueueView,
    Restriction,
    Status,
    Word,
)
from worker.deeds import POWERS, Block, Cancel, Clear, Rank, ResetQuota, Which

LINES = 10  # of a page
GREY = 0x5865F2
DESCRIPTION_ROOM = 4000  # characters of an embed's description, with some to spare
FACT_ROOM = 120  # characters of what was so before or is so now, in a line of the audit log
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000


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
        waiting=_lanes(view.waiting, texts),
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


def _lanes(counts: Mapping[Speed, int], texts: Texts) -> str:
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


def roles(powers: Powers, texts: Texts) -> Sheet:
    """Return who holds which rank, and what each may do."""
    held: list[str] = []
    for rank in Rank:
        names = [f"<@&{role}>" for role in powers.roles.get(rank, ())]
        if rank is Rank.OWNER:
            names.insert(0, texts("admin.role.administrators"))
        held.append(texts("admin.role.line", rank=rank, roles=", ".join(names) or texts("admin.role.nobody")))
    for rank in reversed(Rank):
        verbs = ", ".join(f"`{power}`" for power in POWERS if needed(power, powers) is rank)
        held.append(texts("admin.role.verbs", rank=rank, verbs=verbs or "-"))
    return Sheet(texts("admin.title.role list"), tuple(held))


def channels(view: ChannelView, texts: Texts) -> Sheet:
    """Return the rules about channels."""
    log = (
        texts("admin.channel.nolog")
        if view.log_channel_id is None
        else texts("admin.channel.log", channel_id=view.log_channel_id)
    )
    kinds = {None: "admin.channel.usual", True: "admin.channel.open", False: "admin.channel.closed"}
    lines = [
        texts(
            "admin.channel.line",
            channel=f"<#{rule.channel_id}>" if rule.channel_id else texts("admin.channel.every"),
            words=texts(kinds[rule.allowed]) + (texts("admin.channel.nsfw") if rule.nsfw else ""),
        )
        for rule in view.rules
    ]
    return Sheet(texts("admin.title.channel list"), (log, *lines))


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


def models(found: Sequence[ModelLine], texts: Texts) -> Sheet:
    """Return the models."""
    lines = (
        texts(
            "admin.models.line",
            name=line.name,
            state=texts("admin.models.on" if line.enabled else "admin.models.off"),
            default=texts("admin.models.default") if line.default else "",
        )
        for line in found
    )
    return Sheet(texts("admin.title.models list"), (*lines, texts("admin.models.one")))


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


def status(found: Status, texts: Texts) -> Sheet:
    """Return the machine room."""
    view, disk = found.queue, found.disk
    lines = [
        texts(
            "admin.status.queue",
            mode=texts(f"admin.mode.{view.mode}"),
            waiting=_lanes(view.waiting, texts),
            running=_lanes(view.running, texts),
        )
    ]
    for line in found.workers[:LINES]:
        error = ""
        if line.last_error is not None:
            error = texts("admin.status.trouble", code=line.last_error, at=int(line.last_error_at or 0))
        lines.append(
            texts(
                "admin.status.worker",
                since=int(line.started_at),
                rate=line.steps_per_second,
                largest=line.largest_batch,
                error=error,
                **line.model_dump(include={"name", "device", "model", "jobs", "pictures", "batch", "busy"}),
            )
        )
    if not found.workers:
        lines.append(texts("admin.status.nobody"))
    sizes = {name: size(getattr(disk, name)) for name in ("free", "total", "database", "pictures")}
    more = "" if disk.complete else texts("admin.status.more")
    lines.append(texts("admin.status.disk", more=more, **sizes))
    if found.failures:
        lines.append(texts("admin.status.failures"))
    lines += [
        texts("admin.status.failure", id=job.id, code=job.error, at=int(job.finished_at or job.created_at))
        for job in found.failures
    ]
    return Sheet(texts("admin.title.status"), tuple(lines))


def audit(found: Sequence[Entry], total: int, texts: Texts) -> Sheet:
    """Return entries of the audit log."""
    return Sheet(texts("admin.title.audit"), (), tuple(entry(each, texts) for each in found), total)


def entry(found: Entry, texts: Texts) -> str:
    """Return one entry of the audit log."""
    kind, _, name = found.actor.partition(":")
    actor = {"discord": f"<@{name}>", "cli": texts("admin.audit.cli", name=echo.unticked(name))}.get(
        kind, kind
    )
    change = texts("admin.audit.change", before=_facts(found.before), after=_facts(found.after))
    target = echo.escaped(found.target)
    return texts(
        "admin.audit.line", at=int(found.at), actor=actor, verb=found.verb, target=target, change=change
    )


def _facts(facts: Mapping[str, JsonValue]) -> str:
    text = ", ".join(f"{name}: {'-' if value is None else value}" for name, value in facts.items())
    return f"`{echo.cut(echo.unticked(text), FACT_ROOM)}`" if text else "-"


def size(count: int) -> str:
    """Return a number of bytes for people, in steps of a thousand."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if amount < THOUSAND:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= THOUSAND
    return f"{amount:.1f} {UNITS[-1]}"


def within(text: str) -> str:
    """Return *text* cut to what an embed holds."""
    return echo.cut(text, DESCRIPTION_ROOM)
