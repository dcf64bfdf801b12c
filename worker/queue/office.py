"""The admins' counter: deeds in, the record out."""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from types import MappingProxyType
from uuid import UUID

from worker.accounts import Account, Allowance, Whose
from worker.admin import (
    Actor,
    AdminCode,
    AdminError,
    ChannelView,
    Disk,
    Done,
    Entry,
    Gate,
    JobPage,
    Letter,
    ModelLine,
    Pending,
    PersonView,
    Powers,
    QueueView,
    Restriction,
    RestrictionKind,
    Status,
    Word,
)
from worker.api import Category, JobId, JobState, Membership
from worker.database import Database
from worker.deeds import (
    DEED,
    Block,
    Cancel,
    Clear,
    Contact,
    Deed,
    Grant,
    Promote,
    ResetQuota,
    Retry,
    SetChannel,
    SetLog,
    SetMode,
    SetModel,
    SetNsfw,
    SetPower,
    SetQuota,
    SetRole,
    Settle,
    SetWord,
    Timeout,
    Unblock,
    Which,
    Write,
)
from worker.queue import audit, control, letters, quota, verdicts, views
from worker.queue.control import Effect
from worker.queue.quota import Rules

PENDING_SECONDS = 15 * 60.0  # as long as the message that asks can be changed
MEASURE_SECONDS = 2.0  # looking at the pictures ends then


