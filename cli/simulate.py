"""`journeyman simulate`: how long people would wait, to plan hardware."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from random import Random
from typing import Annotated, Any

import typer

from cli import options
from cli.failures import USAGE, Failure
from worker.queue.demand import Demand
from worker.queue.simulation import PERCENTILES, Machines, Outcome, Waits
from worker.queue.simulation import simulate as run

MOST_ORDERS = 1_000_000  # some minutes and gigabytes
MINUTE, HOUR = 60.0, 3600.0
LABELS = 2  # columns of words, before those of numbers
DEVICE_SECONDS = 8.0  # for a default grid; the embedded model on two CPU cores takes about as long


def simulate(
    *,
    people: Annotated[int, typer.Option(min=1, max=100_000, help="How many people may order.")] = 1000,
    devices: Annotated[int, typer.Option(min=1, max=10_000, help="How many devices draw.")] = 2,
    jobs_per_hour: Annotated[
        float, typer.Option(min=0.001, max=1000, help="Orders of one person in an hour, on average.")
    ] = 0.7,
    seconds: Annotated[
        float, typer.Option(min=0.01, max=3600, help="How long a device takes for a default grid.")
    ] = DEVICE_SECONDS,
    hours: Annotated[float, typer.Option(min=0.1, max=168, help="How long people order.")] = 8.0,
    burst: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the people who order at once, half-way through.")
    ] = 0.05,
    relaxed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the orders for the relax lane.")
    ] = 0.0,
    flooder: Annotated[
        bool, typer.Option(help="Let one person more order as fast as the limits let them.")
    ] = True,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Try in virtual time how long people would wait.

    The queue's own rule decides who is next, with the limits of the configuration, and two others beside it
    on the same orders: first come first served, and plain turns.

    Example, to learn whether two devices would do for a thousand people, at six seconds a grid:

    \b
        journeyman simulate --people 1000 --devices 2 --seconds 6

    "Load" is what the members alone ask of the devices: up to 80 % waits stay short, beyond 100 % no order of
    the queue helps. The flooder takes what is left, so that "in use" comes near 100 % in any case. Half of
    the jobs wait no longer than P50, all but one in a hundred no longer than P99. Light members are the half
    who order least. Jain's index says how evenly those were served, by their weight, whose jobs waited all
    along: 1 is perfectly even. To learn your seconds, draw a grid on the idle machine and look at its times
    with `journeyman jobs show`.
    """  # noqa: D301 - a mark that keeps the line of the example
    from cli.config import load

    settings = load(os.environ, file=config)
    demand = Demand(people, jobs_per_hour, hours, burst=burst, flooder=flooder, relaxed=relaxed)
    if demand.expected > MOST_ORDERS:
        raise Failure(
            f"That would be about {demand.expected:,.0f} orders; at most {MOST_ORDERS:,} are simulated:"
            " take fewer --hours.",
            USAGE,
        )
    machines = Machines(devices, seconds)
    found = run(demand, machines, limits=settings.limits, random=Random(seed))  # noqa: S311 - no secret
    if as_json:
        print(json.dumps(facts(demand, machines, found) | {"seed": seed}))
    else:
        print(readable(demand, machines, found))


def load_of(demand: Demand, machines: Machines) -> float:
    """Return how much of the devices' time the members ask for; 1 is all of it."""
    busy = demand.people * demand.jobs_per_hour / 3600 * demand.mean_credits * machines.seconds
    return busy / machines.devices


def facts(demand: Demand, machines: Machines, found: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return everything for scripts, under stable names; waits are in seconds."""
    return {
        "people": demand.people,
        "devices": machines.devices,
        "jobs_per_hour": demand.jobs_per_hour,
        "seconds": machines.seconds,
        "hours": demand.hours,
        "load": load_of(demand, machines),
        "rules": {name: asdict(outcome) for name, outcome in found.items()},
    }


def readable(demand: Demand, machines: Machines, found: Mapping[str, Outcome]) -> str:
    """Return the same for people."""
    head = (
        f"{demand.people} people order {demand.jobs_per_hour:g} times an hour for {demand.hours:g} hours;"
        f" {machines.devices} devices draw a grid in {machines.seconds:g} s:"
        f" load {load_of(demand, machines):.0%}"
    )
    rows = [("", "WAITS OF", "JOBS", "MEAN", *(f"P{each}" for each in PERCENTILES), "LONGEST")]
    for name, outcome in found.items():
        who = (("members", outcome.members), ("light members", outcome.light), ("flooder", outcome.flooder))
        rows += [
            (name if index == 0 else "", label, *_cells(waits))
            for index, (label, waits) in enumerate(who)
            if waits.jobs
        ]
    evenness = [
        f"{name:<12} Jain's index {_number(outcome.jain)} of {outcome.busy:.0f} busy people,"
        f" {outcome.refused} orders refused, devices {outcome.used:.0%} in use"
        for name, outcome in found.items()
    ]
    return "\n".join([head, "", *_table(rows), "", *evenness])


def duration(seconds: float | None) -> str:
    """Return a wait for people."""
    if seconds is None:
        return "-"
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 1.5 * HOUR else f"{seconds / HOUR:.1f} h"


def _cells(waits: Waits) -> list[str]:
    seconds = (waits.mean, *(waits.percentiles[each] for each in PERCENTILES), waits.longest)
    return [str(waits.jobs), *map(duration, seconds)]


def _number(index: float | None) -> str:
    return "-" if index is None else f"{index:.2f}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < LABELS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
