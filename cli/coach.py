"""`journeyman coach`: what would make a prompt better."""

import json
import os
from typing import Annotated, Any

import typer

from cli import checkpoint, options
from cli.config import load
from cli.facts import coach_facts
from cli.failures import Failure
from parser import PROMPT_LIMIT
from parser.coach import Advice, Language, language_of
from parser.coach import coach as advice_on


def coach(
    prompt: Annotated[str, typer.Argument(help="A prompt, with parameters as on Discord.")],
    language: Annotated[
        Language | None, typer.Option("--language", help="Of the advice; the prompt's if left out.")
    ] = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Tell what would make a prompt better, and how it would read then."""
    if len(prompt) > PROMPT_LIMIT:
        raise Failure(f"The prompt has {len(prompt)} characters and may have {PROMPT_LIMIT}; shorten it.")
    settings = load(os.environ, file=config)
    facts = coach_facts(checkpoint.catalogue(settings).entries[0].profile.source)
    found = advice_on(prompt, language or language_of(prompt), facts)
    print(json.dumps([values(each) for each in found]) if as_json else readable(found))


def values(advice: Advice) -> dict[str, Any]:
    """Return one piece of advice as JSON values."""
    return {
        "rule": advice.rule.value,
        "reason": advice.reason,
        "example": advice.example,
        "offer": advice.offer,
        "options": [{"label": option.label, "prompt": option.prompt} for option in advice.options],
    }


def readable(found: tuple[Advice, ...]) -> str:
    """Return the advice for people."""
    if not found:
        return "Nothing to add: this prompt says what it should."
    return "\n\n".join(
        "\n".join([each.reason, f"  for example: {each.example}", *(f"  > {o.prompt}" for o in each.options)])
        for each in found
    )