class SqliteAdminDesk:
    """An `AdminDesk` over the queue's database, the data folder and the workers' lock files."""

    def __init__(
        self,
        database: Database,
        *,
        models: Sequence[str],
        flags: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        rules: Rules,
        pictures: Path,
        clock: Callable[[], float],
        random: Random,
        locks: Path,
    ) -> None:
        """Put the parts together.

        Args:
            database: Open for as long as the desk is used.
            models: What the configuration names, the one that draws first.
            flags: How people ask for each of them.
            rules: What the configuration allows people to use.
            pictures: The picture folder.
            clock: Tells Unix seconds.
            random: Where ids come from; ``random.SystemRandom()`` in earnest.
            locks: The folder of the workers' lock files.
        """
        self._database = database
        self._models = tuple(models)
        self._flags = flags
        self._rules = rules
        self._pictures = pictures
        self._clock = clock
        self._random = random
        self._locks = locks

    async def do(self, deed: Deed, actor: Actor, *, pending: Pending | None = None) -> Done:
        """Do *deed* and write the audit log, both or neither.

        Raises:
            AdminError: It was not done.
            JobNotFound: There is no such job.
            Rejected: The owner of the job to be ordered again may not order.
            DatabaseBusy: The file did not answer in time.
        """
        return await self._database.write(partial(self._do, deed=deed, actor=actor, pending=pending))

    def _do(self, db: sqlite3.Connection, *, deed: Deed, actor: Actor, pending: Pending | None) -> Done:
        now = self._clock()
        if pending is not None:
            self._use_up(db, pending, now)
            touches = _touches(db, deed)
            if touches != pending.touches:
                raise AdminError(AdminCode.TOUCHES_CHANGED, touches=touches)
        effect = self._perform(db, deed, actor, now)
        entry = None
        if effect.before != effect.after:
            entry = audit.append(
                db,
                actor,
                deed.verb,
                target=effect.target,
                before=effect.before,
                after=effect.after,
                now=now,
            )
        return Done(entry=entry, touched=effect.touched, job=effect.job)

    def _use_up(self, db: sqlite3.Connection, pending: Pending, now: float) -> None:
        used = db.execute(
            "DELETE FROM admin_pending WHERE id = ? AND created_at > ?", (pending.id, now - PENDING_SECONDS)
        ).rowcount
        if not used:
            raise AdminError(AdminCode.EXPIRED)

    def _perform(self, db: sqlite3.Connection, deed: Deed, actor: Actor, now: float) -> Effect:  # noqa: C901, PLR0911, PLR0912 - a table
        match deed:
            case SetMode():
                return control.set_mode(db, deed, now)
            case Promote():
                return control.promote(db, deed)
            case Retry():
                return control.retry(db, deed, self._new_job(), now)
            case Cancel() | Clear():
                return control.stop_many(db, deed, now, self._locks)
            case Block() | Timeout():
                return verdicts.restrict(db, deed, now, self._locks)
            case Unblock():
                return verdicts.release(db, deed)
            case Contact():
                return verdicts.contacted(deed)
            case Write():
                return letters.write(db, deed, actor.guild_id, now)
            case Settle():
                return letters.settle(db, deed)
            case Grant():
                return verdicts.grant(db, deed, actor.name, now)
            case SetQuota():
                return verdicts.set_quota(db, deed)
            case ResetQuota():
                return verdicts.reset_quota(db, deed, actor.name, now)
            case SetRole():
                return verdicts.set_role(db, deed)
            case SetPower():
                return verdicts.set_power(db, deed)
            case SetChannel():
                return verdicts.set_channel(db, deed)
            case SetNsfw():
                return verdicts.set_nsfw(db, deed)
            case SetLog():
                return verdicts.set_log(db, deed)
            case SetWord():
                return verdicts.set_word(db, deed)
            case SetModel():
                return verdicts.set_model(db, deed, self._models)

    def _new_job(self) -> JobId:
        return JobId(str(UUID(int=self._random.getrandbits(128), version=4)))

    async def touches(self, deed: Deed) -> int:
        """Return how many jobs *deed* would stop."""
        return await self._database.read(partial(_touches, deed=deed))

    async def propose(self, deed: Deed, *, user_id: int, guild_id: int) -> Pending:
        """Keep *deed* until that person confirms it; forget those that nobody did."""
        pending = partial(
            Pending, id=f"{self._random.getrandbits(64):016x}", user_id=user_id, guild_id=guild_id, deed=deed
        )
        return await self._database.write(partial(_propose, pending=pending, deed=deed, now=self._clock()))

    async def pending(self, pending_id: str) -> Pending:
        """Return a deed that waits for its confirmation.

        Raises:
            AdminError: ``EXPIRED``.
        """
        oldest = self._clock() - PENDING_SECONDS
        row = await self._database.read(
            lambda db: db.execute(
                "SELECT id, user_id, guild_id, deed, touches FROM admin_pending"
                " WHERE id = ? AND created_at > ?",
                (pending_id, oldest),
            ).fetchone()
        )
        if row is None:
            raise AdminError(AdminCode.EXPIRED)
        return Pending(**{**row, "deed": DEED.validate_json(row["deed"])})

    async def withdraw(self, pending_id: str) -> None:
        """Forget a deed that waits for its confirmation."""
        await self._database.write(
            lambda db: db.execute("DELETE FROM admin_pending WHERE id = ?", (pending_id,)).rowcount
        )

    async def gate(self, *, user_id: int, guild_id: int, channel_ids: Sequence[int]) -> Gate:
        """Return what must be known before an order; the first channel with a rule decides."""
        work = partial(
            views.gate, user_id=user_id, guild_id=guild_id, channel_ids=channel_ids, now=self._clock()
        )
        return await self._database.read(work)

    async def powers(self, guild_id: int) -> Powers:
        """Return who may do what in a server."""
        return await self._database.read(partial(views.powers, guild_id=guild_id))

    async def queue(self) -> QueueView:
        """Return the queue at a glance."""
        return await self._database.read(views.queue)

    async def jobs(
        self, which: Which, state: JobState | None = None, *, skip: int = 0, limit: int = 10
    ) -> JobPage:
        """Return jobs: the running and the waiting in order of acceptance, or the newest of *state*."""
        return await self._database.read(
            partial(views.jobs, which=which, state=state, skip=skip, limit=limit)
        )

    async def person(self, user_id: int) -> PersonView:
        """Return one person."""
        return await self._database.read(partial(views.person, user_id=user_id, now=self._clock()))

    async def account(self, user_id: int, membership: Membership) -> Account:
        """Return what a person may use as that member, and what they have used."""
        now = self._clock()
        return await self._database.read(
            lambda db: quota.account(db, user_id, membership, self._rules, now=now)
        )

    async def allowances(self, whose: Whose) -> Mapping[int, Allowance]:
        """Return what was said of people, roles or servers, by Discord id."""
        return await self._database.read(partial(quota.said, whose=whose))

    async def restricted(
        self, kind: RestrictionKind | None = None, *, skip: int = 0, limit: int = 10
    ) -> tuple[Sequence[Restriction], int]:
        """Return who may not order, perhaps of one kind, the latest first, and how many they are."""
        work = partial(views.restricted, now=self._clock(), kind=kind, skip=skip, limit=limit)
        return await self._database.read(work)

    async def channels(self, guild_id: int) -> ChannelView:
        """Return what was said about a server's channels."""
        return await self._database.read(partial(views.channels, guild_id=guild_id))

    async def words(
        self, guild_id: int, category: Category | None = None, *, skip: int = 0, limit: int = 10
    ) -> tuple[Sequence[Word], int]:
        """Return a server's own words and how many they are."""
        work = partial(views.words, guild_id=guild_id, category=category, skip=skip, limit=limit)
        return await self._database.read(work)

    async def models(self) -> Sequence[ModelLine]:
        """Return the models."""
        work = partial(views.models, installed=self._models, flags=self._flags, locks=self._locks)
        return await self._database.read(work)

    async def status(self) -> Status:
        """Look at workers, queue and disk; takes `MEASURE_SECONDS` at most for the pictures."""
        disk = await asyncio.to_thread(measured, self._database.path, self._pictures, time.monotonic)
        return await self._database.read(
            lambda db: Status(
                queue=views.queue(db),
                workers=tuple(views.workers(db, self._locks)),
                disk=disk,
                failures=tuple(views.failures(db)),
            )
        )

    async def audit(
        self,
        guild_id: int | None,
        verb: str = "",
        *,
        person: int | None = None,
        after: int | None = None,
        skip: int = 0,
        limit: int = 10,
    ) -> tuple[Sequence[Entry], int]:
        """Return entries of the audit log and how many there are."""
        which = audit.Filter(guild_id=guild_id, verb=verb, person=person, after=after)
        return await self._database.read(partial(audit.entries, which=which, skip=skip, limit=limit))

    async def log_channels(self) -> Sequence[tuple[int, int, int]]:
        """Return server, channel, and the last entry posted there, of all that have a log channel."""
        rows = await self._database.read(
            lambda db: db.execute("SELECT guild_id, channel_id, posted FROM audit_channels").fetchall()
        )
        return [(row["guild_id"], row["channel_id"], row["posted"]) for row in rows]

    async def logged(self, guild_id: int, entry_id: int) -> None:
        """Note up to which entry a server's log channel has the record."""
        await self._database.write(
            lambda db: (
                db.execute(
                    "UPDATE audit_channels SET posted = max(posted, ?) WHERE guild_id = ?",
                    (entry_id, guild_id),
                ).rowcount
            )
        )

    async def letters(self, *, limit: int) -> Sequence[Letter]:
        """Return the oldest letters that are still to be sent."""
        return await self._database.read(partial(letters.waiting, limit=limit))

    async def tried(self, letter_id: int) -> bool:
        """Note, before it is sent, that a letter may be about to appear; False if it is gone."""
        return await self._database.write(partial(letters.tried, letter_id=letter_id, now=self._clock()))


