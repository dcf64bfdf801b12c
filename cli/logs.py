"""The log: structured, to standard error, set up once a process."""

import logging
import re
import sys
import traceback
from typing import TextIO

import structlog
from structlog.typing import ExcInfo

from cli.config import Log

OURS = ("bot", "cli", "parser", "playground", "worker")

_INPUT = re.compile(r"input_value=.*, (?=input_type=)")  # what pydantic was given, in the words of its error


def setup(log: Log, stream: TextIO | None = None, **bound: str) -> None:
    """Send every record of this process to *stream*: text on a terminal, one JSON object a line otherwise.

    Args:
        log: The configuration.
        stream: Where to; standard error by default.
        bound: Stands in every record, such as ``process="bot"``.
    """
    stream = sys.stderr if stream is None else stream
    as_text = log.format == "text" or (log.format == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if as_text
        else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(trace),
            last,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[log.level.upper()]
    # Libraries tell their arguments when they may talk, and among those are prompts.
    root.setLevel(max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**bound)


def trace(exc_info: ExcInfo) -> str:
    """Return the traceback without the values of its frames and of models: those hold prompts."""
    return _INPUT.sub("", "".join(traceback.format_exception(exc_info[1])).rstrip())
