"""How much memory a device has left, how much was in use at most, and giving back what is free."""

import ctypes
from contextlib import suppress
from pathlib import Path

import torch

STATUS = Path("/proc/self/status")
PEAK = Path("/proc/self/clear_refs")  # "5" begins a new peak, see proc(5)
MACHINE = Path("/proc/meminfo")
LIMIT, USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")  # of a container


def begin_peak(device: torch.device) -> None:
    """Forget what was in use at most so far."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):  # not Linux, or not allowed: then the peak is that of the whole life
        PEAK.write_text("5", encoding="ascii")


def peak(device: torch.device) -> int | None:
    """Return the bytes that were in use at most since `begin_peak`; None where nobody tells."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return _kilobytes(STATUS, "VmHWM") if device.type == "cpu" else None


def in_use(device: torch.device) -> int | None:
    """Return the bytes in use by this process; None where nobody tells."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return _kilobytes(STATUS, "VmRSS") if device.type == "cpu" else None


def left(device: torch.device) -> int | None:
    """Return the bytes that are free; None where nobody tells."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    if device.type != "cpu":
        return None
    machine = _kilobytes(MACHINE, "MemAvailable")
    try:
        container = int(LIMIT.read_text(encoding="ascii")) - int(USED.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or "max": no limit
        return machine
    return container if machine is None else min(machine, container)


def give_back() -> None:
    """Hand what is free in the process's heap back to the system; takes some tens of milliseconds.

    Tensors of many sizes come and go, and what lies free between those that stay only grows. Does nothing
    where the C library is not GNU's.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _kilobytes(file: Path, name: str) -> int | None:
    """Return what *file* says of *name* in kilobytes, in bytes."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return next((1024 * int(each) for each in found), None)
