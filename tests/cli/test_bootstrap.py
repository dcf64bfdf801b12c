import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bootstrap
from bootstrap import CPU_INDEX, Stop, choose_torch, fingerprint, pinned, reason, suits, wanted_build

ROOT = Path(__file__).resolve().parents[2]


def offering(*found: tuple[str, bool]) -> Callable[[str, list[str]], bool]:
    """Return an index that offers those versions, each with (True) or without the extra index."""
    return lambda version, extra: (version, bool(extra)) in found


def test_an_old_python_can_at_least_read_the_bootstrap() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    roots = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
        if name
    }
    assert roots <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)]
)
def test_which_pythons_fit(version: tuple[int, int], fits: bool) -> None:
    assert suits(version) is fits


@pytest.mark.parametrize(
    ("environ", "platform", "nvidia", "build"),
    [
        ({}, "linux", False, "cpu"),
        ({}, "linux", True, "any"),
        ({}, "darwin", False, "any"),
        ({"TORCH": "cuda"}, "linux", False, "cuda"),
        ({"TORCH": "cpu"}, "linux", True, "cpu"),
    ],
)
def test_the_machine_and_the_operator_choose_the_build(
    environ: dict[str, str], platform: str, nvidia: bool, build: str
) -> None:
    assert wanted_build(environ, platform, nvidia) == build


def test_an_unknown_build_is_refused() -> None:
    with pytest.raises(Stop, match="neither cpu nor cuda"):
        wanted_build({"TORCH": "rocm"}, "linux", False)


def test_a_cpu_wheel_that_pip_finds_itself_needs_no_index() -> None:
    chosen = choose_torch("cpu", "2.13.0", offering(("2.13.0+cpu", False)))
    assert chosen.arguments == []
    assert chosen.constraints == "constraints-cpu.txt"


def test_otherwise_the_cpu_index_is_added() -> None:
    chosen = choose_torch("cpu", "2.13.0", offering(("2.13.0", False), ("2.13.0+cpu", True)))
    assert chosen.arguments == ["--extra-index-url", CPU_INDEX]
    assert CPU_INDEX in chosen.sentence


def test_a_cuda_build_is_never_taken_for_want_of_a_cpu_one() -> None:
    with pytest.raises(Stop, match="TORCH=cuda"):
        choose_torch("cpu", "2.13.0", offering(("2.13.0", False), ("2.13.0", True)))


@pytest.mark.parametrize("build", ["any", "cuda"])
def test_other_builds_come_from_the_usual_index(build: str) -> None:
    chosen = choose_torch(build, "2.13.0", offering())
    assert (chosen.arguments, chosen.constraints) == ([], "constraints.txt")


def test_the_cpu_constraint_pins_the_same_version() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("constraints.txt", "constraints-cpu.txt")]
    usual, cpu = (pinned(text, "torch") for text in texts)
    assert cpu == f"{usual}+cpu"


def test_every_direct_dependency_is_pinned() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for requirement in wanted:
        assert pinned(constraints, re.split(r"[<>=\[ ]", requirement)[0])


def test_the_stamp_changes_with_files_python_and_build() -> None:
    base = fingerprint([b"a", b"b"], "3.11", "cpu")
    assert base == fingerprint([b"a", b"b"], "3.11", "cpu")
    others = [
        fingerprint([b"a", b"c"], "3.11", "cpu"),
        fingerprint([b"ab", b""], "3.11", "cpu"),
        fingerprint([b"a", b"b"], "3.12", "cpu"),
        fingerprint([b"a", b"b"], "3.11", "any"),
    ]
    assert len({base, *others}) == 5


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", "could not be reached"),
        ("blah\nERROR: No matching distribution found for x\n", "No matching distribution found for x"),
    ],
)
def test_what_pip_prints_becomes_a_sentence(printed: str, told: str) -> None:
    assert told in reason(printed)
    assert "\n" not in reason(printed)


def run_in(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    for name in ("bootstrap.py", "pyproject.toml", "constraints.txt", "constraints-cpu.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return subprocess.run(
        [sys.executable, "bootstrap.py", "install"],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_it_starts_may_keep_byte_code_and_needs_no_hub() -> None:
    asked = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "ACTIVE", "HOME": "/home/someone"}
    given = bootstrap.environment("demo", asked)
    assert given == {"OMP_WAIT_POLICY": "ACTIVE", "HOME": "/home/someone", "HF_HUB_OFFLINE": "1"}
    assert "HF_HUB_OFFLINE" not in bootstrap.environment("run", asked)


def test_a_wrong_choice_is_one_sentence_without_a_trace(tmp_path: Path) -> None:
    done = run_in(tmp_path, TORCH="rocm")
    assert done.returncode == 1
    assert done.stderr == "bootstrap: TORCH=rocm is neither cpu nor cuda.\n"


def test_a_python_without_venv_names_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        words = "The virtual environment was not created successfully because ensurepip is not\navailable."
        return subprocess.CompletedProcess([], 1, words, "")

    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap.subprocess, "run", refused)
    with pytest.raises(Stop, match=r"sudo apt install python3\.\d+-venv"):
        bootstrap.make_venv()


def test_every_make_target_is_one_of_the_bootstrap() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = set(re.findall(r"python3 bootstrap\.py (\S+)", makefile))
    assert "demo" in called
    assert called <= set(bootstrap.TARGETS)
