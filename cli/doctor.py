"""`journeyman doctor`: is everything here that a start needs, in plain words."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from cli import doctor_data, doctor_machine, options
from cli.config import Settings, load
from cli.doctor_machine import DRAWING, LIBRARIES, PLAYGROUND_PORT
from cli.failures import FAILURE
from cli.finding import Finding, Verdict
from cli.folder import Folder

__all__ = ["PLAYGROUND_PORT", "Finding", "Verdict", "doctor", "examined"]


def doctor(data: options.Data = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """Look for what is missing or wrong, and say in plain words how to mend it."""
    settings = load(os.environ, file=config, options={"data": data})
    findings = list(examined(settings, now=time.time()))
    print(json.dumps([asdict(each) for each in findings]) if as_json else table(findings))
    if any(each.verdict is Verdict.PROBLEM for each in findings):
        raise typer.Exit(FAILURE)


def table(findings: Sequence[Finding]) -> str:
    """Return *findings* for people, one a line."""
    width = max(len(each.subject) for each in findings)
    return "\n".join(f"{each.verdict:<8} {each.subject:<{width}}  {each.words}" for each in findings)


def examined(settings: Settings, *, now: float) -> Iterator[Finding]:
    """Yield every finding; nothing is changed. *now* is in Unix seconds."""
    from cli.moderation import examined as gates

    folder = Folder(settings.data)
    yield doctor_machine.python(sys.version_info[:2])
    yield doctor_machine.packages("libraries", LIBRARIES)
    yield doctor_machine.packages("drawing", DRAWING)
    yield from doctor_machine.models(settings)
    yield from gates(settings.moderation)
    existing = next(each for each in (folder.root, *folder.root.parents) if each.exists())
    yield doctor_machine.space(existing)
    yield from doctor_machine.rights(folder, existing)
    yield from doctor_data.looked_at(folder, now=now)
    yield doctor_machine.token(settings)
    yield from doctor_machine.ports(settings)
