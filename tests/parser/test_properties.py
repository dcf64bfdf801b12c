"""What holds for any text at all, and for any request."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parser import (
    BATCH_LIMIT,
    Batch,
    ErrorCode,
    ImagePrompt,
    ImagineRequest,
    Part,
    PromptErrors,
    Speed,
    StyleReference,
    Visibility,
    canonical,
    read_batch,
)
from parser import parse as parse_
from parser.canonical import written
from parser.company import APART, COMPANIONS
from parser.request import NIJIS, PARTS_LIMIT, STYLES, VERSIONS
from parser.scanner import collapsed, shown
from tests.parser.tables import EVERYTHING

# Pieces that matter to the grammar, so that random texts come near every rule.
PIECES = st.sampled_from(
    [
        *"{},.;:<>\\-+ \t\n%=/x019",
        *(
            "::",
            "::2",
            "::-.5",
            "::1 ",
            " -v 5",
            "--ar 3:2",
            "--",
            "---",
            "\N{EM DASH}",
            "\N{EN DASH}",
            "\\,",
            "\\{",
            "\\}",
            "{a, b}",
        ),
        *(
            " --no ",
            " --no",
            ",--",
            " --ar 3:2",
            " --AR16:9",
            " --ar ",
            "3:2",
            " --seed 7",
            " --seed ",
            "{a}",
        ),
        *(
            " --q 2",
            " --q",
            " --quality .25",
            " --stop 50",
            " --fast",
            " --relax",
            " --chaos 9",
            " --qualty 3",
        ),
        *(" --sref http://a/b random ", " --v", " --hq", " --xyzzy ", "https://a.example/b.png ", "https://"),
        *(
            "<https://a.example/c>",
            "<http://a",
            ">",
            ")",
            "(",
            "http://a::2 ",
            "cat",
            " a dog ",
            "2",
            ".5",
            "1e9",
            "\N{NO-BREAK SPACE}",
        ),
        *(
            " --style raw",
            " --raw",
            " --niji ",
            " --v 6.0",
            " --p",
            " m731 ",
            " --cref ",
            " --oref https://a.b/c",
        ),
        *(
            " random",
            "::.5",
            " --tile",
            " --hd --sd",
            " --iw 2",
            " --stealth",
            " --s 9",
            " --w 9 --h 7 ",
            " --ow 3",
            " --v “6” ",
            " --c 4294967296 ",
        ),
        *("a::" * 63, " --no " + "b, " * 64),
        *("\u200b", "\u200f", "\x00", "\ud800", "\N{DOG FACE}", "\N{FULLWIDTH COMMA}", "e\u0301", "\u0130"),
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=30).map("".join),
    st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=20).map("".join),
    st.text(alphabet=st.characters(), max_size=200),
)

WORD = st.text(
    alphabet="abcXYZ0189'!?&\N{CJK UNIFIED IDEOGRAPH-732B}\N{DOG FACE}-", min_size=1, max_size=8
).filter(lambda word: not word.startswith("-") and "--" not in word)
PHRASE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
WEIGHT = st.decimals(min_value=-100, max_value=100, places=3).map(float).map(lambda weight: weight + 0.0)


@st.composite
def texts_with_parts(draw: st.DrawFn) -> tuple[str, tuple[Part, ...]]:
    parts = draw(st.lists(st.builds(Part, text=PHRASE, weight=WEIGHT), max_size=4))
    parts.append(Part(text=draw(PHRASE), weight=1 + sum(abs(part.weight) for part in parts)))
    return " ".join(f"{part.text}::{written(part.weight)}" for part in parts), tuple(parts)


FLAG = st.just(True)
SEED = st.integers(0, 2**32 - 1)
MODELS = [{}, *({"version": each} for each in VERSIONS), *({"niji": each} for each in NIJIS)]
style_parameters: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "chaos": st.integers(0, 100),
        "stylize": st.integers(0, 1000),
        "weird": st.integers(0, 3000),
        "sameseed": SEED,
        "tile": FLAG,
        "style": st.sampled_from(STYLES),
        "exp": st.integers(0, 100),
        "hd": FLAG,
        "draft": FLAG,
        "iw": st.floats(0, 3).map(abs),
    },
) | st.sampled_from([{"raw": True}, {"raw": True, "style": "raw"}, {"sd": True}])


def references(urls: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    weights = st.floats(min_value=1e-9, max_value=10_000)
    styles = st.builds(StyleReference, source=urls | SEED | st.just("random"), weight=weights | st.just(1.0))
    return st.fixed_dictionaries(
        {},
        optional={
            "cref": st.lists(urls, min_size=1, max_size=3).map(tuple),
            "cw": st.integers(0, 100),
            "sref": st.lists(styles, min_size=1, max_size=3).map(tuple),
            "sw": st.integers(0, 1000),
            "sv": st.sampled_from([4, 6]),
            "oref": urls.map(lambda url: (url,)),
            "ow": st.integers(1, 1000),
            "personalize": st.sampled_from([("default",), ("abc",), ("m1", "77724z8"), ("p1", "default")]),
        },
    )


@st.composite
def requests(draw: st.DrawFn) -> ImagineRequest:
    text, parts = draw(st.one_of(PHRASE.map(lambda text: (text, (Part(text=text),))), texts_with_parts()))
    urls = st.from_regex(r"https?://[a-z]{1,5}/[a-z0-9?=&%._-]{0,9}", fullmatch=True)
    images = st.builds(ImagePrompt, url=urls, weight=st.floats(min_value=1e-9, max_value=10_000))
    sides = st.integers(1, 40)
    shown = tuple(draw(st.lists(images, max_size=2)))
    typed = draw(style_parameters) | draw(references(urls))
    apart = {first for first, second in APART if second in typed}
    lonely = {name for name, other in COMPANIONS.items() if other not in typed} | (set() if shown else {"iw"})
    return ImagineRequest(
        text=text,
        parts=parts,
        negative=tuple(draw(st.lists(PHRASE, max_size=3) | st.just(["x"] * (PARTS_LIMIT - len(parts))))),
        images=shown,
        aspect=draw(
            st.none() | st.tuples(sides, sides).filter(lambda r: r[0] <= 2 * r[1] and r[1] <= 2 * r[0])
        ),
        seed=draw(st.none() | st.integers(0, 2**32 - 1)),
        quality=draw(st.none() | st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0])),
        stop=draw(st.none() | st.integers(10, 100)),
        speed=draw(st.none() | st.sampled_from(Speed)),
        visibility=draw(st.none() | st.sampled_from(Visibility)),
        **{name: value for name, value in typed.items() if name not in apart | lonely},
        **draw(st.sampled_from(MODELS)),
    )


def parse(text: str) -> ImagineRequest:
    return parse_(text, table=EVERYTHING)


def outcome(text: str) -> ImagineRequest | PromptErrors:
    try:
        return parse(text)
    except PromptErrors as refusal:
        return refusal


def batch_of(text: str) -> Batch | PromptErrors:
    try:
        return read_batch(text, table=EVERYTHING)
    except PromptErrors as refusal:
        return refusal


@settings(max_examples=80, deadline=None)
@given(requests())
def test_the_echo_of_a_request_parses_to_it(request: ImagineRequest) -> None:
    assert parse(canonical(request)) == request


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("::--b cat")
@example("https://a::1 :: cat")
@example("https://a :: https://b cat")
@example("a --no x,--b")
@example("{a\\ }{ b")
@example("--no .b. --no ,;c")
@example("\\{a\\}::2 {b\\}")
def test_any_text_gives_a_request_whose_echo_is_final_or_errors_that_point_into_it(text: str) -> None:
    found = outcome(text)
    if isinstance(found, ImagineRequest):
        echo = canonical(found)
        assert parse(echo) == found
        assert collapsed(shown(echo)) == echo
        return
    assert found.errors == tuple(sorted(found.errors, key=lambda error: error.span))
    assert found.errors
    for error in found.errors:
        assert 0 <= error.span[0] <= error.span[1] <= len(text)
        assert error.source == text
        assert "^" in error.pointer().splitlines()[1]
        if error.suggestion is not None:
            parse(error.suggestion)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
@example("{a, --fast} --relax --repeat 3")
@example("x{, --tile} {--q 3, -ar 1:9}")
def test_any_text_makes_jobs_whose_echoes_make_them_again_or_errors_that_point_into_it(text: str) -> None:
    found = batch_of(text)
    if isinstance(found, Batch):
        assert 1 <= len(found.prompts) <= BATCH_LIMIT
        assert all(parse(canonical(request)) == request for request in found.prompts)
        return
    for error in found.errors:
        assert all(0 <= start <= stop <= len(text) for start, stop in (error.span, *error.also))
    suggestion = found.errors[0].suggestion
    assert suggestion is None or isinstance(batch_of(suggestion), Batch)


@pytest.mark.parametrize(
    "piece", ["{", "}", "{a,", "::", ":", "--", "-", "--a ", " ", "\ud800", "\\,", "{}", "http://", "--q 3 "]
)
def test_six_thousand_characters_of_anything_are_read(piece: str) -> None:
    found = outcome((piece * 6000)[:6000])
    if isinstance(found, PromptErrors):
        assert all(error.code is not ErrorCode.PROMPT_TOO_LONG for error in found.errors)


@pytest.mark.parametrize(("parts", "negative"), [(64, 0), (1, 63), (30, 34)])
def test_parts_and_negatives_are_at_most_as_many_as_the_limit_says(parts: int, negative: int) -> None:
    text = "a::" * parts + (f" --no {', '.join(['b'] * negative)}" if negative else "")
    request = parse(text)
    assert len(request.parts) + len(request.negative) == PARTS_LIMIT
    more = request.model_dump() | {"negative": ("b",) * (negative + 1)}
    with pytest.raises(ValueError, match="at most 64"):
        ImagineRequest.model_validate(more)


@settings(max_examples=30, deadline=None)
@given(requests())
def test_a_request_is_a_value_that_survives_storage(request: ImagineRequest) -> None:
    assert ImagineRequest.model_validate_json(request.model_dump_json()) == request
    assert hash(request) == hash(request.model_copy())
