"""`journeyman coach`, and what bot and coach are told of the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.config import load
from cli.facts import coach_facts, facts
from parser.coach.advice import WINDOW

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_command_prints_reasons_and_better_prompts_in_the_prompts_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from cli.main import outcome

    assert outcome(["coach", "un hombre sin sombrero --seed 4"]) == 0
    shown = capsys.readouterr().out
    assert "Lo que el texto nombra" in shown
    assert "  > un hombre --seed 4 --no sombrero\n" in shown
    assert outcome(["coach", "a man without a hat", "--json", "--language", "es"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first["rule"] == "without"
    assert first["options"] == [{"label": "--no hat", "prompt": "a man --no hat"}]
    assert outcome(["coach", "close-up of a fox at night, ink, retro"]) == 0
    assert "Nothing to add" in capsys.readouterr().out
    assert outcome(["coach", "x" * 6001]) == 1


def test_the_window_is_that_of_the_checkpoint_and_its_tokens_are_counted_exactly() -> None:
    known = coach_facts("embedded")
    assert known.window == 62
    assert known.count is not None
    assert known.count("a red fox") == 3


def test_a_checkpoint_that_says_nothing_is_taken_as_usual(tmp_path: Path) -> None:
    assert coach_facts(str(tmp_path)).window == WINDOW
    assert coach_facts(str(tmp_path / "missing")).window == WINDOW
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer_config.json").write_text('{"model_max_length": 1e30}')
    assert coach_facts(str(tmp_path)).window == WINDOW
    (tmp_path / "tokenizer" / "tokenizer_config.json").write_text("{")
    assert coach_facts(str(tmp_path)).window == WINDOW


def test_prices_are_those_of_the_recipe_and_what_is_shut_says_why() -> None:
    known = facts(load({"HOME": "/home/ada"}))
    assert dict(known.prices["quality"])["2"] == 2
    assert dict(known.prices["stop"])["100"] == 1
    assert known.prices["relax"] == (("--relax", 0.0),)
    assert "turbo" in known.closed.parameters
    assert "turbo lane" in known.closed.reasons["turbo"]
    assert known.closed.choices["version"] == ()
    opened = facts(load({"HOME": "/home/ada", "JOURNEYMAN_LIMITS__TURBO": "true"}))
    assert opened.prices["turbo"] == (("--turbo", 2.0),)


def test_the_facts_load_no_tensor_library() -> None:
    statement = (
        "from cli.config import load; from cli.facts import facts; facts(load({'HOME': '/tmp'}));"
        "import sys; print({'torch', 'transformers', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", statement], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"
