"""What the files of an IP-Adapter say of themselves: which kind it is, and what it fits. No tensor is read.

An IP-Adapter (Ye et al. 2023) gives a UNet further keys and values in each cross-attention layer, so that it
looks at pictures beside reading the prompt. A network of its own turns what an image encoder says of a
picture into tokens of the width that the UNet's prompts have.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENCODER = "image_encoder"  # the folder beside the weights, where the configuration does not say another
SUFFIX = ".safetensors"
MOST_HEADER = 16 * 2**20  # bytes; those there are have some kilobytes
LAYER = ".to_k_ip.weight"

Shapes = Mapping[str, tuple[int, ...]]


class Unfit(Exception):  # noqa: N818 - a finding
    """An IP-Adapter that cannot be used; the text ends the sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What an IP-Adapter fits.

    Attributes:
        width: Of the prompts that the UNet reads.
        layers: Output width of each cross-attention layer, in the order in which diffusers counts them.
        embedding: Width of what the image encoder has to say.
        pooled: True if it wants what the encoder makes of the whole picture; else of each patch.
    """

    width: int
    layers: tuple[int, ...]
    embedding: int
    pooled: bool


def hub_of(place: str) -> tuple[str, str] | None:
    """Return the repository on the hub, and the path in it, that ``owner/name/path`` names.

    None for a path on this machine: what exists here is never looked for elsewhere.
    """
    path = Path(place).expanduser()
    if path.is_absolute() or place.startswith((".", "~")) or path.exists():
        return None
    owner, _, rest = place.partition("/")
    name, _, inside = rest.partition("/")
    if not owner or not name or (place.endswith(SUFFIX) and not inside):
        return None
    return f"{owner}/{name}", inside


def encoder_beside(source: str) -> str:
    """Return where the image encoder is if it is beside the weights *source*."""
    folder, slash, _ = source.rpartition("/")
    return f"{folder}{slash}{ENCODER}"


def shapes_of(file: Path) -> Shapes:
    """Return the shape of each tensor in a safetensors *file*, from its head.

    Raises:
        Unfit: There is none, or it is damaged.
    """
    try:
        with file.open("rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            head = json.loads(stream.read(min(size, MOST_HEADER)))
        return {
            name: tuple(int(side) for side in tensor["shape"])
            for name, tensor in head.items()
            if name != "__metadata__"
        }
    except FileNotFoundError:
        raise Unfit("does not exist") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise Unfit("is damaged or no safetensors file") from error


def fit_of(shapes: Shapes) -> Fit:
    """Return what the IP-Adapter with tensors of these *shapes* fits.

    Raises:
        Unfit: It is none, or of a kind that cannot be used.
    """
    numbered = {name.split(".")[1]: name for name in shapes if name.endswith(LAYER)}
    names = [numbered[number] for number in sorted(numbered, key=int) if number.isdigit()]
    if not names or not any(name.startswith("image_proj.") for name in shapes):
        raise Unfit("is no IP-Adapter: such a file has tensors called image_proj and ip_adapter")
    try:
        width = shapes[names[0]][1]
        layers = tuple(shapes[name][0] for name in names)
        embedding, pooled, made = _projection(shapes)
    except (IndexError, KeyError) as error:
        raise Unfit("is an IP-Adapter of an unknown kind") from error
    if made != width:
        raise Unfit("is damaged: its halves are of different widths")
    return Fit(width, layers, embedding, pooled)


def check(fit: Fit, unet: Mapping[str, Any], encoder: Mapping[str, Any]) -> None:
    """Refuse an IP-Adapter for another UNet or image encoder than those with these configurations.

    Raises:
        Unfit: It says what it is for, and what there is.
    """
    width = unet.get("cross_attention_dim")
    if fit.width != width:
        raise Unfit(
            f"is made for another family: for prompts of width {fit.width}, and this model's have {width}"
        )
    told = encoder.get("projection_dim" if fit.pooled else "hidden_size")
    if fit.embedding != told:
        raise Unfit(
            f"wants an image encoder that says {fit.embedding} numbers, and the one there says {told}; "
            "name the right one as `encoder`"
        )


def config_of(encoder: Path) -> Mapping[str, Any]:
    """Return the configuration of the image encoder in the folder *encoder*.

    Raises:
        Unfit: It is not there, incomplete, or another kind of network.
    """
    try:
        config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unfit(
            f"wants an image encoder in {encoder}, where none is; name its folder as `encoder`"
        ) from error
    if not isinstance(config, dict) or config.get("model_type") != "clip_vision_model":
        raise Unfit(f"wants an image encoder of the kind CLIP, and {encoder} holds another network")
    if not any(encoder.glob(f"*{SUFFIX}")):
        raise Unfit(f"wants the image encoder in {encoder}, which has no weights as safetensors")
    return config


def problem_of(source: str, encoder: str | None, unet: Mapping[str, Any] | None) -> str | None:
    """Return what keeps the IP-Adapter *source* from use with the UNet of that configuration, if anything.

    What is on the hub is taken at its word, and so is a UNet that is not known yet.
    """
    place = encoder or encoder_beside(source)
    if not source.endswith(SUFFIX):
        return "is no .safetensors file"
    if hub_of(source) is not None or hub_of(place) is not None:
        return None
    try:
        fit = fit_of(shapes_of(Path(source).expanduser()))
        config = config_of(Path(place).expanduser())
        check(fit, unet or {"cross_attention_dim": fit.width}, config)
    except Unfit as problem:
        return str(problem)
    return None


def _projection(shapes: Shapes) -> tuple[int, bool, int]:
    """Return the width of what is read, whether that is of a whole picture, and the width of the tokens.

    The names are those that diffusers tells the kinds apart by.

    Raises:
        Unfit: It looks at faces that another program has measured.
    """
    own = {name.removeprefix("image_proj."): shape for name, shape in shapes.items()}
    if "proj.weight" in own:
        return own["proj.weight"][1], True, own["norm.weight"][0]
    if "proj.3.weight" in own:
        return own["proj.0.weight"][1], False, own["proj.3.weight"][0]
    if "latents" in own:
        return own["proj_in.weight"][1], False, own["proj_out.weight"][0]
    raise Unfit(
        "is a FaceID adapter, which wants faces measured by another program; take one without FaceID, "
        "such as ip-adapter-plus-face"
    )
