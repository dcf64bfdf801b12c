from typing import Any

import pytest

from parser import ImagePrompt, Part, PromptErrors, Speed, canonical, parse

FOX = "a red fox::2 on a blue background --no hat --seed 42 --quality 2"


def parts(text: str) -> list[tuple[str, float]]:
    return [(part.text, part.weight) for part in parse(text).parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hot dog", [("hot dog", 1)]),
        ("hot:: dog", [("hot", 1), ("dog", 1)]),
        ("hot::2 dog", [("hot", 2), ("dog", 1)]),
        ("hot:: dog::", [("hot", 1), ("dog", 1)]),
        ("hot:: 2 dogs", [("hot", 1), ("2 dogs", 1)]),
        ("cup::1 cake:: illustration::", [("cup", 1), ("cake", 1), ("illustration", 1)]),
        ("hot dog:: food::-1 animal", [("hot dog", 1), ("food", -1), ("animal", 1)]),
        ("vibrant tulip fields:: red::-.5", [("vibrant tulip fields", 1), ("red", -0.5)]),
        ("still life:: fruit::-.5", [("still life", 1), ("fruit", -0.5)]),
        ("cup::100 cake::50", [("cup", 100), ("cake", 50)]),
    ],
)
def test_double_colons_split_the_text_as_midjourney_does(text: str, expected: list[Any]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hot ::2 dog", [("hot", 2), ("dog", 1)]),
        ("a::+2 b", [("a", 2), ("b", 1)]),
        ("a::2. b", [("a", 2), ("b", 1)]),
        ("a::2, b", [("a", 2), ("b", 1)]),
        ("a::.5; b::1.5.", [("a", 0.5), ("b", 1.5)]),
        ("a::2,b", [("a", 2), ("b", 1)]),
        ("a::2.dog", [("a", 2), ("dog", 1)]),
        ("a::2::b", [("a", 2), ("b", 1)]),
        ("a::2b", [("a", 1), ("2b", 1)]),
        ("a::.5b", [("a", 1), (".5b", 1)]),
        ("a::1e9 b", [("a", 1), ("1e9 b", 1)]),
        ("a::- b", [("a", 1), ("- b", 1)]),
        ("a::nan b::inf", [("a", 1), ("nan b", 1), ("inf", 1)]),
        ("a::\N{ARABIC-INDIC DIGIT TWO} b", [("a", 1), ("\N{ARABIC-INDIC DIGIT TWO} b", 1)]),
        ("a::, b", [("a", 1), ("b", 1)]),
        ("a:::b", [("a", 1), (":b", 1)]),
        ("a::::::b", [("a", 1), ("b", 1)]),
        (":: a", [("a", 1)]),
        ("a::0 b", [("a", 0), ("b", 1)]),
        ("a::-0 b", [("a", 0), ("b", 1)]),
        ("cat::7", [("cat", 7)]),
        ("a::.1 b::.2 c::-.2", [("a", 0.1), ("b", 0.2), ("c", -0.2)]),
    ],
)
def test_a_weight_ends_at_a_blank_the_end_a_sign_or_punctuation(text: str, expected: list[Any]) -> None:
    assert parts(text) == expected


def test_the_text_stays_as_typed_but_for_white_space() -> None:
    request = parse("  hot::\N{NO-BREAK SPACE}dog,\n\t“curly”  \N{DOG FACE} ::  --fast")
    assert request.text == "hot:: dog, “curly” \N{DOG FACE} ::"


def test_controls_lone_surrogates_and_zero_width_spaces_count_as_blanks() -> None:
    assert parse("a\x00b\ud800c\u200bd\ufeffe\u2028f").text == "a b c d e f"


@pytest.mark.parametrize(
    "text",
    [
        "a well--known cat",
        "a -- b",
        "a --",
        "a — b",
        "a\N{EM DASH}b",
        "x -ar",
        "x - ar 3:2",
        "1890\N{EN DASH}c 1920",
        "a --5",
        "a --é",
        "--",
    ],
)
def test_two_hyphens_inside_words_or_before_a_blank_are_text(text: str) -> None:
    request = parse(text)
    assert request.text == text
    assert request.typed() == {}


@pytest.mark.parametrize(
    "mark", ["--", "\N{EM DASH}", "\N{EN DASH}", "\N{HORIZONTAL BAR}", "\N{EM DASH}-", "---"]
)
def test_any_dash_before_a_letter_opens_a_parameter(mark: str) -> None:
    assert parse(f"a cat {mark}ar 3:2").aspect == (3, 2)


@pytest.mark.parametrize(
    "text",
    ["cat,--ar 3:2", "cat;--ar 3:2", "cat.--ar 3:2", "cat::--ar 3:2", "cat\N{IDEOGRAPHIC COMMA}--ar 3:2"],
)
def test_a_parameter_may_be_glued_to_punctuation(text: str) -> None:
    assert parse(text).aspect == (3, 2)


