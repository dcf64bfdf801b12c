"""`journeyman imagine`: queue, engine and files, with the embedded model."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def test_a_prompt_becomes_a_grid_and_four_pictures_and_is_not_logged(tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    prompt = "a zebra::2 on a green background --no hat --seed 7 --quality .25"
    done = subprocess.run(
        [sys.executable, "-m", "cli", "imagine", prompt, "--out", str(out), "--json"],
        cwd=ROOT,
        env={**os.environ, "JOURNEYMAN_LOG__LEVEL": "debug", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"job_id", "seed", "files", "seconds"}
    assert found["seed"] == 7
    assert [Path(each).name for each in found["files"]] == ["grid.png", "1.png", "2.png", "3.png", "4.png"]
    pictures = [Image.open(io.BytesIO(Path(each).read_bytes())) for each in found["files"]]
    sizes = [each.size for each in pictures]
    assert sizes == [(256, 256), *[(128, 128)] * 4]
    assert "zebra" in str(pictures[1].info)
    assert found["job_id"] in done.stderr
    assert "zebra" not in done.stderr
    assert not list(tmp_path.glob("journeyman-*"))
