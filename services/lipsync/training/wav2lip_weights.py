"""A checkpoint's tensors go in, the weights of every layer come out, as trained or one convolution each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.checkpoint_tensors import Checkpoint
from services.lipsync.training.refusal import CheckpointRefused
from services.lipsync.training.wav2lip_architecture import ALL_LAYERS, Layer

Array = NDArray[np.float32]

# BatchNorm2d's in torch, which all public checkpoints were trained with, as 32 bits keep it.
NORMALISATION_EPSILON = float(np.float32(1e-5))


@dataclass(frozen=True, slots=True)
class Normalisation:
    """A batch normalisation as trained; each has one number per channel."""

    scale: Array
    shift: Array
    mean: Array
    variance: Array
    epsilon: float = NORMALISATION_EPSILON


@dataclass(frozen=True, slots=True)
class Weights:
    """A convolution's weight and bias, then perhaps a normalisation, then perhaps a sum with its input."""

    weight: Array
    bias: Array
    normalisation: Normalisation | None = None
    adds_input: bool = False

    def folded(self, transposed: bool) -> Weights:
        """One convolution that computes the same."""
        weight, bias = self.weight.astype(np.float64), self.bias.astype(np.float64)
        norm = self.normalisation
        if norm is not None:
            factor = norm.scale / np.sqrt(norm.variance.astype(np.float64) + norm.epsilon)
            weight *= factor.reshape((1, -1, 1, 1) if transposed else (-1, 1, 1, 1))
            bias = (bias - norm.mean) * factor + norm.shift
        if self.adds_input:
            # A kernel's middle sees the pixel itself.
            channels, middle = np.arange(len(weight)), weight.shape[2] // 2
            weight[channels, channels, middle, middle] += 1
        return Weights(weight.astype(np.float32), bias.astype(np.float32))


LayerWeights = Mapping[str, Weights]


def checkpoint_weights(checkpoint: Checkpoint) -> LayerWeights:
    """The weights of every layer by its key.

    Raises:
        CheckpointRefused: a tensor is missing or has another shape than the architecture asks for.
    """
    # All shapes are compared before any number is read.
    for layer in ALL_LAYERS:
        for name, shape in layer.tensor_shapes():
            found = checkpoint.shapes.get(name)
            if found != shape:
                has = "is missing" if found is None else f"has the shape {found}"
                raise CheckpointRefused(
                    f"This is not a Wav2Lip network of 96x96 pixels: {name} {has} where {shape} is asked "
                    "for. Networks of other sizes or makers cannot be imported."
                )
    return {layer.key: _layer_weights(checkpoint, layer) for layer in ALL_LAYERS}


def folded_weights(weights: LayerWeights) -> LayerWeights:
    """The same layers, each as one convolution."""
    return {layer.key: weights[layer.key].folded(layer.transposed) for layer in ALL_LAYERS}


def _layer_weights(checkpoint: Checkpoint, layer: Layer) -> Weights:
    weight, bias = (checkpoint.tensor(f"{layer.convolution_key}.{name}") for name in ("weight", "bias"))
    if not layer.normalised:
        return Weights(weight, bias)
    names = ("weight", "bias", "running_mean", "running_var")
    scale, shift, mean, variance = (checkpoint.tensor(f"{layer.normalisation_key}.{name}") for name in names)
    if variance.min() < 0:
        raise CheckpointRefused(
            f"{layer.normalisation_key}.running_var is negative: the checkpoint is damaged."
        )
    return Weights(weight, bias, Normalisation(scale, shift, mean, variance), layer.residual)
