"""Which checkpoint an order is drawn by, as catalogue, admins and the pressed button say."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parser import ImagineRequest
from worker.api import Cell, ErrorCode, Imagine, Order, Rejected, Upscale
from worker.catalogue import Catalogue, Entry
from worker.queue.intake import Source
from worker.recipe import ModelProfile
from worker.references import check_adapter


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalogue as admins left it.

    Attributes:
        catalogue: The checkpoints there are.
        off: Names of those that are switched off; all of them where the configuration lost the others.
        default: What draws where nobody says otherwise.
    """

    catalogue: Catalogue
    off: frozenset[str]
    default: Entry

    def pick(self, order: Order, source: Source | None) -> tuple[ModelProfile, Source | None]:
        """Return what draws *order*, and its source with the prompt that fits.

        A prompt is drawn by the version it names, else by the default. Variations and re-rolls are drawn by
        the version that their prompt names, else by what drew their source. Where that is no longer here, or
        switched off, the default draws, and the prompt names no version any more.

        Raises:
            Rejected: ``VERSION_UNAVAILABLE``, ``MODEL_OFF`` or ``ADAPTER_UNAVAILABLE``, of a prompt of its
                own only; ``MODEL_UNREADY``, while what would draw is not known.
        """
        if isinstance(order, Imagine):
            chosen = _known(self.catalogue.asked_for(order.request, self.off) or self.default)
            check_adapter(order.request, chosen.name, adapter=chosen.profile.adapter, served=self._adapted)
            return chosen.profile, source
        if source is None:
            raise ValueError(f"an order of kind {order.kind} has a source")
        if isinstance(order, Cell | Upscale):
            return (self.usable(source.job.model) or self.default).profile, source
        try:
            found = self.catalogue.asked_for(source.job.request, self.off) or self.usable(source.job.model)
        except Rejected:
            found = None
        if found is not None:
            return _known(found).profile, source
        job = source.job.model_copy(update={"request": unversioned(source.job.request)})
        return _known(self.default).profile, replace(source, job=job)

    @property
    def _adapted(self) -> str:
        """How people ask for a checkpoint that can look at pictures; empty if they cannot."""
        on = (entry for entry in self.catalogue.entries if entry.name not in self.off)
        return next((flag for entry in on if entry.profile.adapter for flag in entry.flags), "")

    def usable(self, name: str) -> Entry | None:
        """Return the checkpoint *name* if it is here and on."""
        return None if name in self.off else self.catalogue.named(name)


def _known(entry: Entry) -> Entry:
    """Return *entry* if it is known what it is: what its files would refuse is not to be accepted.

    Raises:
        Rejected: ``MODEL_UNREADY``.
    """
    if not entry.ready:
        raise Rejected(ErrorCode.MODEL_UNREADY, model=entry.name)
    return entry


def unversioned(request: ImagineRequest) -> ImagineRequest:
    """Return *request* without the version it names."""
    return request.model_copy(update={"version": None, "niji": None})


def shelf(db: sqlite3.Connection, catalogue: Catalogue) -> Shelf:
    """Return the catalogue as admins left it."""
    off, default = switches(db, catalogue.names)
    return Shelf(catalogue, off, next(entry for entry in catalogue.entries if entry.name == default))


def switches(db: sqlite3.Connection, names: Sequence[str]) -> tuple[frozenset[str], str]:
    """Return which of the checkpoints *names* are off, and the default.

    Where the chosen default is gone or off, the first one that is on takes its place.
    """
    rows = {row["name"]: row for row in db.execute("SELECT name, enabled, is_default FROM models")}
    off = frozenset(name for name in names if name in rows and not rows[name]["enabled"])
    on = [name for name in names if name not in off] or names
    return off, next((name for name in on if name in rows and rows[name]["is_default"]), on[0])
