"""The families of checkpoints, what each is usually given, and what it cannot be asked for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from parser import ImagineRequest
from worker.api import ErrorCode, Rejected
from worker.effects import STYLIZE


class Family(StrEnum):
    """By diffusers' name of the pipeline, as a checkpoint's own files have it."""

    STABLE_DIFFUSION = "StableDiffusionPipeline"
    STABLE_DIFFUSION_XL = "StableDiffusionXLPipeline"
    STABLE_DIFFUSION_3 = "StableDiffusion3Pipeline"
    FLUX = "FluxPipeline"
    PIXART_ALPHA = "PixArtAlphaPipeline"
    PIXART_SIGMA = "PixArtSigmaPipeline"

    @classmethod
    def named(cls, name: object) -> "Family | None":
        """Return the family of a pipeline of that *name*; None if it is none of these."""
        known = ALIASES.get(str(name), str(name))
        return cls(known) if known in set(cls) else None

    @property
    def facts(self) -> "Facts":
        """What is known of it."""
        return FACTS[self]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a family.

    Attributes:
        title: What people call it.
        network: Name of the part that denoises.
        encoders: Names of the parts that must be there to read a prompt.
        patch: Latents that the network takes as one, across and down.
        size: Pixels of a square picture's side, where nobody and no file says.
        steps: At quality 1, likewise.
        guidance: Likewise.
        widest: Long side over short of the longest pictures it learnt, or draws without repeating itself.
        lacks: Parameters it cannot honour, with the reason, to follow a colon.
        alone: Whether each picture is drawn by a call of its own pipeline: steps are not shared.
    """

    title: str
    network: str
    encoders: tuple[str, ...]
    patch: int
    size: int
    steps: int
    guidance: float
    lacks: Mapping[str, str]
    widest: float = 2.0
    alone: bool = False


ALIASES = {"LatentConsistencyModelPipeline": "StableDiffusionPipeline"}  # the same parts, distilled
EDGES = "its network is told where in the picture everything is, so opposite edges cannot be made to meet"
WITHIN = "its own pipeline draws, which lets nobody change what a step does"
ALONE = dict.fromkeys(("chaos", "weird", "exp", "hd", "sref", "stop"), WITHIN)
PIXART = Facts(
    title="PixArt",
    network="transformer",
    encoders=("text_encoder",),
    patch=2,
    size=1024,
    steps=20,
    guidance=4.5,
    lacks={"tile": EDGES, **ALONE},
    alone=True,
)
FACTS: Mapping[Family, Facts] = {
    Family.STABLE_DIFFUSION: Facts(
        title="Stable Diffusion 1.x and 2.x",
        network="unet",
        encoders=("text_encoder",),
        patch=1,
        size=512,
        steps=20,
        guidance=7.5,
        lacks={},
    ),
    Family.STABLE_DIFFUSION_XL: Facts(
        title="Stable Diffusion XL",
        network="unet",
        encoders=("text_encoder", "text_encoder_2"),
        patch=1,
        size=1024,
        steps=30,
        guidance=5.0,
        lacks={},
        widest=4.0,  # it learnt pictures of 512 by 2048 pixels, and what lies between
    ),
    Family.STABLE_DIFFUSION_3: Facts(
        title="Stable Diffusion 3.x",
        network="transformer",
        encoders=("text_encoder", "text_encoder_2"),
        patch=2,
        size=1024,
        steps=28,
        guidance=7.0,
        lacks={"tile": EDGES},
    ),
    Family.FLUX: Facts(
        title="FLUX",
        network="transformer",
        encoders=("text_encoder", "text_encoder_2"),
        patch=2,
        size=1024,
        steps=28,
        guidance=3.5,
        lacks={
            "tile": EDGES,
            "no": "it takes a prompt without an opposite to lead away from; say what shall be there instead",
        },
    ),
    Family.PIXART_ALPHA: replace(PIXART, title="PixArt-alpha"),
    Family.PIXART_SIGMA: replace(PIXART, title="PixArt-Sigma"),
}
STEERED = (
    "its guidance is an input of its network, which leads away from nothing; say what shall be there instead"
)
UNGUIDED = "it draws without guidance, which alone leads away from things; say what shall be there instead"


UNSTYLED = "it draws without guidance and has no house style, and those are what it turns up"


def lacking(
    family: Family, guidance: float, *, steered: bool = False, styled: bool = True
) -> Mapping[str, str]:
    """Return what a checkpoint cannot honour, with the reasons.

    Args:
        family: What it is.
        guidance: What it is drawn with.
        steered: Whether guidance is an input of its network.
        styled: Whether it has a house style.
    """
    unguided = {"no": STEERED if steered else UNGUIDED} if steered or guidance <= 1 else {}
    unstyled = {"stylize": UNSTYLED} if guidance <= 1 and not styled else {}
    return {**unguided, **unstyled, **family.facts.lacks}


def check_family(request: ImagineRequest, model: str, lacks: Mapping[str, str]) -> None:
    """Refuse what the checkpoint *model* cannot honour.

    Raises:
        Rejected: ``NOT_WITH_MODEL``, with the parameter and the reason. A part of negative weight is what
            ``--no`` is.
    """
    asked = {
        "tile": request.tile,
        "no": request.negative or any(part.weight < 0 for part in request.parts),
        "stylize": request.stylize not in (None, STYLIZE),
        "stop": request.stop not in (None, 100),
    }
    for parameter, reason in lacks.items():
        if asked[parameter] if parameter in asked else getattr(request, parameter):
            raise Rejected(ErrorCode.NOT_WITH_MODEL, model=model, parameter=parameter, reason=reason)
