"""Source text and a cursor over it: which characters count, and the tokens they form."""

import re
from dataclasses import dataclass
from typing import Literal

Span = tuple[int, int]  # half-open [start, stop)

# White space of every script, control characters, zero-width space and byte order mark; marks that turn the
# direction of writing, which would reach beyond the prompt's end and turn what stands behind it. Lone
# surrogates are no characters at all and can be neither stored nor sent.
BLANK = re.compile("[\\s\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

DASHES = "\u2013\u2014\u2015"  # en dash, em dash, horizontal bar: what keyboards make of two hyphens
HYPHENS = "\u2010\u2011\u2012\u2212\ufe63\uff0d"  # that other programs and scripts have beside the plain one
COMMAS = ",\uff0c\u3001\u060c"  # also the full-width, ideographic and Arabic comma
# Forgiven when glued to a value; also the marks of the direction of writing, word joiner and soft hyphen.
PUNCTUATION = ",.;\u200e\u200f\u2060\u00ad"

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")

# A flag opens at the start, after a blank or after punctuation: `well--known` and `a -- b` are text.
FLAG = rf"(?:(?<![^ {PUNCTUATION}{COMMAS}])|(?<=::))(?:[{HYPHENS}{DASHES}-]{{2,}}|[{DASHES}])(?=[A-Za-z])"
# A weight follows its sign at once and ends at a blank, the end, another sign or punctuation.
WEIGHT = rf"{NUMBER.pattern}(?= |$|::|[{PUNCTUATION}])"

# The command itself, where people paste all of what they see: `/imagine prompt: a fox`.
COMMAND = (
    r"(?:/imagine(?![\w-])(?: *prompt(?= *(?::|$)))?(?: *:(?!:))?"
    r"|(?:imagine +)?prompt *:(?!:))"
)

Rule = Literal["SPACE", "FLAG", "WORD", "IMAGE", "COMMAND", "SEPARATOR", "WEIGHTED", "BARE"]
RULES: dict[Rule, re.Pattern[str]] = {
    "SPACE": re.compile(" +"),
    "FLAG": re.compile(FLAG),
    "WORD": re.compile(rf"[^ ]+?(?= |$|{FLAG})"),
    "IMAGE": re.compile("<?https?://[^ ]", re.IGNORECASE),
    "COMMAND": re.compile(COMMAND, re.IGNORECASE),
    "SEPARATOR": re.compile("::"),
    "WEIGHTED": re.compile(rf"::{WEIGHT}[{PUNCTUATION}]*"),
    "BARE": re.compile(rf"::(?!{WEIGHT})(?:[{PUNCTUATION}]+(?= |$|::))?"),
}


def shown(text: str) -> str:
    """Return *text* with a plain space for every blank: as many characters, on one line."""
    return BLANK.sub(" ", text)


def collapsed(text: str) -> str:
    """Return *text* without outer blanks and with single spaces inside; *text* has no blank but the space."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """A run of characters and where it stands in the scanned text."""

    text: str
    start: int
    stop: int

    @property
    def span(self) -> Span:
        """Where the token stands."""
        return self.start, self.stop

    def trimmed(self) -> "Token":
        """Return the token without punctuation glued to its end."""
        text = self.text.rstrip(PUNCTUATION)
        return Token(text, self.start, self.start + len(text))

    def stripped(self) -> "Token":
        """Return the token without spaces around it."""
        text = self.text.strip(" ")
        start = self.start + len(self.text) - len(self.text.lstrip(" "))
        return Token(text, start, start + len(text))


class Scanner:
    """A cursor over text. It moves forward only, so that reading takes time linear in the length."""

    def __init__(self, text: str, *, stop: int | None = None) -> None:
        self.text = text
        self.position = 0
        self.stop = len(text) if stop is None else stop

    @property
    def done(self) -> bool:
        """True if nothing is left."""
        return self.position >= self.stop

    def peek(self, rule: Rule) -> Token | None:
        """Return the next token if it is a *rule*."""
        match = RULES[rule].match(self.text, self.position, self.stop)
        return match and Token(match.group(), *match.span())

    def take(self, rule: Rule) -> Token | None:
        """Step over the next token if it is a *rule*."""
        token = self.peek(rule)
        if token is not None:
            self.position = token.stop
        return token

    def until(self, rule: Rule) -> Token:
        """Step to the next *rule*, or to the end, and return what was passed over."""
        match = RULES[rule].search(self.text, self.position, self.stop)
        start, self.position = self.position, self.stop if match is None else match.start()
        return Token(self.text[start : self.position], start, self.position)

    def skip_blanks(self) -> None:
        """Step over spaces."""
        self.take("SPACE")
