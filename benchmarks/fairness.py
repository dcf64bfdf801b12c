"""What the order of the queue comes to: waits and evenness, beside two other rules on the same orders.

    python -m benchmarks.fairness [--people 10000] [--devices 1 10 100 1000] [--load 0.9] [--seed 1]

The load is the same for every number of devices: people order the more, the more devices there are. Runs end
when there were about `ORDERS` orders. Prints a table, draws a chart of the waits and prints, as the last
line, one JSON object.
"""

import argparse
import time
from dataclasses import asdict
from random import Random
from typing import Any

from benchmarks._chart import bars, draw, told
from cli.simulate import readable
from worker.api import Limits
from worker.queue.demand import Demand
from worker.queue.simulation import Machines, simulate

ORDERS = 60_000
SECONDS = 8.0  # for a default grid
MOST_HOURS = 48.0


def demanded(people: int, machines: Machines, load: float) -> Demand:
    """Return what keeps the *machines* busy for that part of the time."""
    one = Demand(people=people, jobs_per_hour=1.0, hours=1.0)
    an_hour = load * machines.devices * 3600 / machines.seconds / one.mean_credits
    return Demand(
        people, an_hour / people, min(MOST_HOURS, ORDERS / an_hour), burst=min(0.05, an_hour / people / 2)
    )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for devices in options.devices:
        machines = Machines(devices, SECONDS)
        demand = demanded(options.people, machines, options.load)
        began = time.process_time()
        outcomes = simulate(demand, machines, limits=Limits(), random=Random(options.seed))
        print(readable(demand, machines, outcomes), f"\n({time.process_time() - began:.1f} s)\n")
        found[str(devices)] = {name: asdict(outcome) for name, outcome in outcomes.items()}
    waits = {
        f"{name}, devices: {devices}": {who: rule[who]["mean"] or 0.0 for who in ("members", "light")}
        for devices, rules in found.items()
        for name, rule in rules.items()
    }
    print(draw("fairness", bars("Mean wait of members, and of light ones", "seconds", waits)))
    told("fairness", found)


if __name__ == "__main__":
    main()
