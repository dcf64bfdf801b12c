"""Code 50035: every violation of a request body, each at its place, reported together."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from .errors import ApiError, Json

Path = tuple[str | int, ...]


class Problems:
    """Collects violations; `raise_any` turns them into Discord's nested `errors`."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str, str]] = []

    def add(self, path: Path, code: str, message: str) -> None:
        """Record one violation at `path`."""
        self._found.append((path, code, message))

    def required(self, path: Path) -> None:
        """Record that a field lacks."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def length(self, path: Path, value: Any, low: int, high: int) -> bool:
        """Whether `value` is a string of `low` to `high` characters."""
        if not isinstance(value, str):
            self.add(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
        elif low and len(value) < low:
            self._too_few(path, low, high, "in length")
        elif len(value) > high:
            self._too_many(path, low, high, "in length")
        else:
            return True
        return False

    def optional(self, path: Path, body: Json, key: str, high: int) -> None:
        """Check the length of a string field that may be absent or null."""
        if body.get(key) is not None:
            self.length((*path, key), body[key], 0, high)

    def count(self, path: Path, value: Any, low: int, high: int) -> bool:
        """Whether `value` is a list of `low` to `high` items."""
        if not isinstance(value, list):
            self.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
        elif len(value) < low:
            self._too_few(path, low, high, "in length")
        elif len(value) > high:
            self._too_many(path, low, high, "in length")
        else:
            return True
        return False

    def choice(self, path: Path, value: Any, allowed: tuple[Any, ...]) -> bool:
        """Whether `value` is one of `allowed`."""
        if value in allowed and not isinstance(value, bool):
            return True
        listed = ", ".join(str(one) for one in allowed)
        self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")
        return False

    def number(self, path: Path, value: Any, low: int, high: int) -> bool:
        """Whether `value` is an integer in `low..high`."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < low:
            self.add(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
        elif value > high:
            self.add(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")
        else:
            return True
        return False

    def _too_few(self, path: Path, low: int, high: int, what: str) -> None:
        self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} {what}.")

    def _too_many(self, path: Path, low: int, high: int, what: str) -> None:
        if low:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} {what}.")
        else:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer {what}.")

    def raise_any(self) -> None:
        """Raise ApiError 50035 if anything was recorded."""
        if not self._found:
            return
        tree: Json = {}
        for path, code, message in self._found:
            node = tree
            for key in path:
                node = node.setdefault(str(key), {})
            node.setdefault("_errors", []).append({"code": code, "message": message})
        raise ApiError(HTTPStatus.BAD_REQUEST, 50035, "Invalid Form Body", errors=tree)


def invalid(path: Path, code: str, message: str) -> ApiError:
    """A single violation as an exception."""
    problems = Problems()
    problems.add(path, code, message)
    try:
        problems.raise_any()
    except ApiError as error:
        return error
    raise AssertionError
