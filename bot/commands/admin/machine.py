"""The machine room, as pages: workers, disk, models. Pure."""

from collections.abc import Sequence

from bot.commands.admin.pages import Sheet, cut, lanes
from bot.texts import Texts
from worker.admin import ModelLine, Status, WorkerLine

UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000


def status(found: Status, number: int, texts: Texts) -> Sheet:
    """Return the machine room, with a page of its workers."""
    view, disk = found.queue, found.disk
    head = [
        texts(
            "admin.status.queue",
            mode=texts(f"admin.mode.{view.mode}"),
            waiting=lanes(view.waiting, texts),
            running=lanes(view.running, texts),
        )
    ]
    sizes = {name: size(getattr(disk, name)) for name in ("free", "total", "database", "pictures")}
    more = "" if disk.complete else texts("admin.status.more")
    head.append(texts("admin.status.disk", more=more, **sizes))
    if found.failures:
        head.append(texts("admin.status.failures"))
    head += [
        texts("admin.status.failure", id=job.id, code=job.error, at=int(job.finished_at or job.created_at))
        for job in found.failures
    ]
    head.append(texts("admin.status.workers" if found.workers else "admin.status.nobody"))
    workers = tuple(_worker(line, texts) for line in found.workers)
    return cut(Sheet(texts("admin.title.status"), tuple(head), workers), number)


def _worker(line: WorkerLine, texts: Texts) -> str:
    error = ""
    if line.last_error is not None:
        error = texts("admin.status.trouble", code=line.last_error, at=int(line.last_error_at or 0))
    return texts(
        "admin.status.worker",
        since=int(line.started_at),
        rate=line.steps_per_second,
        largest=line.largest_batch,
        error=error,
        **line.model_dump(include={"name", "device", "model", "jobs", "pictures", "batch", "busy"}),
    )


def models(found: Sequence[ModelLine], number: int, texts: Texts) -> Sheet:
    """Return a page of the models."""
    lines = tuple(
        texts(
            "admin.models.line",
            name=line.name,
            state=texts("admin.models.on" if line.enabled else "admin.models.off"),
            default=texts("admin.models.default") if line.default else "",
            flags=f" · `{'`, `'.join(line.flags)}`" if line.flags else "",
            waiting=texts("admin.models.waiting", n=line.waiting) if line.waiting else "",
            workers=line.workers,
        )
        for line in found
    )
    return cut(Sheet(texts("admin.title.models list"), (texts("admin.models.one"),), lines), number)


def size(count: int) -> str:
    """Return a number of bytes for people, in steps of a thousand."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if amount < THOUSAND:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= THOUSAND
    return f"{amount:.1f} {UNITS[-1]}"
