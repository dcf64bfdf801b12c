"""How a network runs fastest here without looking different."""

import platform
from pathlib import Path
from typing import Any

import torch

LARGE_BYTES = 400 * 10**6  # of weights; the smallest Stable Diffusion 1 has more in half precision


def attune(threads: int | None) -> None:
    """Set the calling thread up for networks.

    Numbers too small for their type's full precision count as zero from then on: they are nothing in a
    picture, and processors take many times as long over each.

    Args:
        threads: Of the CPU for one pass; None: torch's choice.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def best_device() -> str:
    """Return the name of the fastest kind of device there is."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def usual_type(device: str) -> torch.dtype:
    """Return the type for networks of any size on a kind of *device*.

    float32 on a CPU, where half is no faster for small ones, unless it multiplies whole tiles of bfloat16.
    Elsewhere bfloat16, which has the range of float32, where the device has it: of what emulates it nothing
    would be gained. Else float16.
    """
    if device == "cpu":
        return torch.bfloat16 if multiplies_tiles() else torch.float32
    if device == "cuda":
        there = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        there = torch.backends.mps.is_available() and torch.backends.mps.is_macos_or_newer(14, 0)
    return torch.bfloat16 if there else torch.float16


def large_type(device: str) -> torch.dtype:
    """Return the type for large networks, whose steps are matrix products for the most part.

    A CPU that multiplies bfloat16 does so two to eight times as fast as float32; one that does not is slower.
    """
    return torch.bfloat16 if device == "cpu" and multiplies_bfloat16() else usual_type(device)


def layout(device: torch.device, *, large: bool) -> torch.memory_format:
    """Return how the maps of a network lie in memory.

    Channels last, but for small networks on a CPU: their maps are too small to pay for the rearranging.
    """
    small_here = device.type == "cpu" and not large
    return torch.contiguous_format if small_here else torch.channels_last


def placed(autoencoder: Any, device: torch.device, network: torch.dtype) -> Any:
    """Return *autoencoder* on *device*, in the type that suits it beside a network of type *network*.

    bfloat16 has the range of float32 and changes a picture by less than 2/255 almost everywhere. In float16
    the autoencoder of Stable Diffusion XL overflows, and the picture is black: float32 then.
    """
    if network == torch.bfloat16:
        return autoencoder.to(device, network, memory_format=torch.channels_last)
    return autoencoder.to(device, torch.float32)


def multiplies_tiles() -> bool:
    """Tell whether the CPU has units for products of matrices of bfloat16 (Intel's AMX)."""
    # There is no public way to ask.
    return bool(torch.cpu._is_amx_tile_supported())  # noqa: SLF001


def multiplies_bfloat16() -> bool:
    """Tell whether the CPU has instructions for products of bfloat16."""
    if platform.machine() in {"x86_64", "AMD64"}:
        # oneDNN's own question is answered with yes where AVX-512 emulates it.
        return torch.cpu._is_avx512_bf16_supported() or multiplies_tiles()  # noqa: SLF001
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001


def is_large(place: Path, network: str) -> bool:
    """Tell whether the weights of *network* in a checkpoint, a folder or a single file, are many."""
    files = [place] if place.is_file() else (place / network).glob("*.safetensors")
    return sum(path.stat().st_size for path in files) >= LARGE_BYTES
