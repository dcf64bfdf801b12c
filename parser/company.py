"""Which parameters go together: some say nothing alone, and some contradict what else is there."""

from dataclasses import replace

from parser.errors import ErrorCode
from parser.flags import Parameters
from parser.grammar import Head
from parser.parameter import Kind
from parser.reading import Problems

COMPANIONS = {"cw": "cref", "sw": "sref", "sv": "sref", "ow": "oref"}  # each says how the other counts
WANT_TEXT = ("sref", "cref", "oref")  # these say how what the text describes shall look
NOT_ON_IMAGES = ("stylize", "weird")
APART = (("draft", "oref"), ("draft", "hd"))


def check_company(head: Head, parameters: Parameters, problems: Problems) -> None:
    """Say so of every parameter that lacks what it speaks of, or cannot be followed beside another thing.

    Source:
        Midjourney's documentation: Image Prompts, Style Reference, Omni Reference, Draft Mode.
    """
    spare_instead(parameters, problems)
    spare_wrong(parameters, problems)
    check_companions(head, parameters, problems)
    if head.images and not head.parts and not parameters.strays:
        check_beside_images(head, parameters, problems)
    for first, second in APART:
        for use in parameters.uses if first in parameters.firsts else ():
            if use.name == second:
                message = f"`--{first}` and `--{second}` do not go together; keep one of them."
                place = parameters.firsts[first]
                problems.add(ErrorCode.CONFLICTING_PARAMETERS, message, use.span, use.removal, also=(place,))


def spare_instead(parameters: Parameters, problems: Problems) -> None:
    """Offer nothing in place of a dropped parameter where what it would become is there already."""
    for index, problem in enumerate(problems.found):
        name = problem.edits[0].text.partition(" ")[0].removeprefix("--") if problem.edits else ""
        row = parameters.table.find(name)
        if problem.code is not ErrorCode.UNAVAILABLE_PARAMETER or row is None:
            continue
        if row.name in parameters.values:
            title = problem.message.partition(" is not")[0]
            message = f"{title} is not available, and `--{row.name}` is there already; leave {title} out."
            edit = replace(problem.edits[0], text="")
            problems.found[index] = replace(problem, message=message, edits=(edit,))


def spare_wrong(parameters: Parameters, problems: Problems) -> None:
    """Where what is typed wrongly is there once more, let the other stand: put right, they contradict."""
    rows = map(parameters.table.find, parameters.values)
    there = {row.group or row.name: row.name for row in rows if row is not None}
    for wrong in parameters.wrong:
        found = problems.found[wrong.problem]
        key = wrong.row.group or wrong.row.name
        if wrong.row.kind is Kind.LIST or not found.edits:
            continue
        if key in there:
            message = f"{found.message} `--{there[key]}` is there already; leave this one out."
            problems.found[wrong.problem] = replace(found, message=message, edits=(wrong.removal,))
        elif any(edit.text for edit in found.edits):
            there[key] = wrong.row.name


def check_companions(head: Head, parameters: Parameters, problems: Problems) -> None:
    """Say so of every parameter whose companion was not named."""
    for use in parameters.uses:
        other = COMPANIONS.get(use.name)
        if other is not None and other not in parameters.named:
            message = (
                f"`--{use.name}` says how `--{other}` counts, and there is none; "
                f"add it or leave `--{use.name}` out."
            )
            problems.add(ErrorCode.NEEDS_ANOTHER, message, use.span, use.removal)
        elif use.name == "iw" and not (head.images or parameters.strays):
            message = (
                "`--iw` says how image prompts count, and there is none; "
                "put the address of a picture in front of the text, or leave `--iw` out."
            )
            problems.add(ErrorCode.NEEDS_ANOTHER, message, use.span, use.removal)


def check_beside_images(head: Head, parameters: Parameters, problems: Problems) -> None:
    """Say so of every parameter that pictures without any text cannot follow."""
    pictures = (head.uses[0].span[0], head.uses[-1].span[1])
    for use in parameters.uses:
        if use.name in WANT_TEXT:
            message = f"`--{use.name}` needs some text in the prompt; describe the picture, or leave it out."
            problems.add(ErrorCode.NEEDS_ANOTHER, message, use.span, use.removal)
        elif use.name in NOT_ON_IMAGES:
            message = f"`--{use.name}` does not go with image prompts alone; add some text, or leave it out."
            problems.add(ErrorCode.CONFLICTING_PARAMETERS, message, use.span, use.removal, also=(pictures,))
