"""Links in angle brackets, by which Discord is told to show no preview: in text the bare link is meant."""

import re
from collections.abc import Iterator

from parser.permutations import Plain
from parser.scanner import COMMAND, RULES

# Where image prompts may be, with their weights.
LEADING = re.compile(
    rf"(?: |{RULES['WEIGHTED'].pattern}|{RULES['BARE'].pattern}|{COMMAND}|<?https?://[^ ]*)*", re.IGNORECASE
)
SEGMENT = re.compile(r"(?:(?!::)[^ ])+")  # what neither a blank nor a weight divides
# One link and at most punctuation around it. What would change its meaning without the brackets keeps them:
# a link glued to other words, or one whose end would be read as punctuation or as part of a weight's sign.
LINKED = re.compile(
    r"(?:[^<>]*[^<>\w])?(?P<link><https?://[^<>]*[^<>.,;:!?'\"\]]>)[.,;:!?'\")\]]*", re.IGNORECASE
)


def unlinked(ready: Plain) -> Plain:
    """Return *ready* without the brackets around links in its text, in time linear in its length.

    Those of image prompts stay: there they part the link from its weight.
    """
    dropped = set(_brackets(ready.text))
    if not dropped:
        return ready
    kept = [index for index in range(len(ready.text)) if index not in dropped]
    text = "".join(ready.text[index] for index in kept)
    return Plain(ready.source, text, [ready.offsets[index] for index in kept])


def _brackets(text: str) -> Iterator[int]:
    """Yield the places of the brackets that say nothing; behind the first flag there are none."""
    flag = RULES["FLAG"].search(text)
    stop = flag.start() if flag else len(text)
    leading = LEADING.match(text, 0, stop)
    for segment in SEGMENT.finditer(text, leading.end() if leading else 0, stop):
        linked = LINKED.fullmatch(segment.group())
        if linked:
            start, end = linked.span("link")
            yield segment.start() + start
            yield segment.start() + end - 1
