"""Install Journeyman into ``.venv`` beside this file, then run what was asked for.

Standard library only, and readable by any Python since 3.6, so that an old one gets a sentence and not a
syntax error.

    python3 bootstrap.py demo            the local Discord, the bot and the artist: one URL to open
    python3 bootstrap.py test            the tests; see `make help` for the other targets
    python3 bootstrap.py run             any `journeyman` command

Environment:
    TORCH   ``cpu`` or ``cuda``: which build of PyTorch to install. Without it: CPU on a Linux machine
            without an NVIDIA driver, and whatever the package index offers everywhere else.
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 13)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
# Tests mostly wait; a file keeps its fixtures. In their own order: the few that start whole processes come
# first, and none of them is left over at the end for one core alone.
TWO = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
QUICK = ["--retries", "0", "--timeout", "3"]  # an index that does not answer costs seconds, not minutes
GIGABYTE = 10**9
NEEDED_BYTES = 2 * GIGABYTE  # the CPU installation with its tools takes 1.5 GB


class Target(NamedTuple):
    """What to run: programs of the environment with their arguments, one after another."""

    needs_tools: bool
    commands: List[List[str]]


class Torch(NamedTuple):
    """How to get PyTorch: pip's extra arguments, the constraints to obey, the sentence that says so."""

    arguments: List[str]
    constraints: str
    sentence: str


TARGETS: Dict[str, Target] = {
    "demo": Target(False, [["python", "-m", "cli", "playground"]]),
    "test": Target(True, [["pytest", *TWO, "--cov", "--cov-report=term:skip-covered"]]),
    "test-slow": Target(True, [["pytest", "-m", "slow"]]),
    "chaos": Target(True, [["python", "-m", "tests.chaos"]]),
    "check": Target(
        True,
        [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["lint-imports"], ["mypy"]],
    ),
    "format": Target(True, [["ruff", "format", "."], ["ruff", "check", "--fix", "."]]),
    "bench": Target(True, [["python", "-m", f"benchmarks.{name}"] for name in BENCHMARKS]),
    "docs": Target(False, [["python", "-m", "cli", "parameters", "write", "docs"]]),
    "train": Target(True, [["python", "-m", "training", "all"]]),
    "install": Target(False, []),
}
# These must never reach for weights on a hub.
OFFLINE = {"demo", "test", "test-slow", "chaos", "check", "bench", "docs"}


class Stop(Exception):  # noqa: N818  (it is an end, worded for people, not an error of ours)
    """A reason to stop that one sentence explains."""


def say(text: str) -> None:
    """Tell the newcomer what is going on."""
    print(text, flush=True)


def suits(version: Tuple[int, int]) -> bool:
    """Return whether this Python can run Journeyman."""
    return OLDEST <= version <= NEWEST


