"""Pictures that a job brings along: fetched by address or inherited, and stored as its own."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parser import ImagineRequest
from worker.api import ErrorCode, JobId, PictureGone, Rejected
from worker.images import ImageStore
from worker.recipe import Drawing, Recipe
from worker.references import Ingredient, file_of, housed, links_of

if TYPE_CHECKING:
    from worker.links import Links  # brings an HTTP client along, which only who fetches needs


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job is about to bring along.

    Attributes:
        files: Name in the job's own folder, by address.
        bodies: What was fetched, by that name.
        sources: Names of stored pictures that are taken over, by that name.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, bytes] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def names(self, job_id: JobId) -> dict[str, str]:
        """Return the stored pictures of *job_id*, by address."""
        return {address: housed(file, job_id) for address, file in self.files.items()}


async def fetched(request: ImagineRequest, links: "Links | None") -> Inputs:
    """Return the pictures that *request* names.

    Raises:
        Rejected: ``IMAGES_UNAVAILABLE`` if there are *links* to nothing, or ``LinksRefused``.
    """
    wanted = links_of(request)
    if not wanted:
        return Inputs()
    if links is None:
        raise Rejected(ErrorCode.IMAGES_UNAVAILABLE, images=len(wanted))
    found = await links.fetch(wanted)
    files = {address: file_of(body) for address, body in found.items()}
    return Inputs(files, {files[address]: body for address, body in found.items()})


def inherited(stored: Mapping[str, str]) -> Inputs:
    """Return the pictures of another job, by address, to be taken over."""
    files = {address: name.rpartition("/")[2] for address, name in stored.items()}
    return Inputs(files, {}, {files[address]: name for address, name in stored.items()})


async def store(inputs: Inputs, images: ImageStore, job_id: JobId, recipe: Recipe | None) -> dict[str, str]:
    """Store *inputs* as the job's own and return their names, by address.

    Raises:
        PictureGone: One that *recipe* needs was to be taken over, and is no longer stored.
        WorkerError: ``DISK_FULL``.
    """
    if inputs.bodies:
        await asyncio.to_thread(images.write, job_id, inputs.bodies)
    needed = pictures_of(recipe)
    gone: set[str] = set()
    for file, name in inputs.sources.items():
        try:
            await asyncio.to_thread(images.copy, name, job_id, file)
        except PictureGone:
            if housed(file, job_id) in needed:
                raise
            gone.add(file)
    stored = {address: file for address, file in inputs.files.items() if file not in gone}
    return Inputs(stored).names(job_id)


def pictures_of(recipe: Recipe | None) -> frozenset[str]:
    """Return the names of the pictures that *recipe* refers to beside the one it starts from."""
    named = (each.picture for each in _ingredients(recipe))
    return frozenset((*named, *_looked_at(recipe), *_masked(recipe)))


def at_home(recipe: Recipe | None, job_id: JobId) -> Recipe | None:
    """Return *recipe* with all pictures it refers to in the folder of *job_id*."""
    if not pictures_of(recipe) or not isinstance(recipe, Drawing):
        return recipe
    blend, style = recipe.blend, recipe.style
    if blend is not None:
        blend = blend.model_copy(update={"pictures": _moved(blend.pictures, job_id)})
    if style is not None:
        style = style.model_copy(update={"pictures": _moved(style.pictures, job_id)})
    likenesses = tuple(
        each.model_copy(update={"pictures": tuple(housed(name, job_id) for name in each.pictures)})
        for each in recipe.likenesses
    )
    return recipe.model_copy(update={"blend": blend, "style": style, "likenesses": likenesses})


def _ingredients(recipe: Recipe | None) -> tuple[Ingredient, ...]:
    if not isinstance(recipe, Drawing):
        return ()
    blended = () if recipe.blend is None else recipe.blend.pictures
    return blended if recipe.style is None else (*blended, *recipe.style.pictures)


def _looked_at(recipe: Recipe | None) -> tuple[str, ...]:
    if not isinstance(recipe, Drawing):
        return ()
    return tuple(name for each in recipe.likenesses for name in each.pictures)


def _masked(recipe: Recipe | None) -> tuple[str, ...]:
    start = recipe.start if isinstance(recipe, Drawing) else None
    return () if start is None or start.mask is None else (start.mask,)


def _moved(pictures: tuple[Ingredient, ...], job_id: JobId) -> tuple[Ingredient, ...]:
    return tuple(each.model_copy(update={"picture": housed(each.picture, job_id)}) for each in pictures)


async def discard(images: ImageStore, job_id: JobId) -> None:
    """Remove what was stored for a job that did not come to be."""
    with suppress(OSError):
        await asyncio.to_thread(images.remove, job_id)
