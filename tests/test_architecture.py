"""The shape of the code, as facts that can fail."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("parser", "worker", "bot", "playground", "cli", "migrations")
FILE_LINES, FUNCTION_LINES, POSITIONAL = 400, 60, 5
BANNED_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|manager)(?:_|$)", re.IGNORECASE)
# Reading one of these hides an input; the command line reads them and passes them on.
HIDDEN_INPUTS = {
    "os.environ",
    "os.getenv",
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "random.random",
    "random.randint",
    "random.choice",
    "random.getrandbits",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_types_are_checked_in_every_package_of_ours() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {*PACKAGES, "training"} - {"migrations"} == set(settings["tool"]["mypy"]["packages"])


def test_every_folder_of_ours_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in modules()}
    assert folders == set(settings["tool"]["setuptools"]["packages"])


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def overrides(function: Function) -> bool:
    """A method that overrides a library's has the library's parameters."""
    return any(isinstance(each, ast.Name) and each.id == "override" for each in function.decorator_list)


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in modules()} == set(PACKAGES)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES
    for function in functions(path):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno + 1 <= FUNCTION_LINES, function.name
        positional = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        count = len(positional) - (positional[:1] in (["self"], ["cls"]))
        assert count <= POSITIONAL or overrides(function), function.name


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_name_says_nothing(path: Path) -> None:
    assert not BANNED_NAMES.search(path.stem)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert not BANNED_NAMES.search(node.name)


@pytest.mark.parametrize("path", [each for each in modules() if "cli" not in each.parts], ids=name_of)
def test_time_chance_and_environment_are_arguments(path: Path) -> None:
    """Outside the command line nothing calls them; passing the function itself on is an argument."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            assert dotted(node.func) not in HIDDEN_INPUTS, f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert dotted(node) != "os.environ", f"line {node.lineno}"


def test_one_statement_moves_a_job() -> None:
    """A state that changes in two places would forget an event in one of them."""
    pattern = re.compile(r"UPDATE\s+jobs\s+SET[^;\"']*?\bstate\s*=", re.IGNORECASE | re.DOTALL)
    found = [name_of(path) for path in modules() for _ in pattern.findall(path.read_text(encoding="utf-8"))]
    assert found == ["worker/queue/rows.py"]


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that *statement* loads in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


HEAVY = {"torch", "diffusers", "transformers", "compel", "numpy"}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import bot.client", HEAVY),
        ("import cli.main", HEAVY | {"discord", "aiohttp"}),
        ("import playground.server", HEAVY | {"discord"}),
        ("import worker.queue.desk, worker.queue.store, worker.api", HEAVY | {"discord", "aiohttp"}),
        ("import worker.engine.plan", HEAVY | {"discord"}),
        ("import parser", HEAVY | {"discord", "aiohttp", "sqlite3", "asyncio"}),
        (
            "import parser, worker, worker.queue, worker.engine, bot, playground, cli, migrations",
            HEAVY | {"discord"},
        ),
    ],
)
def test_what_an_import_must_not_load(statement: str, forbidden: set[str]) -> None:
    assert not loaded_by(statement) & forbidden


def test_nothing_of_the_product_needs_the_test_double_of_discord() -> None:
    for path in modules():
        assert "simcord" not in path.read_text(encoding="utf-8"), name_of(path)


def test_only_tests_of_networks_load_torch_when_they_are_collected() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        if {"engine", "training"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & (HEAVY - {"numpy"}), name_of(path)
