"""The settings panel: what it shows, and the `custom_id` of each of its buttons. Pure.

Labels, rows and the beginnings of the ids are Midjourney's of late 2023. Only what works here is on it. An id
carries what shall hold afterwards, so that pressing it twice is pressing it once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot import echo
from bot.preferences import STYLIZE, USUAL_STYLIZE, Preferences, settings_text
from bot.render import CONTENT_LIMIT, Button, Letter, Menu, MenuItem, Rows, Style
from bot.texts import Texts
from parser import Closed, Speed, find_parameter
from parser.coach.completion import is_open
from worker.api import Strength

OPEN = Closed()
PREFIX = "MJ::Settings::"
USUAL_MODEL = "default"
MENU_ITEMS = 25  # of one select menu


class Knob(StrEnum):
    """What a button of the panel is about. The text stands in its id."""

    VERSION = "VersionSelector"
    RAW = "RawMode"
    STYLIZE = "Stylize"
    HIGH = "HighVariabilityMode"
    LOW = "LowVariabilityMode"
    TURBO = "TurboMode"
    FAST = "FastMode"
    RELAX = "RelaxMode"
    RESET = "Reset"


SPEEDS: Mapping[Knob, Speed] = {
    Knob.TURBO: Speed.TURBO,
    Knob.FAST: Speed.FAST,
    Knob.RELAX: Speed.RELAX,
}
_EMOJI = {
    Knob.RAW: "🔧",
    Knob.STYLIZE: "🖌️",
    Knob.HIGH: "🎨",
    Knob.LOW: "🎨",
    Knob.TURBO: "⚡",
    Knob.FAST: "🐇",
    Knob.RELAX: "🐢",
}
_ID = re.compile(rf"{PREFIX}(?P<knob>\w+)(?:::(?P<value>\w+))?")


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen here.

    Attributes:
        closed: What the server does not do, and which versions its models have.
        turbo: Whether the turbo lane is open.
    """

    closed: Closed = OPEN
    turbo: bool = False

    @property
    def raw(self) -> bool:
        """Whether the house style can be left out."""
        return self._open("raw")

    @property
    def stylize(self) -> bool:
        """Whether its strength can be chosen."""
        return self._open("stylize")

    @property
    def versions(self) -> Sequence[str]:
        """The models, by version as `Preferences` keeps it."""
        choices = self.closed.choices
        return (*choices.get("version", ()), *(f"niji {each}" for each in choices.get("niji", ())))

    def _open(self, name: str) -> bool:
        row = find_parameter(name)
        return row is not None and is_open(row, self.closed)


def panel(preferences: Preferences, offer: Offer, texts: Texts) -> Letter:
    """Return the panel as it is now."""
    content = texts("settings.adjust")
    if preferences.suffix:
        room = CONTENT_LIMIT - len(content) - 40
        suffix = echo.cut(echo.unticked(preferences.suffix), room)
        content += " " + texts("settings.suffix", suffix=suffix)
    return Letter(content, _rows(preferences, offer, texts))


def chosen(custom_id: str, offer: Offer, choice: str = "") -> dict[str, object] | None:
    """Return what a press makes hold, by the fields of `Preferences`; empty: everything as usual.

    *choice* is what was chosen in a menu. None: the id is none of the panel's, or not on offer any more.
    """
    match = _ID.fullmatch(custom_id)
    if match is None or match["knob"] not in set(Knob):
        return None
    knob, value = Knob(match["knob"]), match["value"] or ""
    said: dict[str, object] | None = None
    match knob:
        case Knob.VERSION if choice in {*offer.versions, USUAL_MODEL}:
            said = {"version": "" if choice == USUAL_MODEL else choice}
        case Knob.RAW if offer.raw:
            said = {"raw": value == "on"}
        case Knob.STYLIZE if offer.stylize and value in map(str, STYLIZE.values()):
            said = {"stylize": int(value)}
        case Knob.HIGH | Knob.LOW:
            said = {"strength": Strength.STRONG if knob is Knob.HIGH else Strength.SUBTLE}
        case Knob.TURBO | Knob.FAST | Knob.RELAX if offer.turbo or knob is not Knob.TURBO:
            said = {"speed": SPEEDS[knob]}
        case Knob.RESET:
            said = {}
        case _:
            pass
    return said


def summary(preferences: Preferences, texts: Texts) -> str:
    """Return a person's settings in a line; empty if all is as usual."""
    said = [f"`{settings_text(preferences)}`"] if settings_text(preferences) else []
    if preferences.strength is Strength.SUBTLE:
        said.append(texts("settings.low"))
    return " · ".join(said)


def _rows(preferences: Preferences, offer: Offer, texts: Texts) -> Rows:
    styles = [_raw(preferences, texts)] if offer.raw else []
    if offer.stylize:
        now = USUAL_STYLIZE if preferences.stylize is None else preferences.stylize
        styles += [
            _button(Knob.STYLIZE, str(value), texts(f"settings.stylize.{name}"), on=now == value)
            for name, value in STYLIZE.items()
        ]
    strong = preferences.strength is Strength.STRONG
    variations = [
        _button(Knob.HIGH, "1", texts("settings.high"), on=strong),
        _button(Knob.LOW, "1", texts("settings.low"), on=not strong),
    ]
    lane = preferences.speed or Speed.FAST
    lanes = [
        _button(knob, "on", texts(f"settings.{speed}"), on=lane is speed)
        for knob, speed in SPEEDS.items()
        if offer.turbo or speed is not Speed.TURBO
    ]
    reset = [_button(Knob.RESET, "1", texts("settings.reset"), on=False)]
    rows: tuple[Sequence[Button | Menu], ...] = (
        _versions(preferences, offer, texts),
        styles,
        variations,
        lanes,
        reset,
    )
    return tuple(tuple(row) for row in rows if row)


def _raw(preferences: Preferences, texts: Texts) -> Button:
    return _button(Knob.RAW, "off" if preferences.raw else "on", texts("settings.raw"), on=preferences.raw)


def _versions(preferences: Preferences, offer: Offer, texts: Texts) -> list[Menu]:
    if len(offer.versions) < 2:  # noqa: PLR2004 - one is no choice
        return []
    items = [MenuItem(texts("settings.usual_model"), USUAL_MODEL, chosen=not preferences.version)]
    for version in offer.versions[: MENU_ITEMS - 1]:
        name = version.replace("niji", "Niji Model V") if version.startswith("niji") else f"Model V{version}"
        items.append(MenuItem(name.replace("V ", "V"), version, chosen=preferences.version == version))
    return [Menu(f"{PREFIX}{Knob.VERSION}", tuple(items))]


def _button(knob: Knob, value: str, label: str, *, on: bool) -> Button:
    style = Style.GREEN if on else Style.GREY
    return Button(f"{PREFIX}{knob}::{value}", label, _EMOJI.get(knob), style)
