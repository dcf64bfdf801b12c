"""Random schedules: who joins when, who leaves, when the engine is stopped and another goes on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from parser import Part, Speed
from tests.worker.engine.recipes import job
from worker.api import LANES
from worker.device import DeviceJob, Dropped
from worker.engine.engine import Engine
from worker.engine.outcomes import Drawn, Moved, Outcome
from worker.recipe import Drawing, Start, picture_seed

Picture = NDArray[np.uint8]
WORDS = ("a fox on a green background", "a red car", "", "a cat at night::", "zq qz 17", "🦊")


@dataclass(frozen=True)
class Kinds:
    """What a schedule is made of."""

    model: str
    sizes: Sequence[tuple[int, int]]  # pixels
    steps: Sequence[int]
    guidance: Sequence[float]


def recipe(kinds: Kinds, chance: Random) -> Drawing:
    """Return some recipe."""
    width, height = chance.choice(kinds.sizes)
    steps = chance.choice(kinds.steps)
    parts = tuple(
        Part(text=chance.choice(WORDS), weight=chance.choice((0.25, 1.0, 3.0)))
        for _ in range(chance.randint(1, 2))
    )
    against = chance.random() < 0.3
    return Drawing(
        model=kinds.model,
        width=width,
        height=height,
        steps=steps,
        stop_after=chance.choice((steps, max(1, steps - 1))),
        guidance=chance.choice(kinds.guidance),
        positive=parts,
        negative=(Part(text="green", weight=1.0),) if against else (),
        negative_pull=0.7 if against else 0.0,
        seeds=tuple(picture_seed(chance.randrange(2), i) for i in range(chance.choice((1, 2, 4)))),
        start=Start(picture="source", strength=chance.choice((0.4, 0.75))) if chance.random() < 0.2 else None,
    )


@dataclass
class Schedule:
    """A random history of jobs on one engine after another, from a seed.

    Attributes:
        make: A fresh engine, with a cap on the batch.
        recipes: What is ordered.
        source: The picture that some of it starts from.
        chance: What decides.
        jobs: How many orders.
    """

    make: Callable[[int], Engine]
    recipes: Sequence[Drawing]
    source: bytes
    chance: Random
    jobs: int
    drawn: dict[str, Drawn] = field(default_factory=dict)
    orders: dict[str, DeviceJob] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)  # cancelled
    seen: set[str] = field(default_factory=set)  # what happened, for who wonders whether it did

    def play(self) -> None:
        """Run it to the end."""
        engine = self._engine()
        while engine.busy or len(self.orders) < self.jobs:
            for _ in range(self.chance.choice((0, 0, 1, 2))):
                self._join(engine)
            if self.chance.random() < 0.06:
                self._leave(engine)
            if self.chance.random() < 0.06:
                engine = self._change(engine)
            self._note(engine.step())

    def _engine(self) -> Engine:
        return self.make(self.chance.choice((1, 2, 3, 4, 8)))

    def _join(self, engine: Engine) -> None:
        number = len(self.orders)
        if number == self.jobs:
            return
        drawing = self.chance.choice(self.recipes)
        lane = self.chance.choice((Speed.FAST, Speed.FAST, *LANES))
        owner = self.chance.randint(1, 3)
        source = None if drawing.start is None else self.source
        order = job(f"job-{number}", drawing, owner=owner, speed=lane, source=source)
        self.orders[order.job_id] = order
        self._note(engine.submit(order))

    def _leave(self, engine: Engine) -> None:
        under_way = [each for each in self.orders.values() if each.job_id not in self.drawn]
        if under_way and (chosen := self.chance.choice(under_way)).job_id not in self.left:
            self.left.add(chosen.job_id)
            self.seen.add("left")
            self._note(engine.cancel(chosen.job_id))

    def _change(self, engine: Engine) -> Engine:
        """Stop the engine as a worker that is asked to end, and go on with another."""
        dropped = engine.suspend()
        after = self._engine()
        self.chance.shuffle(dropped)
        for each in dropped:
            assert isinstance(each, Dropped)
            self.seen.add("begun anew" if each.kept is None else "gone on")
            order = replace(self.orders[each.job_id], attempt=each.attempt + 1, kept=each.kept)
            self.orders[each.job_id] = order
            self._note(after.submit(order))
        return after

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Drawn):
                assert outcome.job_id not in self.drawn
                self.drawn[outcome.job_id] = outcome
                self.seen |= {"shared"} if outcome.company.shared else set()
            elif not isinstance(outcome, Dropped):
                assert isinstance(outcome, Moved), outcome  # nothing fails
                self.seen |= {"paused"} if outcome.paused else set()


class Alone:
    """What pictures are when nobody else is there: each seed of each recipe drawn by itself, once."""

    def __init__(self, make: Callable[[int], Engine], source: bytes) -> None:
        self._make = make
        self._source = source
        self._known: dict[Drawing, Picture] = {}

    def pictures(self, drawing: Drawing) -> Mapping[int, Picture]:
        """Return the pictures of *drawing* by cell."""
        return {
            cell: self._picture(drawing.model_copy(update={"seeds": (seed,)}))
            for cell, seed in enumerate(drawing.seeds)
        }

    def _picture(self, drawing: Drawing) -> Picture:
        if drawing not in self._known:
            engine = self._make(1)
            source = None if drawing.start is None else self._source
            outcomes = engine.submit(job("alone", drawing, source=source))
            while engine.busy:
                outcomes += engine.step()
            [drawn] = [outcome for outcome in outcomes if isinstance(outcome, Drawn)]
            [self._known[drawing]] = drawn.cells
        return self._known[drawing]
