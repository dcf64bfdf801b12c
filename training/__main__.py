"""`python -m training`: the embedded checkpoint, made and measured."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "models" / "embedded"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "journeyman" / "training"
    parser.add_argument("--cache", type=Path, default=cache, help="art, state and results (default: %(default)s)")
    parser.add_argument("--base", type=Path, default=EMBEDDED, help="checkpoint to start from (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    steps = parser.add_subparsers(dest="what", required=True)
    unet = steps.add_parser("unet", help="train UNet and text encoder")
    unet.add_argument("--steps", type=int, default=1000)
    unet.add_argument("--batch", type=int, default=64)
    unet.add_argument("--rate", type=float, default=0.01)
    unet.add_argument("--decay", type=int, default=0, help="how many of the steps lead down to rate zero")
    return parser.parse_args()


def main() -> None:
    """Run one step of the making."""
    arguments = _arguments()
    import torch  # noqa: PLC0415  --help answers at once

    from training.diffusion import Schedule  # noqa: PLC0415
    from training.workshop import Workshop  # noqa: PLC0415

    torch.set_num_threads(arguments.threads)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(arguments.cache, arguments.base if arguments.base.exists() else None)
    trainer = workshop.trainer()
    end = trainer.step + arguments.steps
    schedule = Schedule(arguments.rate)
    if arguments.decay:
        schedule = Schedule(arguments.rate, decay_from=end - arguments.decay, decay_to=end)
    trainer.train(arguments.steps, arguments.batch, schedule)


if __name__ == "__main__":
    main()
