"""`journeyman parse`: what a prompt means, without drawing it."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, BinaryIO

import typer

from cli import options
from cli.caret import underlined
from cli.failures import FAILURE
from parser import ParseReport, report
from parser.report import JobReport

STANDARD_INPUT = "-"


def parse(
    prompt: Annotated[str, typer.Argument(help="A prompt, or - to read one a line from standard input.")],
    as_json: options.Json = False,
) -> None:
    """Show what a prompt means, with every mistake in it."""
    if prompt == STANDARD_INPUT:
        for line in reports(sys.stdin.buffer):
            write_line(sys.stdout.buffer, line)
        return
    found = report(prompt)
    print(json.dumps(found) if as_json else readable(found))
    if not found["ok"]:
        raise typer.Exit(FAILURE)


def reports(lines: Iterable[bytes]) -> Iterator[ParseReport]:
    """Yield the report of each line, whatever bytes it holds: what is not UTF-8 reads as U+FFFD."""
    for line in lines:
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")
        yield report(text)


def write_line(out: BinaryIO, found: ParseReport) -> None:
    """Write one JSON line at once, for a program that waits for it; ASCII, so only a newline ends it."""
    out.write(json.dumps(found).encode("ascii") + b"\n")
    out.flush()


def readable(found: ParseReport) -> str:
    """Return the report for people."""
    if found["ok"] is False:
        return "\n".join(underlined(found["prompt"], error) for error in found["errors"])
    jobs = found["jobs"]
    blocks = [_job(job) for job in jobs]
    head = [f"{len(jobs)} jobs"] if len(jobs) > 1 else []
    return "\n\n".join([*head, *blocks])


def _job(job: JobReport) -> str:
    lines = [("text", job["text"])]
    lines += [("part", f"{part['text']}  (weight {part['weight']:g})") for part in job["parts"]]
    lines += [("not", each) for each in job["negative"]]
    lines += [("image", f"{each['url']}  (weight {each['weight']:g})") for each in job["images"]]
    lines += [(name, json.dumps(value)) for name, value in job["parameters"].items()]
    lines += [("echo", job["echo"])]
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in lines)
