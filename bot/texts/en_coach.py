"""English for the coach and for `/help`."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "command.coach": "Tells what would make a prompt better, and applies it.",
        "command.coach.prompt": "The prompt to look at",
        "command.help.parameter": "A parameter, such as --ar",
        "coach.title": "Prompt coach",
        "coach.good": "Nothing to add: this prompt says what it should.",
        "coach.apply": "Apply: {what}",
        "coach.imagine": "Imagine",
        "coach.hint": "-# Coach: {reason}",
        "help.values": "**Values**: {values}",
        "help.default": "**Default**: {default}",
        "help.example": "**Example**: `{example}`",
        "help.several": "**Up to**: {n}",
        "help.excludes": "**Not together with**: {names}",
        "help.here": "✅ Works on this server.",
        "help.closed": "🚫 Not on this server: {reason}",
        "help.not_open": "the operator has not opened it.",
        "help.price": "**Cost of a grid**: {prices}",
        "help.price.one": "{value}: {credits}",
        "help.price.same": "the same as without",
    }
)
