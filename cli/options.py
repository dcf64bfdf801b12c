"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR")]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Tethered = Annotated[bool, typer.Option("--tethered", hidden=True, help="Started by a supervisor.")]
