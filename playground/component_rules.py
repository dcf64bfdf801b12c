"""What Discord accepts as components of messages and modals, version 1 and 2. Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from .errors import Json
from .problems import Path, Problems

MAX_ROWS = 5
MAX_NESTED = 40
MAX_TEXT = 4000


class Kind(IntEnum):
    """Component types."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = (
    Kind.STRING_SELECT,
    Kind.USER_SELECT,
    Kind.ROLE_SELECT,
    Kind.MENTIONABLE_SELECT,
    Kind.CHANNEL_SELECT,
)
_TOP_V1 = (Kind.ROW,)
_TOP_V2 = (
    Kind.ROW,
    Kind.SECTION,
    Kind.TEXT,
    Kind.GALLERY,
    Kind.FILE,
    Kind.SEPARATOR,
    Kind.CONTAINER,
)
_IN_CONTAINER = tuple(kind for kind in _TOP_V2 if kind is not Kind.CONTAINER)
_IN_MODAL = (Kind.ROW, Kind.TEXT, Kind.LABEL)
_IN_LABEL = (
    *SELECTS,
    Kind.TEXT_INPUT,
    Kind.FILE_UPLOAD,
    Kind.RADIO_GROUP,
    Kind.CHECKBOX_GROUP,
    Kind.CHECKBOX,
)
_LINK, _PREMIUM = 5, 6