def another_python() -> Optional[str]:
    """Return a suitable interpreter that is installed under its versioned name, newest first."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


def require_python() -> None:
    """Go on in a suitable Python, or stop."""
    if suits(sys.version_info[:2]):
        return
    other = another_python()
    if other:
        say(f"Python {sys.version.split()[0]} does not fit; going on with {other}.")
        os.execv(other, [other, str(ROOT / "bootstrap.py"), *sys.argv[1:]])
    raise Stop(
        f"Journeyman needs Python 3.{OLDEST[1]} to 3.{NEWEST[1]}, and this is {sys.version.split()[0]}: "
        "install one of those and run it with that."
    )


def wanted_build(environ: Dict[str, str], platform: str, has_nvidia: bool) -> str:
    """Return ``cpu``, ``cuda`` or ``any``, the build of PyTorch that this machine should get.

    Raises:
        Stop: ``TORCH`` says something else.
    """
    asked = environ.get("TORCH", "")
    if asked in ("cpu", "cuda"):
        return asked
    if asked:
        raise Stop(f"TORCH={asked} is neither cpu nor cuda.")
    return "cpu" if platform.startswith("linux") and not has_nvidia else "any"


def pinned(constraints: str, name: str) -> str:
    """Return the version that the text of a constraints file pins *name* to."""
    for line in constraints.splitlines():
        left, _, right = line.partition("==")
        if left.strip() == name:
            return right.strip()
    raise Stop(f"constraints.txt does not pin {name}.")


def choose_torch(build: str, version: str, offers: Callable[[str, List[str]], bool]) -> Torch:
    """Return how to install PyTorch *version*.

    Args:
        build: What `wanted_build` said.
        version: The pin.
        offers: ``offers(version, extra pip arguments) -> bool``: whether pip finds that version.

    Raises:
        Stop: A CPU build is wanted and nowhere to be found. The one on PyPI is never taken in its place: it
            brings several gigabytes of CUDA along.
    """
    if build == "any":
        return Torch([], "constraints.txt", "PyTorch: the package index's own build.")
    if build == "cuda":
        return Torch(
            [], "constraints.txt", "PyTorch: the CUDA build (several gigabytes), as TORCH=cuda asks."
        )
    cpu = version + "+cpu"
    extra = ["--extra-index-url", CPU_INDEX]
    if offers(cpu, []):
        return Torch([], "constraints-cpu.txt", "PyTorch: the CPU build, which pip finds by itself.")
    if offers(cpu, extra):
        sentence = (
            f"PyTorch: no NVIDIA driver here, so the CPU build from {CPU_INDEX} (TORCH=cuda overrides)."
        )
        return Torch(extra, "constraints-cpu.txt", sentence)
    raise Stop(
        f"PyTorch's CPU build was not found: {CPU_INDEX} does not answer. Check the network and try again, "
        "or accept the CUDA build of several gigabytes with TORCH=cuda."
    )


def fingerprint(contents: List[bytes], python: str, build: str) -> str:
    """Return what the installation depends on, as one hash."""
    digest = hashlib.sha256()
    for part in [*contents, python.encode(), build.encode()]:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def program(name: str) -> str:
    """Return the path of a program inside the environment."""
    return str(VENV / ("Scripts" if os.name == "nt" else "bin") / name)


def offers(version: str, extra: List[str]) -> bool:
    """Ask pip whether it finds *version* of torch; no file is downloaded for it."""
    command = [program("python"), "-m", "pip", *QUICK, "index", "versions", "torch", *extra]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return any(
        version in line.replace(",", " ").split()
        for line in answer.stdout.splitlines()
        if line.startswith("Available versions:")
    )


def venv_fits() -> bool:
    """Return whether ``.venv`` is whole and was made by this version of Python."""
    config = VENV / "pyvenv.cfg"
    if not (config.exists() and Path(program("python")).exists() and Path(program("pip")).exists()):
        return False
    found = [line.partition("=")[2].strip() for line in config.read_text().splitlines() if "version" in line]
    return any(each.startswith("{}.{}.".format(*sys.version_info)) for each in found)


def make_venv() -> None:
    """Create ``.venv`` where it is missing, half made, or from another version of Python."""
    if venv_fits():
        return
    if VENV.is_symlink():
        raise Stop(f"{VENV} is a broken link: remove it and try again.")
    say("Making the virtual environment .venv …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    words = made.stdout + made.stderr
    if "ensurepip" in words or "No module named venv" in words:
        package = f"python3.{sys.version_info[1]}-venv"
        raise Stop(
            "This Python cannot make virtual environments: install Debian's or Ubuntu's package for it with "
            f"`sudo apt install {package}` (or python3-venv) and try again."
        )
    raise Stop("The virtual environment could not be made: " + last_line(words))


def last_line(text: str) -> str:
    """Return the line of pip's or venv's output that says most: its last error, else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line[len("ERROR:") :].strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason was given."])[-1]


def reason(words: str) -> str:
    """Return one sentence for what pip printed when it failed."""
    lower = words.lower()
    if "no space left" in lower:
        return f"The disk is full: free about {NEEDED_BYTES // GIGABYTE} GB and try again."
    unreachable = ("connection", "resolve", "timed out", "max retries", "proxy")
    if any(word in lower for word in unreachable):
        return "The Python package index could not be reached: check the network and try again."
    return "pip could not install the packages: " + last_line(words)


