"""What everybody carries who shows jobs."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.moderation.gate import Moderation
from bot.outlet import Outlet
from bot.pace import Pace
from bot.settings import Settings
from bot.texts import Texts
from worker.api import JobDesk


@dataclass(frozen=True, slots=True)
class Bag:
    """The parts a courier and those who deliver for it work with.

    Attributes:
        texts: The words for a locale.
        clock: Seconds since 1970.
        moderation: Says how a picture may be shown; None shows every one.
    """

    desk: JobDesk
    settings: Settings
    outlet: Outlet
    texts: Callable[[str], Texts]
    clock: Callable[[], float]
    pace: Pace
    moderation: Moderation | None = None
