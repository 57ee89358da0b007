"""Poses (N,7) in, mouths (N,3,S,S) RGB 0..1 out: a small network that draws what a pose changes.

mouth = resting mouth + oval * (change(pose) - change(rest)), so the resting pose gives the resting mouth
exactly and the crop's edge never moves. `change` is a weighted sum of a few learned pictures, which are sharp
and nearly free, and a convolutional part at a quarter of the resolution, which bends what a sum cannot.
"""

import torch
from torch import Tensor, nn

from services.lipsync.pose import CONTROLS

PATTERNS = 8
_GRID = 16  # pixels of the mouth per cell of the coarsest map
_HIDDEN = 96
_SEED_CHANNELS = 32
_CHANNELS = (56, 32)
_LAST_SHUFFLE = 4


class MouthDecoder(nn.Module):
    """`resting` (3,S,S) and `oval` (S,S) are kept as they are; `patterns` (PATTERNS,3*S*S) are learned on."""

    def __init__(self, resting: Tensor, oval: Tensor, patterns: Tensor) -> None:
        super().__init__()
        self._cells = resting.shape[-1] // _GRID
        self.register_buffer("resting", resting)
        self.register_buffer("oval", oval)
        self.patterns = nn.Parameter(patterns.clone())
        self._trunk = nn.Sequential(
            nn.Linear(len(CONTROLS), 64), nn.LeakyReLU(0.1), nn.Linear(64, _HIDDEN), nn.LeakyReLU(0.1)
        )
        self._shares = nn.Linear(_HIDDEN, len(patterns))
        self._seed = nn.Sequential(nn.Linear(_HIDDEN, _SEED_CHANNELS * self._cells**2), nn.LeakyReLU(0.1))
        layers: list[nn.Module] = []
        channels = _SEED_CHANNELS
        for wider in _CHANNELS:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(channels, wider, 3, padding=1), nn.ReLU()]
            channels = wider
        layers += [nn.Conv2d(channels, 3 * _LAST_SHUFFLE**2, 3, padding=1), nn.PixelShuffle(_LAST_SHUFFLE)]
        self._picture = nn.Sequential(*layers)

    def change(self, pose: Tensor) -> Tensor:
        """(N,7) → (N,3,S,S), unbounded."""
        hidden = self._trunk(pose)
        seed = self._seed(hidden).view(-1, _SEED_CHANNELS, self._cells, self._cells)
        summed = (self._shares(hidden) @ self.patterns).view(-1, *self.resting.shape)
        drawn: Tensor = summed + self._picture(seed)
        return drawn

    def forward(self, pose: Tensor) -> Tensor:
        """(N,7) → (N,3,S,S), not clamped, so that training sees what it overshoots."""
        changes = self.change(torch.cat([torch.zeros_like(pose[:1]), pose]))
        mouth: Tensor = self.resting + self.oval * (changes[1:] - changes[:1])
        return mouth


class ServedDecoder(nn.Module):
    """A trained decoder with the resting pose's change folded into a constant, and the result clamped."""

    def __init__(self, decoder: MouthDecoder) -> None:
        super().__init__()
        self._decoder = decoder
        with torch.no_grad():
            rest = decoder.change(torch.zeros(1, len(CONTROLS)))[0]
        self.register_buffer("base", decoder.resting - decoder.oval * rest)

    def forward(self, pose: Tensor) -> Tensor:
        """(N,7) → (N,3,S,S) in 0..1."""
        mouth: Tensor = (self.base + self._decoder.oval * self._decoder.change(pose)).clamp(0, 1)
        return mouth
