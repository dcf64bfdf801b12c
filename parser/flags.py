"""The parameters at the end of a prompt: their names, their words, and how they get along with each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from parser.canonical import spelt
from parser.closed import Use, use_of
from parser.errors import ErrorCode
from parser.parameter import Kind, Parameter
from parser.parameters import find_parameter
from parser.reading import Edit, Problems
from parser.references import address
from parser.scanner import DASHES, HYPHENS, Scanner, Span, Token
from parser.spelling import nearest_name
from parser.table import Table
from parser.values import read_value
from parser.written import Typed, Written, cut

GLUED = re.compile(r"(?P<name>[A-Za-z]+)(?P<value>[^A-Za-z_-].*|-[0-9.].*)")
MUTE = f"-{HYPHENS}{DASHES}|/\\+&\u2022\u00b7"  # a word of nothing else, as between parameters, says nothing
SIGNS = "=:"  # written between name and value by habit from other programs


@dataclass(frozen=True, slots=True)
class Wrong:
    """A parameter that was typed wrongly.

    Attributes:
        row: What was meant.
        problem: The number of its first problem.
        removal: The edit that takes it out.
    """

    row: Parameter
    problem: int
    removal: Edit


@dataclass(slots=True)
class Parameters:
    """The parameters read so far.

    Attributes:
        head: Where the first flag stands; text that strayed behind a parameter belongs before it.
        table: The parameters there are.
        values: What was typed, by the name of its row.
        negative: The items of every ``--no``.
        places: Where the ``--no`` of each of them stands.
        uses: Every value that was understood, contradicting ones too.
        firsts: Where each of them was first understood, by the name of its row.
        named: The rows that were named, with whatever value, and those that were probably meant.
        groups: Of rows that exclude each other, the one met first, by group.
        strays: Whether any text strayed.
        wrong: Those typed wrongly, in order.
    """

    head: int
    table: Table
    values: dict[str, Typed] = field(default_factory=dict)
    negative: list[str] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    firsts: dict[str, Span] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    groups: dict[str, Parameter] = field(default_factory=dict)
    strays: bool = False
    wrong: list[Wrong] = field(default_factory=list)

    def keep(self, written: Written, value: Typed, words: int, problems: Problems) -> None:
        """Keep a value, unless it contradicts one kept before."""
        row = written.row
        self.uses.append(use_of(written, value, words))
        if isinstance(value, tuple) and row.kind is Kind.LIST:
            self.negative += map(str, value)
            self.places += [written.span(words)] * len(value)
            return
        place = self.firsts.setdefault(row.name, written.span(words))
        first = self.groups.setdefault(row.group, row) if row.group else row
        if first is not row and row.name != self.values.get(first.name) and first.name != value:
            message = f"`--{first.name}` and {written.title} exclude each other; keep one of them."
            problems.add(
                ErrorCode.CONFLICTING_PARAMETERS,
                message,
                written.span(words),
                written.dropped(words),
                also=(self.firsts[first.name],),
            )
        elif (kept := self.values.setdefault(row.name, value)) != value:
            message = (
                f"{written.title} is given as `{spelt(kept)}` and as `{spelt(value)}`; keep one of them."
            )
            problems.add(
                ErrorCode.REPEATED_PARAMETER,
                message,
                written.span(words),
                written.dropped(words),
                also=(place,),
            )

    def move_strays(self, title: str, words: tuple[Token, ...], problems: Problems) -> None:
        """Say that text goes before the parameters, if any words are left over behind one."""
        if not words:
            return
        self.strays = True
        start, stop = words[0].start, words[-1].stop
        links = [word for word in words if address(word) is not None]
        text = " ".join(word.text for word in words if address(word) is None)
        edits = [Edit(0, 0, f"{word.trimmed().text} ") for word in links]
        edits += [Edit(self.head, self.head, f" {text} ")] if text else []
        move = "move text in front of all parameters" if text else "move image prompts in front of the text"
        message = f"`{cut(' '.join(word.text for word in words))}` stands behind {title}; {move}."
        problems.add(ErrorCode.TEXT_AFTER_PARAMETER, message, (start, stop), *edits, Edit(start, stop))


def read_parameters(scanner: Scanner, table: Table, problems: Problems) -> Parameters:
    """``{ parameter }``: everything from the first flag to the end."""
    parameters = Parameters(head=scanner.position, table=table)
    while flag := scanner.take("FLAG"):
        name, *words = read_words(scanner)
        read_parameter(flag, name, words, parameters, problems)
    return parameters


def read_words(scanner: Scanner) -> list[Token]:
    """``WORD { WORD }``: a name and all up to the next flag."""
    words: list[Token] = []
    while not scanner.peek("FLAG") and (word := scanner.take("WORD")):
        words.append(word)
        scanner.skip_blanks()
    return words


def read_parameter(
    flag: Token, first: Token, words: Sequence[Token], parameters: Parameters, problems: Problems
) -> None:
    """``parameter = FLAG NAME value``."""
    word = first.trimmed()
    name, glued = split_name(word.text)
    row = parameters.table.find(name)
    telling = tuple(each for each in words if each.trimmed().text.strip(MUTE))
    stop = words[-1].stop if words else first.stop
    meant = row or parameters.table.find(nearest_name(name) or "")
    parameters.named |= set() if meant is None else {meant.name}
    count = len(problems.found)
    if row is None:
        removed = (Edit(flag.start, stop),) if len(telling) <= 1 else ()
        refuse_unknown(flag, word, removed, problems)
        if meant is not None and removed:
            parameters.wrong.append(Wrong(meant, count, removed[0]))
        return
    sign = None if glued else sign_between(row, words)
    if sign is not None:
        refuse_sign(row, (flag.start, sign.stop), sign, problems)
        words, telling = shortened(words, sign), shortened(telling, sign)
    commas_tell = row.kind is Kind.LIST
    written = Written(row, word, tuple(words) if commas_tell else telling, flag.start, stop)
    if not row.available:
        used = refuse_unavailable(written, glued.strip(SIGNS), problems)
    elif glued:
        used = refuse_glued(written, name, glued.strip(SIGNS), problems)
    else:
        found = read_value(written, problems)
        used = found.words
        if found.value is not None:
            parameters.keep(written, found.value, used, problems)
            count = len(problems.found)  # a value that is understood is not wrong, if it contradicts another
    if row.available and len(problems.found) > count:
        parameters.wrong.append(Wrong(row, count, written.dropped(used)))
    parameters.move_strays(written.title, written.words[used:], problems)


def sign_between(row: Parameter, words: Sequence[Token]) -> Token | None:
    """Return the sign with which the value begins, as in ``--ar = 16:9`` and ``--s :50``; ``=)`` is none."""
    text = words[0].text if words else ""
    bare = text.lstrip(SIGNS)
    if bare == text or text.startswith("::") or (bare and row.kind.greedy):
        return None
    return Token(text.removesuffix(bare), words[0].start, words[0].stop - len(bare))


def shortened(words: Sequence[Token], sign: Token) -> tuple[Token, ...]:
    """Return *words* without the *sign* they begin with."""
    first, *others = words
    if first.stop == sign.stop:
        return tuple(others)
    return (Token(first.text.removeprefix(sign.text), sign.stop, first.stop), *others)


def refuse_sign(row: Parameter, span: Span, sign: Token, problems: Problems) -> None:
    """Say that nothing but a space stands between a name and its value."""
    message = f"Write `{row.example}`, without `{sign.text}` between name and value."
    problems.add(ErrorCode.MISSING_SPACE, message, span, Edit(*sign.span, " "))


def split_name(word: str) -> tuple[str, str]:
    """Return the name in *word* and what is glued to it, as in ``ar16:9`` or ``ar=16:9``."""
    glued = GLUED.fullmatch(word) if find_parameter(word) is None else None
    return (glued["name"], glued["value"]) if glued else (word, "")


def refuse_unknown(flag: Token, word: Token, removed: tuple[Edit, ...], problems: Problems) -> None:
    """Say that a name is not known, and what was probably meant.

    *removed* is the edit that removes the parameter; none if so many words follow that some may be text.
    """
    name, glued = split_name(word.text)
    near = nearest_name(name)
    edits: tuple[Edit, ...] = removed
    if near is not None:
        advice = f"did you mean `--{near}`?"
        edits = (Edit(word.start, word.stop, f"{near} {glued.strip(SIGNS)}"),)
    elif flag.text[0] in DASHES:
        advice = "put a space behind the dash if it belongs to the text."
        edits = (Edit(flag.stop, flag.stop, " "),)
    else:
        advice = "leave it out."
    message = f"Unrecognized parameter `--{cut(name)}`; {advice}"
    problems.add(ErrorCode.UNKNOWN_PARAMETER, message, (flag.start, word.stop), *edits)


def refuse_unavailable(written: Written, glued: str, problems: Problems) -> int:
    """Say that a parameter is known by name only; return how many of the words are its value.

    Several words behind a parameter that takes codes may be codes or text: only the author knows.
    """
    row = written.row
    used = 0 if glued else value_words(written)
    doubtful = row.kind is Kind.CODES and len(written.words) > 1 and not (glued or used)
    if doubtful:
        used = len(written.words)
    why = row.refused or f"is not available{f': {row.legacy}' if row.legacy else ' yet; leave it out'}"
    message = f"{written.title} {why}."
    span = written.span(used)
    edits = () if doubtful else (replace(written.dropped(used), text=row.instead), *as_images(written, used))
    problems.add(ErrorCode.UNAVAILABLE_PARAMETER, message, span, *edits)
    return used


def as_images(written: Written, words: int) -> tuple[Edit, ...]:
    """Return the edit that makes the pictures of a refused parameter image prompts, if it has any."""
    taken = written.row.kind is Kind.LINKS and written.row.refused
    found = [address(word) for word in written.words[:words]] if taken else []
    links = " ".join(f"<{each[0]}>" for each in found if each is not None)
    return (Edit(0, 0, f"{links} "),) if links else ()


def value_words(written: Written) -> int:
    """Return how many words are rather the value of a parameter that is not read than text behind it.

    A single word always is: a text of one word would not stand there.
    """
    words, kind = written.words, written.row.kind
    if kind is Kind.FLAG:
        return int(written.switched is not None)
    if len(words) == 1:
        return 1
    used = 0
    for word in words[: None if kind.greedy else 1]:
        if not looks_like_value(written.row, word.trimmed().text):
            break
        used += 1
    return used


def looks_like_value(row: Parameter, word: str) -> bool:
    """Return whether *word* is rather a value of *row* than text: an address, a code, a number, a choice."""
    return word.lower() in (*row.choices, "random") or any(character in "0123456789/" for character in word)


def refuse_glued(written: Written, name: str, value: str, problems: Problems) -> int:
    """Say that a space is missing behind a name; return how many of the words belong to the value."""
    span, row = written.span(0), written.row
    edit = Edit(written.name.start, written.name.stop, name if row.kind is Kind.FLAG else f"{name} {value}")
    if row.kind is Kind.FLAG:
        message = f"{written.title} takes no value; write just `--{name}`."
        problems.add(ErrorCode.INVALID_VALUE, message, span, edit)
        return 0
    used = len(written.words) if row.kind.greedy else int(not value)
    example = f"`--{name} {cut(value)}`" if value else f"`{row.example}`"
    problems.add(ErrorCode.MISSING_SPACE, f"Put a space between name and value, as in {example}.", span, edit)
    return min(used, len(written.words))
