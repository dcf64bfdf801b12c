"""What prompts would come to if they were ordered now: reads only."""

import sqlite3
from collections.abc import Sequence

from parser import ImagineRequest, Speed
from worker import cost
from worker.api import LANES, Imagine, Limits, Quote
from worker.catalogue import Catalogue
from worker.queue import places
from worker.queue.intake import check_lane, plan
from worker.queue.shelf import Shelf, shelf
from worker.references import links_of

UNSEEN = "unseen"  # stands for the name of a picture that would have to be fetched first


def quote(
    db: sqlite3.Connection,
    requests: Sequence[ImagineRequest],
    *,
    catalogue: Catalogue,
    limits: Limits,
    devices: int,
) -> Quote:
    """Return what *requests* would cost, and how long until the last is drawn by so many *devices*.

    Pictures named by their address are not looked at.

    Raises:
        Rejected: One of them would be refused for what it asks for.
    """
    found = shelf(db, catalogue)
    lanes = [check_lane(request, limits) for request in requests]
    credits = [_price(request, found, speed) for request, speed in zip(requests, lanes, strict=True)]
    paid = (amount for amount, speed in zip(credits, lanes, strict=True) if cost.metered(speed))
    last = max(lanes, key=LANES.index, default=Speed.FAST)
    seconds = places.until_drawn(db, last, len(requests), devices=devices)
    return Quote(credits=tuple(credits), metered=round(sum(paid), 3), seconds=seconds)


def _price(request: ImagineRequest, found: Shelf, speed: Speed) -> float:
    order = Imagine(request=request)
    profile, _ = found.pick(order, None)
    names = dict.fromkeys(links_of(request), UNSEEN)
    made = plan(order, None, profile=profile, seed=0, names=names)
    return 0.0 if made.recipe is None else cost.credits(made.recipe, profile, speed)
