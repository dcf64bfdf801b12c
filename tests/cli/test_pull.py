"""`journeyman models pull`, against a hub on loopback."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.hub import Shown
from cli.main import outcome
from tests.hub import Hub, digest, hub_of, use
from worker.hub.choice import Role, Want
from worker.hub.fetch import Progress, here

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "models" / "embedded"
UNET = "unet/diffusion_pytorch_model.safetensors"
PARTS = ("text_encoder", "unet", "vae")
TINY = Want("owner/tiny")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Something in diffusers layout, whose weights are not looked at; with what is never opened."""
    folder = tmp_path / "tiny"
    for name in ("scheduler", "tokenizer"):
        shutil.copytree(EMBEDDED / name, folder / name)
    shutil.copy(EMBEDDED / "model_index.json", folder)
    for part in PARTS:
        (folder / part).mkdir()
        shutil.copy(EMBEDDED / part / "config.json", folder / part)
        weights = "model.safetensors" if part == "text_encoder" else "diffusion_pytorch_model.safetensors"
        (folder / part / weights).write_bytes(part.encode() * 60_000)
        (folder / part / weights).with_suffix(".bin").write_bytes(b"a pickle")
        (folder / part / weights.replace(".safe", ".fp16.safe")).write_bytes(b"another type")
    (folder / "tiny.ckpt").write_bytes(b"a pickle")
    return folder


