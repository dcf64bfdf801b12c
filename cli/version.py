"""`journeyman version`."""

import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from cli.config import ROOT


def version() -> None:
    """Print the version."""
    print(f"journeyman {number()} (Python {sys.version.split()[0]})")


def number() -> str:
    """Return the version, of the installed package or of the checkout."""
    try:
        return installed("journeyman")
    except PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
