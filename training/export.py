"""The checkpoint as it ships: fp16 in diffusers layout with its model card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from training import networks
from training.art import PACKAGES
from training.diffusion import Trainer
from training.lexicon import COLOURS, SCENES, Subject


def export(trainer: Trainer, vae: Any, folder: Path) -> None:
    """Write the averaged weights under `folder`, as half precision, replacing what is there."""
    painter, averages = trainer.painter, trainer.averaged()
    painter.unet.load_state_dict(averages["unet"], strict=False)
    painter.encoder.load_state_dict(averages["text"], strict=False)
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=painter.encoder,
        tokenizer=painter.tokenizer,
        unet=painter.unet,
        scheduler=networks.new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.to(dtype=torch.float16).save_pretrained(folder)
    for path in folder.rglob("*.json"):
        _without_origin(path)


def _without_origin(path: Path) -> None:
    """Configurations record the folder they were loaded from on the machine that trained them."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        return
    found = [content.pop(key, None) is not None for key in ("_name_or_path", "is_local", "local_files_only")]
    if any(found):
        path.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
        )


def size_in_megabytes(folder: Path) -> float:
    """What the checkpoint takes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def write_card(
    folder: Path, subjects: tuple[Subject, ...], trainer: Trainer, marks: dict[str, float]
) -> None:
    """The model card, `README.md` inside the checkpoint."""
    table = [
        "| measure | value |",
        "| --- | --- |",
        *(f"| {name} | {mark:.3f} |" for name, mark in marks.items()),
    ]
    card = (
        (Path(__file__).parent / "model_card.md")
        .read_text(encoding="utf-8")
        .format(
            size=size_in_megabytes(folder),
            count=len(subjects),
            colours=", ".join(colour.english[0] for colour in COLOURS.values()),
            scenes=", ".join(SCENES),
            subjects=", ".join(subject.name for subject in subjects),
            vocabulary=len(trainer.painter.tokenizer),
            context=trainer.painter.tokenizer.model_max_length,
            layers=trainer.painter.encoder.config.num_hidden_layers,
            steps=trainer.step,
            marks="\n".join(table),
            **PACKAGES,
        )
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
