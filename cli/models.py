"""`journeyman models`: which checkpoints there are, whether they work, and how fast."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from cli import checkpoint, logs, options
from cli.admin_desk import ask, listed
from cli.config import Settings, load
from cli.doctor_machine import weights_of
from cli.failures import FAILURE, USAGE, Failure
from cli.model_section import Model
from cli.serve import quiet_libraries
from worker.admin import AdminDesk, ModelLine, WorkerLine
from worker.hub.choice import Want
from worker.wants import wants

app = typer.Typer(
    help="The models that draw: which there are, whether they work, how fast.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Models; all, if none is named.")]
Threads = Annotated[int | None, typer.Option(min=1, max=256, help="CPU threads; as configured by default.")]
BATCHES = (1, 2, 4, 8, 16)


@app.command("list")
def list_models(
    data: options.Data = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """List the models, the default first."""
    settings = load(os.environ, file=config, options={"data": data})

    async def look(desk: AdminDesk) -> tuple[Sequence[ModelLine], Sequence[WorkerLine]]:
        return await desk.models(), (await desk.status()).workers

    lines, workers = ask(data, config, look)
    listed(list(rows(settings, lines, workers)), as_json=as_json)


def rows(
    settings: Settings, lines: Sequence[ModelLine], workers: Sequence[WorkerLine]
) -> Iterator[dict[str, Any]]:
    """Yield what is told of each model."""
    said = {line.name: line for line in lines}
    for model in settings.checkpoints:
        name = checkpoint.assumed(model).name
        entry = checkpoint.entry(model, checkpoint.assumed(model), offline=settings.engine.offline)
        loaded = [worker.name for worker in workers if name in worker.model.split(", ")]
        yield {
            "name": name,
            "state": "default" if said[name].default else "on" if said[name].enabled else "off",
            "asked for by": ", ".join(entry.flags) or "-",
            "family": family_of(model),
            "source": model.source,
            "on disk": weight(on_disk(model)),
            "loaded by": ", ".join(loaded) or "-",
            "licence": model.licence or "-",
        }


def family_of(model: Model) -> str:
    """Return what people call the family of *model*; a dash where its files are not here."""
    try:
        measures = checkpoint.measures_of(model)
    except Failure:
        return "-"
    return "-" if measures is None else measures.family.facts.title


@app.command()
def pull(names: Names = None, config: options.Config = None) -> None:
    """Fetch what comes from the hub, going on where it stopped, and check that it is whole."""
    settings = load(os.environ, file=config)
    wanted = list(dict.fromkeys(want for model in chosen(settings, names) for want in wanted_of(model)))
    if not wanted:
        print("Nothing to fetch: every model is on this machine already.")
        return
    if settings.engine.offline:
        places = ", ".join(want.place for want in wanted)
        raise Failure(f"`offline` forbids fetching {places}: set it to false under [engine].", USAGE)
    from cli.hub import pulled

    pulled(wanted)


@app.command()
def check(
    names: Names = None,
    config: options.Config = None,
    threads: Threads = None,
    as_json: options.Json = False,
) -> None:
    """Load each model, draw one step with it, and say whether that went well."""
    settings = load(os.environ, file=config)
    os.environ.update(quiet_libraries(os.environ))
    logs.setup(settings.log, process="models")
    models = chosen(settings, names)
    from cli.trial import tried

    findings = [{"name": model.title, **tried(model, settings.engine, threads)} for model in models]
    if as_json:
        print(json.dumps(findings))
    else:
        for each in findings:
            print(f"{'ok' if each['ok'] else 'problem':<8} {each['name']}  {each['words']}")
    if not all(each["ok"] for each in findings):
        raise typer.Exit(FAILURE)


@app.command()
def bench(
    names: Names = None,
    *,
    data: options.Data = None,
    config: options.Config = None,
    threads: Threads = None,
    most: Annotated[int, typer.Option(min=1, max=64, help="The most pictures in one step.")] = 8,
    as_json: options.Json = False,
) -> None:
    """Measure how long a step takes by how many pictures share it, at each model's own size.

    How many are worth it is kept in the data folder: a worker that starts later draws so many in a step.
    """
    settings = load(os.environ, file=config, options={"data": data})
    os.environ.update(quiet_libraries(os.environ))
    logs.setup(settings.log, process="models")
    from cli.bench import benched

    batches = [each for each in BATCHES if each <= most]
    listed(benched(chosen(settings, names), settings, batches, threads), as_json=as_json)


def chosen(settings: Settings, names: Sequence[str] | None) -> Sequence[Model]:
    """Return the models that are named, or all.

    Raises:
        Failure: One of the names is none.
    """
    known = {checkpoint.assumed(model).name: model for model in settings.checkpoints}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise Failure(f"There is no model {', '.join(unknown)}; there is: {', '.join(known)}.", USAGE)
    return [known[name] for name in names] if names else list(known.values())


def wanted_of(model: Model) -> tuple[Want, ...]:
    """Return what of *model* comes from the hub."""
    entry = checkpoint.entry(model, checkpoint.assumed(model), offline=False)
    return wants(entry.profile.source, entry.build)


def on_disk(model: Model) -> int | None:
    """Return the bytes of a model's weights on this machine, None where they were not fetched yet."""
    place = checkpoint.place_of(model)
    return None if place is None else sum(path.stat().st_size for path in weights_of(place))


def weight(size: int | None) -> str:
    """Return so many bytes for people."""
    if size is None:
        return "not fetched"
    return "missing" if size == 0 else f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.0f} MB"
