"""Which networks stay in memory: as many as fit, and the one used longest ago leaves first. Pure."""

from collections.abc import Collection, Mapping


class Residency:
    """What is in memory, in the order of use, and what would have to leave for another."""

    def __init__(self, sizes: Mapping[str, int], budget: int | None) -> None:
        """Begin with nothing in memory.

        Args:
            sizes: Bytes that each network takes, as far as that is known; 0 where it is not.
            budget: Bytes they may take together; None: as many as there are.
        """
        self._sizes = dict(sizes)
        self._budget = budget
        self._present: dict[str, None] = {}  # the one used longest ago first

    @property
    def present(self) -> tuple[str, ...]:
        """What is in memory, the one used longest ago first."""
        return tuple(self._present)

    @property
    def taken(self) -> int:
        """Bytes in use."""
        return self.together(self._present)

    def together(self, names: Collection[str]) -> int:
        """Return the bytes that *names* take."""
        return sum(self._sizes.get(name, 0) for name in names)

    @property
    def fits_all(self) -> bool:
        """True if nothing ever has to leave."""
        return self._budget is None or self.together(self._sizes) <= self._budget

    def leaving(self, name: str, busy: Collection[str]) -> tuple[str, ...] | None:
        """Return what has to leave so that *name* can come, None while what is *busy* keeps its place.

        One that is too large for the budget comes all the same, alone: else nobody could draw with it.
        """
        if self._budget is None or name in self._present:
            return ()
        over = self.taken + self._sizes.get(name, 0) - self._budget
        gone = []
        for each in self._present:
            if over <= 0:
                break
            if each not in busy:
                gone.append(each)
                over -= self._sizes.get(each, 0)
        if over > 0 and len(gone) < len(self._present):
            return None
        return tuple(gone)

    def excess(self, keep: str, busy: Collection[str]) -> tuple[str, ...]:
        """Return what should leave because *keep* turned out larger than was thought."""
        gone: list[str] = []
        for each in self._present:
            rest = [name for name in self._present if name not in gone]
            if self._budget is None or self.together(rest) <= self._budget:
                break
            if each != keep and each not in busy:
                gone.append(each)
        return tuple(gone)

    def came(self, name: str, size: int) -> None:
        """Note that *name* is in memory and takes *size* bytes."""
        self._sizes[name] = size
        self.used(name)

    def used(self, name: str) -> None:
        """Note that *name* is being used now."""
        self._present.pop(name, None)
        self._present[name] = None

    def left(self, name: str) -> None:
        """Note that *name* is no longer in memory."""
        self._present.pop(name, None)

    def ready(self) -> frozenset[str] | None:
        """Return what can be drawn with before anything has to leave; None: all there is."""
        if self.fits_all:
            return None
        room = (self._budget or 0) - self.taken
        return frozenset(self._present) | {
            name for name, size in self._sizes.items() if name not in self._present and size <= room
        }
