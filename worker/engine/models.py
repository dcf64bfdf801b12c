"""Which networks there are, and which one draws a recipe."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
import torch

from worker.api import ErrorCode, WorkerError
from worker.catalogue import Build
from worker.engine.blame import code_of
from worker.engine.checkpoint import PLAIN, Hardware
from worker.engine.families import AnyDenoiser, denoiser_of
from worker.engine.plan import BatchKey
from worker.engine.residency import Residency
from worker.engine.sources import at_hand
from worker.engine.upscaler import Upscaler
from worker.hub.choice import Role
from worker.recipe import Drawing, ModelProfile, Recipe, Upscaling

WINDOW = 77  # tokens that every text encoder of Stable Diffusion 1 and 2 reads at once
SORRY_SECONDS = 60.0  # for so long a checkpoint that could not be loaded is not tried again

log = structlog.get_logger(__name__)


class Models:
    """The configured checkpoints and the upscalers, each loaded when first needed and kept while it fits."""

    def __init__(
        self,
        profiles: Sequence[ModelProfile],
        hardware: Hardware,
        loaded: Callable[[str, str], None] = lambda _name, _hash: None,
        *,
        builds: Mapping[str, Build] | None = None,
        budget: int | None = None,
        described: Callable[[str], ModelProfile | None] = lambda _name: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe them; nothing is loaded yet.

        Args:
            profiles: The checkpoints, the default first.
            hardware: What they run on.
            loaded: Told name and weights of each when it is loaded.
            builds: How some are put together, by name.
            budget: Bytes that loaded checkpoints may take together; None: no limit.
            described: Tells, when one is loaded, what is known by then of a checkpoint that came later.
            clock: Seconds, monotonic.
        """
        self._described = described
        self._profiles: Mapping[str, ModelProfile] = {profile.name: profile for profile in profiles}
        self._default = profiles[0]
        self._hardware = hardware
        self._loaded = loaded
        self._builds = builds or {}
        self._clock = clock
        self._residency = Residency({each.name: on_disk(each.source) for each in profiles}, budget)
        self._denoisers: dict[str, AnyDenoiser] = {}
        self._failures: dict[str, tuple[WorkerError, float]] = {}
        self._upscalers: dict[int, Upscaler] = {}

    def preload(self) -> BatchKey:
        """Load the default checkpoint; return the batch key of its ordinary jobs.

        Where there are others, one that cannot be loaded keeps nobody from those.

        Raises:
            WorkerError: ``MODEL_MISSING``.
        """
        size, grid = self._default.size, self._default.grid
        try:
            return self.denoiser(self._default.name).key(size, size)
        except WorkerError as error:
            if len(self._profiles) == 1:
                raise
            log.error("model_not_loaded", model=self._default.name, reason=error.detail.get("reason"))  # noqa: TRY400
        return BatchKey(self._default.name, size // grid, size // grid, WINDOW, guided=True)

    def admits(self, recipe: Recipe) -> bool:
        """Tell whether what draws *recipe* is loaded or can be, without waiting for jobs that are drawn."""
        if not isinstance(recipe, Drawing) or recipe.model not in self._profiles:
            return True
        return self._residency.leaving(recipe.model, self._busy) is not None

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the checkpoints in memory."""
        return self._residency.present

    def ready(self) -> frozenset[str] | None:
        """Return which checkpoints can be drawn with before another has to leave; None: all."""
        return self._residency.ready()

    def backend(self, recipe: Recipe) -> AnyDenoiser | Upscaler:
        """Return what makes this recipe's pictures.

        Raises:
            WorkerError: ``MODEL_MISSING``, or ``MODEL_CHANGED`` if the recipe is one for other weights.
        """
        if isinstance(recipe, Upscaling):
            if recipe.factor not in self._upscalers:
                self._upscalers[recipe.factor] = Upscaler(recipe.factor, self._hardware.device)
            return self._upscalers[recipe.factor]
        denoiser = self.denoiser(recipe.model)
        if recipe.weights not in (None, denoiser.weights):
            reason = f"The model {recipe.model} was replaced since that picture was first drawn."
            raise WorkerError(ErrorCode.MODEL_CHANGED, model=recipe.model, reason=reason)
        return denoiser

    def denoiser(self, name: str) -> AnyDenoiser:
        """Return the denoiser of one checkpoint, loading it if need be.

        Raises:
            WorkerError: ``MODEL_MISSING``.
        """
        if name not in self._profiles:
            reason = f"The model {name} is not configured here."
            raise WorkerError(ErrorCode.MODEL_MISSING, model=name, reason=reason)
        if name not in self._denoisers:
            self._check_failure(name)
            for other in self._residency.leaving(name, self._busy) or ():
                self._let_go(other)
            self._denoisers[name] = self._load(name)
        self._residency.used(name)
        return self._denoisers[name]

    @property
    def _busy(self) -> frozenset[str]:
        """Checkpoints that somebody's pictures are being drawn with."""
        return frozenset(name for name, denoiser in self._denoisers.items() if denoiser.busy)

    def _load(self, name: str) -> AnyDenoiser:
        began = self._clock()
        log.info("model_loading", model=name)
        try:
            denoiser = self._loaded_once_more(name)
        except WorkerError as error:
            self._failures[name] = (error, self._clock())
            raise
        self._residency.came(name, denoiser.bytes)
        for other in self._residency.excess(name, self._busy):
            self._let_go(other)
        log.info(
            "model_loaded",
            model=name,
            seconds=round(self._clock() - began, 1),
            megabytes=round(denoiser.bytes / 1e6),
            loaded=list(self._residency.present),
        )
        self._loaded(name, denoiser.weights)
        return denoiser

    def _loaded_once_more(self, name: str) -> AnyDenoiser:
        """Load a checkpoint; where memory does not suffice, let go what nobody uses and try again."""
        profile, build = self._described(name) or self._profiles[name], self._builds.get(name, PLAIN)
        try:
            return denoiser_of(profile, self._hardware, build)
        except Exception as error:
            idle = [each for each in self._residency.present if each not in self._busy]
            if code_of(error) is not ErrorCode.OUT_OF_MEMORY or not idle:
                raise
        for each in idle:
            self._let_go(each)
        return denoiser_of(profile, self._hardware, build)

    def _let_go(self, name: str) -> None:
        del self._denoisers[name]
        self._residency.left(name)
        gc.collect()  # layers hold on to each other
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.info("model_left", model=name)

    def _check_failure(self, name: str) -> None:
        """Refuse what could not be loaded a moment ago: trying takes everybody's time."""
        error, at = self._failures.get(name, (None, 0.0))
        if error is not None and self._clock() - at < SORRY_SECONDS:
            raise WorkerError(error.code, **error.detail)
        self._failures.pop(name, None)


def on_disk(source: str) -> int:
    """Return the bytes of a checkpoint's weights on this machine, 0 where they are elsewhere."""
    place = at_hand(source, Role.WHOLE)
    if place is None:
        return 0
    if place.is_file():
        return place.stat().st_size
    parts = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")
    return sum(path.stat().st_size for part in parts for path in (place / part).glob("*.safetensors"))
