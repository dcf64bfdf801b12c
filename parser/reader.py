"""One prompt, its groups already written out: what it asks for, or everything that is wrong with it."""

from dataclasses import dataclass

from parser.canonical import canonical
from parser.closed import Closed, Use
from parser.company import check_company
from parser.errors import ErrorCode
from parser.flags import Parameters
from parser.grammar import Head, read_prompt
from parser.links import unlinked
from parser.lookalike import check_lookalikes
from parser.permutations import Plain
from parser.pixels import translate_pixels
from parser.reading import Problem, Problems
from parser.request import ImagineRequest, Speed, Visibility
from parser.scanner import Scanner
from parser.table import Table

PROMPT_LIMIT = 6000  # code points; also the longest text that an option of a Discord command holds


@dataclass(frozen=True, slots=True)
class Reading:
    """One prompt as far as it could be understood.

    Attributes:
        plain: What was read.
        request: There if there are no problems.
        problems: Everything wrong.
        uses: The parameters that were understood.
    """

    plain: Plain
    request: ImagineRequest | None
    problems: tuple[Problem, ...]
    uses: tuple[Use, ...] = ()

    def uses_of(self, name: str) -> list[Use]:
        """Return the uses of the parameter with that long name."""
        return [use for use in self.uses if use.name == name]

    @property
    def repeats(self) -> int:
        """How many jobs the prompt makes."""
        return max((int(str(use.value)) for use in self.uses_of("repeat")), default=1)


def read(plain: Plain, closed: Closed, table: Table) -> Reading:
    """Read one prompt once, in time linear in its length, without looking for a correction."""
    problems = Problems()
    ready = unlinked(plain)
    head, parameters = read_prompt(Scanner(ready.text), closed, table, problems)
    check_company(head, parameters, problems)
    check_lookalikes(head, parameters, ready.text, table, problems)
    translate_pixels(parameters, ready.text, problems)
    uses = tuple(parameters.uses)
    if problems.found:
        return Reading(ready, None, tuple(problems.found), uses)
    request = build(head, parameters)
    length = len(canonical(request))
    if length > PROMPT_LIMIT:
        problem = too_long(length, (0, len(ready.text)), "Written out in full, the")
        return Reading(ready, None, (problem,), uses)
    return Reading(ready, request, (), uses)


def build(head: Head, parameters: Parameters) -> ImagineRequest:
    """Return the request that a prompt without problems makes."""
    typed = parameters.values
    return ImagineRequest.model_validate(
        {
            **{name: value for name, value in typed.items() if name in ImagineRequest.model_fields},
            "text": head.text,
            "parts": head.parts,
            "negative": parameters.negative,
            "images": head.images,
            "speed": next((speed for speed in Speed if speed in typed), None),
            "visibility": next((seen for seen in Visibility if seen in typed), None),
        }
    )


def too_long(length: int, span: tuple[int, int], subject: str = "The") -> Problem:
    """Return the problem of a prompt of so many characters."""
    message = f"{subject} prompt has {length} characters and may have {PROMPT_LIMIT}; shorten it."
    return Problem(ErrorCode.PROMPT_TOO_LONG, message, span)
