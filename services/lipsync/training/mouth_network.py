"""Mel windows in, poses of the mouth out: the network between sound and any avatar."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from services.lipsync.mel import BANDS, COLUMNS_PER_WINDOW
from services.lipsync.pose import CONTROLS, ROUND

_CHANNELS = 128
_HIDDEN = 128
_COLUMNS_LEFT = COLUMNS_PER_WINDOW // 4
_LOUDEST = 4.0
# A mean-square fit draws less than it should of what it is unsure of. On sentences of its own voices that it
# had not heard it rounded the lips by 0.83 of the truth (standard deviations), and lips that should purse
# show it. The remedy is that of Toda and Tokuda (global variance, 2007).
_ROUND_GAIN = 1.2


class MouthNetwork(nn.Module):
    """Four convolutions over time and two dense layers: a quarter of a million weights.

    A front end of two-dimensional convolutions was tried: it learned no more from the same CPU time.
    Input (N, 1, 80, 16) log-mel in -4..4; output (N, 7) controls, about 0..1, neither clipped nor smoothed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(
            *_over_time(BANDS, _CHANNELS),
            *_over_time(_CHANNELS, _CHANNELS, stride=2),
            *_over_time(_CHANNELS, _CHANNELS),
            *_over_time(_CHANNELS, _CHANNELS, stride=2),
        )
        self.pose = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(_CHANNELS * _COLUMNS_LEFT, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, len(CONTROLS)),
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7) poses of (N, 1, 80, 16) windows."""
        pose: Tensor = self.pose(self.time(mel.squeeze(1) / _LOUDEST))
        return pose


class MouthEnsemble(nn.Module):
    """The mean of what several networks say, who learned the same in another order: each errs elsewhere."""

    gain: Tensor

    def __init__(self, networks: Iterable[MouthNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        gain = torch.ones(len(CONTROLS))
        gain[ROUND] = _ROUND_GAIN
        self.register_buffer("gain", gain)

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7) poses of (N, 1, 80, 16) windows."""
        return self.gain * torch.stack([network(mel) for network in self.networks]).mean(dim=0)


def weights(network: nn.Module) -> int:
    """Return how many trainable numbers a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def example_windows() -> Tensor:
    """Return a batch of the shape that the network takes, for export."""
    return torch.zeros(2, 1, BANDS, COLUMNS_PER_WINDOW)


def _over_time(channels_in: int, channels_out: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv1d(channels_in, channels_out, 3, stride, 1), nn.BatchNorm1d(channels_out), nn.ReLU()
