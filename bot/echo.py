"""Prompts as Discord shows them: escaped, cut at a word, as file names. Pure."""

import re

from parser import ImagineRequest, canonical

ELLIPSIS = "…"
SNIPPET_LENGTH = 50  # characters of a prompt in a file name

# A link in brackets, or a bare one: up to a blank, a bracket, a weight's sign, or the sentence's punctuation.
_LINK = re.compile(r"<https?://[^\s<>]+>|(?<!\w)https?://(?:(?!::)[^\s<>])*[^\s<>.,;:!?'\"\]]", re.IGNORECASE)
# Also the colon of an address glued to a word, which is no link to us but is one to Discord.
_MARKDOWN = re.compile(r"([\\*_~|`<\[\]]|:(?=//))")
_UNSAFE = re.compile(r"[^\w]+", re.ASCII)


def units(text: str) -> int:
    """Return the length of *text* as Discord's strictest client counts it: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def escaped(text: str) -> str:
    """Return *text* so that Discord shows exactly it: markdown escaped, links without preview.

    Without its backslashes it parses to what *text* parses to.
    """
    pieces: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        link = _whole(match.group())
        pieces += [_MARKDOWN.sub(r"\\\1", text[end : match.start()]), f"<{link.strip('<>')}>"]
        end = match.start() + len(link)
    return "".join([*pieces, _MARKDOWN.sub(r"\\\1", text[end:])])


def _whole(link: str) -> str:
    """Return *link* without a parenthesis at its end that was opened before it."""
    whole, surplus = link, link.count(")") - link.count("(")
    while surplus > 0 and whole.endswith(")"):
        whole = whole[:-1].rstrip(".,;:!?'\"]")
        surplus -= 1
    return link if whole.endswith("//") else whole


def fitted(text: str, room: int) -> str:
    """Return *text* escaped in at most *room* units, cut at a word with an ellipsis if need be."""
    whole = escaped(text)
    if units(whole) <= room:
        return whole
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits; escaping grows with the text
        middle = (low + high + 1) // 2
        low, high = (middle, high) if units(escaped(text[:middle])) < room else (low, middle - 1)
    return escaped(_at_word(text, low)) + ELLIPSIS


def cut(text: str, room: int) -> str:
    """Return plain *text* in at most *room* units, cut at a word with an ellipsis if need be."""
    if units(text) <= room:
        return text
    end = min(len(text), room)
    while units(text[:end]) >= room:
        end -= 1
    return _at_word(text, end) + ELLIPSIS


def unticked(text: str) -> str:
    """Return *text* for a place between backticks, which it must not end."""
    return text.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")


def _at_word(text: str, end: int) -> str:
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > end // 2 else end].rstrip()


def file_name(user_name: str, request: ImagineRequest, job_id: str, extension: str = "png") -> str:
    """Return ``{username}_{prompt_snippet}_{uuid}.png`` in letters that survive every download."""
    snippet = _UNSAFE.sub("_", request.text)[:SNIPPET_LENGTH].strip("_")
    name = _UNSAFE.sub("_", user_name).strip("_")
    return "_".join(word for word in (name, snippet, job_id) if word) + f".{extension}"


def command(request: ImagineRequest) -> str:
    """Return the line that would order *request* again."""
    return f"/imagine {canonical(request)}"
