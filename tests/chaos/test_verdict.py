"""The judge itself: it must see what it is there to see."""

import io
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.audit import tracebacks
from tests.chaos.clocked import MachineClock, shifted
from tests.chaos.plan import Fault, strikes
from tests.chaos.verdict import Deeds, End, Ordered, end_of, judge
from tests.chaos.weigher import EVERY_SECONDS, WARM_SECONDS, Weight, swollen
from tests.chaos.witness import Sight, looked_at

BOT = "1"
JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"


def message(
    identity: str, *custom_ids: str, files: int = 0, content: str = "", **more: Any
) -> dict[str, Any]:
    return {
        "id": identity,
        "channel_id": "7",
        "guild_id": "5",
        "author": {"id": BOT},
        "content": content,
        "attachments": [{"filename": f"{n}.png"} for n in range(files)],
        "components": [{"components": [{"custom_id": each} for each in custom_ids]}],
        **more,
    }


def under_way(identity: str) -> tuple[str, dict[str, Any]]:
    return "MESSAGE_CREATE", message(identity, f"MJ::CancelJob::ByJobid::{JOB}")


def result(identity: str) -> tuple[str, dict[str, Any]]:
    return "MESSAGE_CREATE", message(identity, f"MJ::JOB::reroll::0::{JOB}::SOLO", files=1)


def failure(identity: str, kind: str = "MESSAGE_UPDATE") -> tuple[str, dict[str, Any]]:
    return kind, message(identity, f"MJ::JOB::reroll::0::{JOB}::SOLO")


def deleted(identity: str) -> tuple[str, dict[str, Any]]:
    return "MESSAGE_DELETE", {"id": identity, "channel_id": "7"}


def seen(*events: tuple[str, dict[str, Any]]) -> Sight:
    return looked_at(events, BOT)


def ordered(state: str = "succeeded", *, answered: bool = True) -> Ordered:
    return Ordered(JOB, state, "engine_failed" if state == "failed" else None, "7", answered)


def test_a_result_after_its_progress_message_is_one_result() -> None:
    judgement = judge([ordered()], seen(under_way("1"), result("2"), deleted("1")), Deeds())
    assert judgement.ends == {JOB: End.RESULT}
    assert not judgement.findings


def test_a_job_that_nobody_was_shown_is_lost() -> None:
    (finding,) = judge([ordered()], seen(under_way("1"), deleted("1")), Deeds()).findings
    assert (finding.kind, finding.job_id) == ("lost", JOB)


def test_a_result_that_the_bot_itself_took_away_is_lost() -> None:
    assert end_of(ordered(), seen(result("2"), deleted("2")), Deeds()) is End.LOST


def test_two_results_are_a_double() -> None:
    (finding,) = judge([ordered()], seen(result("2"), result("3")), Deeds()).findings
    assert finding.kind == "duplicated"


def test_a_result_beside_a_failure_is_a_double() -> None:
    sight = seen(under_way("1"), failure("1"), result("3"))
    assert end_of(ordered(), sight, Deeds()) is End.DUPLICATED


def test_a_result_of_a_job_that_failed_does_not_count() -> None:
    assert end_of(ordered("failed"), seen(result("2")), Deeds()) is End.LOST


def test_a_failure_in_the_progress_message_is_clear() -> None:
    assert end_of(ordered("failed"), seen(under_way("1"), failure("1")), Deeds()) is End.FAILURE


def test_a_message_that_was_deleted_from_outside_was_shown_all_the_same() -> None:
    sight = seen(result("2"), deleted("2"))
    assert end_of(ordered(), sight, Deeds(messages={"2"})) is End.REMOVED


def test_a_result_posted_again_after_a_deletion_from_outside_is_one() -> None:
    sight = seen(result("2"), deleted("2"), result("3"))
    assert end_of(ordered(), sight, Deeds(messages={"2"})) is End.RESULT


