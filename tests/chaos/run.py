"""One run: start everything, break things under load, let it calm down, judge."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random

import aiohttp

from cli.monitor import announced
from tests.acceptance.member import Message, custom_ids
from tests.acceptance.stage import Stage
from tests.chaos import audit
from tests.chaos.clocked import MachineClock
from tests.chaos.crowd import Crowd, Person, drawing_buttons
from tests.chaos.disk import SmallDisk
from tests.chaos.keeper import Keeper
from tests.chaos.plan import KILLS, Fault, strikes
from tests.chaos.saboteur import Saboteur
from tests.chaos.verdict import Deeds, Finding, judge
from tests.chaos.weigher import Weigher, Weight, swollen
from tests.chaos.witness import Sight, looked_at

WORKER_PORT = 19490  # of the first worker's metrics; the bot's are below
ENVIRONMENT = {
    "JOURNEYMAN_MODEL__STEPS": "4",  # small jobs: many of them, and many moments
    "JOURNEYMAN_ENGINE__THREADS": "1",
    "JOURNEYMAN_CREDITS__DAY": "100000",  # so that the ledger counts
    "JOURNEYMAN_CREDITS__SERVER_DAY": "1000000",
    "JOURNEYMAN_MODERATION__PICTURES": "off",
    "JOURNEYMAN_MODERATION__MEANING": "off",
    "JOURNEYMAN_LOG__FORMAT": "json",
    "JOURNEYMAN_MONITOR__BOT": "19470",  # or the next that is free
    "JOURNEYMAN_MONITOR__WORKER": str(WORKER_PORT),
    "OMP_NUM_THREADS": "1",
}
START_SECONDS = 300.0  # a cold start on a busy machine
CALM_SECONDS = 420.0  # with nothing ended meanwhile; the longest pause between two attempts is a minute
QUIET_SECONDS = 2.0  # nothing is under way for so long: calm
PRESS_SECONDS = 20.0  # for the answer of a button
PRESSES = 3  # a button that never answers is dead; one that a busy machine answers too late is not
SAMPLE = 2  # messages of each shape whose every button is pressed


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a run has had enough: at either."""

    kills: int
    seconds: float


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: str
    seconds: float = 0.0
    strikes: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    presses: int = 0
    pressed: int = 0  # buttons pressed at the end
    late: int = 0  # presses that were not answered in time
    ended_alone: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    weights: Mapping[str, Sequence[Weight]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    folder: Path | None = None

    @property
    def kills(self) -> int:
        """Return how many processes were killed."""
        return sum(self.strikes[fault] for fault in KILLS)


class Run:
    """A stage, a crowd and a saboteur, for one seed."""

    def __init__(self, folder: Path, seed: str, faults: Collection[Fault], *, people: int = 4) -> None:
        self._seed = seed
        self._faults = faults
        self._people = people
        self.stage = Stage(folder)
        self.disk = SmallDisk(folder / "data")
        self.clock = MachineClock(folder / "clock")
        self.weigher = Weigher()
        self.report = Report(seed, folder=folder)

    async def go(self, bounds: Bounds) -> Report:
        """Do it and return the report."""
        begun = time.monotonic()
        wants_disk = Fault.FILL_DISK in self._faults
        if wants_disk and not self.disk.mount():
            print("fill-disk is skipped: a file system of its own takes root, and mount.", flush=True)
        try:
            async with self.stage:
                self.clock.mend()
                self.stage.program = ("-m", "tests.chaos.clocked", str(self.clock.path))
                await self._act(bounds)
                if self.report.findings and self.disk.mounted:
                    await self._keep()
        finally:
            self.disk.unmount()
        self.report.seconds = time.monotonic() - begun
        return self.report

    async def _keep(self) -> None:
        """Copy what lies on the small disk to where it stays."""
        command = ["cp", "-a", str(self.stage.data), str(self.stage.folder / "kept-data")]
        copier = await asyncio.create_subprocess_exec(*command)
        await copier.wait()

    async def _act(self, bounds: Bounds) -> None:
        bot = Keeper(self.stage, "bot", '"action": "ready"', ENVIRONMENT)
        worker = Keeper(self.stage, "worker", "worker_ready", ENVIRONMENT)
        crowd = Crowd(self.stage, self._seed, self._people)
        saboteur = Saboteur(self.stage, crowd, self.clock, bot=bot, worker=worker, disk=self.disk)
        weighing = asyncio.create_task(self.weigher.go(self.stage.data), name="weigher")
        bot.start()
        try:
            await crowd.gather()
            if not await bot.until_ready(START_SECONDS):
                raise RuntimeError("the bot did not come up")
            worker.start()
            await self._break(bounds, crowd, saboteur)
            await self._calm(crowd, bot, worker)
            await self._press_all(crowd)
            await self._settle("after the buttons were pressed")
            await self._end(bot, worker)
            await self._judge(crowd)
        finally:
            weighing.cancel()
            await bot.stop(30)
            await worker.stop(30)
            await crowd.leave()
            await asyncio.gather(weighing, return_exceptions=True)
        self.report.orders, self.report.presses = crowd.orders, crowd.presses
        self.report.ended_alone = bot.ends + worker.ends

    async def _break(self, bounds: Bounds, crowd: Crowd, saboteur: Saboteur) -> None:
        until = time.monotonic() + bounds.seconds
        crowd.play()
        for strike in strikes(self._seed, self._faults):
            if self.report.kills >= bounds.kills or time.monotonic() >= until:
                break
            await saboteur.inflict(strike)
            self.report.strikes = Counter({str(f): n for f, n in saboteur.done.items()})
        self.report.log = saboteur.log
        await crowd.pause()
        await saboteur.repair()

    async def _calm(self, crowd: Crowd, bot: Keeper, worker: Keeper) -> None:
        for name, keeper in (("bot", bot), ("worker", worker)):
            if not await keeper.until_ready(START_SECONDS):
                self._find("down", f"the {name} does not come up any more")
        if not await self._heard():
            self._find("deaf", "the bot is not connected to Discord any more")
        await self._settle("after everything was repaired")

    async def _heard(self) -> bool:
        """Wait until the bot says that it is of use: it may still pause before it connects again."""
        async with aiohttp.ClientSession() as http:
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until:
                with suppress(aiohttp.ClientError, OSError):  # one of them has just been started
                    answers = [
                        (await http.get(f"http://{address}/readyz")).status
                        for address in announced(self.stage.data)
                        if int(address.rpartition(":")[2]) < WORKER_PORT
                    ]
                    if HTTPStatus.OK in answers:
                        return True
                await asyncio.sleep(0.5)  # another process's state has no event to wait for
        return False

    async def _settle(self, when: str) -> None:
        """Wait until nothing is under way."""
        until = time.monotonic() + CALM_SECONDS
        quiet_since = None
        before: tuple[int, int, int] | None = None
        while (now := time.monotonic()) < until:
            left = audit.unfinished(self.stage)
            if before is not None and sum(left) < sum(before):  # it goes on, be it slowly
                until = now + CALM_SECONDS
            before = left
            if any(left):
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= QUIET_SECONDS:
                return
            await asyncio.sleep(0.2)  # another process's state has no event to wait for
        jobs, posts, unseen = audit.unfinished(self.stage)
        self._find("stuck", f"{when}: {jobs} jobs under way, {posts} not wholly shown, {unseen} never taken")

    async def _press_all(self, crowd: Crowd) -> None:
        """Press every button under a sample of what is left; one that is not answered is dead."""
        random = Random(f"presses:{self._seed}")
        shown = [m for m in crowd.alive(crowd.witness) if drawing_buttons(m)]
        random.shuffle(shown)
        pressed: Counter[int] = Counter()
        for message in shown:
            pressed[len(custom_ids(message))] += 1
            if pressed[len(custom_ids(message))] > SAMPLE:
                continue
            for custom_id in custom_ids(message):
                person = random.choice(crowd.people)
                self.report.pressed += 1
                answers = [await _answers(person, message, custom_id)]
                while not answers[-1] and len(answers) < PRESSES:
                    answers.append(await _answers(person, message, custom_id))
                if not answers[-1]:
                    self._find("dead button", f"{custom_id} of message {message['id']}")
                self.report.late += len(answers) - 1

    async def _end(self, bot: Keeper, worker: Keeper) -> None:
        for name, keeper in (("worker", worker), ("bot", bot)):
            for code in (*keeper.stops, await keeper.stop(30)):
                if code != 0:
                    self._find("exit", f"the {name} ended with {code} when it was asked to")

    async def _judge(self, crowd: Crowd) -> None:
        orders = audit.orders(self.stage)
        deeds = Deeds(frozenset(crowd.removed_messages), frozenset(crowd.removed_channels))
        judgement = judge(orders, self._sight(crowd), deeds)
        faults = {Fault(name) for name in self.report.strikes}
        self.report.jobs = len(orders)
        self.report.ends = judgement.count()
        self.report.findings += judgement.findings
        self.report.findings += await audit.of_data(self.stage)
        self.report.findings += audit.of_logs(self.stage, faults)
        self.report.findings += await audit.of_doctor(self.stage)
        self.report.weights = self.weigher.weights
        self.report.findings += [Finding("memory", words) for words in swollen(self.weigher.weights)]

    def _sight(self, crowd: Crowd) -> Sight:
        ours = self.stage.facts["bot_user_id"]
        sight = looked_at(crowd.witness.seen, ours)
        for person in crowd.people[1:]:
            sight.told += looked_at(person.member.seen, ours).told
        return sight

    def _find(self, kind: str, words: str) -> None:
        self.report.findings.append(Finding(kind, words))


async def _answers(person: Person, message: Message, custom_id: str) -> bool:
    """Press a button and tell whether the bot answered in time."""
    begun = len(person.member.seen)
    nonce = await person.press(message, custom_id)

    def outcome() -> str | None:
        return next(
            (
                kind
                for kind, body in person.member.seen[begun:]
                if kind in {"INTERACTION_SUCCESS", "INTERACTION_FAILURE"} and body.get("nonce") == nonce
            ),
            None,
        )

    try:
        return await person.member.until(outcome, PRESS_SECONDS) == "INTERACTION_SUCCESS"
    except TimeoutError:
        return False


def summed(reports: Collection[Report]) -> Mapping[str, Counter[str]]:
    """Return the strikes and ends of several runs together."""
    total: dict[str, Counter[str]] = {"strikes": Counter(), "ends": Counter()}
    for report in reports:
        total["strikes"] += report.strikes
        total["ends"] += report.ends
    return total
