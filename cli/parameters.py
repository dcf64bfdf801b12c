"""`journeyman parameters`: the page about every parameter, and its pictures."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import checkpoint, handbook
from cli.config import Settings, load
from cli.facts import facts
from cli.handbook import Strip
from cli.serve import quiet_libraries
from parser import PARAMETERS

app = typer.Typer(
    help="What every parameter does, from the program's own table.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Only = Annotated[str | None, typer.Option("--only", metavar="NAMES", help="Of these parameters alone.")]


def as_it_comes() -> Settings:
    """Return the settings of an installation of which nothing was changed."""
    return load({"HOME": str(Path.home())}, file=Path(os.devnull))


def strips(settings: Settings) -> dict[str, Strip]:
    """Return what the page shows of each parameter that works."""
    known, profile = facts(settings), checkpoint.catalogue(settings).entries[0].profile
    return {row.name: handbook.strip(row, known, profile) for row in PARAMETERS if row.available}


@app.command()
def page() -> None:
    """Print the page, as Markdown."""
    print(text(), end="")


@app.command()
def write(
    folder: Annotated[Path, typer.Argument(help="The folder of the documentation.", exists=True)],
    only: Only = None,
) -> None:
    """Write the page and draw its pictures."""
    os.environ.update(quiet_libraries(os.environ))
    settings = as_it_comes()
    (folder / "parameters.md").write_text(text(), encoding="utf-8")
    pictures = folder / handbook.PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    found = {name: strip for name, strip in strips(settings).items() if strip.panels}
    for path in pictures.glob("*.webp"):
        if path.stem not in found:
            path.unlink()
    wanted = only.replace(",", " ").split() if only else list(found)
    asyncio.run(drawn(settings, {name: strip for name, strip in found.items() if name in wanted}, pictures))


def text() -> str:
    """Return the page."""
    settings = as_it_comes()
    return handbook.page(facts(settings), checkpoint.catalogue(settings).entries[0].profile)


async def drawn(settings: Settings, found: dict[str, Strip], pictures: Path) -> None:
    """Draw the strips and tell of each."""
    from cli import strips as artist

    async for path in artist.draw(settings, found, pictures):
        print(f"{path} ({path.stat().st_size} bytes)", file=sys.stderr)
