"""A second device that every machine has: its tensors are held by CPU ones, and refuse to mix.

PyTorch's own fake tensors hold no values, so a training, which looks at its loss and draws its
batches, would not run on them. These do: what runs through is what the CPU gives, to the bit.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

GPU = torch.device("maia:0")  # a type of which no machine has one, and that needs no start
_CROSSING = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)


class GpuTensor(torch.Tensor):
    """A tensor on the pretended device; autograd knows it, `numpy` does not."""

    held: torch.Tensor
    device = GPU
    is_meta = False

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> GpuTensor:
        # PyTorch's autograd asks for no stream of a device `meta`.
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device="meta"
        )
        made.held = held
        return made

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def numpy(self, **_options: Any) -> Any:
        message = "can't convert a tensor of the pretended device to numpy: use .cpu() first"
        raise TypeError(message)

    @classmethod
    def __torch_dispatch__(cls, function, _types, arguments=(), options=None):
        message = f"{function} outside of the pretended device"
        raise RuntimeError(message)


class PretendGpu(TorchDispatchMode):
    """Where `GPU` is a device; counts what ran on it."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, function, _types, arguments=(), options=None):
        options = dict(options or {})
        device = options.get("device")
        tensors = [t for t in tree_flatten((arguments, options))[0] if isinstance(t, torch.Tensor)]
        inside = [t for t in tensors if isinstance(t, GpuTensor)]
        if function not in _CROSSING:
            _require_one_device(function, arguments, tensors)
        goes_in = bool(inside) if device is None or device.type == "meta" else device == GPU
        if device is not None:
            options["device"] = torch.device("cpu")
        wrappers = {id(tensor.held): tensor for tensor in inside}
        found = function(*tree_map(_held, arguments), **tree_map(_held, options))
        if function is torch.ops.aten.copy_.default:
            return arguments[0]
        if not goes_in:
            return found
        self.operations += 1

        def wrapped(value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return value
            return wrappers[id(value)] if id(value) in wrappers else GpuTensor(value)

        return tree_map(wrapped, found)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, GpuTensor) else value


def _require_one_device(
    function: Any, arguments: tuple[Any, ...], tensors: list[torch.Tensor]
) -> None:
    """Refuse tensors of two devices, as CUDA does; single numbers may come from the CPU.

    An index on the CPU, which CUDA would take, is refused too: it would cross at every step.
    """
    outside = [tensor for tensor in tensors if not isinstance(tensor, GpuTensor)]
    written = [
        value
        for value, told in zip(arguments, function._schema.arguments, strict=False)
        if told.alias_info is not None and told.alias_info.is_write
    ]
    numbers = all(tensor.dim() == 0 and not any(tensor is t for t in written) for tensor in outside)
    if len(outside) < len(tensors) and not numbers:
        message = f"{function}: expected all tensors to be on the same device"
        raise RuntimeError(message)
