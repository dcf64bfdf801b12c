"""What follows from what was found: outcomes, a server's rules, strikes and timeouts. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from pydantic import Field

from bot.moderation.verdict import Verdict
from worker.api import Category, Frozen

DAY_SECONDS = 86400.0
HOUR_SECONDS = 3600.0


class Outcome(StrEnum):
    """What happens, the mildest first. Stored; never renamed."""

    ALLOW = "allow"
    SPOILER = "spoiler"  # the picture is covered until somebody clicks it
    PRIVATE = "private"  # only the person sees it
    REFUSE = "refuse"
    STRIKE = "refuse_and_strike"

    @property
    def refuses(self) -> bool:
        """Whether nothing is drawn, or shown."""
        return self in {Outcome.REFUSE, Outcome.STRIKE}


_ORDER = tuple(Outcome)
RELAXABLE = frozenset({Category.SEXUAL, Category.SHOCKING})  # in channels marked as adult
DEFAULTS: Mapping[Category, Outcome] = MappingProxyType(
    {
        Category.HATE: Outcome.REFUSE,
        Category.HARASSMENT: Outcome.REFUSE,
        Category.VIOLENCE: Outcome.SPOILER,
        Category.SELF_HARM: Outcome.REFUSE,
        Category.SEXUAL: Outcome.REFUSE,
        Category.SHOCKING: Outcome.SPOILER,
        Category.ILLEGAL: Outcome.SPOILER,
        Category.DECEPTION: Outcome.REFUSE,
        Category.POLITICAL: Outcome.ALLOW,
        Category.HEALTH: Outcome.ALLOW,
    }
)


def strictest(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the strictest of *outcomes*, ``ALLOW`` where there is none."""
    return max(outcomes, key=_ORDER.index, default=Outcome.ALLOW)


class Rules(Frozen):
    """What one server allows."""

    outcomes: Mapping[Category, Outcome] = Field(default_factory=lambda: dict(DEFAULTS))
    nsfw: Mapping[Category, Outcome] = Field(default_factory=dict)  # in adult channels, where it differs
    picture: Outcome = Outcome.SPOILER  # for pictures that the picture gate takes for adult
    picture_threshold: float = Field(default=0.8, ge=0, le=1)
    moderators_channel_id: int | None = None

    def outcome(self, category: Category, *, nsfw: bool) -> Outcome:
        """Return what *category* leads to, in an adult channel or elsewhere."""
        plain = self.outcomes.get(category, DEFAULTS[category])
        return self.nsfw.get(category, plain) if nsfw else plain

    def watched(self, *, nsfw: bool) -> tuple[Category, ...]:
        """Return the categories that lead to a refusal."""
        return tuple(each for each in Category if self.outcome(each, nsfw=nsfw).refuses)

    def for_picture(self, score: float | None, *, nsfw: bool) -> Outcome:
        """Return what becomes of a picture by its *score*, None for one that no gate has seen."""
        if score is None or score < self.picture_threshold:
            return Outcome.ALLOW
        if nsfw and Category.SEXUAL in self.nsfw:
            return min(self.picture, self.nsfw[Category.SEXUAL], key=_ORDER.index)
        return self.picture


class Ruling(Frozen):
    """What becomes of an order.

    Attributes:
        outcome: The strictest of all that was found.
        category: What it was for; None where all is well.
        final: Whether the moderators cannot undo it.
    """

    outcome: Outcome = Outcome.ALLOW
    category: Category | None = None
    final: bool = False


def ruling(verdict: Verdict, rules: Rules, *, nsfw: bool) -> Ruling:
    """Return what *verdict* leads to under *rules*.

    Sexual words beside words for people under age are refused with a strike, whatever the rules say.
    """
    if verdict.minors and Category.SEXUAL in verdict.categories:
        return Ruling(outcome=Outcome.STRIKE, category=Category.SEXUAL, final=True)
    found = [finding.category for finding in verdict.findings]
    if not found:
        return Ruling()
    worst = strictest([rules.outcome(each, nsfw=nsfw) for each in found])
    if worst is Outcome.ALLOW:
        return Ruling()
    category = next(each for each in found if rules.outcome(each, nsfw=nsfw) is worst)
    return Ruling(outcome=worst, category=category)


class Sanctions(Frozen):
    """When strikes lead to a timeout."""

    strikes: int = Field(default=3, ge=1)  # so many
    days: float = Field(default=30, gt=0)  # within so long
    hours: float = Field(default=24, gt=0)  # lead to a timeout of this length, from the latest on

    def since(self, now: float) -> float:
        """Return the time before which a strike has aged out."""
        return now - self.days * DAY_SECONDS

    def timeout_until(self, strikes: Sequence[float]) -> float | None:
        """Return the end of the latest timeout that *strikes* led to, which may be over.

        *strikes* are the times of those not forgiven, in their order.
        """
        for place in range(len(strikes) - 1, self.strikes - 2, -1):
            window = [each for each in strikes[: place + 1] if each > self.since(strikes[place])]
            if len(window) >= self.strikes:
                return strikes[place] + self.hours * HOUR_SECONDS
        return None
