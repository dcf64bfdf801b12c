"""What it takes to go on with pictures later, as bytes: plain values and tensors, nothing that runs."""

import json
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import safetensors.torch
import torch

ABOUT = "about"  # the tensor that holds everything else, as JSON
TENSOR = "\0tensor"  # key of what stands for a tensor there

Value = Any  # None, a bool, a number, a text, a tensor, or a list or a mapping by text of those


def written(value: Value) -> bytes:
    """Return *value* as bytes.

    Raises:
        TypeError: There is something in it that cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    about = json.dumps(_folded(value, tensors)).encode()
    tensors[ABOUT] = torch.frombuffer(bytearray(about), dtype=torch.uint8)
    return safetensors.torch.save(tensors)


def read(body: bytes) -> Value:
    """Return what `written` was given, every tensor on the device it was on.

    Raises:
        ValueError: These are not such bytes.
    """
    try:
        tensors = safetensors.torch.load(body)
        about = json.loads(bytes(tensors.pop(ABOUT).tolist()))
        return _unfolded(about, tensors)
    except (safetensors.SafetensorError, LookupError, RuntimeError, TypeError) as error:
        raise ValueError(f"not a bookmark: {error}") from error


def changed(subject: object, fresh: object) -> dict[str, Value]:
    """Return the attributes in which *subject* differs from *fresh*, an object of its class before use."""
    before = vars(fresh)
    return {
        name: value
        for name, value in vars(subject).items()
        if name not in before or not _same(value, before[name])
    }


def _folded(value: Value, tensors: dict[str, torch.Tensor]) -> Value:
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {TENSOR: name, "on": str(value.device)}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, list | tuple):
        return [_folded(each, tensors) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _folded(each, tensors) for name, each in value.items()}
    raise TypeError(f"a {type(value).__name__} cannot be written")


def _unfolded(value: Value, tensors: Mapping[str, torch.Tensor]) -> Value:
    if isinstance(value, list):
        return [_unfolded(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    if TENSOR in value:
        return tensors[value[TENSOR]].to(value["on"])
    return {name: _unfolded(each, tensors) for name, each in value.items()}


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and bool((one == other).all())
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except (ValueError, RuntimeError):  # what is compared piece by piece
        return False