@pytest.fixture
def hub(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_of({"owner/tiny": checkpoint}) as hub:
        use(hub, tmp_path / "cache", monkeypatch)
        monkeypatch.setattr("worker.hub.parcel.PAUSE", 0)
        yield hub


def pull(folder: Path, capsys: pytest.CaptureFixture[str], more: str = "") -> tuple[int, str, str]:
    file = folder / "journeyman.toml"
    file.write_text(f'data = "{folder}/data"\n[model]\nsource = "owner/tiny"\n{more}', encoding="utf-8")
    capsys.readouterr()
    code = outcome(["models", "pull", "--config", str(file)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_what_is_opened_is_fetched_once_and_checked(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = pull(tmp_path, capsys)
    assert code == 0
    assert out.startswith("owner/tiny: fetched ")
    assert "all checked (" in out
    assert "owner/tiny: 100 %" in err  # a plain line: nobody sits at a terminal
    assert "\r" not in err
    names = [name for name, _ in hub.fetched]
    assert names.count(UNET) == 1
    assert not any(name.endswith((".bin", ".ckpt")) or "fp16" in name for name in names)
    folder = here(TINY)
    assert folder is not None
    assert (folder / UNET).read_bytes() == b"unet" * 60_000
    hub.asked.clear()
    assert "here already, checked" in pull(tmp_path, capsys)[1]
    assert hub.fetched == []


def test_a_connection_that_breaks_is_made_anew_where_it_broke(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.drop = 100_000
    assert pull(tmp_path, capsys)[0] == 0
    [again] = [(name, start) for name, start in hub.fetched if start]
    assert again[1] >= 2**16
    assert (again[0], 0) in hub.fetched
    folder = here(TINY)
    assert folder is not None
    assert (folder / UNET).read_bytes() == b"unet" * 60_000


def test_what_a_wrong_beginning_was_gone_on_with_is_fetched_whole(
    hub: Hub, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs = tmp_path / "cache" / "models--owner--tiny" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{digest(checkpoint / UNET)}.journeyman-part").write_bytes(b"rust")
    assert pull(tmp_path, capsys)[0] == 0
    assert [start for name, start in hub.fetched if name == UNET] == [4, 0]


@pytest.mark.parametrize("how", ["garbled", "cut"])
def test_bytes_that_are_not_those_of_the_hub_are_said_and_not_used(
    hub: Hub, how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(hub, how).add("diffusion_pytorch_model.safetensors")
    code, _, err = pull(tmp_path, capsys)
    assert code == 1
    assert f"owner/tiny: {UNET} came damaged" in err
    assert here(TINY) is None


def test_what_was_damaged_on_the_disk_since_is_fetched_again(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pull(tmp_path, capsys)[0] == 0
    folder = here(TINY)
    assert folder is not None
    (folder / UNET).resolve().write_bytes(b"unet" * 59_999 + b"rust")
    hub.asked.clear()
    assert pull(tmp_path, capsys)[0] == 0
    assert hub.fetched == [(UNET, 0)]
    assert (folder / UNET).read_bytes() == b"unet" * 60_000


def test_the_edition_in_use_stays_until_all_of_the_next_one_is_here(
    hub: Hub, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pull(tmp_path, capsys)[0] == 0
    before = here(TINY)
    (checkpoint / UNET).write_bytes(b"next" * 60_000)
    hub.garbled.add("diffusion_pytorch_model.safetensors")
    assert pull(tmp_path, capsys)[0] == 1
    assert here(TINY) == before
    hub.garbled.clear()
    assert pull(tmp_path, capsys)[0] == 0
    after = here(TINY)
    assert after != before
    assert after is not None
    assert (after / UNET).read_bytes() == b"next" * 60_000


REFUSALS = [
    (401, {"X-Error-Code": "RepoNotFound"}, "check the name"),
    (403, {}, "HF_TOKEN"),
    (403, {"X-Error-Code": "GatedRepo"}, "accepted its licence: open http"),
    (404, {"X-Error-Code": "RepoNotFound"}, "check the name"),
    (404, {}, "is not there (HTTP 404)"),
    (429, {"Retry-After": "30"}, "wait 30 seconds"),
    (500, {}, "trouble of its own (HTTP 500). Try again later"),
]


def test_each_refusal_says_what_to_do(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for status, headers, told in REFUSALS:
        hub.status, hub.headers = status, headers
        code, _, err = pull(tmp_path, capsys)
        assert (code, err.count("\n")) == (1, 1)
        assert told in err


def test_a_hub_that_is_not_there_is_said(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        hub.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    use(hub, tmp_path / "cache", monkeypatch)
    code, _, err = pull(tmp_path, capsys)
    assert (code, f"nobody answers at {hub.url}. Check the connection" in err) == (1, True)


def test_a_disk_that_is_too_small_is_said_before_anything_comes(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=100_000)
    monkeypatch.setattr("worker.hub.fetch.shutil.disk_usage", lambda _: usage)
    code, _, err = pull(tmp_path, capsys)
    assert code == 1
    assert "owner/tiny wants " in err
    assert "has 100 kB free. Free some space, or set HF_HOME" in err
    assert [name for name, _ in hub.fetched] == ["model_index.json"]  # which tells what is wanted


def test_offline_nobody_is_asked(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = pull(tmp_path, capsys, "[engine]\noffline = true\n")
    assert (code, hub.asked) == (2, [])
    assert "`offline` forbids fetching owner/tiny" in err


def test_weights_that_are_pickles_are_refused_before_they_come(
    hub: Hub, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkpoint / UNET).unlink()
    code, _, err = pull(tmp_path, capsys)
    assert code == 1
    assert "has the weights of its unet as a pickle" in err
    assert [name for name, _ in hub.fetched] == ["model_index.json"]


def test_of_several_files_one_must_be_named(
    hub: Hub, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ink", "oil"):
        (checkpoint / f"{name}.safetensors").write_bytes(name.encode())
    (checkpoint / "model_index.json").unlink()
    code, _, err = pull(tmp_path, capsys, 'loras = [{ source = "owner/tiny" }]\n')
    assert "has several: ink.safetensors, oil.safetensors; name one, as owner/name/file" in err
    assert "it is no checkpoint in diffusers layout. It has ink.safetensors" in err
    assert code == 1
    lora = Want("owner/tiny/ink.safetensors", Role.ADDITION)
    pull(tmp_path, capsys, f'loras = [{{ source = "{lora.place}" }}]\n')
    found = here(lora)
    assert found is not None
    assert found.read_bytes() == b"ink"


def test_a_terminal_shows_one_line_that_grows_and_is_gone_at_the_end() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out, seconds = Terminal(), iter((0.0, 10.0, 20.0))
    shown = Shown(out, lambda: next(seconds))
    for done in (1_000_000, 11_000_000, 20_000_000):
        shown(Progress("owner/tiny", UNET, done, 20_000_000))
    grown = f"\r[{'#' * 13}{'.' * 11}]  55 %  11.0 MB of 20.0 MB  1.0 MB/s  9 s left"
    assert grown in out.getvalue()
    shown.end()
    assert out.getvalue().endswith("\r")
    assert "\n" not in out.getvalue()


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_what_came_draws_without_a_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.worker.engine import tiny

    cache = tmp_path / "cache"
    file = tmp_path / "journeyman.toml"
    file.write_text(f'data = "{tmp_path}/data"\n[model]\nsource = "owner/tiny"\nsteps = 1\n')
    settings = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "0"}

    def command(endpoint: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words, "--config", str(file)],
            cwd=ROOT,
            env={**os.environ, **settings, "HF_ENDPOINT": endpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    with hub_of({"owner/tiny": tiny.saved(tmp_path / "source")}) as hub:
        hub.hold = 100_000
        killed = command(hub.url, "models", "pull")
        assert hub.held.wait(60)
        [name] = [name for name, _ in hub.fetched if name.endswith(".safetensors")][-1:]
        blobs = cache / "models--owner--tiny" / "blobs"
        while not any(path.stat().st_size >= 2**16 for path in blobs.glob("*.journeyman-part")):
            assert killed.poll() is None
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        hub.release()
        hub.asked.clear()
        use(hub, cache, monkeypatch)
        assert outcome(["models", "pull", "--config", str(file)]) == 0
        said = capsys.readouterr()
        assert "all checked" in said.out
        assert "going on; " in said.err
        [(_, start)] = [(each, at) for each, at in hub.fetched if each == name]
        assert start >= 2**16
        assert all(at == 0 for each, at in hub.fetched if each != name)
    drawing = command("http://127.0.0.1:9", "imagine", "a fox", "--out", str(tmp_path), "--json")
    out, err = drawing.communicate(timeout=120)
    assert len(json.loads(out)["files"]) == 5, err
    assert "torchvision" not in err
