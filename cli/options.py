"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def _folder(typed: str) -> Path:
    if not typed:  # an unset variable of a script; to `Path` it would be the working folder
        raise typer.BadParameter("it must name a folder")
    return Path(typed)


Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR", parser=_folder)]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Tethered = Annotated[bool, typer.Option("--tethered", hidden=True, help="Started by a supervisor.")]
