"""Every parameter that a request can hold, whether or not pictures show its effect already."""

from typing import Any

import pytest

from parser import Closed, ErrorCode, ImagineRequest, PromptErrors, canonical
from parser import parse as parse_
from tests.parser.tables import EVERYTHING

INK, CUP = "https://a.example/ink.png", "http://b.example/cup?size=2&x=a--b"


def parse(text: str, closed: Closed | None = None) -> ImagineRequest:
    return parse_(text, closed or Closed(), table=EVERYTHING)


@pytest.mark.parametrize(
    ("text", "typed", "echo"),
    [
        ("--chaos 40", {"chaos": 40}, "--chaos 40"),
        ("--c 40,", {"chaos": 40}, "--chaos 40"),
        ("--s 250", {"stylize": 250}, "--s 250"),
        ("--W 3000", {"weird": 3000}, "--weird 3000"),
        ("--sameseed 7", {"sameseed": 7}, "--sameseed 7"),
        ("--tile", {"tile": True}, "--tile"),
        ("--style RAW.", {"style": "raw"}, "--style raw"),
        ("--style 4b", {"style": "4b"}, "--style 4b"),
        ("--raw", {"raw": True}, "--raw"),
        ("--style raw --raw", {"style": "raw", "raw": True}, "--style raw --raw"),
        ("--raw --style raw", {"style": "raw", "raw": True}, "--style raw --raw"),
        ("--exp 25", {"exp": 25}, "--exp 25"),
        ("--hd", {"hd": True}, "--hd"),
        ("--sd", {"sd": True}, "--sd"),
        ("--draft", {"draft": True}, "--draft"),
        (f"--cref {INK} <{CUP}>", {"cref": [INK, CUP]}, f"--cref <{INK}> <{CUP}>"),
        (f"--cref {INK}, {CUP},", {"cref": [INK, CUP]}, f"--cref <{INK}> <{CUP}>"),
        (f"--oref <{INK}>", {"oref": [INK]}, f"--oref <{INK}>"),
        (f"--cref {INK} --cw 0", {"cref": [INK], "cw": 0}, f"--cref <{INK}> --cw 0"),
        (
            f"--sref {INK}::2 42 Random::.5",
            {
                "sref": [
                    {"url": INK, "weight": 2.0},
                    {"code": 42, "weight": 1.0},
                    {"random": True, "weight": 0.5},
                ]
            },
            f"--sref <{INK}>::2 42 random::0.5",
        ),
        ("--sref 007", {"sref": [{"code": 7, "weight": 1.0}]}, "--sref 7"),
        (
            "--sref 1 --sw 20 --sv 4",
            {"sref": [{"code": 1, "weight": 1.0}], "sw": 20, "sv": 4},
            "--sref 1 --sw 20 --sv 4",
        ),
        (f"--oref {INK} --ow 400", {"oref": [INK], "ow": 400}, f"--oref <{INK}> --ow 400"),
        ("--p", {"personalize": True}, "--p"),
        ("--profile 77724z8, M731", {"personalize": ["77724z8", "m731"]}, "--p 77724z8 m731"),
        ("--p abc", {"personalize": ["abc"]}, "--p abc"),
        ("--p , --tile", {"personalize": True, "tile": True}, "--tile --p"),
        ("--stealth", {"stealth": True}, "--stealth"),
        ("--public", {"public": True}, "--public"),
        ("--v 6.0", {"version": 6}, "--v 6.0"),
        ("--version 6", {"version": 6}, "--v 6.0"),
        ("--v 5.2,", {"version": 5.2}, "--v 5.2"),
        ("--niji", {"niji": True}, "--niji"),
        ("--niji latest", {"niji": True}, "--niji"),
        ("--niji 6.0", {"niji": 6}, "--niji 6"),
    ],
)
def test_every_parameter_has_a_value_a_report_and_an_echo(
    text: str, typed: dict[str, Any], echo: str
) -> None:
    request = parse(f"a cat {text}")
    assert request.typed() == typed
    assert canonical(request) == f"a cat {echo}"
    assert parse(canonical(request)) == request


def test_the_weight_of_images_is_a_number() -> None:
    request = parse(f"{INK} a cat --iw .5")
    assert (request.iw, canonical(request)) == (0.5, f"<{INK}> a cat --iw 0.5")


@pytest.mark.parametrize(
    ("text", "plain"), [("a --raw", True), ("a --style raw", True), ("a --style cute", False), ("a", False)]
)
def test_a_plain_style_is_asked_for_in_two_ways(text: str, plain: bool) -> None:
    assert parse(text).plain is plain


