"""The question before several jobs are queued, and what became of them: words and buttons. Pure."""

from collections.abc import Sequence
from itertools import accumulate

from bot import echo
from bot.actions import Action, Verb
from bot.batch import Batch
from bot.errors import with_prompt
from bot.render import AMBER, Button, Letter, Rows, Style, duration, number
from bot.texts import Texts
from worker.accounts import Account, Window
from worker.api import Quote

SHOWN = 5  # prompts of a batch that are named
PROMPT_ROOM = 200  # characters of each
EDIT_LIMIT = 4000  # characters that a text field of Discord holds
GREEN = 0x00FF00


def question(batch: Batch, quote: Quote, account: Account, texts: Texts) -> Letter:
    """Return the question whether *batch* shall be queued."""
    count = len(batch.jobs)
    seconds = quote.seconds
    key = "batch.ask" if seconds is None else "batch.ask.time"
    content = texts(key, n=count, time="" if seconds is None else duration(seconds, texts))
    lines = [*_prompts(batch, texts), "", *_price(quote, account, texts)]
    letter = Letter(content, rows=_rows(batch, texts))
    return with_prompt(letter, texts("batch.title", n=count), "\n".join(lines), batch.prompt, color=AMBER)


def queued(batch: Batch, texts: Texts) -> Letter:
    """Return what says that all of *batch* is queued."""
    return Letter(texts("batch.queued", n=len(batch.jobs)))


def partly(batch: Batch, done: int, reason: str, texts: Texts) -> Letter:
    """Return what says how many were queued, why not the others, and offers to go on."""
    content = texts("batch.partly", done=done, n=len(batch.jobs), left=len(batch.jobs) - done)
    first = batch.jobs[done].prompt if done < len(batch.jobs) else ""
    words = f"{reason}\n{texts('batch.next', prompt=_short(first))}"
    go_on = Button(Action(Verb.BATCH_YES, batch.id).custom_id, texts("button.go_on"), style=Style.GREEN)
    title = texts("batch.partly.title")
    return with_prompt(Letter(content, rows=((go_on,),)), title, words, batch.prompt, color=AMBER)


def _prompts(batch: Batch, texts: Texts) -> Sequence[str]:
    lines = [f"{place}. `{_short(job.prompt)}`" for place, job in enumerate(batch.jobs[:SHOWN], 1)]
    more = len(batch.jobs) - len(lines)
    return [*lines, texts("prompt.more", n=more)] if more else lines


def _price(quote: Quote, account: Account, texts: Texts) -> Sequence[str]:
    """Return what it costs, what is left, and for how many of the jobs that is enough."""
    lines = [texts("batch.cost", cost=number(quote.metered))]
    left = [
        (use.left, window, use.allowed)
        for uses in (account.person, account.server)
        for window, use in uses.items()
        if use.left is not None and use.allowed is not None
    ]
    if not left:
        return lines
    credits, window, allowed = min(left, key=lambda each: (each[0], each[1] is Window.MONTH))
    lines.append(texts("batch.left", left=number(credits), allowed=number(allowed), window=window.value))
    if account.granted:
        lines.append(texts("info.credits.granted", granted=number(account.granted)))
    spendable = credits + account.granted
    if quote.metered > spendable:
        fits = sum(total <= spendable for total in accumulate(quote.credits))
        lines.append(texts("batch.short", n=fits))
    return lines


def _rows(batch: Batch, texts: Texts) -> Rows:
    buttons = [
        Button(Action(Verb.BATCH_YES, batch.id).custom_id, texts("button.yes"), style=Style.GREEN),
        Button(Action(Verb.BATCH_NO, batch.id).custom_id, texts("button.no"), style=Style.RED),
    ]
    if echo.units(batch.prompt) <= EDIT_LIMIT:
        buttons.append(Button(Action(Verb.BATCH_EDIT, batch.id).custom_id, texts("button.edit")))
    return (tuple(buttons),)


def _short(prompt: str) -> str:
    return echo.cut(echo.unticked(prompt), PROMPT_ROOM)