def test_everything_at_once() -> None:
    request = parse(FOX)
    assert request.text == "a red fox::2 on a blue background"
    assert request.parts == (Part(text="a red fox", weight=2), Part(text="on a blue background"))
    assert request.negative == ("hat",)
    assert request.typed() == {"seed": 42, "quality": 2}


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a --ar 1920:1280", {"aspect": [3, 2]}),
        ("a --aspect 2:1", {"aspect": [2, 1]}),
        ("a --ar 1:2", {"aspect": [1, 2]}),
        ("a --AR 16:9", {"aspect": [16, 9]}),
        ("a --ar 16 : 9", {"aspect": [16, 9]}),
        ("a --ar 16: 9.", {"aspect": [16, 9]}),
        ("a --q .25", {"quality": 0.25}),
        ("a --Q 5.0", {"quality": 5}),
        ("a --seed 0", {"seed": 0}),
        ("a --seed 4294967295", {"seed": 4294967295}),
        ("a --seed +007", {"seed": 7}),
        ("a --stop 10", {"stop": 10}),
        ("a --stop 100, --Fast.", {"stop": 100, "fast": True}),
        ("a --relax", {"relax": True}),
        ("a --turbo ,", {"turbo": True}),
        ("a --seed 7; --ar 3:2 . --q 2,", {"seed": 7, "aspect": [3, 2], "quality": 2}),
        ("a --seed 7 --seed 7 --ar 3:2 --ar 6:4 --fast --fast", {"seed": 7, "aspect": [3, 2], "fast": True}),
    ],
)
def test_parameters_are_read_in_any_case_with_glued_punctuation(text: str, typed: dict[str, Any]) -> None:
    request = parse(text)
    assert request.text == "a"
    assert request.typed() == typed


def test_a_speed_is_a_lane() -> None:
    assert parse("a --relax").speed is Speed.RELAX


@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("girl --no boy --no car , dog", ("boy", "car", "dog")),
        ("a --no text, watermark.", ("text", "watermark")),
        ("a --no modern clothing", ("modern clothing",)),
        ("a --no x,,y,", ("x", "y")),
        ("a --no 帽子、猫\N{FULLWIDTH COMMA}犬", ("帽子", "猫", "犬")),
        ("a --no x,--seed 7", ("x",)),
        ("a --NO well--known", ("well--known",)),
    ],
)
def test_no_takes_items_between_commas_and_adds_up(text: str, negative: tuple[str, ...]) -> None:
    assert parse(text).negative == negative


@pytest.mark.parametrize(
    ("text", "images", "rest"),
    [
        ("https://a.example/b.png?x=1&y=2 a cat", [("https://a.example/b.png?x=1&y=2", 1)], "a cat"),
        ("http://a/b::2 <https://c/d>::.5 cat", [("http://a/b", 2), ("https://c/d", 0.5)], "cat"),
        ("https://a.example/b.png, cat", [("https://a.example/b.png", 1)], "cat"),
        ("https://a.example/b.png ::2 cat", [("https://a.example/b.png", 2)], "cat"),
        ("https://a.example/b.png:: :: cat", [("https://a.example/b.png", 1)], "cat"),
        (":: HTTPS://a.example cat", [("HTTPS://a.example", 1)], "cat"),
        ("https://a.example/1 https://b", [("https://a.example/1", 1), ("https://b", 1)], ""),
        ("https://a.example/x::y cat", [("https://a.example/x::y", 1)], "cat"),
        ("https://a.example/a--b.png cat", [("https://a.example/a--b.png", 1)], "cat"),
    ],
)
def test_addresses_at_the_start_are_images(text: str, images: list[Any], rest: str) -> None:
    request = parse(text)
    assert request.images == tuple(ImagePrompt(url=url, weight=weight) for url, weight in images)
    assert request.text == rest


@pytest.mark.parametrize(
    "text",
    [
        "a cat https://a.example/b.png",
        "https:// cat",
        "<https://a.example cat",
        "ftp://a.example",
        "<https://> a",
    ],
)
def test_other_addresses_are_text(text: str) -> None:
    request = parse(text)
    assert request.images == ()
    assert request.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat <https://a.example/b.png>", "a cat https://a.example/b.png"),
        ("a cat, see <https://a.example/b>, please", "a cat, see https://a.example/b, please"),
        ("a cat (<https://a.example/b>)", "a cat (https://a.example/b)"),
        ("a cat <https://a.example/b>::2 dog", "a cat https://a.example/b::2 dog"),
        ("a cat {<https://a.example/b>}", "a cat https://a.example/b"),
        # Here the brackets say something.
        ("a cat<https://a.example/b>", "a cat<https://a.example/b>"),
        ("a <https://a.example/b>dog", "a <https://a.example/b>dog"),
        ("a <<https://a.example/b>>", "a <<https://a.example/b>>"),
        ("a <https://a.example/b.>", "a <https://a.example/b.>"),
        ("<https://a.example/b>) cat", "<https://a.example/b>) cat"),
    ],
)
def test_a_link_inside_text_needs_no_brackets(text: str, expected: str) -> None:
    request = parse(text)
    assert request.text == expected
    assert parse(canonical(request)) == request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {single} cat", "a single cat"),
        ("a { single } cat", "a single cat"),
        ("{{a}} cat", "a cat"),
        ("a{}b", "ab"),
        ("{   } a", "a"),
        ("{pastel \\, yellow} bird", "pastel, yellow bird"),
        ("a { b", "a { b"),
        ("} a, b {", "} a, b {"),
        ("{ {a} cat", "{ a cat"),
        ("\\{a, b\\}", "\\{a, b\\}"),
        ("a\\, b", "a\\, b"),
    ],
)
def test_braces_around_one_thing_vanish_and_lone_ones_stay(text: str, expected: str) -> None:
    assert parse(text).text == expected


def test_braces_are_read_before_anything_else() -> None:
    request = parse("a::{2} b --{ar} {3:2}")
    assert parts("a::{2} b --{ar} {3:2}") == [("a", 2), ("b", 1)]
    assert request.aspect == (3, 2)


def test_an_escaped_brace_reaches_the_model_without_its_backslash() -> None:
    assert parts("\\{a, b\\}::2 c") == [("{a, b}", 2), ("c", 1)]


def test_six_thousand_characters_are_read_and_one_more_is_not() -> None:
    assert len(parse("x" * 6000).text) == 6000
    with pytest.raises(PromptErrors):
        parse("x" * 6001)
