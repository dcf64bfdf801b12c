"""The table as it will be when every parameter that a request can hold is available."""

from dataclasses import replace

from parser import PARAMETERS, Parameter, Table
from parser.request import ImagineRequest, Speed, Visibility

HELD = {*ImagineRequest.model_fields, *Speed, *Visibility, "no"}


def opened(row: Parameter) -> Parameter:
    """Return *row*, available if a request has a place for its value."""
    return replace(row, available=row.available or row.name in HELD)


EVERYTHING = Table(tuple(map(opened, PARAMETERS)))
