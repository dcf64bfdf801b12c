"""Prompts as people write them, each with the reading that Midjourney's language gives it.

A line of the corpus has a ``prompt`` and either ``jobs``, or ``errors`` with a ``suggestion``. A job has the
text and, where they differ from one part of weight 1 and from nothing, its parts, negatives, images and
parameters. An error has a code and what it points at.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from parser import ImagineRequest, PromptErrors, canonical, parse, read_batch
from tests.parser.tables import EVERYTHING

CORPUS = [
    json.loads(line)
    for line in Path(__file__).with_name("corpus.jsonl").read_text("utf-8").split("\n")
    if line
]
GOOD = [entry for entry in CORPUS if "jobs" in entry]
BAD = [entry for entry in CORPUS if "jobs" not in entry]


def reading(request: ImagineRequest) -> dict[str, Any]:
    return {
        "text": request.text,
        "parts": [[part.text, part.weight] for part in request.parts],
        "negative": list(request.negative),
        "images": [[image.url, image.weight] for image in request.images],
        "parameters": request.typed(),
    }


def meant(job: dict[str, Any]) -> dict[str, Any]:
    return {"parts": [[job["text"], 1]], "negative": [], "images": [], "parameters": {}} | job


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    assert len({entry["prompt"] for entry in CORPUS}) == len(CORPUS)
    assert len(CORPUS) >= 200
    assert min(len(GOOD), len(BAD)) >= 80


@pytest.mark.parametrize("entry", GOOD, ids=lambda entry: entry["prompt"][:40])
def test_a_good_prompt_is_read_as_it_is_meant(entry: dict[str, Any]) -> None:
    requests = read_batch(entry["prompt"], table=EVERYTHING).prompts
    assert [reading(request) for request in requests] == [meant(job) for job in entry["jobs"]]
    for request in requests:
        assert parse(canonical(request), table=EVERYTHING) == request


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["prompt"][:40])
def test_a_bad_prompt_is_refused_with_its_places_and_put_right(entry: dict[str, Any]) -> None:
    prompt = entry["prompt"]
    with pytest.raises(PromptErrors) as caught:
        read_batch(prompt, table=EVERYTHING)
    errors = caught.value.errors
    assert [[error.code.value, prompt[slice(*error.span)]] for error in errors] == entry["errors"]
    assert {error.suggestion for error in errors} == {entry["suggestion"]}
    if entry["suggestion"] is not None:
        assert read_batch(entry["suggestion"], table=EVERYTHING).prompts
