"""`journeyman models`."""

import json
import sqlite3
from pathlib import Path

import pytest

from cli.main import outcome
from worker.engine.checkpoint import Hardware


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    from tests.worker.engine import tiny

    return tiny.saved(tmp_path / "tiny")


def told(
    folder: Path, text: str, *arguments: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run one of the commands with a configuration; return its code and what it said."""
    file = folder / "journeyman.toml"
    file.write_text(f'data = "{folder}/data"\n{text}', encoding="utf-8")
    capsys.readouterr()
    code = outcome(["models", *arguments, "--config", str(file)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_list_says_how_each_is_asked_for_and_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        '[[models]]\nversions = ["6"]\nlicence = "MIT"\n'
        '[[models]]\nname = "inker"\nsource = "owner/inker"\nniji = ["6"]\ndefault = true\n'
        f'[[models]]\nname = "gone"\nsource = "{tmp_path}/gone"\n'
    )
    code, out, _ = told(tmp_path, text, "list", "--json", capsys=capsys)
    assert code == 0
    inker, embedded, gone = json.loads(out)
    assert inker == {
        "name": "inker",
        "state": "default",
        "asked for by": "--niji 6",
        "family": "-",
        "source": "owner/inker",
        "on disk": "not fetched",
        "loaded by": "-",
        "licence": "-",
    }
    assert (embedded["name"], embedded["state"], embedded["licence"]) == ("embedded", "on", "MIT")
    assert embedded["family"] == "Stable Diffusion 1.x and 2.x"
    assert embedded["on disk"].endswith(" MB")
    assert gone["on disk"] == "missing"


def test_a_check_draws_a_step_with_each_and_tells_what_is_wrong(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.ckpt"
    old.write_bytes(b"a pickle")
    text = (
        f'[[models]]\nname = "tiny"\nsource = "{tiny}"\n'
        f'[[models]]\nname = "odd"\nsource = "{tiny}"\nscheduler = "NoSuchScheduler"\n'
        f'[[models]]\nname = "gone"\nsource = "{tmp_path}/gone"\n'
        f'[[models]]\nname = "old"\nsource = "{old}"\n'
    )
    code, out, _ = told(tmp_path, text, "check", "--threads", "1", capsys=capsys)
    fine, odd, gone, pickle = out.splitlines()
    assert code == 1
    assert fine.startswith("ok       tiny  Stable Diffusion 1.x and 2.x, loaded in ")
    assert "One step took" in fine
    assert "asks for the scheduler NoSuchScheduler, which diffusers does not have" in odd
    assert "gone does not exist" in gone
    assert "old.ckpt is no .safetensors file: of single files no other kind is opened" in pickle
    code, out, _ = told(tmp_path, text, "check", "tiny", "--threads", "1", "--json", capsys=capsys)
    assert code == 0
    assert [each["ok"] for each in json.loads(out)] == [True]


@pytest.mark.slow
def test_transformers_are_checked_and_measured_as_the_others_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.worker.engine import tiny_flow, tiny_pixart

    pixart = tiny_flow.saved(tmp_path / "pixart", tiny_pixart.pixart())
    sd3 = tiny_flow.saved(tmp_path / "sd3", tiny_flow.stable_diffusion_3())
    flux = tiny_flow.saved(tmp_path / "flux", tiny_flow.flux(guided=False))
    broken = tiny_flow.saved(tmp_path / "broken", tiny_flow.flux())
    (broken / "tokenizer_2" / "tokenizer.json").rename(broken / "tokenizer_2" / "spiece.model")
    text = "".join(f'[[models]]\nsource = "{each}"\nsize = 32\n' for each in (sd3, flux, pixart, broken))
    code, out, _ = told(tmp_path, text, "check", "--threads", "1", capsys=capsys)
    assert code == 1
    fine, other, alone, problem = out.splitlines()
    assert fine.startswith("ok       sd3  Stable Diffusion 3.x, loaded in ")
    assert other.startswith("ok       flux  FLUX, loaded in ")
    assert alone.startswith("ok       pixart  PixArt-Sigma, loaded in ")
    assert "pictures take turns and share no steps. One step took " in alone
    assert "for which the package sentencepiece is missing" in problem
    code, out, _ = told(
        tmp_path, text, "bench", "flux", "--threads", "1", "--most", "2", "--json", capsys=capsys
    )
    assert code == 0
    assert [(row["name"], row["pictures"]) for row in json.loads(out)] == [("flux", 1), ("flux", 2)]
    listed = json.loads(told(tmp_path, text, "list", "--json", capsys=capsys)[1])
    assert [row["family"] for row in listed] == ["Stable Diffusion 3.x", "FLUX", "PixArt-Sigma", "FLUX"]


def test_a_benchmark_measures_each_size_of_a_batch(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'[model]\nsource = "{tiny}"\n'
    code, out, _ = told(tmp_path, text, "bench", "--threads", "1", "--most", "2", "--json", capsys=capsys)
    assert code == 0
    rows = json.loads(out)
    assert [(row["name"], row["size"], row["pictures"]) for row in rows] == [("tiny", 32, 1), ("tiny", 32, 2)]
    assert all(row["seconds a step"] > 0 for row in rows)
    [kept] = [row["pictures"] for row in rows if row["kept"]]
    with sqlite3.connect(tmp_path / "data" / "journeyman.sqlite3") as db:
        found = db.execute("SELECT machine, model, height, width, rows, settled FROM batch_caps").fetchall()
    assert found == [(Hardware.named().title + ", 1 thread", "tiny", 16, 16, kept, 1)]


def test_a_name_that_is_none_is_answered_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = told(tmp_path, "", "check", "painter", capsys=capsys)
    assert (code, error) == (2, "journeyman: There is no model painter; there is: embedded.\n")


def test_there_is_nothing_to_fetch_where_all_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(tmp_path, "", "pull", capsys=capsys)
    assert (code, out) == (0, "Nothing to fetch: every model is on this machine already.\n")


def test_offline_nothing_is_fetched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        '[model]\nsource = "owner/painter"\nvae = "owner/vae"\n'
        'loras = [{ source = "owner/ink" }]\n[engine]\noffline = true\n'
    )
    code, _, error = told(tmp_path, text, "pull", capsys=capsys)
    assert code == 2
    assert "`offline` forbids fetching owner/painter, owner/vae, owner/ink" in error


def test_an_adapter_of_the_hub_is_fetched_with_its_image_encoder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[model]\nip_adapter = { source = "owner/ip/sd15/ip.safetensors" }\n[engine]\noffline = true\n'
    code, _, error = told(tmp_path, text, "pull", capsys=capsys)
    assert code == 2
    assert "forbids fetching owner/ip/sd15/ip.safetensors, owner/ip/sd15/image_encoder:" in error
