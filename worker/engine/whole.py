"""Networks of which every weight comes from its files: the libraries make up what those lack."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import nn

from worker.engine.sources import first_line, missing


class Incomplete(Exception):  # noqa: N818 - a finding
    """A network's files lack some of its weights; the text says of which part, and names one."""


@contextmanager
def reading(source: str) -> Iterator[None]:
    """While it lasts, whatever is raised but for want of memory says that the files of *source* are damaged.

    Raises:
        WorkerError: ``MODEL_MISSING``; ``detail["reason"]`` is one sentence for the operator.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # the loaders raise a dozen types for a damaged file
        raise missing(source, f"is damaged or incomplete ({first_line(error)})") from error


def weight_of(parts: Iterable[nn.Module]) -> int:
    """Return the bytes of memory that the weights of *parts* take."""
    return sum(each.nbytes for part in parts for each in (*part.parameters(), *part.buffers()))


def readers(place: Path, types: Mapping[str, torch.dtype], without: Collection[str] = ()) -> dict[str, Any]:
    """Return the text encoders of the checkpoint in the folder *place*, by the names of its parts.

    Args:
        place: In diffusers layout.
        types: In which some of them are kept; float32 where nothing is said.
        without: Those that are left out.

    Raises:
        Incomplete: Weights are missing.
        Exception: Whatever the library raises of damaged files.
    """
    index = diffusers.DiffusionPipeline.load_config(str(place))
    named = {name: made[1] for name, made in index.items() if name.startswith("text_encoder") and any(made)}
    return {
        name: read(getattr(transformers, kind), place / name, types.get(name, torch.float32))
        for name, kind in named.items()
        if name not in without
    }


def read(kind: Any, folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """Return the network of a *kind* of the transformers library that is in *folder*.

    Raises:
        Incomplete: Weights are missing.
        Exception: Whatever the library raises of damaged files.
    """
    made, told = kind.from_pretrained(
        str(folder), dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    _complain(folder.name, told["missing_keys"])
    return made


def check_whole(parts: Mapping[str, Any]) -> None:
    """Refuse networks of the diffusers library, by name, of which a weight was never read.

    Raises:
        Incomplete: Likewise.
    """
    for part, made in parts.items():
        if isinstance(made, nn.Module):
            _complain(part, [name for name, tensor in made.state_dict().items() if tensor.is_meta])


def _complain(part: str, lacking: Collection[str]) -> None:
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise Incomplete(f"its {part} lacks {min(lacking)}{more}")
