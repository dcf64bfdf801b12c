"""Everything that can be said about one prompt: each rule in turn, only what leads to a prompt that works."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from parser import PROMPT_LIMIT, PromptErrors, read_batch
from parser.coach import counting, economy, scene, speech
from parser.coach.advice import Advice, Facts, Language, Option, Rule
from parser.coach.draft import Draft, draft

BUTTON_LABEL = 80  # characters; a longer label is cut
NOTHING_KNOWN = Facts()

# In the order of what spoils a picture most.
RULES: Mapping[Rule, Callable[[Draft, Facts, Language], Advice | None]] = MappingProxyType(
    {
        Rule.WITHOUT: speech.without,
        Rule.NEGATION: speech.negation,
        Rule.CONTRADICTION: scene.contradiction,
        Rule.WEIGHTS: economy.weights,
        Rule.WINDOW: economy.window,
        Rule.DETAILS: economy.details,
        Rule.COMMAND: speech.command,
        Rule.COUNT: counting.count,
        Rule.PRAISE: economy.praise,
        Rule.MISSING: scene.missing,
    }
)


def coach(
    prompt: str, language: Language = Language.ENGLISH, facts: Facts = NOTHING_KNOWN
) -> tuple[Advice, ...]:
    """Return what would make *prompt* better, in *language*: the gravest first, nothing for a good one.

    A prompt that does not parse is read all the same. Options of one that does parse too, and change it.
    """
    if len(prompt) > PROMPT_LIMIT:
        return ()
    written = draft(prompt)
    found = (rule(written, facts, language) for rule in RULES.values())
    return tuple(_usable(written, advice) for advice in found if advice is not None)


def _usable(written: Draft, advice: Advice) -> Advice:
    options = (
        replace(option, label=_cut(option.label)) for option in advice.options if _works(written, option)
    )
    return replace(advice, options=tuple(options))


def _works(written: Draft, option: Option) -> bool:
    """Return whether an option is another prompt, and one that parses if the first does."""
    if option.prompt == written.whole or len(option.prompt) > PROMPT_LIMIT:
        return False
    if written.request is None:
        return True
    try:
        read_batch(option.prompt)
    except PromptErrors:
        return False
    return True


def _cut(label: str) -> str:
    return label if len(label) <= BUTTON_LABEL else f"{label[: BUTTON_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"
