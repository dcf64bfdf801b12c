"""What the parameters of look and variety ask of a drawing, as numbers. Pure.

Each takes what was typed, None where nothing was, and none of them changes a prompt in which it is not typed.
"""

from pydantic import Field

from parser import ImagineRequest, Part
from worker.api import Frozen

MOST_CHAOS = 1.0  # length of a picture's own displacement at ``--chaos 100``, in lengths of the prompt itself
MOST_WEIRD = 1.2  # of the displacement that all share at ``--weird 3000``, likewise
STYLIZE = 100  # ``--stylize`` where it is not typed
LOW_GUIDANCE, HIGH_GUIDANCE = 0.5, 1.3  # at ``--stylize`` 0 and 1000, in parts of the checkpoint's own
MOST_HOUSE = 0.9  # of the prompt that is said in the house style at ``--stylize 1000``
MOST_DETAIL = 0.7  # what one step adds to the fine detail at ``--exp 100``, in parts of that detail
DRAFT_STEPS = 0.5  # of the steps
DRAFT_AREA = 0.66  # of the pixels: on much less, a network sees another picture than it learnt
HD_SIDE = 2  # times the sides of the first pass: Midjourney's 2048 pixels beside 1024
HD_STRENGTH = 0.35  # share of the schedule that the second pass draws: details, no other shapes
SEAM_FROM = 0.65  # share of the schedule after which `--tile` joins the edges


class Displacement(Frozen):
    """How far the encoding of a prompt is moved before it is drawn, in lengths of what it says itself.

    The length of a prompt is that of the difference between its encoding and the empty prompt's.
    """

    chaos: float = Field(default=0, ge=0)  # of each picture, in a direction of its own
    weird: float = Field(default=0, ge=0)  # of all pictures, in one direction
    seed: int = 0  # of that one direction

    @property
    def none(self) -> bool:
        """True if nothing is moved."""
        return self.chaos == 0 and self.weird == 0


def displacement_of(request: ImagineRequest, seed: int) -> Displacement:
    """Return how far ``--chaos`` and ``--weird`` move the encoding.

    Both grow with the square root of the value: a random direction shows little until it is long.
    """
    return Displacement(
        chaos=MOST_CHAOS * ((request.chaos or 0) / 100) ** 0.5,
        weird=MOST_WEIRD * ((request.weird or 0) / 3000) ** 0.5,
        seed=seed if request.weird else 0,
    )


def house_share(request: ImagineRequest, usual: float = 0.0) -> float:
    """Return the share of the prompt, 0..1, that is said in the house style.

    Linear from none at ``--stylize 0`` by the *usual* share at 100 to `MOST_HOUSE` at 1000; none for
    ``--raw``, which leaves the house style out.
    """
    if request.plain:
        return 0.0
    stylize = STYLIZE if request.stylize is None else request.stylize
    if stylize <= STYLIZE:
        return usual * stylize / STYLIZE
    return usual + (MOST_HOUSE - usual) * (stylize - STYLIZE) / (1000 - STYLIZE)


def guidance_of(request: ImagineRequest, guidance: float) -> float:
    """Return the guidance scale, given the checkpoint's own at ``--stylize 100``.

    Stylization holds a picture to its style and subject as guidance does: linear from `LOW_GUIDANCE` to 1 to
    `HIGH_GUIDANCE` times the checkpoint's own. ``--raw`` never goes above that; what is drawn without
    guidance stays without.
    """
    if guidance <= 1:
        return guidance
    stylize = STYLIZE if request.stylize is None else request.stylize
    if stylize <= STYLIZE:
        factor = LOW_GUIDANCE + (1 - LOW_GUIDANCE) * stylize / STYLIZE
    else:
        factor = 1.0 if request.plain else 1 + (HIGH_GUIDANCE - 1) * (stylize - STYLIZE) / (1000 - STYLIZE)
    return max(1.0, guidance * factor)


def stylized(positive: tuple[Part, ...], house: str, share: float) -> tuple[Part, ...]:
    """Return *positive* and, beside each part, the same in the *house* style, which takes *share* of it.

    Said together, not as a part of its own: alone the words of a style name nothing that could be drawn.
    """
    if not house or share <= 0:
        return positive
    plain = (Part(text=part.text, weight=part.weight * (1 - share)) for part in positive)
    housed = (
        Part(text=f"{part.text}, {house}".removeprefix(", "), weight=part.weight * share) for part in positive
    )
    return (*plain, *housed)


def detail_of(request: ImagineRequest) -> float:
    """Return what each step adds to the fine detail that it expects, in parts of it: linear in ``--exp``.

    The detail is that of single latents (see `worker.engine.detail`), eight pixels or so: contrast between
    neighbours, which is what gives Midjourney's ``--exp`` its dynamic, tone-mapped look. Its energy on
    pictures of the embedded model is 1.4 times the plain one's at half of `MOST_DETAIL` and 1.8 times a
    little above it; at three times as much, halos are stronger than the subject.
    """
    return MOST_DETAIL * (request.exp or 0) / 100
