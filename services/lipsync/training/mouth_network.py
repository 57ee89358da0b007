"""Mel windows in, poses of the mouth out: the network between sound and any avatar."""

import torch
from torch import Tensor, nn

from services.lipsync.mel import BANDS, COLUMNS_PER_WINDOW
from services.lipsync.pose import CONTROLS

_CHANNELS = 96
_LOUDEST = 4.0


class MouthNetwork(nn.Module):
    """Two convolutions over frequency and time, four over time, two dense layers: 0.28 million weights.

    Input (N, 1, 80, 16) log-mel in -4..4; output (N, 7) controls, about 0..1, neither clipped nor smoothed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(
            nn.Conv2d(1, 12, (7, 3), (2, 1), (3, 1)), nn.BatchNorm2d(12), nn.ReLU(),
            nn.Conv2d(12, 16, (5, 3), (2, 1), (2, 1)), nn.BatchNorm2d(16), nn.ReLU(),
        )  # fmt: skip
        self.time = nn.Sequential(
            *_over_time(16 * BANDS // 4, _CHANNELS),
            nn.Dropout(0.1),
            *_over_time(_CHANNELS, _CHANNELS),
            *_over_time(_CHANNELS, _CHANNELS),
            *_over_time(_CHANNELS, _CHANNELS, stride=2),
        )
        self.pose = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.15),
            nn.Linear(_CHANNELS * COLUMNS_PER_WINDOW // 2, 128), nn.ReLU(),
            nn.Linear(128, len(CONTROLS)),
        )  # fmt: skip

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7) poses of (N, 1, 80, 16) windows."""
        spectrum: Tensor = self.spectrum(mel / _LOUDEST)
        pose: Tensor = self.pose(self.time(spectrum.flatten(1, 2)))
        return pose


def weights(network: nn.Module) -> int:
    """Return how many trainable numbers a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def _over_time(channels_in: int, channels_out: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv1d(channels_in, channels_out, 3, stride, 1), nn.BatchNorm1d(channels_out), nn.ReLU()


def example_windows() -> Tensor:
    """Return a batch of the shape that the network takes, for export."""
    return torch.zeros(2, 1, BANDS, COLUMNS_PER_WINDOW)
