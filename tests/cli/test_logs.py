import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog
from pydantic import BaseModel

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


class _Order(BaseModel):
    seed: int


def _raise(kind: str) -> None:
    prompt, token = "a secret fox", "aToken.of.ours"
    if kind == "plain":
        raise RuntimeError(f"{len(prompt)} and {len(token)}")
    if kind == "validation":
        _Order.model_validate({"seed": f"{prompt}, input_type= {token}"})
    raise ExceptionGroup("several", [_caught("validation")])


def _caught(kind: str) -> Exception:
    try:
        _raise(kind)
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError(kind)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("kind", ["plain", "validation", "group"])
def test_a_trace_tells_neither_prompts_nor_tokens(form: Literal["text", "json"], kind: str) -> None:
    stream = io.StringIO()
    setup(Log(format=form), stream)
    structlog.get_logger("bot.answers").error("unforeseen", exc_info=_caught(kind))
    try:
        _raise(kind)
    except Exception:
        logging.getLogger("asyncio").exception("a task failed")
    assert stream.getvalue().count("in _raise") >= 2
    assert "secret fox" not in stream.getvalue()
    assert "aToken" not in stream.getvalue()
