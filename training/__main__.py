"""`python -m training`: the embedded checkpoint, made and measured.

all       everything below in order, resuming from what the cache holds: this is `make train`
art       fetch and render the sprites
vae       train an autoencoder from nothing; only needed where there is no checkpoint to start from
unet      train UNet and text encoder
decoder   sharpen the autoencoder's decoder; its latents stay
export    write the checkpoint
evaluate  mark a checkpoint
curve     quality against steps, from which the default number of steps is chosen
sheet     draw sample sheets with a checkpoint
"""

from __future__ import annotations

import argparse
import json
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.workshop import Workshop

EMBEDDED = Path(__file__).resolve().parent.parent / "models" / "embedded"
COMPARED = 0.6  # of the easy scenes, so that three pictures of five are compared with others


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "journeyman" / "training"
    parser.add_argument("what", nargs="?", default="all", choices=list(_STEPS), help="default: all")
    parser.add_argument(
        "--cache", type=Path, default=cache, help="art, state and results (default: %(default)s)"
    )
    parser.add_argument(
        "--base", type=Path, default=EMBEDDED, help="checkpoint to start from (default: %(default)s)"
    )
    parser.add_argument("--checkpoint", type=Path, help="what to evaluate or draw with (default: the export)")
    parser.add_argument("--threads", type=int, default=1, help="one is best beside other work (default: 1)")
    parser.add_argument("--steps", type=int, help="how many steps to train")
    parser.add_argument("--batch", type=int, help="pictures a step")
    parser.add_argument(
        "--rate", type=float, default=0.01, help="Muon's learning rate (default: %(default)s)"
    )
    parser.add_argument("--warmup", type=int, default=40, help="steps that lead up to the rate (default: 40)")
    parser.add_argument("--decay", type=int, default=0, help="how many of the steps lead down to rate zero")
    parser.add_argument(
        "--style",
        type=float,
        default=6.0,
        help="how many times differences of styles count while the rate is full "
        "(default: 6; from nothing 1, which compares none)",
    )
    parser.add_argument("--thin", type=int, default=1, help="ask only every n-th question")
    parser.add_argument("--sampling", type=int, default=12, help="sampling steps a picture when evaluating")
    return parser


def _art(arguments: argparse.Namespace) -> None:
    from training.workshop import Workshop  # noqa: PLC0415

    print("sprites", Workshop(arguments.cache, None).sprites().shape)


def _vae(arguments: argparse.Namespace) -> None:
    from training import autoencoder, networks  # noqa: PLC0415
    from training.workshop import Workshop  # noqa: PLC0415

    sprites = Workshop(arguments.cache, None).sprites()
    easel = autoencoder.Easel(sprites, random.Random(1))
    apprentice = autoencoder.Apprentice(
        networks.new_autoencoder(), easel, arguments.cache / "vae.pt", decoder_only=False
    )
    apprentice.train(arguments.steps or 1500, arguments.batch or 16, 0.02)
    apprentice.vae.register_to_config(scaling_factor=autoencoder.scaling_factor(apprentice.vae, easel))
    apprentice.vae.save_pretrained(arguments.cache / "vae")


def _unet(arguments: argparse.Namespace) -> None:
    from training.diffusion import Schedule  # noqa: PLC0415

    trainer = _workshop(arguments).trainer(compared=COMPARED if arguments.style > 1 else 0)
    steps = arguments.steps or 2000
    end = trainer.step + steps
    decay_from, decay_to = (end - arguments.decay, end) if arguments.decay else (None, None)
    schedule = Schedule(arguments.rate, arguments.warmup, decay_from, decay_to, arguments.style)
    trainer.train(steps, arguments.batch or 64, schedule)


def _decoder(arguments: argparse.Namespace) -> None:
    apprentice = _workshop(arguments).apprentice()
    apprentice.train(arguments.steps or 1500, arguments.batch or 8, arguments.rate)


def _export(arguments: argparse.Namespace) -> None:
    from training import export  # noqa: PLC0415

    workshop = _workshop(arguments)
    folder = arguments.cache / "export"
    trainer = workshop.trainer()
    export.export(trainer, workshop.finished_autoencoder(), folder)
    report = arguments.cache / "report.json"
    marks = json.loads(report.read_text(encoding="utf-8"))["marks"] if report.exists() else {}
    export.write_card(folder, workshop.drawn, trainer, marks)
    print(f"{folder}: {export.size_in_megabytes(folder):.1f} MB")


def _evaluate(arguments: argparse.Namespace) -> None:
    from training import evaluate  # noqa: PLC0415

    workshop = _workshop(arguments)
    pipeline = evaluate.load_pipeline(arguments.checkpoint or arguments.cache / "export")
    examination = evaluate.Examination(
        pipeline, workshop.drawn, workshop.sprites(), thin=arguments.thin, steps=arguments.sampling
    )
    examination.all()
    name = "report.json" if arguments.checkpoint is None else f"report-{arguments.checkpoint.name}.json"
    evaluate.write_report(examination.marks, examination.notes, arguments.cache / name)


def _curve(arguments: argparse.Namespace) -> None:
    from training import curve, evaluate  # noqa: PLC0415

    workshop = _workshop(arguments)
    pipeline = evaluate.load_pipeline(arguments.checkpoint or arguments.cache / "export")
    examination = evaluate.Examination(
        pipeline, workshop.drawn, workshop.sprites(), thin=arguments.thin, batch=4
    )
    print(curve.table(curve.measured(examination)))


def _sheet(arguments: argparse.Namespace) -> None:
    from training import evaluate, sheet  # noqa: PLC0415

    workshop = _workshop(arguments)
    checkpoint = arguments.checkpoint or arguments.cache / "export"
    examination = evaluate.Examination(evaluate.load_pipeline(checkpoint), workshop.drawn, workshop.sprites())
    for path in sheet.write_sheets(
        examination.draw, workshop.drawn, arguments.cache / f"sheets-{checkpoint.name}"
    ):
        print(path)


def _all(arguments: argparse.Namespace) -> None:
    _art(arguments)
    if not arguments.base.exists() and not (arguments.cache / "vae").exists():
        _vae(arguments)
    for step in (_unet, _decoder, _export, _evaluate, _export, _sheet):
        step(arguments)


def _workshop(arguments: argparse.Namespace) -> Workshop:
    from training.workshop import Workshop  # noqa: PLC0415  --help answers at once

    return Workshop(arguments.cache, arguments.base if arguments.base.exists() else None)


_STEPS = {
    "all": _all,
    "art": _art,
    "vae": _vae,
    "unet": _unet,
    "decoder": _decoder,
    "export": _export,
    "evaluate": _evaluate,
    "curve": _curve,
    "sheet": _sheet,
}


def main() -> None:
    """Run one step of the making."""
    arguments = _parser().parse_args()
    import torch  # noqa: PLC0415  --help answers at once

    torch.set_num_threads(arguments.threads)
    # Gradients fade into subnormal numbers, at which products take several times as long.
    torch.set_flush_denormal(True)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    _STEPS[arguments.what](arguments)


if __name__ == "__main__":
    main()
