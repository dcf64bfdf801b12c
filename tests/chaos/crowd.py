"""People who order, press and stop things all the time, each from a seed of their own."""

import asyncio
from contextlib import suppress
from random import Random

import aiohttp

from bot.actions import DRAWS, Action, Verb, read
from tests.acceptance.member import Member, Message, Refused, custom_ids
from tests.acceptance.stage import Stage
from tests.chaos.witness import EPHEMERAL

UNDER_WAY = 3  # jobs of one person at a time: the worker shares a processor with everything else
SUBJECTS = (
    "a fox",
    "two apples",
    "an owl::2 on a branch",
    "a **bold** castle",
    "lighthouse --no rain",
    "@all",
)
SEVERAL = "{a fox, two apples} on a hill"  # two jobs by one command, once they were confirmed
QUALITY = (" --q .25", " --q .25", " --q .25", " --q .5", " --q 2")
LANES = ("", "", " --relax")


class Person:
    """Somebody who cannot wait."""

    def __init__(self, member: Member, crowd: "Crowd", random: Random) -> None:
        self.member = member
        self._crowd = crowd
        self._random = random
        self._orders = 0

    async def play(self) -> None:
        """Do one thing after another until cancelled."""
        while True:
            await asyncio.sleep(self._random.uniform(0.2, 3))
            with suppress(Refused, aiohttp.ClientError):  # the message or channel is gone: as in life
                await self._act()

    async def _act(self) -> None:
        mine = [m for m in self._alive() if f"<@{self.member.user['id']}>" in m["content"]]
        running = [m for m in mine if any("CancelJob" in each for each in custom_ids(m))]
        if running and self._random.random() < 0.02:
            await self.press(self._random.choice(running), "MJ::CancelJob")
            return
        asked = [m for m in self.member.messages.values() if any(map(is_yes, custom_ids(m)))]
        if asked:
            await self._agree(self._random.choice(asked))
            return
        busy = len(running) >= UNDER_WAY
        choices = [(m, b) for m in self._alive() for b in drawing_buttons(m) if not busy or is_cell(b)]
        if choices and self._random.random() < 0.7:
            cells = [choice for choice in choices if is_cell(choice[1])]
            message, button = self._random.choice(cells if self._random.random() < 0.7 and cells else choices)
            await self.press(message, button)
        elif not busy:
            await self._order()

    async def _agree(self, question: Message) -> None:
        """Answer a question with yes, now and then twice at once."""
        yes = next(filter(is_yes, custom_ids(question)))
        times = 2 if self._random.random() < 0.3 else 1
        await asyncio.gather(*(self.press(question, yes) for _ in range(times)))

    async def _order(self) -> None:
        self._orders += 1
        self.member.channel_id = self._random.choice(self._crowd.channels)
        words = f"{self._random.choice(SUBJECTS)} {self._orders}"
        prompt = words.replace(" --no rain", "") + self._random.choice(QUALITY) + self._random.choice(LANES)
        if self._random.random() < 0.15:  # these do not run in the relax lane
            prompt = f"{SEVERAL} {self._orders} --q .25"
        self._crowd.orders += 1
        await self.member.command("imagine", prompt=prompt)

    async def press(self, message: Message, start: str) -> str:
        """Press the button of *message* whose id begins with *start*; returns the interaction's nonce."""
        custom_id = next(each for each in custom_ids(message) if each.startswith(start))
        self.member.channel_id = message["channel_id"]
        self._crowd.presses += 1
        return await self.member.press(message, custom_id)

    def _alive(self) -> list[Message]:
        return self._crowd.alive(self.member)


class Crowd:
    """Several people, and the channels they use."""

    def __init__(self, stage: Stage, seed: str, size: int) -> None:
        self._stage = stage
        self._seed = seed
        self._size = size
        self.channels: list[str] = [stage.facts["channel_id"]]
        self.removed_messages: set[str] = set()
        self.removed_channels: set[str] = set()
        self.people: list[Person] = []
        self.orders = 0
        self.presses = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._channel_number = 0

    async def gather(self) -> None:
        """Let them connect."""
        for number in range(self._size):
            user = await self._stage.discord("POST", "/users", username=f"crowd{number}")
            member = await Member(self._stage.facts, user["token"]).__aenter__()
            random = Random(f"person:{self._seed}:{number}")
            self.people.append(Person(member, self, random))
        for _ in range(2):
            await self.open_channel()

    async def open_channel(self) -> None:
        """Open one more place to order in."""
        self._channel_number += 1
        made = await self._stage.discord("POST", "/channels", name=f"chaos-{self._channel_number}")
        self.channels.append(made["id"])

    def play(self) -> None:
        """Let them begin."""
        self._tasks = [asyncio.create_task(person.play()) for person in self.people]

    async def pause(self) -> None:
        """Let them stop.

        Raises:
            Exception: What a person stumbled over, a mistake of this tool.
        """
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        self._tasks = []

    async def leave(self) -> None:
        """Let them disconnect."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for person in self.people:
            await person.member.__aexit__(None, None, None)

    @property
    def witness(self) -> Member:
        """Return somebody who sees what is public."""
        return self.people[0].member

    def alive(self, member: Member) -> list[Message]:
        """Return the messages that *member* can see and others too, in their order."""
        return [
            message
            for message in member.messages.values()
            if message["channel_id"] not in self.removed_channels
            and "guild_id" in message
            and not message.get("flags", 0) & EPHEMERAL
        ]


def is_yes(custom_id: str) -> bool:
    """Tell whether a button lets several jobs be queued."""
    action = read(custom_id)
    return isinstance(action, Action) and action.verb is Verb.BATCH_YES


def is_cell(custom_id: str) -> bool:
    """Tell whether a button takes a picture out of a grid: an outcome at once, without a worker."""
    return custom_id.startswith("MJ::JOB::upsample::")


def drawing_buttons(message: Message) -> list[str]:
    """Return the ids of the buttons under *message* that order something."""
    actions = {each: read(each) for each in custom_ids(message)}
    return [each for each, a in actions.items() if isinstance(a, Action) and a.verb in DRAWS | {Verb.REROLL}]
