"""Bars as SVG, so that each table of a benchmark has a picture without any library for it."""

import json
import os
import platform
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path("build/charts")
WIDTH, LABEL, BAR, GAP, HEAD = 800, 260, 18, 10, 46  # pixels
ROOM = WIDTH - LABEL - 110  # of the longest bar; its number stands behind it
COLOURS = ("#3b6fb6", "#d9822b", "#4f9d69", "#a05195", "#888888")

Table = Mapping[str, Mapping[str, float]]  # of each row: what each column comes to


def machine() -> dict[str, Any]:
    """Return what ran, for whoever compares figures."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,  # others', at the start
    }


def bars(title: str, unit: str, table: Table) -> str:
    """Return *table* as an SVG: a group of bars for each row, a colour for each column."""
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    longest = max((value for row in table.values() for value in row.values()), default=0.0) or 1.0
    parts, y = [_legend(columns)], float(HEAD + GAP)
    for label, row in table.items():
        middle = y + len(row) * BAR / 2 + 4
        parts.append(f'<text x="{LABEL - 8}" y="{middle:.0f}" text-anchor="end">{escape(label)}</text>')
        for name, value in row.items():
            parts.append(_bar(y, value, longest, COLOURS[columns.index(name) % len(COLOURS)]))
            y += BAR
        y += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}"'
        f' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="8" y="18" font-size="14" font-weight="bold">{escape(title)}, {escape(unit)}</text>'
        f"{''.join(parts)}</svg>\n"
    )


def draw(name: str, svg: str, folder: Path = FOLDER) -> Path:
    """Store a chart under *name* and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    return path


def told(name: str, figures: object) -> None:
    """Print the one line that scripts read: *figures* under *name*, with the machine they are of."""
    print(json.dumps({name: figures, "machine": machine()}))


def _bar(y: float, value: float, longest: float, colour: str) -> str:
    width = max(1.0, ROOM * value / longest)
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
    return (
        f'<rect x="{LABEL}" y="{y:.0f}" width="{width:.1f}" height="{BAR - 3}" fill="{colour}"/>'
        f'<text x="{LABEL + width + 6:.1f}" y="{y + BAR - 6:.0f}">{number}</text>'
    )


def _legend(columns: list[str]) -> str:
    parts, x = [], 8.0
    for index, name in enumerate(columns if len(columns) > 1 else ()):
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="28" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="37">{escape(name)}</text>')
        x += 34 + 7 * len(name)
    return "".join(parts)
