"""Inflicts strikes on what runs."""

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.acceptance.member import Message, custom_ids
from tests.acceptance.stage import ROOT, Stage
from tests.chaos.clocked import MachineClock
from tests.chaos.crowd import Crowd
from tests.chaos.disk import SmallDisk
from tests.chaos.keeper import Keeper
from tests.chaos.plan import KILLS, Fault, Moment, Strike

MOMENT_SECONDS = 6.0  # how long a moment is waited for
READY_SECONDS = 120.0  # likewise for a process that is to be killed
MESSAGES = "/channels/*/messages*"
ROUTES = (
    ("POST", "/channels/*/messages"),
    ("POST", "/channels/*/messages"),
    ("*", MESSAGES),
    ("*", "/webhooks/*"),
    ("POST", "/interactions/*/callback"),
)
LEAPS = (2.0, 20.0, 130.0, 1000.0, 4000.0)  # seconds a machine's clock is set on or back
FARTHEST = 8000.0  # from the truth, in seconds
JUMPS = (5.0, 60.0, 400.0, 1000.0)  # seconds; the last ends every interaction


class Saboteur:
    """Breaks things, and repairs what it broke."""

    def __init__(
        self, stage: Stage, crowd: Crowd, clock: MachineClock, *, bot: Keeper, worker: Keeper, disk: SmallDisk
    ) -> None:
        self._stage = stage
        self._clock = clock
        self._crowd = crowd
        self._bot = bot
        self._worker = worker
        self._disk = disk
        self._repairs: set[asyncio.Task[None]] = set()
        self.done: Counter[Fault] = Counter()
        self.log: list[str] = []
        self._ways: dict[Fault, Callable[[Strike], Awaitable[bool]]] = {
            Fault.KILL_BOT: lambda strike: self._kill(self._bot, strike),
            Fault.KILL_WORKER: lambda strike: self._kill(self._worker, strike),
            Fault.FILL_DISK: self._fill,
            Fault.LOCK_DATABASE: self._lock,
            Fault.CORRUPT_PICTURE: self._corrupt,
            Fault.DROP_GATEWAY: self._drop,
            Fault.RATE_LIMIT: lambda s: self._fault(
                s, "rate_limit", seconds=s.recover, everywhere=s.chance < 0.2
            ),
            Fault.SERVER_ERROR: lambda s: self._fault(s, "server_error", status=500 + int(s.chance * 4)),
            Fault.ERROR_AFTER_STORE: lambda s: self._fault(s, "server_error", after_store=True),
            Fault.SLOW_ANSWER: self._slow,
            Fault.TIMEOUT: lambda s: self._fault(s, "timeout", after_store=s.chance < 0.5, most=1),
            Fault.DELETE_MESSAGE: self._delete_message,
            Fault.DELETE_CHANNEL: self._delete_channel,
            Fault.JUMP_CLOCK: self._jump,
            Fault.JUMP_MACHINE_CLOCK: self._jump_machine,
            Fault.STOP_BOT: lambda strike: self._stop(self._bot, strike),
            Fault.STOP_WORKER: lambda strike: self._stop(self._worker, strike),
        }

    async def inflict(self, strike: Strike) -> None:
        """Wait for the strike's moment and let it happen."""
        await asyncio.sleep(strike.pause)
        if strike.fault not in KILLS:
            await self._moment(strike)
        if await self._ways[strike.fault](strike):
            self.done[strike.fault] += 1
            self.log.append(f"{strike.number} {strike.fault}")

    async def repair(self) -> None:
        """Make whole what is still broken."""
        await asyncio.gather(*self._repairs)
        self._clock.mend()
        await self._stage.discord("DELETE", "/faults")

    async def _moment(self, strike: Strike) -> None:
        member = self._crowd.witness
        begun = len(member.seen)
        if strike.moment is not Moment.ANY:
            with suppress(TimeoutError):
                await member.until(
                    lambda: any(_is(strike.moment, *event) for event in member.seen[begun:]), MOMENT_SECONDS
                )
        await asyncio.sleep(strike.delay)

    def _later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            await work()

        task = asyncio.create_task(wait())
        self._repairs.add(task)
        task.add_done_callback(self._repairs.discard)

    # -- processes and files -----------------------------------------------------------------------------

    async def _kill(self, keeper: Keeper, strike: Strike) -> bool:
        if strike.ready and await keeper.until_ready(READY_SECONDS):
            await self._moment(strike)
        return keeper.kill(strike.recover)

    async def _stop(self, keeper: Keeper, strike: Strike) -> bool:
        if strike.ready and await keeper.until_ready(READY_SECONDS):
            await self._moment(strike)
        return await keeper.ask(strike.recover)

    async def _jump_machine(self, strike: Strike) -> bool:
        """Set the clock on or back, or right again; it stays within hours of the truth."""
        ways = [*LEAPS, *(-each for each in LEAPS), -self._clock.offset]
        seconds = ways[int(strike.chance * len(ways))]
        if abs(self._clock.offset + seconds) > FARTHEST:
            seconds = -self._clock.offset
        self._clock.move(seconds)
        return bool(seconds)

    async def _fill(self, strike: Strike) -> bool:
        if not self._disk.mounted:
            return False
        await asyncio.to_thread(self._disk.fill)

        async def make_room() -> None:
            await asyncio.to_thread(self._disk.make_room)

        self._later(strike.recover, make_room)
        return True

    async def _lock(self, strike: Strike) -> bool:
        path = self._stage.data / "journeyman.sqlite3"
        seconds = 0.5 + strike.recover * 1.5  # up to twice what a statement waits
        locker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.locker",
            str(path),
            str(seconds),
            cwd=ROOT,
            stderr=asyncio.subprocess.DEVNULL,
        )

        async def wait() -> None:
            await locker.wait()

        self._later(0, wait)
        return True

    async def _corrupt(self, strike: Strike) -> bool:
        files = sorted((self._stage.data / "pictures").glob("*/*/*.png"))
        if not files:
            return False
        path = files[int(strike.chance * len(files))]
        return await asyncio.to_thread(_damage, path, Random(f"damage:{strike.chance}"))

    # -- Discord -----------------------------------------------------------------------------------------

    async def _drop(self, strike: Strike) -> bool:
        if strike.chance < 0.3:
            await self._stage.discord("POST", "/gateway/refuse", count=1 + int(strike.chance * 10))
        told = await self._stage.discord(
            "POST",
            "/gateway/drop",
            user_id=self._stage.facts["bot_user_id"],
            resumable=strike.chance > 0.5,
            code=None if int(strike.chance * 10) % 2 else 4000,
        )
        return bool(told["dropped"])

    async def _fault(self, strike: Strike, kind: str, *, most: int = 4, **more: object) -> bool:
        method, route = ROUTES[int(strike.chance * len(ROUTES))]
        count = 1 + int(strike.chance * 97) % most
        await self._stage.discord(
            "POST", "/faults", kind=kind, method=method, route=route, count=count, **more
        )
        return True

    async def _slow(self, strike: Strike) -> bool:
        seconds, stored = 0.3 + strike.recover, int(strike.chance * 1000) % 5 > 0
        return await self._fault(strike, "delay", most=8, seconds=seconds, after_store=stored)

    async def _delete_message(self, strike: Strike) -> bool:
        ours = self._stage.facts["bot_user_id"]
        shown = [m for m in self._crowd.alive(self._crowd.witness) if m["author"]["id"] == ours][-12:]
        if not shown:
            return False
        message = shown[int(strike.chance * len(shown))]
        self._crowd.removed_messages.add(message["id"])
        try:
            await self._stage.discord("DELETE", f"/messages/{message['channel_id']}/{message['id']}")
        except AssertionError:  # the bot was faster
            self._crowd.removed_messages.discard(message["id"])
            return False
        return True

    async def _delete_channel(self, strike: Strike) -> bool:
        spare = self._crowd.channels[1:]
        channel = spare[int(strike.chance * len(spare))]
        await self._crowd.open_channel()
        self._crowd.channels.remove(channel)
        self._crowd.removed_channels.add(channel)
        await self._stage.discord("DELETE", f"/channels/{channel}")
        return True

    async def _jump(self, strike: Strike) -> bool:
        """Push Discord's time on, while nothing is being posted.

        A post in doubt is safe because Discord remembers its nonce for minutes; were those to pass in a
        moment, it would not be, and no client could help it.
        """
        database = sqlite3.connect(self._stage.data / "journeyman.sqlite3", timeout=0.5, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            (posting,) = database.execute(
                "SELECT count(*) FROM bot_posts WHERE stage = 'intended'"
            ).fetchone()
            if posting:
                return False
            seconds = JUMPS[int(strike.chance * len(JUMPS))]
            await self._stage.discord("POST", "/clock", advance=seconds)
        except sqlite3.OperationalError:
            return False
        finally:
            database.close()
        return True


def _is(moment: Moment, kind: str, message: Message) -> bool:
    if kind not in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
        return False
    if moment is Moment.EDIT:
        return kind == "MESSAGE_UPDATE"
    wanted = "CancelJob" if moment is Moment.ANSWER else "MJ::JOB"
    return kind == "MESSAGE_CREATE" and any(wanted in each for each in custom_ids(message))


def _damage(path: Path, random: Random) -> bool:
    """Overwrite a part of a picture, or cut it off; False if it has gone."""
    try:
        body = bytearray(path.read_bytes())
        if random.random() < 0.5:
            body = body[: random.randrange(len(body))]
        else:
            start = random.randrange(len(body))
            body[start : start + 200] = random.randbytes(len(body[start : start + 200]))
        path.write_bytes(body)
    except OSError:
        return False
    return True
