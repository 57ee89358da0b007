"""Mel windows in, poses of the mouth out: the network between sound and any avatar."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.lipsync.mel import BANDS
from services.lipsync.pose import CONTROLS, ROUND
from services.lipsync.training.mouth_examples import WINDOW_COLUMNS

_PATCHES = 16
_CHANNELS = 128
_HIDDEN = 128
# The dense layers look at what the convolutions made of every other column of theirs.
_STEP = 2
_GLANCES = 8
_LOUDEST = 4.0
# A mean-square fit draws less than it should of what it is unsure of. On sentences of its own voices that it
# had not heard it rounded the lips by 0.86 of the truth (standard deviations), and lips that should purse
# show it. The remedy is that of Toda and Tokuda (global variance, 2007).
_ROUND_GAIN = 1.2


class MouthNetwork(nn.Module):
    """Patches of the spectrogram, then convolutions over time, then two dense layers: 330,000 weights.

    A patch is looked for in every band, so that the formants of a throat that nobody trained on are known
    again where they lie there. A network that begins with convolutions over time follows strangers less well
    (r of the jaw 0.83 instead of 0.85, each alone and trained for as long).
    Input: log-mel in -4..4. Output: the seven controls, about 0..1, neither clipped nor smoothed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            *_over_bands_and_time(1, _PATCHES, bands=7), *_over_bands_and_time(_PATCHES, _PATCHES, bands=5)
        )
        self.time = nn.Sequential(
            *_over_time(_PATCHES * BANDS // 4, _CHANNELS, columns=3),
            *_over_time(_CHANNELS, _CHANNELS, columns=4),
        )
        self.pose = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(_CHANNELS * _GLANCES, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, len(CONTROLS)),
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Return the (N, 7, T - 23) poses of the windows that begin at the columns of (N, 80, T) mel."""
        _, hidden, _, out = self.pose
        glances = hidden.weight.view(_HIDDEN, _CHANNELS, _GLANCES)
        seen = functional.conv1d(self._heard(mel), glances, hidden.bias, dilation=_STEP).relu()
        return functional.conv1d(seen, out.weight[:, :, None], out.bias)

    def along(self, mel: Tensor, starts: Tensor) -> Tensor:
        """Return the (N, F, 7) poses of the windows that begin at (N, F) columns `starts` of (N, 80, T) mel.

        It is what `forward` says of them; in training each of them drops other features.
        """
        heard = self._heard(mel)
        rows, frames = starts.shape
        columns = (starts[:, :, None] + torch.arange(0, _STEP * _GLANCES, _STEP)).flatten(1)
        seen = heard.gather(2, columns[:, None].expand(-1, _CHANNELS, -1))
        seen = seen.view(rows, _CHANNELS, frames, _GLANCES).transpose(1, 2).flatten(2)
        poses: Tensor = self.pose(seen)
        return poses

    def _heard(self, mel: Tensor) -> Tensor:
        """Return the (N, 128, T - 9) features of (N, 80, T) spectrograms."""
        features: Tensor = self.time(self.patches(mel[:, None] / _LOUDEST).flatten(1, 2))
        return features


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
        """Return the (N, 7, T - 23) poses of the windows that begin at the columns of (N, 80, T) mel."""
        return self.gain[:, None] * torch.stack([network(mel) for network in self.networks]).mean(dim=0)


def weights(network: nn.Module) -> int:
    """Return how many trainable numbers a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def example_spectrograms() -> Tensor:
    """Return a batch of the shape that the network takes, for export."""
    return torch.zeros(2, BANDS, 2 * WINDOW_COLUMNS)


def _over_bands_and_time(channels_in: int, channels_out: int, bands: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels_in, channels_out, (bands, 3), stride=(2, 1), padding=(bands // 2, 0))
    return convolution, nn.BatchNorm2d(channels_out), nn.ReLU()


def _over_time(channels_in: int, channels_out: int, columns: int) -> tuple[nn.Module, ...]:
    return nn.Conv1d(channels_in, channels_out, columns), nn.BatchNorm1d(channels_out), nn.ReLU()