def test_a_stopped_job_says_so_where_it_was_shown() -> None:
    stopped = ("MESSAGE_UPDATE", message("1", content="**a fox** - <@9> (Stopped)"))
    assert end_of(ordered("cancelled"), seen(under_way("1"), stopped), Deeds()) is End.STOPPED


def test_a_stopped_job_that_still_looks_alive_is_lost_and_left_over() -> None:
    findings = judge([ordered("cancelled")], seen(under_way("1")), Deeds()).findings
    assert [each.kind for each in findings] == ["lost", "leftover"]


def test_a_message_that_thinks_for_ever_about_a_job_is_left_over() -> None:
    thinking = ("MESSAGE_CREATE", message("1", flags=128, interaction_metadata={"id": "44"}))
    order = Ordered(JOB, "succeeded", None, "7", answered=False, key="44")
    assert [f.kind for f in judge([order], seen(thinking, result("2")), Deeds()).findings] == ["leftover"]
    assert not judge([order], seen(thinking, result("2"), deleted("1")), Deeds()).findings
    assert not judge([order], seen(thinking, result("2")), Deeds(channels={"7"})).findings


def test_without_its_channel_a_job_is_told_privately_or_lost() -> None:
    told = message("4", content=f"`/show job_id:{JOB}`")
    del told["guild_id"]
    assert end_of(ordered(), seen(), Deeds(channels={"7"})) is End.LOST
    assert end_of(ordered(), seen(("MESSAGE_CREATE", told)), Deeds(channels={"7"})) is End.TOLD


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_that_never_ends_is_lost(state: str) -> None:
    assert end_of(ordered(state), seen(under_way("1")), Deeds()) is End.LOST


def test_a_job_that_was_shown_and_is_in_no_row_is_lost() -> None:
    (finding,) = judge([], seen(under_way("1")), Deeds()).findings
    assert (finding.kind, finding.job_id) == ("lost", JOB)


def test_the_same_seed_plans_the_same_strikes() -> None:
    one, other = (strikes("7", tuple(Fault)) for _ in range(2))
    assert [next(one) for _ in range(50)] == [next(other) for _ in range(50)]


def test_only_the_faults_that_were_asked_for_are_planned() -> None:
    plan = strikes("7", [Fault.KILL_BOT, Fault.JUMP_CLOCK])
    assert {next(plan).fault for _ in range(50)} == {Fault.KILL_BOT, Fault.JUMP_CLOCK}


def test_tracebacks_are_found_in_records_and_bare() -> None:
    log = io.StringIO()
    log.write('{"event": "job not shown", "exception": "Traceback (most recent call last):\\nKeyError: 1"}\n')
    log.write('Traceback (most recent call last):\n  File "x", line 1\nValueError: 2\n')
    log.write('{"event": "ordered", "pro')  # the last words of a killed process
    assert list(tracebacks(log.getvalue())) == ["job not shown: KeyError: 1", "ValueError: 2"]


def weighings(*megabytes: float) -> list[Weight]:
    return [Weight(WARM_SECONDS + n * EVERY_SECONDS, each) for n, each in enumerate(megabytes)]


def test_a_process_that_grows_and_grows_is_found_and_one_that_breathes_is_not() -> None:
    leaking = weighings(*(100 + 2 * n for n in range(40)))
    breathing = weighings(*(100 + 30 * (n % 2) for n in range(40)))
    filling = [Weight(age, 20 + age) for age in range(0, int(WARM_SECONDS), 10)]  # before it is warm
    short = weighings(100, 200, 300)
    found = list(swollen({"worker": leaking, "bot": breathing, "one": filling + breathing, "other": short}))
    assert found == ["the worker grew from 112 to 166 MB"]


def test_a_machines_clock_is_off_by_what_was_said_and_right_again_when_mended(tmp_path: Path) -> None:
    clock = MachineClock(tmp_path / "clock")
    clock.mend()
    seen = shifted(clock.path, lambda: 1000.0)
    clock.move(60)
    clock.move(-4000)
    assert seen() == 1000 + 60 - 4000
    clock.mend()
    assert seen() == 1000
    assert time.time() > 1e9  # ours is left alone
