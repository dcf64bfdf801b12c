"""docs/parameters.md says what the table says; what works has its pictures, or a reason for having none."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.facts import NOTHING
from cli import handbook, parameters, strips
from cli.checkpoint import catalogue
from parser import PARAMETERS, find_parameter
from parser.parameter import Parameter

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PICTURES = DOCS / handbook.PICTURES
KNOWN = [row.name for row in PARAMETERS if row.available]


@pytest.fixture(scope="module")
def shown() -> dict[str, handbook.Strip]:
    return parameters.strips(parameters.as_it_comes())


def row_of(name: str) -> Parameter:
    row = find_parameter(name)
    assert row is not None
    return row


def test_the_page_is_what_the_table_gives() -> None:
    told = "run `make docs`, or `journeyman parameters page > docs/parameters.md` where no picture changes"
    assert (DOCS / "parameters.md").read_text(encoding="utf-8") == parameters.text(), told


@pytest.mark.parametrize("name", KNOWN)
def test_every_parameter_that_works_has_a_strip_or_says_why_not(
    name: str, shown: dict[str, handbook.Strip]
) -> None:
    strip = shown[name]
    assert bool(strip.panels) != bool(strip.reason)
    page = (DOCS / "parameters.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## --{name}\n")[2].partition("\n## ")[0]
    picture = PICTURES / f"{name}.webp"
    if strip.reason:
        assert strip.reason in section
        assert not picture.exists()
        return
    assert f"({handbook.PICTURES}/{name}.webp)" in section
    assert picture.stat().st_size <= strips.MOST_BYTES
    with Image.open(picture) as image:
        assert image.format == "WEBP"
        assert image.height <= strips.SIDE + strips.LINE


def test_the_pictures_are_small_together_and_none_is_left_over(shown: dict[str, handbook.Strip]) -> None:
    files = list(PICTURES.glob("*"))
    assert {path.stem for path in files} == {name for name, strip in shown.items() if strip.panels}
    assert sum(path.stat().st_size for path in files) <= 600_000


def test_what_changes_no_picture_has_no_strip(shown: dict[str, handbook.Strip]) -> None:
    for name in ("fast", "relax", "repeat"):
        assert "changes nothing in the picture" in shown[name].reason
    assert "turbo lane" in shown["turbo"].reason


def test_grids_of_a_strip_differ_in_the_parameter_alone(shown: dict[str, handbook.Strip]) -> None:
    assert [panel.prompt for panel in shown["stop"].panels] == [
        f"{handbook.PROMPT} --stop {stop} --seed 7" for stop in (10, 30, 55, 100)
    ]
    assert [panel.label for panel in shown["no"].panels] == [
        "",
        "--no blue background",
        "--no green background",
    ]
    assert [panel.label for panel in shown["seed"].panels] == ["--seed 1", "--seed 2", "--seed 1"]


def test_a_row_that_needs_another_beside_it_gets_it() -> None:
    profile = catalogue(parameters.as_it_comes()).entries[0].profile
    if row_of("sw").available:
        strip = handbook.strip(row_of("sw"), NOTHING, profile)
        assert "--sref" in strip.text
        assert len(strip.panels) == handbook.PANELS


def test_a_new_row_changes_the_page_by_itself() -> None:
    profile = catalogue(parameters.as_it_comes()).entries[0].profile
    renamed = replace(row_of("stop"), help="Ends somewhere.", low="20")
    section = handbook.section(renamed, NOTHING, profile)
    assert "Ends somewhere." in section
    assert "| Values | 20 to 100 |" in section


def test_a_strip_shows_its_grids_side_by_side_and_stays_small(shown: dict[str, handbook.Strip]) -> None:
    noise = Image.effect_noise((256, 256), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    panels = shown["stop"].panels
    strip = strips.pasted(panels, [out.getvalue()] * len(panels))
    assert strip.size == (4 * strips.SIDE + 3 * strips.GAP, strips.SIDE + strips.LINE)
    smallest = list(strips.encoded(strip))[-1]
    assert len(strips.small(strip)) <= max(strips.MOST_BYTES, len(smallest))


def test_a_tile_is_shown_four_times() -> None:
    grid = Image.new("RGB", (4, 4), "white")
    grid.putpixel((0, 0), (255, 0, 0))
    wall = strips.repeated(grid)
    red = {(x, y) for x in range(4) for y in range(4) if wall.getpixel((x, y)) == (255, 0, 0)}
    assert red == {(0, 0), (2, 0), (0, 2), (2, 2)}
