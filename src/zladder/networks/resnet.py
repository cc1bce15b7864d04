"""A narrow residual network that turns galaxy images into features, with a cheap stem.

Basic blocks of He et al. (2016, CVPR, arXiv:1512.03385); the stem is one 3x3 convolution of
stride 2 without pooling, the width doubles from stage to stage. Any number of bands and any size
of image will do: the features are means over what is left of the pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence


def _convolution(
    n_in: int, n_out: int, size: int, stride: int, generator: torch.Generator | None
) -> nn.Conv2d:
    """Return a convolution without bias, Kaiming's normal draw over the fan out (He 2015)."""
    padding = size // 2
    with torch.random.fork_rng(devices=[]):  # PyTorch's own draw moves the global generator
        layer = nn.Conv2d(n_in, n_out, size, stride=stride, padding=padding, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
    return layer


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the first one takes the stride."""

    def __init__(
        self, n_in: int, n_out: int, stride: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        self.conv1 = _convolution(n_in, n_out, 3, stride, generator)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = _convolution(n_out, n_out, 3, 1, generator)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.shortcut = nn.Sequential()  # the identity
        if stride != 1 or n_in != n_out:
            shortcut = _convolution(n_in, n_out, 1, stride, generator)
            self.shortcut = nn.Sequential(shortcut, nn.BatchNorm2d(n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return relu(F(x) + shortcut(x)), (N, n_out, ceil(H / stride), ceil(W / stride))."""
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class Encoder(nn.Module):
    """Images to features; it carries the softening of the pixels that it was trained on.

    Weights lie channels-last: 1.3 to 1.5 times the images a second on a CPU (one thread, width 16
    to 32, 32 px, five bands).

    Parameters
    ----------
    n_bands
        Number of bands B.
    width
        Channels of the stem and of the first stage.
    blocks
        Basic blocks of each stage; a later stage halves the image and doubles the channels.
    stem_stride
        Stride of the first convolution.
    generator
        Draws the initial weights; None leaves it to PyTorch's global one.

    Attributes
    ----------
    features
        Number of features D = width 2^(stages - 1).
    softening_nmgy
        Buffer (B,), the flux at which the stretch turns from linear to compressed.
    """

    softening_nmgy: torch.Tensor

    def __init__(
        self,
        n_bands: int,
        width: int,
        blocks: Sequence[int],
        stem_stride: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.features = width * 2 ** (len(blocks) - 1)
        self.register_buffer("softening_nmgy", torch.ones(n_bands))
        stem = _convolution(n_bands, width, 3, stem_stride, generator)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(width), nn.ReLU())
        self.stages = nn.ModuleDict()
        n_in = width
        for stage, count in enumerate(blocks):
            n_out, layers = width * 2**stage, []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(BasicBlock(n_in, n_out, stride, generator))
                n_in = n_out
            self.stages[f"stage_{stage + 1}"] = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features (N, D) of stretched images (N, B, H, W)."""
        x = self.stem(x)
        for stage in self.stages.values():
            x = stage(x)
        return x.mean(dim=(2, 3))

    def layer_groups(self) -> dict[str, nn.Module]:
        """Return {name: layers}, input side first: stem, stage_1, stage_2, …."""
        return {"stem": self.stem, **self.stages}