def measured(database: Path, pictures: Path, monotonic: Callable[[], float]) -> Disk:
    """Return how full the disk is; counting the pictures ends after `MEASURE_SECONDS`."""
    usage = shutil.disk_usage(database.parent)
    files = (database, database.with_name(f"{database.name}-wal"))
    until = monotonic() + MEASURE_SECONDS
    total, complete = 0, True
    for folder, _, names in os.walk(pictures):
        if monotonic() > until:
            complete = False
            break
        total += sum(_size(Path(folder, name)) for name in names)
    return Disk(
        free=usage.free,
        total=usage.total,
        database=sum(map(_size, files)),
        pictures=total,
        complete=complete,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # deleted since it was listed
        return 0


def _propose(db: sqlite3.Connection, *, pending: Callable[..., Pending], deed: Deed, now: float) -> Pending:
    kept = pending(touches=_touches(db, deed))
    db.execute("DELETE FROM admin_pending WHERE created_at <= ?", (now - PENDING_SECONDS,))
    db.execute(
        "INSERT INTO admin_pending (id, user_id, guild_id, deed, touches, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (kept.id, kept.user_id, kept.guild_id, deed.model_dump_json(), kept.touches, now),
    )
    return kept


def _touches(db: sqlite3.Connection, deed: Deed) -> int:
    match deed:
        case Cancel(which=which):
            return 0 if which.everything else len(control.under_way(db, which, running=True))
        case Clear(which=which):
            return len(control.under_way(db, which, running=False))
        case Block(user_id=user_id):
            return len(control.under_way(db, Which(owner_id=user_id), running=True))
        case _:
            return 0
