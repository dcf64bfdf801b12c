"""Several prompts in one: ``{a, b}`` stands for each of its items. Counted before anything is written out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from parser.braces import Group, Run, read_run
from parser.scanner import Span, shown


@dataclass(frozen=True, slots=True)
class Plain:
    """One prompt made ready to scan: every blank a space, no braces that belong together.

    Attributes:
        source: The prompt as typed.
        text: What is left to scan.
        offsets: For each character of ``text`` its place in ``source``, rising.
    """

    source: str
    text: str
    offsets: Sequence[int]

    def place(self, span: Span) -> Span:
        """Return where a span of ``text`` stands in ``source``."""
        start, stop = span
        if start < stop:
            return self.offsets[start], self.offsets[stop - 1] + 1
        at = self.offsets[start] if start < len(self.offsets) else len(self.source)
        return at, at


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt as typed, and the prompts it stands for; of several groups the first varies slowest.

    Attributes:
        source: As typed.
        text: The source, every blank a space.
        run: The text as groups.
    """

    source: str
    text: str
    run: Run

    @property
    def count(self) -> int:
        """How many prompts it stands for; ``MANY`` means that or more."""
        return self.run.count

    @property
    def groups(self) -> tuple[Span, ...]:
        """Where the outermost groups of several items stand, in order."""
        return tuple(_choices(self.run))

    def prompt(self, index: int) -> Plain:
        """Return prompt number *index*, below ``count`` and that below ``MANY``."""
        spans = list(_chosen(self.run, index))
        text = "".join(self.text[start:stop] for start, stop in spans)
        if len(spans) == 1:
            return Plain(self.source, text, range(*spans[0]))
        return Plain(self.source, text, tuple(chain.from_iterable(range(*span) for span in spans)))


def template(source: str) -> Template:
    """Read the groups of *source*, in time linear in its length."""
    text = shown(source)
    return Template(source, text, read_run(text))


def _chosen(run: Run, index: int) -> Iterator[Span]:
    """Yield the spans that make text number *index* of a run, in order."""
    left: list[tuple[Span | Group | Run, int]] = [(run, index)]
    while left:
        part, index = left.pop()
        if isinstance(part, Run):
            for piece in reversed(part.pieces):  # the last varies fastest, and is taken up last
                index, number = divmod(index, piece.count) if isinstance(piece, Group) else (index, 0)
                left.append((piece, number))
        elif isinstance(part, Group):
            for item in part.items:
                if index < item.count:
                    left.append((item, index))
                    break
                index -= item.count
        else:
            yield part


def _choices(run: Run) -> Iterator[Span]:
    """Yield where the outermost groups of several items stand, in order."""
    left: list[Span | Group] = [*reversed(run.pieces)]
    while left:
        piece = left.pop()
        if not isinstance(piece, Group):
            continue
        if len(piece.items) > 1:
            yield piece.start, piece.stop
        else:
            left += reversed(piece.items[0].pieces)