def pip_install(arguments: List[str]) -> None:
    """Install quietly; byte code is left to the first start, which halves the time."""
    command = [program("python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", *arguments],
        cwd=str(ROOT),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Stop(reason(done.stdout + done.stderr))


def stamp_path(needs_tools: bool) -> Path:
    """Return the file that says for which contents the packages were installed."""
    return VENV / ("installed-with-tools" if needs_tools else "installed")


def installed(stamp: str, needs_tools: bool) -> bool:
    """Return whether an earlier run installed just this; the larger set serves for the smaller."""
    candidates = [stamp_path(True)] if needs_tools else [stamp_path(False), stamp_path(True)]
    return venv_fits() and any(
        path.exists() and path.read_text(encoding="ascii") == stamp for path in candidates
    )


def check_space() -> None:
    """Stop before pip fills the disk."""
    free = shutil.disk_usage(str(ROOT)).free
    if free < NEEDED_BYTES and not VENV.exists():
        raise Stop(
            f"Only {free / GIGABYTE:.1f} GB are free here, and the installation takes "
            f"{NEEDED_BYTES // GIGABYTE} GB."
        )


def install(needs_tools: bool) -> None:
    """Bring ``.venv`` to what pyproject.toml and the constraints say; nothing to do where it is."""
    files = [ROOT / name for name in ("pyproject.toml", "constraints.txt", "constraints-cpu.txt")]
    build = wanted_build(dict(os.environ), sys.platform, shutil.which("nvidia-smi") is not None)
    stamp = fingerprint([path.read_bytes() for path in files], sys.version, build)
    if installed(stamp, needs_tools):
        return
    check_space()
    started = time.monotonic()
    make_venv()
    for with_tools in (False, True):
        stamp_path(with_tools).unlink(missing_ok=True)
    torch = choose_torch(build, pinned(files[1].read_text(encoding="utf-8"), "torch"), offers)
    say(torch.sentence)
    extras = "engine,train,dev" if needs_tools else "engine"
    if torch.arguments:  # alone, since an extra index is asked for every package
        say("Installing PyTorch (about 200 MB) …")
        pip_install([*torch.arguments, "-c", torch.constraints, "torch"])
    say("Installing the packages (about a minute where they are cached) …")
    pip_install(["-c", torch.constraints, "-e", f".[{extras}]"])
    stamp_path(needs_tools).write_text(stamp, encoding="ascii")
    say(f"Installed in {time.monotonic() - started:.0f} seconds.")


def environment(target: str, environ: Dict[str, str]) -> Dict[str, str]:
    """Return the environment for *target*.

    Threads wait without spinning, and nothing reaches for a hub. The packages came without byte code: unless
    the first start may keep what it compiles, every process compiles thousands of modules anew.
    """
    changed = dict(environ)
    changed.pop("PYTHONDONTWRITEBYTECODE", None)
    changed.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if target in OFFLINE:
        changed.setdefault("HF_HUB_OFFLINE", "1")
    return changed


def run(target: str, rest: List[str]) -> int:
    """Run *target*'s commands one after another; the last one takes this process's place."""
    commands = TARGETS[target].commands if target in TARGETS else [["python", "-m", "cli", target]]
    env = environment(target, dict(os.environ))
    os.chdir(str(ROOT))
    for name, *arguments in commands[:-1]:
        done = subprocess.run([program(name), *arguments], env=env, check=False)
        if done.returncode != 0:
            return done.returncode
    if commands:
        name, *arguments = commands[-1]
        sys.stdout.flush()
        os.execve(program(name), [program(name), *arguments, *rest], env)
    return 0


def main(argv: List[str]) -> int:
    """Install, run, and word what goes wrong."""
    try:
        require_python()
        if not argv or argv[0] in ("-h", "--help"):
            say((__doc__ or "").strip())
            return 0 if argv else 2
        target = TARGETS.get(argv[0])
        install(target.needs_tools if target else False)
        return run(argv[0], argv[1:])
    except Stop as stop:
        print(f"bootstrap: {stop}", file=sys.stderr)
    except KeyboardInterrupt:
        print("bootstrap: stopped.", file=sys.stderr)
    except subprocess.TimeoutExpired:
        print("bootstrap: the Python package index did not answer within a minute.", file=sys.stderr)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        words = "The disk is full." if full else f"{error.strerror or error} ({error.filename or ROOT})."
        print(f"bootstrap: {words}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
