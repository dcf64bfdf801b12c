"""Which checkpoints a server has, and which of them is asked for. Pure."""

from collections.abc import Collection, Mapping
from typing import Self

from pydantic import Field

from parser import ImagineRequest
from parser.request import LATEST
from worker.api import ErrorCode, Frozen, Rejected
from worker.recipe import ModelProfile


class Adapter(Frozen):
    """A LoRA: small changes to the weights, learnt for one style or subject."""

    source: str  # a .safetensors file, a folder, or a hub id
    weight: float = 1.0  # how strongly; 1 as it was trained


class Embedding(Frozen):
    """A textual inversion: a word the text encoder learnt."""

    source: str  # a .safetensors file, a folder, or a hub id
    token: str  # the word, as people type it


class PictureAdapter(Frozen):
    """An IP-Adapter: layers with which a checkpoint looks at pictures beside reading the prompt."""

    source: str  # a .safetensors file, here or on the hub as ``owner/name/path``
    encoder: str | None = None  # the folder of its image encoder, likewise; None: beside the file


class Build(Frozen):
    """How a checkpoint is put together, beyond what its own files say."""

    dtype: str = "auto"  # of the UNet; auto: what suits the device
    description: str | None = None  # of a single file: a folder in diffusers layout, or a hub id
    scheduler: str | None = None  # name of a class of diffusers'
    scheduler_options: Mapping[str, bool | float | str] = Field(default_factory=dict)
    vae: str | None = None  # a folder in diffusers layout, or a hub id
    loras: tuple[Adapter, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    ip_adapter: PictureAdapter | None = None
    guidance_interval: tuple[float, float] = (0.0, 1.0)  # shares of the schedule between which it counts
    compile: bool = False  # the network is compiled when it is loaded
    offline: bool = False  # nothing is fetched from the hub


class Entry(Frozen):
    """One checkpoint of the catalogue."""

    profile: ModelProfile
    build: Build = Build()
    versions: tuple[str, ...] = ()  # what ``--version`` calls it
    niji: tuple[str, ...] = ()  # what ``--niji`` calls it
    licence: str = ""  # the operator's note
    ready: bool = True  # its own files say what it is; else the profile is a guess

    @property
    def name(self) -> str:
        """What jobs call it."""
        return self.profile.name

    @property
    def flags(self) -> tuple[str, ...]:
        """How people ask for it."""
        return tuple(f"--v {each}" for each in self.versions) + tuple(f"--niji {each}" for each in self.niji)


class Catalogue(Frozen):
    """The checkpoints; the first is the default where no admin chose another."""

    entries: tuple[Entry, ...] = Field(min_length=1)

    @classmethod
    def of(cls, *profiles: ModelProfile) -> Self:
        """Return the catalogue of checkpoints that nothing more is said of."""
        return cls(entries=tuple(Entry(profile=profile) for profile in profiles))

    @property
    def names(self) -> tuple[str, ...]:
        """What jobs call them, the default first."""
        return tuple(entry.name for entry in self.entries)

    @property
    def unready(self) -> frozenset[str]:
        """Those that nothing can be ordered of yet."""
        return frozenset(entry.name for entry in self.entries if not entry.ready)

    def named(self, name: str) -> Entry | None:
        """Return the checkpoint of that name, None if there is none."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def versions(self, off: Collection[str] = ()) -> tuple[str, ...]:
        """Return every value of ``--version`` that works while the checkpoints *off* are switched off."""
        return tuple(each for entry in self._on(off) for each in entry.versions)

    def niji(self, off: Collection[str] = ()) -> tuple[str, ...]:
        """Return likewise every value of ``--niji``."""
        return tuple(each for entry in self._on(off) for each in entry.niji)

    def asked_for(self, request: ImagineRequest, off: Collection[str] = ()) -> Entry | None:
        """Return the checkpoint that *request* names, None if it names none. A bare ``--niji`` is the latest.

        Raises:
            Rejected: ``VERSION_UNAVAILABLE``, with what was asked for and what works; ``MODEL_OFF``.
        """
        if request.version is None and request.niji is None:
            return None
        flag = f"--v {request.version}" if request.niji is None else f"--niji {request.niji}"
        if request.niji == LATEST:
            known = self.niji(off) or self.niji()
            flag = f"--niji {max(known, key=float)}" if known else "--niji"
        found = next((entry for entry in self.entries if flag in entry.flags), None)
        if found is None:
            served = ", ".join(flag for entry in self._on(off) for flag in entry.flags)
            raise Rejected(
                ErrorCode.VERSION_UNAVAILABLE,
                asked=flag,
                served=served or "none with a version",
                versions=" ".join(self.versions(off)),
                niji=" ".join(self.niji(off)),
            )
        if found.name in off:
            raise Rejected(ErrorCode.MODEL_OFF, model=found.name)
        return found

    def _on(self, off: Collection[str]) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.name not in off)
