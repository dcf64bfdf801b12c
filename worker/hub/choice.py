"""Which files of a repository are wanted: those that are opened, never pickles. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

INDEX = "model_index.json"
SUFFIX = ".safetensors"
LEFT_OUT = frozenset({"safety_checker", "feature_extractor", "image_encoder"})  # parts that are not loaded
WEIGHTS = re.compile(r"(diffusion_pytorch_model|model)(-\d{5}-of-\d{5})?\.safetensors")
LORA = ("pytorch_lora_weights.safetensors", "learned_embeds.safetensors")  # as diffusers calls them
DESCRIBING = (".json", ".txt", ".model")  # configurations and vocabularies
VARIANT = re.compile(r"\.(fp16|bf16|fp8|non_ema)\b")
SHOWN = 6  # names in one sentence


class Role(StrEnum):
    """What something of the hub is for."""

    WHOLE = "checkpoint"
    DESCRIPTION = "description"  # a checkpoint without its weights
    COMPANY = "company"  # a checkpoint without the network that denoises
    AUTOENCODER = "autoencoder"
    ADDITION = "addition"  # a LoRA, or a word


@dataclass(frozen=True, slots=True)
class Want:
    """Something of the hub.

    Attributes:
        place: ``owner/name``, or a file or folder in it, ``owner/name/path``.
        role: What it is for; a path says enough by itself.
    """

    place: str
    role: Role = Role.WHOLE

    @property
    def repository(self) -> str:
        """``owner/name``."""
        return "/".join(self.place.split("/")[:2])

    @property
    def inside(self) -> str:
        """The path in it; empty where all of it is meant."""
        return "/".join(self.place.split("/")[2:])


class Lacking(Exception):  # noqa: N818 - a finding
    """A repository has not what is wanted; the text ends the sentence that begins with its name."""


def chosen(want: Want, names: Sequence[str], index: Mapping[str, Any] | None) -> list[str]:
    """Return which of the files *names* are wanted.

    Args:
        want: What for.
        names: Paths of all files.
        index: What ``model_index.json`` says, where there is one.

    Raises:
        Lacking: What matters is not among them.
    """
    if want.inside:
        found = list(_inside(want.inside, names))
    elif want.role in {Role.WHOLE, Role.DESCRIPTION, Role.COMPANY}:
        found = list(_parts(want.role, names, index))
    elif want.role is Role.AUTOENCODER and index is not None:
        found = [INDEX, *_part("vae", names, weights=True)]
    else:
        found = list(_addition(names))
    return found


def parts(role: Role, index: Mapping[str, Any]) -> dict[str, bool]:
    """Return the parts of a checkpoint that are wanted, each with whether its weights are."""
    wanted = (
        [
            name
            for name, made in index.items()
            if isinstance(made, list) and any(made) and name not in LEFT_OUT
        ]
        if role is not Role.AUTOENCODER
        else ["vae"]
    )
    weightless = {Role.DESCRIPTION: set(wanted), Role.COMPANY: {"unet", "transformer"}}.get(role, set())
    return {name: name not in weightless for name in wanted}


def is_network(names: Sequence[str], part: str) -> bool:
    """Tell whether *part* is a network, which has weights, by the files *names*."""
    return f"{part}/config.json" in names


def _inside(inside: str, names: Sequence[str]) -> Iterator[str]:
    if inside in names:
        yield inside
        return
    own = [name for name in names if name.startswith(f"{inside}/")]
    if not own:
        raise Lacking(f"has no {inside}")
    yield from (name for name in own if _opened(name.removeprefix(f"{inside}/"), weights=True))


def _parts(role: Role, names: Sequence[str], index: Mapping[str, Any] | None) -> Iterator[str]:
    if index is None:
        hint = ""
        if single := [name for name in names if name.endswith(SUFFIX)]:
            hint = (
                f". It has {_shown(single)}: fetch the one you want yourself, and name the file as `source`"
            )
        raise Lacking(f"has no {INDEX}, so it is no checkpoint in diffusers layout{hint}")
    for part, weights in parts(role, index).items():
        yield from _part(part, names, weights=weights)
    yield INDEX


def _part(part: str, names: Sequence[str], *, weights: bool) -> Iterator[str]:
    found = [name for name in names if name.startswith(f"{part}/") and name.count("/") == 1]
    if not found:
        raise Lacking(f"has no {part}, which its {INDEX} names")
    if (
        weights
        and is_network(found, part)
        and not any(WEIGHTS.fullmatch(name.split("/")[1]) for name in found)
    ):
        if any(name.endswith(".bin") for name in found):
            raise Lacking(
                f"has the weights of its {part} as a pickle, which may run any program when it is read; "
                "take an edition with .safetensors"
            )
        raise Lacking(f"has no weights of its {part} in an ordinary .safetensors file")
    yield from (name for name in found if _opened(name.split("/")[1], weights=weights))


def _addition(names: Sequence[str]) -> Iterator[str]:
    top = [name for name in names if "/" not in name]
    tensors = [name for name in top if name.endswith(SUFFIX)]
    usual = [name for name in tensors if WEIGHTS.fullmatch(name) or name in LORA]
    if not usual and len(tensors) != 1:
        what = f"has several: {_shown(tensors)}; name one, as owner/name/file" if tensors else "has none"
        raise Lacking(f"shall have weights as {SUFFIX}, and {what}")
    yield from usual or tensors
    yield from (name for name in top if _opened(name, weights=False))


def _opened(name: str, *, weights: bool) -> bool:
    """Tell whether the file *name* of a part is ever opened."""
    if VARIANT.search(name) or "/" in name:
        return False
    return (weights and bool(WEIGHTS.fullmatch(name))) or name.endswith(DESCRIBING)


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
