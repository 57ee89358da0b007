"""Mel windows in, poses of the mouth out: the network between sound and any avatar."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from services.lipsync.mel import BANDS
from services.lipsync.pose import CONTROLS, ROUND
from services.lipsync.training.mouth_examples import WINDOW_COLUMNS

_CHANNELS = 128
_HIDDEN = 128
# The dense layers look at what the convolutions made of every other column of theirs.
_STEP = 2
_GLANCES = 8
_LOUDEST = 4.0
# A mean-square fit draws less than it should of what it is unsure of. On sentences of its own voices that it
# had not heard it rounded the lips by 0.83 of the truth (standard deviations), and lips that should purse
# show it. The remedy is that of Toda and Tokuda (global variance, 2007).
_ROUND_GAIN = 1.2


class MouthNetwork(nn.Module):
    """Three convolutions over time and two dense layers: a quarter of a million weights.

    A front end of two-dimensional convolutions was tried: it learned no more from the same CPU time.
    Input (N, 1, 80, 24) log-mel in -4..4; output (N, 7) controls, about 0..1, neither clipped nor smoothed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(
            *_over_time(BANDS, _CHANNELS, kernel=4),
            *_over_time(_CHANNELS, _CHANNELS, kernel=3),
            *_over_time(_CHANNELS, _CHANNELS, kernel=3, dilation=2),
        )
        self.pose = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(_CHANNELS * _GLANCES, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, len(CONTROLS)),
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7) poses of (N, 1, 80, 24) windows."""
        pose: Tensor = self.pose(self.time(mel.squeeze(1) / _LOUDEST)[:, :, ::_STEP].flatten(1))
        return pose

    def along(self, mel: Tensor, starts: Tensor) -> Tensor:
        """Return the (N, F, 7) poses of windows which begin at the (N, F) columns of (N, 80, T) spectrograms.

        It is what `forward` says of each window, but a column that many windows share is heard once.
        """
        heard = self.time(mel / _LOUDEST)
        rows, frames = starts.shape
        columns = (starts[:, :, None] + torch.arange(0, _STEP * _GLANCES, _STEP)).flatten(1)
        seen = heard.gather(2, columns[:, None].expand(-1, _CHANNELS, -1))
        seen = seen.view(rows, _CHANNELS, frames, _GLANCES).transpose(1, 2).flatten(2)
        poses: Tensor = self.pose(seen)
        return poses


class MouthEnsemble(nn.Module):
    """The mean of what several networks say, who learned the same in other ways: each errs elsewhere."""

    gain: Tensor

    def __init__(self, networks: Iterable[MouthNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        gain = torch.ones(len(CONTROLS))
        gain[ROUND] = _ROUND_GAIN
        self.register_buffer("gain", gain)

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7) poses of (N, 1, 80, 24) windows."""
        return self.gain * torch.stack([network(mel) for network in self.networks]).mean(dim=0)


def weights(network: nn.Module) -> int:
    """Return how many trainable numbers a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def example_windows() -> Tensor:
    """Return a batch of the shape that the network takes, for export."""
    return torch.zeros(2, 1, BANDS, WINDOW_COLUMNS)


def _over_time(channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv1d(channels_in, channels_out, kernel, dilation=dilation)
    return convolution, nn.BatchNorm1d(channels_out), nn.ReLU()
