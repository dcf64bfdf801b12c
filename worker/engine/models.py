"""Which networks there are, and which one draws a recipe."""

from collections.abc import Callable, Mapping, Sequence

from worker.api import ErrorCode, WorkerError
from worker.engine.checkpoint import Hardware, load
from worker.engine.denoiser import Denoiser
from worker.engine.plan import BatchKey
from worker.engine.upscaler import Upscaler
from worker.recipe import ModelProfile, Recipe, Upscaling


class Models:
    """The configured checkpoints and the upscalers, each loaded when first needed and kept."""

    def __init__(
        self,
        profiles: Sequence[ModelProfile],
        hardware: Hardware,
        loaded: Callable[[str, str], None] = lambda _name, _hash: None,
    ) -> None:
        """Know *profiles*, the first of which is the default; tell *loaded* each one's name and weights."""
        self._profiles: Mapping[str, ModelProfile] = {profile.name: profile for profile in profiles}
        self._default = profiles[0]
        self._hardware = hardware
        self._loaded = loaded
        self._denoisers: dict[str, Denoiser] = {}
        self._upscalers: dict[int, Upscaler] = {}

    def preload(self) -> BatchKey:
        """Load the default checkpoint; return the batch key of its ordinary jobs.

        Raises:
            WorkerError: ``MODEL_MISSING``.
        """
        return self.denoiser(self._default.name).key(self._default.size, self._default.size)

    def backend(self, recipe: Recipe) -> Denoiser | Upscaler:
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

    def denoiser(self, name: str) -> Denoiser:
        """Return the denoiser of one checkpoint, loading it if need be.

        Raises:
            WorkerError: ``MODEL_MISSING``.
        """
        if name not in self._profiles:
            reason = f"The model {name} is not configured here."
            raise WorkerError(ErrorCode.MODEL_MISSING, model=name, reason=reason)
        if name not in self._denoisers:
            self._denoisers[name] = denoiser = Denoiser(load(self._profiles[name], self._hardware))
            self._loaded(name, denoiser.weights)
        return self._denoisers[name]
