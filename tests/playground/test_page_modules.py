"""The page's modules and how they are served: small, whole, without circles, never stale."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from importlib import resources
from pathlib import Path

import aiohttp
import pytest

from playground.server import Playground

PAGE = Path(str(resources.files("playground").joinpath("page")))
MODULES = sorted(PAGE.glob("*.js"))
MOST_LINES = 400
IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./([a-z]+\.js)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:class|const|function) (\w+)", re.MULTILINE)


def imports(module: Path) -> dict[str, list[str]]:
    """Return the names that *module* takes from each other module."""
    return {source: names.split(", ") for names, source in IMPORT.findall(module.read_text())}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_page_module_is_small_and_begins_with_its_job(module: Path) -> None:
    lines = module.read_text().splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith("// ")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_page_module_imports_what_exists_and_uses_it(module: Path) -> None:
    text = module.read_text()
    assert text.count("\nimport ") == len(IMPORT.findall(text))
    for source, names in imports(module).items():
        assert set(names) <= set(EXPORT.findall((PAGE / source).read_text())), source
        for name in names:
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported and not used"


def test_the_page_modules_import_each_other_in_one_direction() -> None:
    graph = {module.name: set(imports(module)) for module in MODULES}
    order = list(TopologicalSorter(graph).static_order())
    assert order[-1] == "page.js"


def test_every_page_module_is_reached_from_the_page() -> None:
    reached, waiting = set(), ["page.js"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += set(imports(PAGE / name)) - reached
    assert reached == {module.name for module in MODULES}


async def test_a_changed_page_is_never_shown_stale_and_never_runs_inline_code() -> None:
    async with Playground(None) as playground, aiohttp.ClientSession(playground.url) as http:
        for name in ("/", "/page.css", *(f"/{module.name}" for module in MODULES)):
            async with http.get(name) as response:
                assert response.status == 200
                assert response.headers["Cache-Control"] == "no-cache", name
                assert response.headers["X-Content-Type-Options"] == "nosniff", name
        async with http.get("/") as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
        async with http.get("/page.css") as fresh:
            again = {"If-None-Match": fresh.headers["ETag"]}
        async with http.get("/page.css", headers=again) as response:
            assert (response.status, response.headers["Cache-Control"]) == (304, "no-cache")
