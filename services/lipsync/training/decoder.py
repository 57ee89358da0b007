"""Poses (N,7) in, mouths (N,3,S,S) RGB 0..1 out: a small network that weighs a few learned pictures.

mouth = resting mouth + sum of (share(pose) - share(rest)) * pattern, so the resting pose gives the resting
mouth exactly and what no pattern touches, as the crop's edge, never moves. The patterns are the principal
changes of the rendered mouths ("eigenfaces", Turk and Pentland 1991): as sharp as these, and cheap to sum.
The shares are smooth functions of the pose: between the rendered ones tanh is nearer to the truth than ReLU.
"""

import math

import torch
from torch import Tensor, nn

from services.lipsync.pose import CONTROLS

PATTERNS = 72
_HIDDEN = 192
_LEVELS = 127  # of a stored pattern, to either side of 0


class MouthDecoder(nn.Module):
    """`resting` (3,S,S) and `patterns` (K,3*S*S) stay as they are; the network that weighs them learns."""

    def __init__(self, resting: Tensor, patterns: Tensor) -> None:
        super().__init__()
        self.register_buffer("resting", resting)
        self.register_buffer("patterns", patterns)
        self._weigh = nn.Sequential(
            nn.Linear(len(CONTROLS), _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, _HIDDEN), nn.Tanh(),
            nn.Linear(_HIDDEN, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, len(patterns)),
        )  # fmt: skip

    def shares(self, pose: Tensor) -> Tensor:
        """(N,7) → (N,K) of each pattern; 0 at rest."""
        weighed: Tensor = self._weigh(torch.cat([torch.zeros_like(pose[:1]), pose]))
        return weighed[1:] - weighed[:1]


class ServedDecoder(nn.Module):
    """A trained decoder with its patterns in 8 bits, a quarter of their size, and the result clamped."""

    def __init__(self, decoder: MouthDecoder) -> None:
        super().__init__()
        self._decoder = decoder
        step = decoder.patterns.abs().amax(1, keepdim=True) / _LEVELS
        self.register_buffer("step", step)
        self.register_buffer("levels", (decoder.patterns / step).round().to(torch.int8))

    def forward(self, pose: Tensor) -> Tensor:
        """(N,7) → (N,3,S,S) in 0..1."""
        changes = self._decoder.shares(pose) @ (self.levels.float() * self.step)
        mouth: Tensor = (self._decoder.resting + changes.view(-1, *self._decoder.resting.shape)).clamp(0, 1)
        return mouth


def main_changes(mouths: Tensor) -> Tensor:
    """(N,3,S,S), the first at rest → (K,3*S*S) principal components of what differs from it.

    Orthogonal, and each as strong as it typically shows, so that shares are of the order of 1.
    """
    changes = (mouths - mouths[0]).flatten(1)
    _, strengths, directions = torch.linalg.svd(changes - changes.mean(0), full_matrices=False)
    spread: Tensor = strengths[:PATTERNS, None] / math.sqrt(len(mouths))
    return spread * directions[:PATTERNS]
