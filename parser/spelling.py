"""The known name that a misspelt one comes nearest to."""

from collections.abc import Sequence
from functools import lru_cache

from parser.parameters import PARAMETERS

LONGEST = 16  # letters; no name has more, and what is longer is no slip of the fingers
TINY = 2  # letters; with another one it is another name
SHORT = 5  # letters; in a name that has no more, a second slip would make it any other name


@lru_cache(maxsize=1024)  # a prompt with one strange name often has it many times
def nearest_name(name: str) -> str | None:
    """Return the name of a parameter that *name* was probably meant to be.

    Words of other programs are known outright. Otherwise one slip is forgiven in a name of up to five
    letters, two in a longer one; a name of two letters needs just its own. Of equally near names one
    that is available comes first.
    """
    name = name.lower()
    if name in _MEANT_BY:
        return _MEANT_BY[name]
    if not 1 < len(name) <= LONGEST:
        return None
    limit = 1 if len(name) <= SHORT else 2
    letters = _letters(name)
    near = (
        (distance, not available, candidate)
        for candidate, available, others in _NAMES
        # Cheap first: a slip changes the length by at most one, the set of letters by at most two.
        if abs(len(candidate) - len(name)) <= limit
        and (letters ^ others).bit_count() <= (2 * limit if len(candidate) > TINY else 0)
        and (distance := slips(name, candidate)) <= limit
    )
    return min(near, default=(0, True, None))[2]


def closest(word: str, choices: Sequence[str]) -> str | None:
    """Return the choice that *word* was probably meant to be: one slip away, or as one of the two begins."""
    near = [choice for choice in choices if len(word) <= LONGEST and slips(word, choice) <= 1]
    begun = [choice for choice in choices if len(word) > TINY and choice.startswith(word)]
    begun += [choice for choice in choices if word.startswith(f"{choice}-")]
    return next(iter((*near, *begun)), None)


def nearest_choice(word: str, choices: Sequence[str]) -> str:
    """Return the choice next to *word*: by number if both are numbers, else by spelling, else the last."""
    if word.replace(".", "", 1).isdecimal():
        numbers = [choice for choice in choices if choice.replace(".", "", 1).isdecimal()]
        return min(numbers, key=lambda choice: abs(float(choice) - float(word)), default=choices[-1])
    return closest(word, choices) or choices[-1]


def slips(typed: str, meant: str) -> int:
    """Count the letters added, left out, replaced or swapped with a neighbour to make *typed* of *meant*.

    Source:
        The optimal string alignment distance: Boytsov 2011, "Indexing methods for approximate
        dictionary searching", section 2.1.
    """
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, letter in enumerate(typed, start=1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(meant, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == meant[j - 2] and typed[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _letters(name: str) -> int:
    """Return the set of the letters of *name*, a bit for each; far characters may share one."""
    bits = 0
    for letter in name:
        bits |= 1 << ord(letter) % 64
    return bits


_MEANT_BY = {mistake: row.name for row in PARAMETERS for mistake in row.mistaken}
_NAMES = tuple(
    (name, row.available, _letters(name)) for row in PARAMETERS for name in row.names if len(name) > 1
)
