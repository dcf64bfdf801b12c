import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cli.config import Log
from cli.logs import setup


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_record_is_one_json_object_away_from_a_terminal() -> None:
    stream = io.StringIO()
    setup(Log(), stream, process="bot")
    structlog.get_logger("worker.runner").info("job_started", job_id="1")
    logging.getLogger("theirs").warning("slow %s", "disk", extra={"action": "slow"})
    ours, theirs = lines(stream)
    assert (ours["event"], ours["job_id"], ours["process"], ours["level"]) == (
        "job_started",
        "1",
        "bot",
        "info",
    )
    assert (theirs["event"], theirs["action"], theirs["process"]) == ("slow disk", "slow", "bot")
    assert ours["timestamp"].endswith("Z")


def test_a_bound_job_id_stands_in_every_record() -> None:
    stream = io.StringIO()
    setup(Log(), stream)
    with structlog.contextvars.bound_contextvars(job_id="7"):
        logging.getLogger("theirs").error("lost")
    assert lines(stream)[0]["job_id"] == "7"


def test_an_exception_stays_on_one_line() -> None:
    stream = io.StringIO()
    setup(Log(), stream)
    try:
        int("no")
    except ValueError:
        structlog.get_logger("worker.runner").exception("failed")
    [record] = lines(stream)
    assert "ValueError: invalid literal" in record["exception"]


def test_the_level_decides_and_libraries_are_kept_quiet() -> None:
    stream = io.StringIO()
    setup(Log(level="warning"), stream)
    structlog.get_logger("worker.runner").info("hidden")
    logging.getLogger("discord.gateway").info("hidden")
    setup(Log(level="debug"), stream)
    logging.getLogger("aiosqlite").debug("hidden")
    logging.getLogger("discord.gateway").info("hidden")
    assert stream.getvalue() == ""


def test_people_read_text() -> None:
    stream = io.StringIO()
    setup(Log(format="text"), stream)
    structlog.get_logger("worker.runner").info("job_started", job_id="1")
    assert "job_started" in stream.getvalue()
    assert "job_id=1" in stream.getvalue()
