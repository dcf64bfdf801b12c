"""The language of prompts: text becomes an ``ImagineRequest``, or errors that show the place and the fix."""

from parser.canonical import canonical
from parser.closed import Closed
from parser.errors import ErrorCode, PromptError, PromptErrors
from parser.parameter import Kind, Parameter
from parser.parameters import PARAMETERS, find_parameter
from parser.prompt import BATCH_LIMIT, PROMPT_LIMIT, Batch, parse, read_batch
from parser.report import ParseReport, report
from parser.request import (
    JSON,
    LATEST,
    ImagePrompt,
    ImagineRequest,
    Part,
    Speed,
    StyleReference,
    Visibility,
)
from parser.spelling import nearest_name
from parser.table import Table

__all__ = [
    "BATCH_LIMIT",
    "JSON",
    "LATEST",
    "PARAMETERS",
    "PROMPT_LIMIT",
    "Batch",
    "Closed",
    "ErrorCode",
    "ImagePrompt",
    "ImagineRequest",
    "Kind",
    "Parameter",
    "ParseReport",
    "Part",
    "PromptError",
    "PromptErrors",
    "Speed",
    "StyleReference",
    "Table",
    "Visibility",
    "canonical",
    "find_parameter",
    "nearest_name",
    "parse",
    "read_batch",
    "report",
]
