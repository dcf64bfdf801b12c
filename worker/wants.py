"""What a checkpoint takes from the hub, told from its configuration and the heads of files."""

from collections.abc import Iterator
from pathlib import Path

from worker.catalogue import Build
from worker.family import Family
from worker.hub.choice import Role, Want
from worker.likeness_files import Unfit, encoder_beside, hub_of, shapes_of
from worker.single_file import description_of, kind_of


def wants(source: str, build: Build) -> tuple[Want, ...]:
    """Return what the checkpoint *source*, put together as *build* says, takes from the hub; each once."""
    return tuple(dict.fromkeys(_wants(source, build)))


def described_by(file: Path, description: str | None) -> Want | None:
    """Return what a checkpoint in one *file* takes from the hub beside its weights.

    None where it takes nothing: its *description* is a folder, or it cannot be drawn with anyway.
    """
    try:
        shapes = shapes_of(file)
    except Unfit:
        return None
    family = kind_of(shapes)
    if not isinstance(family, Family):
        return None
    alone = family.facts.network == "transformer"
    if description is not None:
        role = Role.COMPANY if alone else Role.DESCRIPTION
        return Want(description, role) if hub_of(description) is not None else None
    return None if alone else Want(description_of(family, shapes), Role.DESCRIPTION)


def _wants(source: str, build: Build) -> Iterator[Want]:
    file = Path(source).expanduser()
    if file.is_file():
        if (described := described_by(file, build.description)) is not None:
            yield described
    elif hub_of(source) is not None:
        yield Want(source)
    if build.vae is not None and hub_of(build.vae) is not None:
        yield Want(build.vae, Role.AUTOENCODER)
    additions = [*(each.source for each in build.loras), *(each.source for each in build.embeddings)]
    yield from (Want(each, Role.ADDITION) for each in additions if hub_of(each) is not None)
    adapter = build.ip_adapter
    places = () if adapter is None else (adapter.source, adapter.encoder or encoder_beside(adapter.source))
    yield from (Want(place) for place in places if hub_of(place) is not None)
