"""Quality against steps: from it the default number of steps is chosen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.evaluate import Examination, Order

STEPS = (4, 6, 8, 10, 12, 16, 20, 30)


@dataclass(frozen=True)
class Point:
    """What `steps` of sampling give: shares in 0..1, `detail` with the art as 1, seconds a picture."""

    steps: int
    subject: float
    style: float
    detail: float
    from_longest: float  # mean pixel difference to the pictures of the most steps, of full scale
    seconds: float


def measured(examination: Examination, steps: Sequence[int] = STEPS) -> list[Point]:
    """A point for each number of steps, the same prompts and seeds at all of them."""
    examined = [replace(examination, steps=count, marks={}, notes={}) for count in steps]
    prompts = [
        Order(f"a {examination.subjects[n].name} on a white background", 16000 + n)
        for n in examination.some(16, 2)
    ]
    longest = max(examined, key=lambda each: each.steps).draw(prompts)
    points = []
    for each in examined:
        begun = time.perf_counter()
        pictures = each.draw(prompts)
        seconds = (time.perf_counter() - begun) / len(prompts)
        away = np.mean([np.abs(a - b).mean() for a, b in zip(pictures, longest, strict=True)])
        subject, style = each.subject(), each.style()
        points.append(Point(each.steps, subject, style, each.marks["detail"], float(away), seconds))
    return points


def table(points: Sequence[Point]) -> str:
    """The points as a Markdown table."""
    rows = [
        f"| {p.steps} | {p.subject:.3f} | {p.style:.3f} | {p.detail:.2f} "
        f"| {p.from_longest:.3f} | {p.seconds:.2f} |"
        for p in points
    ]
    return "\n".join(
        [
            "| steps | subject | style | detail (art = 1) | difference to the longest | seconds a picture |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )
