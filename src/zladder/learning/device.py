"""Where networks on images are trained and asked: on a GPU if there is one, else on the CPU.

Random numbers are drawn on the CPU wherever a network is: every device sees the same draws.
"""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    """Return the current GPU if PyTorch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
