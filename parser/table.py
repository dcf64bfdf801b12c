"""A table of parameters, in which each is found by all its names."""

from dataclasses import dataclass
from functools import cached_property

from parser.parameter import Parameter


@dataclass(frozen=True)
class Table:
    """Rows in the order in which an echo shows them."""

    rows: tuple[Parameter, ...]

    def find(self, name: str) -> Parameter | None:
        """Return the row called *name*, long or short, in any case."""
        return self._by_name.get(name.lower())

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {name: row for row in self.rows for name in row.names}
