"""The page with every setting is what the program says today."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.config import SECTIONS, Settings, known_keys
from cli.reference import comments, page

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "configuration.md"


def test_the_page_is_current() -> None:
    """Mend it with ``journeyman config reference > docs/configuration.md``."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("key", known_keys())
def test_every_setting_has_words(key: str) -> None:
    section, _, name = key.rpartition(".")
    model = Settings.model_fields[section].annotation if section else Settings
    assert isinstance(model, type)
    assert issubclass(model, (Settings, *(Settings.model_fields[each].annotation for each in SECTIONS)))  # type: ignore[arg-type]
    assert comments(model).get(name), f"{key} has no comment behind it"


def test_ranges_choices_and_variables_are_told() -> None:
    text = page()
    assert "| `steps` | whole number from 1 to 200 | - | `JOURNEYMAN_MODEL__STEPS` |" in text
    assert '`"auto"`, `"cpu"`, `"cuda"`, `"mps"`' in text
    assert "| `turbo` | `true`, `false` | `false` |" in text
    assert "JOURNEYMAN_DISCORD_TOKEN" not in text


def test_a_valid_configuration_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "journeyman.toml"
    file.write_text('data = "/srv/pictures"\n')
    done = subprocess.run(
        [sys.executable, "-m", "cli", "config", "check", "--config", str(file)],
        cwd=ROOT,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "/srv/pictures" in done.stdout
