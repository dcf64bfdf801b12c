"""`make chaos`: real processes under load while things break, run after run; exit code 1 on any finding."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.plan import KILLS, Fault
from tests.chaos.run import Bounds, Report, Run, summed
from tests.chaos.weigher import told as weighed

KILLS_A_RUN = 20
MINUTES_A_RUN = 12.0
COUNTED = ("result", "failure", "stopped", "removed", "told", "lost", "duplicated")


def main(arguments: Sequence[str]) -> int:
    """Run as long as was asked, print the table and one line of JSON."""
    options = _read(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what it started, as Ctrl-C does
    root = options.folder or Path(tempfile.mkdtemp(prefix="journeyman-chaos-"))
    until = time.monotonic() + options.minutes * 60
    reports: list[Report] = []
    try:
        while not _enough(reports, options.kills, until):
            seed = options.seed + len(reports)
            reports.append(asyncio.run(_run(root / f"seed-{seed}", seed, options, until, reports)))
            print(_line(reports[-1]), flush=True)
    except KeyboardInterrupt:
        print("Stopped; this is what the runs before came to.")
    print(_table(reports))
    print(json.dumps(_summary(reports)))
    return 1 if any(report.findings for report in reports) else 0 if reports else 130


async def _run(
    folder: Path, seed: int, options: argparse.Namespace, until: float, before: Sequence[Report]
) -> Report:
    left = options.kills - sum(each.kills for each in before) if options.kills else KILLS_A_RUN
    # Without kills a run goes on to the end: then the processes live long enough to be weighed.
    longest = MINUTES_A_RUN * 60 if KILLS & set(options.only) else float("inf")
    seconds = min(longest, until - time.monotonic())
    run = Run(folder, str(seed), options.only, people=options.people)
    report = await run.go(Bounds(min(left, KILLS_A_RUN), seconds))
    if not report.findings and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _enough(reports: Sequence[Report], kills: int | None, until: float) -> bool:
    if kills:
        return sum(each.kills for each in reports) >= kills or time.monotonic() >= until
    return bool(reports) and time.monotonic() >= until


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next has the next")
    parser.add_argument("--kills", type=int, help="end after so many processes were killed")
    parser.add_argument("--minutes", type=float, help="end after so long (10, or no bound with --kills)")
    parser.add_argument("--only", type=_faults, default=tuple(Fault), help=",".join(Fault))
    parser.add_argument("--people", type=int, default=4, help="how many order at the same time")
    parser.add_argument(
        "--folder", type=Path, help="where the runs' data goes; a temporary folder by default"
    )
    parser.add_argument("--keep", action="store_true", help="keep the data of runs without findings too")
    options = parser.parse_args(arguments)
    if options.minutes is None:
        options.minutes = float("inf") if options.kills else 10.0
    if options.kills and not KILLS & set(options.only):
        parser.error("--kills needs kill-bot or kill-worker among --only")
    return options


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        return tuple(Fault(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; there are {', '.join(Fault)}") from None


def _line(report: Report) -> str:
    faults = sum(report.strikes.values())
    told = f"seed {report.seed}: {report.kills} kills, {faults} faults in all, {report.jobs} jobs"
    found = [f"{each.kind}: {each.words} (job {each.job_id or 'unknown'})" for each in report.findings]
    return "\n  ".join(
        [f"{told}, {report.seconds:.0f} s: {_words(report)}", *found, *weighed(report.weights)]
    )


def _words(report: Report) -> str:
    return f"{len(report.findings)} FINDINGS, see {report.folder}" if report.findings else "nothing found"


def _table(reports: Sequence[Report]) -> str:
    total = summed(reports)
    rows = [(name, total["strikes"][name]) for name in Fault]
    rows += [("jobs", sum(each.jobs for each in reports))]
    rows += [(name, total["ends"][name]) for name in COUNTED]
    rows += [("buttons pressed at the end", sum(each.pressed for each in reports))]
    rows += [("answered late", sum(each.late for each in reports))]
    rows += [("dead buttons", _findings(reports)["dead button"])]
    rows += [("findings", sum(_findings(reports).values()))]
    return "\n".join(f"{name:<28}{count:>8}" for name, count in rows)


def _findings(reports: Sequence[Report]) -> Counter[str]:
    return Counter(finding.kind for report in reports for finding in report.findings)


def _summary(reports: Sequence[Report]) -> dict[str, object]:
    total = summed(reports)
    return {
        "seeds": [report.seed for report in reports],
        "kills": sum(report.kills for report in reports),
        "faults": dict(total["strikes"]),
        "jobs": sum(report.jobs for report in reports),
        "ends": dict(total["ends"]),
        "orders": sum(report.orders for report in reports),
        "presses": sum(report.presses for report in reports),
        "buttons": sum(report.pressed for report in reports),
        "ended_by_themselves": [words for report in reports for words in report.ended_alone],
        "findings": [
            {"seed": report.seed, "kind": each.kind, "job": each.job_id, "words": each.words}
            for report in reports
            for each in report.findings
        ],
        "seconds": round(sum(report.seconds for report in reports)),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
