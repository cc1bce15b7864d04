"""Where networks on images are trained and asked: on a GPU if there is one, else on the CPU.

Random numbers are drawn on the CPU wherever a network is, so that every device sees the same draws:
all but the noise of views, of which CUDA draws its own (`learning.augment`).
"""

from __future__ import annotations

import torch

from zladder.learning.device_locks import lock_folder, take_device


def best_device() -> torch.device:
    """Return a GPU if PyTorch sees one, else the CPU; always the same one in a process.

    Of several GPUs it is the first that no other process of ours on this host has taken (the
    first of all if none is left): inside one allocation every program sees all of them.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    n_devices = torch.cuda.device_count()
    if n_devices < 2:
        return torch.device("cuda")
    # Numbers differ between jobs that see different devices of a node; these names do not.
    names = [str(torch.cuda.get_device_properties(i).uuid) for i in range(n_devices)]
    return torch.device("cuda", take_device(names, lock_folder()))


def keep_reproducible(device: torch.device) -> None:
    """Ask the process for equal bits from equal runs, and for float32 that is one.

    Equal bytes are promised on the CPU, with equal threads: there an operation that cannot keep
    the promise is an error. CUDA has no such form of some operations, and of cuBLAS only in a
    workspace that the environment sets: there PyTorch takes the forms it has, and warns.
    """
    on_cpu = device.type == "cpu"
    # `use_deterministic_algorithms`, the other spelling, imports a compiler.
    torch.set_deterministic_debug_mode("error" if on_cpu else "warn")
    # By default cuDNN rounds the factors of a convolution to ten bits (TF32); cards say float32.
    torch.backends.cudnn.allow_tf32 = False
