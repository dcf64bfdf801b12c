import json

import pytest

from parser import ImagineRequest, Part, Speed, canonical, parse, report


def test_an_accepted_prompt_is_reported_as_its_job() -> None:
    text = (
        "https://a.example/b.png::2 a fox::2 blue:: sky::-.5 "
        "--no hat, scarf --ar 6:4 --seed 7 --q .5 --stop 60 --fast"
    )
    assert report(text) == {
        "prompt": text,
        "ok": True,
        "jobs": [
            {
                "text": "a fox::2 blue:: sky::-.5",
                "parts": [
                    {"text": "a fox", "weight": 2.0},
                    {"text": "blue", "weight": 1.0},
                    {"text": "sky", "weight": -0.5},
                ],
                "negative": ["hat", "scarf"],
                "parameters": {"aspect": [3, 2], "seed": 7, "quality": 0.5, "stop": 60, "fast": True},
                "images": [{"url": "https://a.example/b.png", "weight": 2.0}],
                "echo": "<https://a.example/b.png>::2 a fox::2 blue:: sky::-.5 --no hat, scarf "
                "--ar 3:2 --seed 7 --q 0.5 --stop 60 --fast",
            }
        ],
    }


def test_a_refused_prompt_is_reported_with_its_errors() -> None:
    assert report("a --q 3") == {
        "prompt": "a --q 3",
        "ok": False,
        "errors": [
            {
                "code": "out_of_range",
                "message": "`--quality` takes 0.25, 0.5, 1, 2 or 5; the nearest to `3` is 2.",
                "span": [6, 7],
                "also": [],
                "suggestion": "a --q 2",
            }
        ],
    }


def test_a_report_says_where_the_other_side_of_a_contradiction_stands() -> None:
    found = report("a --fast --relax")
    assert found["ok"] is False
    assert [(error["span"], error["also"]) for error in found["errors"]] == [([9, 16], [[2, 8]])]


@pytest.mark.parametrize("text", ["\ud800", "a \udfff cat", "\x00", "", "a" * 7000])
def test_a_report_of_anything_is_json(text: str) -> None:
    assert json.loads(json.dumps(report(text)))["prompt"] == text


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("a  cat --q 2 --seed 7 --AR 1920:1280", "a cat --ar 3:2 --seed 7 --q 2"),
        ("a --fast --no x --no y, z", "a --no x, y, z --fast"),
        ("https://a.example/b?c=d::1.0 cat", "<https://a.example/b?c=d> cat"),
        ("hot:: dog", "hot:: dog"),
        ("a —ar 3:2", "a --ar 3:2"),
    ],
)
def test_the_echo_has_the_text_as_typed_and_the_parameters_in_one_order(text: str, echo: str) -> None:
    assert canonical(parse(text)) == echo


def test_a_request_with_nothing_in_it_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one part or one image"):
        ImagineRequest(text="", parts=())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("aspect", (0, 1)),
        ("seed", -1),
        ("seed", 2**32),
        ("quality", 3),
        ("stop", 9),
        ("stop", 101),
        ("speed", "slow"),
    ],
)
def test_a_value_out_of_range_cannot_be_made(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        ImagineRequest.model_validate({"text": "a", "parts": [Part(text="a")], field: value})


def test_an_aspect_ratio_is_reduced_whoever_makes_it() -> None:
    request = ImagineRequest(text="a", parts=(Part(text="a"),), aspect=(1920, 1280), speed=Speed.RELAX)
    assert request.aspect == (3, 2)
    assert request.typed() == {"aspect": [3, 2], "relax": True}
