import random
from collections.abc import Sequence

import pytest

from training import captions, lexicon
from training.lexicon import Subject, subjects
from training.scenes import Actor, Ground, Scene, draw_scene

FILLERS = ("jiaozi", "tecnólogo", "iceberg")


def author(known: Sequence[Subject], seed: int = 0) -> captions.Author:
    return captions.Author(known, FILLERS, random.Random(seed))


def number_of(name: str) -> int:
    return next(i for i, subject in enumerate(subjects()) if subject.name == name)


def names(subject: Subject) -> set[str]:
    forms = {form for name in (*subject.english, *subject.spanish) for form in (name.singular, name.plural)}
    return forms | {captions.unaccented(form) for form in forms} | {subject.emoji}


def test_every_caption_names_its_subjects() -> None:
    known, rng, writer = subjects(), random.Random(1), author(subjects())
    for _ in range(500):
        scene = draw_scene(rng, len(known))
        text = writer.caption(scene).lower()
        for actor in scene.actors:
            assert any(name in text for name in names(known[actor.subject])), text


def test_a_ground_nobody_named_is_not_in_the_caption() -> None:
    scene = Scene("single", (Actor(number_of("fox"), 0.5, 0.5, 0.8),), Ground("soft", ("pink",), 1), "3d")
    writer = author(subjects())
    for _ in range(200):
        text = writer.caption(scene).lower()
        assert "pink" not in text
        assert "rosa" not in text
        assert "background" not in text


def test_spanish_colours_agree_with_their_noun() -> None:
    apple = Scene(
        "single", (Actor(number_of("apple"), 0.5, 0.5, 0.8, "red"),), Ground("soft", ("pink",), 1), "3d"
    )
    texts = {author(subjects(), seed)._spanish(apple).lower() for seed in range(200)}
    assert any("manzana roja" in text for text in texts)
    assert not any("manzana rojo" in text for text in texts)


def test_styles_are_named_in_about_four_fifths_of_the_captions() -> None:
    scene = Scene("single", (Actor(0, 0.5, 0.5, 0.8),), Ground("colour", ("white",), 1), "cartoon")
    writer = author(subjects())
    spoken = [name for table in (lexicon.STYLE_NAMES, lexicon.STYLE_NAMES_ES) for name in table["cartoon"]]
    share = sum(any(name in writer.caption(scene).lower() for name in spoken) for _ in range(1000)) / 1000
    assert 0.7 < share < 0.9


@pytest.mark.parametrize(("one", "many"), [("zorro", "zorros"), ("lápiz", "lápices"), ("flor", "flores")])
def test_spanish_plurals(one: str, many: str) -> None:
    assert lexicon.plural_es(one) == many


def test_every_subject_has_names_in_both_languages_and_a_code_point_of_its_own() -> None:
    known = subjects()
    assert len(known) >= 190
    assert len({subject.code for subject in known}) == len(known)
    assert all(subject.english and subject.spanish for subject in known)


def test_fillers_are_never_forms_of_known_words() -> None:
    known = frozenset({"fox", "apple", "manzana"})
    assert captions.filler_words(("apples", "fox", "manzanas", "bridge"), known) == ("bridge",)


def test_a_fragment_names_one_thing_only() -> None:
    scene = Scene("single", (Actor(number_of("fox"), 0.5, 0.5, 0.8),), Ground("colour", ("blue",), 1), "flat")
    writer = author(subjects())
    told = {"ground": 0, "style": 0, "subject": 0}
    for _ in range(600):
        text = writer.fragment(scene).lower()
        found = {
            "ground": any(word in text for word in ("blue", "azul", "navy")),
            "style": any(
                name in text for name in (*lexicon.STYLE_NAMES["flat"], *lexicon.STYLE_NAMES_ES["flat"])
            ),
            "subject": any(name in text for name in names(subjects()[number_of("fox")])),
        }
        assert sum(found.values()) <= 1, text
        for name, there in found.items():
            told[name] += there
    assert min(told.values()) > 30, told
