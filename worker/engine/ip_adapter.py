"""An IP-Adapter on a UNet: fitted when the checkpoint is loaded, and what reads pictures for it."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from safetensors.torch import load_file
from transformers import CLIPVisionModelWithProjection

from worker.api import PictureGone
from worker.catalogue import Build, PictureAdapter
from worker.engine import pictures
from worker.engine.ip_attention import LookingAttention, Seen
from worker.engine.sources import absent, at_hand, first_line, missing
from worker.engine.whole import read, weight_of
from worker.hub.choice import Role
from worker.likeness_files import (
    SUFFIX,
    Unfit,
    check,
    config_of,
    encoder_beside,
    fit_of,
    shapes_of,
)
from worker.recipe import Drawing

CACHE_BYTES = 16 * 2**20  # of tokens; a picture has twelve kilobytes to a megabyte, as the adapter's kind is
MEAN = (0.48145466, 0.4578275, 0.40821073)  # of the pictures that every CLIP was trained with, 0..1
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class Eye:
    """Turns pictures into tokens that a UNet can look at; each picture once."""

    def __init__(self, encoder: Any, projection: Any, *, pooled: bool) -> None:
        """Put the networks together.

        Args:
            encoder: What says something of a picture.
            projection: What turns that into tokens.
            pooled: Whether it wants what the encoder says of the whole picture, or of each patch.
        """
        self._encoder = encoder.eval().requires_grad_(requires_grad=False)
        self._projection = projection.eval().requires_grad_(requires_grad=False)
        self._pooled = pooled
        self._cache: OrderedDict[bytes, torch.Tensor] = OrderedDict()
        self._cached_bytes = 0
        self._blank: torch.Tensor | None = None

    @property
    def weight(self) -> int:
        """Bytes of memory that the weights take."""
        return weight_of((self._encoder, self._projection))

    def seen(self, bodies: Sequence[bytes], scale: float) -> Seen:
        """Return *bodies*, pictures as they are stored, to be looked at together.

        Raises:
            PictureGone: One is damaged.
        """
        if self._blank is None:
            self._blank = self._tokens(None)
        tokens = torch.cat([self._remembered(body) for body in bodies])
        return Seen(tokens, self._blank.repeat(len(bodies), 1), scale)

    def _remembered(self, body: bytes) -> torch.Tensor:
        digest = blake2b(body, digest_size=32).digest()
        if digest in self._cache:
            self._cache.move_to_end(digest)
            return self._cache[digest]
        tokens = self._cache[digest] = self._tokens(body)
        self._cached_bytes += tokens.nbytes
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return tokens

    def _tokens(self, body: bytes | None) -> torch.Tensor:
        """Return the tokens of one picture, ``(tokens, width)``; None is what stands for no picture.

        That is an encoding of zeros for adapters that take the whole picture, and the encoding of a picture
        of zeros for the others, as in diffusers.
        """
        side, like = int(self._encoder.config.image_size), next(self._encoder.parameters())
        shown = torch.zeros(1, 3, side, side) if body is None else squared(body, side)
        told = self._encoder(shown.to(like), output_hidden_states=not self._pooled)
        embedding = told.image_embeds if self._pooled else told.hidden_states[-2]
        if body is None and self._pooled:
            embedding = torch.zeros_like(embedding)
        tokens: torch.Tensor = self._projection(embedding)[0]
        return tokens


def looked_at(eye: Eye | None, recipe: Drawing, bodies: Mapping[str, bytes]) -> tuple[Seen, ...]:
    """Return what the UNet sees of the pictures that *recipe* shall be like, stored as *bodies*.

    Raises:
        PictureGone: One is not among *bodies*, or damaged.
        WorkerError: ``MODEL_MISSING``; the checkpoint lost its IP-Adapter since the job was accepted.
    """
    if not recipe.likenesses:
        return ()
    if eye is None:
        raise missing(recipe.model, "has lost the IP-Adapter that it had when this was ordered")
    names = [name for each in recipe.likenesses for name in each.pictures]
    if gone := [name for name in names if name not in bodies]:
        raise PictureGone(gone[0])
    return tuple(eye.seen([bodies[name] for name in each.pictures], each.scale) for each in recipe.likenesses)


def squared(body: bytes, side: int) -> torch.Tensor:
    """Return a stored picture as an image encoder reads it, ``(1, 3, side, side)``.

    Squeezed to a square, not cut to one as programs usually do: a head at the upper edge of a tall picture is
    what matters most.

    Raises:
        PictureGone: It is damaged.
    """
    shown = pictures.tensor(body, (side, side)) / 2 + 0.5
    mean, deviation = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, DEVIATION))
    return (shown - mean) / deviation


def fitted(pipeline: Any, source: str, build: Build, hardware: Any) -> Eye | None:
    """Fit the IP-Adapter of *build* to the UNet of *pipeline*, and return what reads pictures for it.

    Without pictures the UNet does what it did before.

    Raises:
        WorkerError: ``MODEL_MISSING``; it is not there, or does not fit.
    """
    adapter = build.ip_adapter
    if adapter is None:
        return None
    try:
        return _fitted(pipeline, adapter, hardware, build)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Unfit as problem:
        raise missing(source, f"wants the IP-Adapter {adapter.source}, which {problem}") from problem
    except Exception as error:  # the loaders raise a dozen types for a damaged file
        what = f"wants the IP-Adapter {adapter.source}, which cannot be loaded ({first_line(error)})"
        raise missing(source, what) from error


def _fitted(pipeline: Any, adapter: PictureAdapter, hardware: Any, build: Build) -> Eye:
    file = _file(adapter.source, build)
    fit = fit_of(shapes_of(file))
    folder = _placed(adapter.encoder or encoder_beside(adapter.source), build)
    check(fit, pipeline.unet.config, config_of(folder))
    _check_layers(pipeline.unet, fit.layers)
    encoder = read(CLIPVisionModelWithProjection, folder)
    projection = _attached(pipeline, file)
    where = {"device": hardware.device, "dtype": hardware.dtype}
    return Eye(encoder.to(**where), projection.to(**where), pooled=fit.pooled)


def _check_layers(unet: Any, layers: Sequence[int]) -> None:
    """Refuse an adapter for a UNet of another shape.

    Raises:
        Unfit: Likewise.
    """
    own = tuple(module.out_dim for name, module in _modules(unet) if name.endswith("attn2"))
    if own != tuple(layers):
        raise Unfit(
            f"is made for another UNet: it has {len(layers)} layers, and this model's {len(own)} "
            "do not have the same widths"
        )


def _modules(unet: Any) -> list[tuple[str, Any]]:
    """Return the attention layers of *unet* by name, in the order in which adapters count them."""
    return [
        (name.removesuffix(".processor"), unet.get_submodule(name.removesuffix(".processor")))
        for name in unet.attn_processors
    ]


def _attached(pipeline: Any, file: Path) -> Any:
    """Give the UNet layers that look at pictures; return the network that makes tokens for them.

    diffusers takes the file apart; its layers are then replaced by those that look row by row.
    """
    halves: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in load_file(file).items():
        half, _, inner = name.partition(".")
        halves[half][inner] = tensor.float()
    pipeline.load_ip_adapter(halves, subfolder="", weight_name=file.name, image_encoder_folder=None)
    unet = pipeline.unet
    projection = unet.encoder_hid_proj.image_projection_layers[0]
    looking = {
        name: LookingAttention(each.to_k_ip[0], each.to_v_ip[0])
        for name, each in unet.attn_processors.items()
        if isinstance(each, IPAdapterAttnProcessor2_0)
    }
    pipeline.unload_ip_adapter()
    unet.set_attn_processor(unet.attn_processors | looking)
    return projection


def _file(source: str, build: Build) -> Path:
    if not source.endswith(SUFFIX):
        raise Unfit("is no .safetensors file")
    return _placed(source, build)


def _placed(place: str, build: Build) -> Path:
    found = at_hand(place, Role.ADDITION)
    if found is None:
        raise Unfit(absent(build))
    return found