class ComponentCheck:
    """One pass over a component tree; violations go to `problems`."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._custom_ids: set[str] = set()
        self._ids: set[int] = set()
        self._total = 0

    def message(self, tree: Any, *, v2: bool) -> None:
        """The `components` of a message."""
        path: Path = ("components",)
        most = MAX_NESTED if v2 else MAX_ROWS
        if not self._problems.count(path, tree, 0, most):
            return
        self._children(path, tree, _TOP_V2 if v2 else _TOP_V1)
        if v2 and self._total > MAX_NESTED:
            message = f"The total number of components must be at most {MAX_NESTED}."
            self._problems.add(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
        if v2 and sum(len(text) for text in texts(tree)) > MAX_TEXT:
            message = f"The text of all components must be {MAX_TEXT} or fewer characters."
            self._problems.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)

    def modal(self, body: Json) -> None:
        """A modal's title, custom_id and rows."""
        base: Path = ("data",)
        for key, most in (("title", 45), ("custom_id", 100)):
            if body.get(key) is None:
                self._problems.required((*base, key))
            else:
                self._problems.length((*base, key), body[key], 1, most)
        path = (*base, "components")
        if self._problems.count(path, body.get("components"), 1, MAX_ROWS):
            self._children(path, body["components"], _IN_MODAL, modal=True)

    def _children(
        self, path: Path, items: list[Any], allowed: tuple[Kind, ...], *, modal: bool = False
    ) -> None:
        for index, item in enumerate(items):
            self._one((*path, index), item, allowed, modal=modal)

    def _one(self, path: Path, item: Any, allowed: tuple[Kind, ...], *, modal: bool = False) -> None:
        self._total += 1
        if not isinstance(item, dict):
            self._problems.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        if not self._problems.choice((*path, "type"), item.get("type"), tuple(int(k) for k in allowed)):
            return
        kind = Kind(item["type"])
        self._own_id(path, item)
        if kind is Kind.ROW:
            self._row(path, item, modal=modal)
        elif kind in {Kind.SECTION, Kind.CONTAINER, Kind.LABEL}:
            self._nest(path, item, kind)
        elif kind in {Kind.TEXT, Kind.GALLERY, Kind.THUMBNAIL, Kind.FILE, Kind.SEPARATOR}:
            self._show(path, item, kind)
        else:
            self._interactive(path, item, kind, modal=modal)

    def _own_id(self, path: Path, item: Json) -> None:
        own = item.get("id")
        if not own:
            return
        if own in self._ids:
            self._problems.add((*path, "id"), "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        self._ids.add(own)

    def _row(self, path: Path, item: Json, *, modal: bool) -> None:
        inner = (*path, "components")
        children = item.get("components")
        if not self._problems.count(inner, children, 1, MAX_ROWS) or not isinstance(children, list):
            return
        allowed = (Kind.TEXT_INPUT, *SELECTS) if modal else (Kind.BUTTON, *SELECTS)
        self._children(inner, children, allowed, modal=modal)
        wide = [c for c in children if isinstance(c, dict) and c.get("type") != Kind.BUTTON]
        if wide and len(children) > 1:
            message = "The specified component exceeds the maximum width"
            self._problems.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)

    def _nest(self, path: Path, item: Json, kind: Kind) -> None:
        if kind is Kind.CONTAINER:
            if self._problems.count((*path, "components"), item.get("components"), 1, MAX_NESTED):
                self._children((*path, "components"), item["components"], _IN_CONTAINER)
        elif kind is Kind.SECTION:
            if self._problems.count((*path, "components"), item.get("components"), 1, 3):
                self._children((*path, "components"), item["components"], (Kind.TEXT,))
            self._one((*path, "accessory"), item.get("accessory"), (Kind.BUTTON, Kind.THUMBNAIL))
        else:
            self._problems.length((*path, "label"), item.get("label"), 1, 45)
            self._problems.optional(path, item, "description", 100)
            self._one((*path, "component"), item.get("component"), _IN_LABEL, modal=True)

    def _show(self, path: Path, item: Json, kind: Kind) -> None:
        if kind is Kind.TEXT:
            self._problems.length((*path, "content"), item.get("content"), 1, MAX_TEXT)
        elif kind is Kind.THUMBNAIL:
            self._media(path, item)
        elif kind is Kind.FILE:
            url = self._url((*path, "file"), item.get("file"))
            if url is not None and not url.startswith("attachment://"):
                message = "Only attachment:// references may be used here."
                self._problems.add(
                    (*path, "file", "url"), "UNFURLED_MEDIA_ITEM_MUST_REFERENCE_ATTACHMENT", message
                )
        elif kind is Kind.GALLERY and self._problems.count((*path, "items"), item.get("items"), 1, 10):
            for index, one in enumerate(item["items"]):
                self._media((*path, "items", index), one if isinstance(one, dict) else {})

    def _media(self, path: Path, item: Json) -> None:
        self._url((*path, "media"), item.get("media"))
        self._problems.optional(path, item, "description", 1024)

    def _url(self, path: Path, media: Any) -> str | None:
        url = media.get("url") if isinstance(media, dict) else None
        if not isinstance(url, str):
            self._problems.required((*path, "url"))
            return None
        if urlsplit(url).scheme not in {"http", "https", "attachment"}:
            message = f"Scheme \"{urlsplit(url).scheme}\" is not supported, must be one of ('http', 'https')."
            self._problems.add((*path, "url"), "URL_TYPE_INVALID_SCHEME", message)
        return url

    def _interactive(self, path: Path, item: Json, kind: Kind, *, modal: bool) -> None:
        if kind is Kind.BUTTON:
            self._button(path, item)
            return
        self._custom_id(path, item)
        if kind in SELECTS:
            self._select(path, item, kind)
        elif kind is Kind.TEXT_INPUT:
            self._text_input(path, item)
        elif kind is Kind.FILE_UPLOAD:
            self._range(path, item, 10)
        elif kind in {Kind.RADIO_GROUP, Kind.CHECKBOX_GROUP}:
            self._options(path, item, 10)
        if modal and kind is Kind.TEXT_INPUT and path[-1] != "component" and not item.get("label"):
            self._problems.required((*path, "label"))

    def _button(self, path: Path, item: Json) -> None:
        style = item.get("style")
        if not self._problems.choice((*path, "style"), style, (1, 2, 3, 4, 5, 6)):
            return
        self._problems.optional(path, item, "label", 80)
        if style == _PREMIUM:
            return
        if not item.get("label") and not item.get("emoji"):
            message = "A label or an emoji is required"
            self._problems.add((*path, "label"), "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", message)
        if style != _LINK:
            if item.get("url"):
                message = "A custom id and url cannot both be specified"
                self._problems.add(
                    (*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message
                )
            self._custom_id(path, item)
        elif not item.get("url"):
            self._problems.add((*path, "url"), "BUTTON_COMPONENT_URL_REQUIRED", "A url is required")
        else:
            self._problems.length((*path, "url"), item["url"], 1, 512)

    def _custom_id(self, path: Path, item: Json) -> None:
        where = (*path, "custom_id")
        value = item.get("custom_id")
        if not value:
            self._problems.add(where, "COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
        elif self._problems.length(where, value, 1, 100):
            if value in self._custom_ids:
                message = "Component custom id cannot be duplicated"
                self._problems.add(where, "COMPONENT_CUSTOM_ID_DUPLICATED", message)
            self._custom_ids.add(value)

    def _select(self, path: Path, item: Json, kind: Kind) -> None:
        self._problems.optional(path, item, "placeholder", 150)
        self._range(path, item, 25)
        if kind is Kind.STRING_SELECT:
            self._options(path, item, 25)

    def _range(self, path: Path, item: Json, most: int) -> None:
        low, high = item.get("min_values"), item.get("max_values")
        if low is not None:
            self._problems.number((*path, "min_values"), low, 0, most)
        if (
            high is not None
            and self._problems.number((*path, "max_values"), high, 1, most)
            and (low or 0) > high
        ):
            self._problems.add((*path, "min_values"), "NUMBER_TYPE_MAX", "min_values exceeds max_values.")

    def _options(self, path: Path, item: Json, most: int) -> None:
        if not self._problems.count((*path, "options"), item.get("options"), 1, most):
            return
        seen: set[Any] = set()
        for index, option in enumerate(item["options"]):
            where = (*path, "options", index)
            for key in ("label", "value"):
                self._problems.length((*where, key), option.get(key), 1, 100)
            self._problems.optional(where, option, "description", 100)
            if option.get("value") in seen:
                message = "The specified option value is already used"
                self._problems.add((*where, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
            seen.add(option.get("value"))

    def _text_input(self, path: Path, item: Json) -> None:
        self._problems.choice((*path, "style"), item.get("style"), (1, 2))
        for key, most in (("label", 45), ("placeholder", 100), ("value", 4000)):
            self._problems.optional(path, item, key, most)
        for key, low in (("min_length", 0), ("max_length", 1)):
            if item.get(key) is not None:
                self._problems.number((*path, key), item[key], low, 4000)


def texts(tree: Any) -> list[str]:
    """The contents of all text displays of a tree, in order."""
    if isinstance(tree, list):
        return [text for one in tree for text in texts(one)]
    if not isinstance(tree, dict):
        return []
    own = [tree["content"]] if tree.get("type") == Kind.TEXT and isinstance(tree.get("content"), str) else []
    return [*own, *texts(tree.get("components")), *texts(tree.get("accessory"))]


def walk(tree: Any) -> list[Json]:
    """All components of a tree, parents before children."""
    if isinstance(tree, list):
        return [item for one in tree for item in walk(one)]
    if not isinstance(tree, dict):
        return []
    nested = [*walk(tree.get("components")), *walk(tree.get("accessory")), *walk(tree.get("component"))]
    return [tree, *nested]


def normalised(tree: Any) -> Any:
    """The tree as Discord stores it: every component has an id, nulls are gone."""
    taken = {item["id"] for item in walk(tree) if item.get("id")}
    fresh = iter(number for number in range(1, 1000) if number not in taken)

    def visit(item: Any) -> Any:
        if isinstance(item, list):
            return [visit(one) for one in item]
        if not isinstance(item, dict):
            return item
        body = {key: value for key, value in item.items() if value is not None}
        if isinstance(body.get("type"), int) and not body.get("id"):
            body["id"] = next(fresh)
        return {key: visit(value) for key, value in body.items()}

    return visit(tree)
