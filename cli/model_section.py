"""The checkpoints of the configuration: ``[model]`` for one, ``[[models]]`` for several."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from cli.section import Section
from parser.request import LATEST, NIJIS, VERSIONS

EMBEDDED = "embedded"  # the checkpoint that comes with the program
SINGLE = ".safetensors"  # how the name of a checkpoint in one file ends


def _numeral(value: object) -> object:
    """Return a version as people type it: ``6`` for 6, 6.0 and "6.0"."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    return text.removesuffix(".0") if isinstance(text, str) else text


Share = Annotated[float, Field(ge=0, le=1)]
Numeral = Annotated[str, BeforeValidator(_numeral)]


class Lora(Section):
    """An entry of ``loras``."""

    source: str = Field(min_length=1)  # a .safetensors file, a folder, or a hub id
    weight: float = Field(default=1.0, ge=-10, le=10)  # how strongly; 1 as it was trained


class Inversion(Section):
    """An entry of ``embeddings``."""

    source: str = Field(min_length=1)  # a .safetensors file, a folder, or a hub id
    token: str = Field(pattern=r"^[^\s:,{}]{2,64}$")  # the word that stands for it in prompts


class PictureAdapter(Section):
    """The entry ``ip_adapter``."""

    source: str = Field(min_length=1)  # a .safetensors file, here or on the hub as `owner/name/path`
    encoder: str | None = None  # the folder of its image encoder, likewise; else `image_encoder` beside it


class Model(Section):
    """``[model]``: which checkpoint draws; of several, each `[[models]]`."""

    name: str | None = Field(default=None, min_length=1, max_length=64)  # how jobs and pictures call it
    source: str = Field(default=EMBEDDED, min_length=1)  # a folder, a .safetensors file, or a hub id
    description: str | None = None  # of a single file: a folder or hub id with what it lacks
    default: bool = False  # of several, the one that draws where nobody says otherwise; else the first
    versions: tuple[Numeral, ...] = ()  # what `--version` calls it, such as `["6", "6.1"]`
    niji: tuple[Numeral, ...] = ()  # what `--niji` calls it, such as `["6"]`
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: as `[engine]` says
    size: int | None = Field(default=None, gt=0, le=4096)  # pixels of a square picture's side
    steps: int | None = Field(default=None, ge=1, le=200)  # at --quality 1; embedded 12, else the family's
    guidance: float | None = Field(default=None, ge=1, le=30)  # 3 for the embedded model, else the family's
    widest: float | None = Field(default=None, ge=1, le=14)  # long side over short; else the family's
    guidance_interval: tuple[Share, Share] = (0.0, 1.0)  # between which shares of the schedule it counts
    scheduler: str | None = None  # a class of diffusers', such as `"EulerDiscreteScheduler"`
    scheduler_options: Mapping[str, bool | int | float | str] = Field(default_factory=dict)  # its arguments
    vae: str | None = None  # another autoencoder: a folder in diffusers layout, or a hub id
    loras: tuple[Lora, ...] = ()  # small changes to the weights, with `source` and `weight`
    embeddings: tuple[Inversion, ...] = ()  # words the text encoder learnt, with `source` and `token`
    ip_adapter: PictureAdapter | None = None  # opens `--cref` and `--oref`: `source`, and perhaps `encoder`
    compile: bool = False  # whether its network is compiled when it is loaded: minutes, for faster steps
    style: str = Field(default="", max_length=1000)  # the house style, in words
    licence: str = ""  # a note for whoever runs this

    @field_validator("guidance_interval")
    @classmethod
    def _in_order(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError("it must begin before it ends, such as [0.1, 0.8]")
        return value

    @field_validator("versions")
    @classmethod
    def _known_versions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _among(value, VERSIONS)

    @field_validator("niji")
    @classmethod
    def _known_nijis(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _among(value, [each for each in NIJIS if each != LATEST])

    @property
    def title(self) -> str:
        """How jobs and pictures call it: its name, else what its source ends in."""
        if self.name is not None:
            return self.name
        path = PurePath(self.source)
        return path.stem if self.single else path.name or self.source

    @property
    def single(self) -> bool:
        """True if all of it is in one file."""
        return self.source.lower().endswith(SINGLE)


def problems_of(models: Sequence[Model]) -> list[str]:
    """Return what is wrong with *models* as a whole: names and versions of two, more than one default."""
    titles = Counter(model.title for model in models)
    found = [
        f"{count} are called {title!r}: give each a name" for title, count in titles.items() if count > 1
    ]
    for key, flag in (("versions", "--version"), ("niji", "--niji")):
        taken = Counter(each for model in models for each in set(getattr(model, key)))
        found += [f"{count} answer to {flag} {each}: one may" for each, count in taken.items() if count > 1]
    defaults = [model.title for model in models if model.default]
    if len(defaults) > 1:
        found.append(f"{' and '.join(defaults)} are both the default: one may be")
    return found


def in_order(models: Sequence[Model]) -> tuple[Model, ...]:
    """Return *models*, the default first."""
    return tuple(sorted(models, key=lambda model: not model.default))


def _among(value: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    unknown = [each for each in value if each not in known]
    if unknown:
        raise ValueError(f"there is no version {', '.join(unknown)}; there are {', '.join(known)}")
    return value
