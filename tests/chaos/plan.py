"""What goes wrong, when and how badly: drawn from a seed, before anything happens."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """A thing that goes wrong. The text is the name on the command line."""

    KILL_BOT = "kill-bot"
    KILL_WORKER = "kill-worker"
    FILL_DISK = "fill-disk"
    LOCK_DATABASE = "lock-database"
    CORRUPT_PICTURE = "corrupt-picture"
    DROP_GATEWAY = "drop-gateway"
    RATE_LIMIT = "rate-limit"
    SERVER_ERROR = "server-error"
    ERROR_AFTER_STORE = "error-after-store"
    SLOW_ANSWER = "slow-answer"
    TIMEOUT = "timeout"
    DELETE_MESSAGE = "delete-message"
    DELETE_CHANNEL = "delete-channel"
    JUMP_CLOCK = "jump-clock"  # Discord's
    JUMP_MACHINE_CLOCK = "jump-machine-clock"  # the one that bot and worker read
    STOP_BOT = "stop-bot"  # in order, and started again
    STOP_WORKER = "stop-worker"


KILLS = frozenset({Fault.KILL_BOT, Fault.KILL_WORKER})
WEIGHTS = {
    Fault.KILL_BOT: 12,
    Fault.KILL_WORKER: 3,  # its start costs ten seconds of a processor
    Fault.FILL_DISK: 2,
    Fault.LOCK_DATABASE: 3,
    Fault.CORRUPT_PICTURE: 2,
    Fault.DROP_GATEWAY: 3,
    Fault.RATE_LIMIT: 2,
    Fault.SERVER_ERROR: 3,
    Fault.ERROR_AFTER_STORE: 3,
    Fault.SLOW_ANSWER: 8,  # what it answers is in doubt for seconds: the time to be killed in
    Fault.TIMEOUT: 1,
    Fault.DELETE_MESSAGE: 3,
    Fault.DELETE_CHANNEL: 2,
    Fault.JUMP_CLOCK: 2,
    Fault.JUMP_MACHINE_CLOCK: 3,
    Fault.STOP_BOT: 1,
    Fault.STOP_WORKER: 2,
}


class Moment(StrEnum):
    """What a strike waits for: most of the time nothing of note happens, and nothing is learnt then."""

    ANY = "any"  # nothing
    ANSWER = "answer"  # an order's first message
    EDIT = "edit"  # progress is shown
    RESULT = "result"  # an outcome is posted


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault to come.

    Attributes:
        number: From 1 on, in a run.
        fault: What.
        pause: Seconds since the strike before.
        moment: What is waited for then, for some seconds at most.
        delay: Seconds after that moment.
        recover: Seconds until what was broken is whole again, or a killed process started again.
        chance: 0..1, for whatever else there is to choose.
        ready: Whether a process to be killed has come up first; else it may die while it starts.
    """

    number: int
    fault: Fault
    pause: float
    moment: Moment
    delay: float
    recover: float
    chance: float
    ready: bool


def strikes(seed: str, faults: Collection[Fault]) -> Iterator[Strike]:
    """Yield strikes without end; the same *seed* and *faults* give the same ones.

    Raises:
        ValueError: No faults.
    """
    if not faults:
        raise ValueError("no faults to choose from")
    random = Random(f"strikes:{seed}")
    pool = sorted(faults)
    weights = [WEIGHTS[fault] for fault in pool]
    number = 0
    while True:
        number += 1
        yield Strike(
            number=number,
            fault=random.choices(pool, weights)[0],
            pause=random.uniform(0.2, 3),
            moment=random.choice(list(Moment)),
            delay=random.choice((0.0, random.uniform(0, 0.05), random.uniform(0, 0.5))),
            recover=random.choice((0.0, random.uniform(0, 2), random.uniform(2, 7))),
            chance=random.random(),
            ready=random.random() < 0.8,
        )
