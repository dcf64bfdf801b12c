"""Tables that stay as they are while parameters become available: one with all of them, one with a few."""

from dataclasses import replace

from parser import PARAMETERS, Parameter, Table
from parser.request import ImagineRequest, Speed, Visibility

HELD = {*ImagineRequest.model_fields, *Speed, *Visibility, "no", "repeat"}


def opened(row: Parameter) -> Parameter:
    """Return *row*, available if a request has a place for its value."""
    return replace(row, available=row.available or row.name in HELD)


EVERYTHING = Table(tuple(map(opened, PARAMETERS)))


FEW_NAMES = {"no", "aspect", "seed", "quality", "stop", *Speed, "repeat", "version", "niji"}
FEW = Table(tuple(replace(row, available=row.name in FEW_NAMES) for row in PARAMETERS))
