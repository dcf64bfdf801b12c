"""Text surely meant as a parameter: ``-ar 16:9``, ``cat--ar 16:9``, ``-- ar 16:9``, ``cat--tile``."""

import re

from parser.errors import ErrorCode
from parser.flags import Parameters
from parser.grammar import Head
from parser.parameter import Kind
from parser.reading import Edit, Problems
from parser.scanner import DASHES, HYPHENS, PUNCTUATION, Span
from parser.table import Table
from parser.written import cut

OPENERS, CLOSERS = "([<", r")\]>"
# A name that takes a number or a ratio, with one behind it. Of prose nothing looks like this.
LOOKALIKE = re.compile(
    rf"(?:(?:(?<= )|^)[{HYPHENS}-](?=[A-Za-z])|(?:(?<= )|^)[{HYPHENS}-]{{2,}} {{1,3}}"
    rf"|(?:(?<= )|^)[{OPENERS}]+[{HYPHENS}-]{{2,}}"
    rf"|(?<=[^ {HYPHENS}-])(?:[{HYPHENS}-]{{2}}|[{DASHES}]))"
    rf"(?P<name>[A-Za-z]{{1,12}})(?P<gap> {{1,3}}|[=:]|(?=[0-9]))"
    rf"(?P<value>[0-9.]*[0-9](?P<ratio>:[0-9]+)?)[{PUNCTUATION}{CLOSERS}]*(?= |$)"
)
# A name that takes nothing, glued to the last word.
LAST = re.compile(rf"(?<=[^ -])--(?P<name>[A-Za-z]{{2,12}})[{PUNCTUATION}]*$")
NUMBERS = (Kind.INTEGER, Kind.NUMBER, Kind.RATIO)


def prosaic(match: re.Match[str]) -> bool:
    """Return whether it may be prose: a dash glued to one letter, as between two years, the last a guess."""
    return match.group()[0] in DASHES and match["name"].lower() not in ("v", "q") and len(match["name"]) == 1


def check_lookalikes(head: Head, parameters: Parameters, text: str, table: Table, problems: Problems) -> None:
    """Say so of every parameter that lacks a hyphen, or a blank before it, or has one behind its hyphens."""
    lists = [use.place for use in parameters.uses if use.name == "no"]
    for span in (head.span, *lists):
        check_words(span, text, table, problems)


def check_words(span: Span, text: str, table: Table, problems: Problems) -> None:
    """Say so of every such parameter within *span*; behind it is where it belongs."""
    start, stop = span
    for match in LOOKALIKE.finditer(text, start, stop):
        row = table.find(match["name"])
        versions = row is not None and row.name in ("version", "niji")
        if row is None or not (row.kind in NUMBERS or versions):
            continue
        if (row.kind is Kind.RATIO) is not (match["ratio"] is not None) or prosaic(match):
            continue
        refuse_lookalike(match, f"--{match['name']} {match['value']}", stop, problems)
    last = LAST.search(text, start, stop)
    row = table.find(last["name"]) if last else None
    if last and row is not None and row.kind is Kind.FLAG:
        refuse_lookalike(last, f"--{last['name']}", stop, problems)


def refuse_lookalike(match: re.Match[str], right: str, end: int, problems: Problems) -> None:
    """Say what to write instead; it belongs to the *end* of the text, or of the list."""
    found = match.group().rstrip(f"{PUNCTUATION}{CLOSERS}")
    message = (
        f"`{cut(found)}` looks like a parameter, but is text as it stands; "
        f"write `{cut(right)}` behind a space."
    )
    start, stop = match.span()
    if match.group()[0] not in OPENERS and match.group()[-1] in CLOSERS:  # those of other brackets stay
        start, stop = start - match.string.endswith(" ", 0, start), start + len(found)
    edits = (Edit(start, stop), Edit(end, end, f" {right}"))
    span = (match.start(), match.start() + len(found))
    problems.add(ErrorCode.LOOKS_LIKE_PARAMETER, message, span, *edits)
