"""Install what the product needs, without the product, in the versions it was tested with."""

import subprocess
import sys
import tomllib
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def main(build: str, *extras: str) -> None:
    """Install with the *build* of PyTorch, ``cpu`` or ``cuda``, and with *extras* of the project."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in ("engine", *extras):
        wanted += project["optional-dependencies"][extra]
    limits = "constraints-cpu.txt" if build == "cpu" else "constraints.txt"
    if build == "cpu":  # alone, since an extra index is asked for every package
        install("torch", "--extra-index-url", CPU_INDEX, limits=limits)
    install(*wanted, limits=limits)


def install(*arguments: str, limits: str) -> None:
    """Run pip."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--constraint", limits, *arguments], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
