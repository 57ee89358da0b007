"""A Wav2Lip-contract network's tensors go in, the network in PyTorch comes out: what importing is held to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from services.lipsync.training.wav2lip_architecture import (
    AUDIO_ENCODER,
    FACE_DECODER,
    FACE_ENCODER,
    OUTPUT_BLOCK,
    Block,
    Layer,
)


class _Normalised(nn.Module):  # type: ignore[misc]
    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(_convolution(layer), nn.BatchNorm2d(layer.outputs))
        self._residual = layer.residual

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        drawn = self.conv_block(value)
        return torch.relu(drawn + value if self._residual else drawn)


class Wav2Lip(nn.Module):  # type: ignore[misc]
    """Named as in the public checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(map(_block, FACE_ENCODER))
        self.audio_encoder = _block(AUDIO_ENCODER)
        self.face_decoder_blocks = nn.ModuleList(map(_block, FACE_DECODER))
        self.output_block = nn.Sequential(*_block(OUTPUT_BLOCK), nn.Sigmoid())

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[np.float32]]) -> Wav2Lip:
        network = cls()
        found = network.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()}, strict=False)
        assert all(name.endswith("num_batches_tracked") for name in found.missing_keys)
        assert not found.unexpected_keys
        network.eval()
        return network

    def forward(self, mel: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        features = []
        for block in self.face_encoder_blocks:
            faces = block(faces)
            features.append(faces)
        value = self.audio_encoder(mel)
        for block in self.face_decoder_blocks:
            value = torch.cat((block(value), features.pop()), dim=1)
        return self.output_block(value)


def _block(layers: Block) -> nn.Sequential:
    return nn.Sequential(*(_Normalised(one) if one.normalised else _convolution(one) for one in layers))


def _convolution(layer: Layer) -> nn.Module:
    sizes = (layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.padding)
    if layer.transposed:
        return nn.ConvTranspose2d(*sizes, output_padding=layer.output_padding)
    return nn.Conv2d(*sizes)