@pytest.mark.parametrize(
    ("text", "code", "place", "suggestion"),
    [
        ("a --v 5.3", "invalid_value", "5.3", "a --v 5.2"),
        ("a --v 9", "invalid_value", "9", "a --v 8.2"),
        ("a --v six", "invalid_value", "six", "a"),
        ("a --style rwa", "invalid_value", "rwa", "a --style raw"),
        ("a --style expr", "invalid_value", "expr", "a --style expressive"),
        ("a --style photo", "invalid_value", "photo", "a"),
        ("a --niji 9", "invalid_value", "9", "a --niji 7"),
        ("a --niji cute", "text_after_parameter", "cute", "a cute --niji"),
        ("a --v", "missing_value", "--v", "a"),
        ("a --v6.1", "missing_space", "--v6.1", "a --v 6.1"),
        ("a --v 6 --niji 5", "conflicting_parameters", "--niji 5", "a --v 6"),
        ("a --raw --style cute", "conflicting_parameters", "--style cute", "a --raw"),
        ("a --hd --sd", "conflicting_parameters", "--sd", "a --hd"),
        ("a --stealth --public", "conflicting_parameters", "--public", "a --stealth"),
        ("a --sref", "missing_value", "--sref", "a"),
        ("a --sref ink", "invalid_value", "ink", "a"),
        ("a --sref 1 blue ink", "text_after_parameter", "blue ink", "a blue ink --sref 1"),
        ("a --sref 4294967296", "out_of_range", "4294967296", "a --sref 4294967295"),
        ("a --sref 1::0", "weight_out_of_range", "0", "a --sref 1::1"),
        (f"a --cref {INK}::2", "invalid_value", "::2", f"a --cref {INK}"),
        ("a --cref 7", "invalid_value", "7", "a"),
        (f"a --oref {INK} {CUP}", "out_of_range", CUP, f"a --oref {INK}"),
        ("a --p abc def", "text_after_parameter", "abc def", "a abc def --p"),
        (f"<{INK}> a --iw 4", "out_of_range", "4", f"<{INK}> a --iw 3"),
        ("a --sref 1 --sref 2", "repeated_parameter", "--sref 2", "a --sref 1"),
    ],
)
def test_a_wrong_value_has_its_nearest_right_one(
    text: str, code: str, place: str, suggestion: str | None
) -> None:
    with pytest.raises(PromptErrors) as caught:
        parse(text)
    [error] = caught.value.errors
    assert (error.code, text[slice(*error.span)], error.suggestion) == (ErrorCode(code), place, suggestion)
    assert suggestion is None or parse(suggestion)


def test_a_server_without_a_version_names_those_it_has() -> None:
    closed = Closed(choices={"version": ("5.2", "6.1"), "niji": ()})
    assert parse("a --v 6.1", closed).version == "6.1"
    with pytest.raises(PromptErrors) as caught:
        parse("a --v 7,", closed)
    [error] = caught.value.errors
    assert error.message == "This server has `--version` 5.2 and 6.1; the nearest to `7` is 6.1."
    assert (error.code, error.suggestion) == (ErrorCode.CLOSED_PARAMETER, "a --v 6.1")
    with pytest.raises(PromptErrors) as caught:
        parse("a --niji", closed)
    assert caught.value.errors[0].suggestion == "a"
    assert parse("a --niji", Closed(choices={"niji": ("5",)})).niji == "latest"


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("a --v 9", "This server has `--version` 5.2 and 6; the nearest to `9` is 6.", "a --v 6"),
        ("a --v 5.5", "This server has `--version` 5.2 and 6; the nearest to `5.5` is 5.2.", "a --v 5.2"),
        ("a --niji 99", "`--niji` is not open on this server; leave it out.", "a"),
        ("a --nijji 5", "`--niji` is not open on this server; leave it out.", "a"),
        ("a --sref dog", "No styles here; leave `--sref` out.", "a"),
    ],
)
def test_what_is_typed_wrongly_is_put_right_with_what_the_server_has(
    text: str, message: str, suggestion: str
) -> None:
    closed = Closed(
        parameters=frozenset({"sref"}),
        reasons={"sref": "No styles here; leave `--sref` out."},
        choices={"version": ("5.2", "6"), "niji": ()},
    )
    with pytest.raises(PromptErrors) as caught:
        parse(text, closed)
    [error] = caught.value.errors
    assert (error.message, error.suggestion) == (message, suggestion)
    assert parse(suggestion, closed)


def test_a_reason_is_given_in_the_words_of_the_server() -> None:
    reason = "Characters need an adapter, which this server has not; leave `--cref` out."
    with pytest.raises(PromptErrors) as caught:
        parse(f"a --cref {INK}", Closed(frozenset({"cref"}), reasons={"cref": reason}))
    assert caught.value.errors[0].message == reason
