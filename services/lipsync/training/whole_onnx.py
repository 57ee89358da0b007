"""A whole lip-sync network as ONNX goes in, the weights of its layers come out.

Layers are told apart by what they depend on: the sound, the face, or both. Within each of these groups a
Wav2Lip network is one row of convolutions, so their order names them. What lies between is not looked at
here: the finished network is compared with the file it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from services.lipsync.training.refusal import CheckpointRefused
from services.lipsync.training.wav2lip_architecture import (
    AUDIO_ENCODER,
    DECODER_LAYERS,
    FACE_DECODER,
    FACE_ENCODER,
    Block,
    Layer,
)
from services.lipsync.training.wav2lip_weights import Array, LayerWeights, Normalisation, Weights

_MEL_SHAPE, _FACES_SHAPE = (1, 80, 16), (6, 96, 96)
_OURS = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class WholeNetwork:
    """The names of its inputs and its output, and its weights."""

    mel: str
    faces: str
    mouth: str
    weights: LayerWeights


def whole_network(data: bytes) -> WholeNetwork:
    """The network in an ONNX file.

    Raises:
        CheckpointRefused: not ONNX, its numbers are elsewhere, or its layers are not a Wav2Lip network's.
    """
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise CheckpointRefused(
            "The file is neither a checkpoint nor an ONNX graph, or it is damaged."
        ) from None
    graph = model.graph
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in graph.initializer):
        raise CheckpointRefused(
            "The ONNX graph keeps its weights in another file. Export it as a single file."
        )
    if any(node.domain not in _OURS for node in graph.node):
        raise CheckpointRefused("The ONNX graph uses operators of its maker's own. Export it without them.")
    constants = _constants(model)
    inputs = {port.name: _shape(port) for port in graph.input if port.name not in constants}
    mel = [name for name, shape in inputs.items() if shape == _MEL_SHAPE]
    faces = [name for name, shape in inputs.items() if shape == _FACES_SHAPE]
    if (len(mel), len(faces), len(inputs), len(graph.output)) != (1, 1, 2, 1):
        raise CheckpointRefused(
            "The ONNX graph is not a whole Wav2Lip network: it must have the inputs mel (N, 1, 80, 16) and "
            "faces (N, 6, 96, 96), and one output."
        )
    convolutions = _convolutions(model, constants, mel[0], faces[0])
    weights: dict[str, Weights] = {}
    for depends_on, layers in (
        # The decoder begins with the sound alone.
        ({mel[0]}, (*AUDIO_ENCODER, *FACE_DECODER[0])),
        ({faces[0]}, tuple(chain.from_iterable(FACE_ENCODER))),
        ({mel[0], faces[0]}, DECODER_LAYERS[len(FACE_DECODER[0]) :]),
    ):
        found = [one for one, influences in convolutions if influences == depends_on]
        weights.update(_named(found, layers))
    return WholeNetwork(mel[0], faces[0], graph.output[0].name, weights)


def _constants(model: ModelProto) -> Mapping[str, TensorProto]:
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            constants[node.output[0]] = node.attribute[0].t
    return constants


def _shape(port: object) -> tuple[int, ...]:
    dimensions = port.type.tensor_type.shape.dim  # type: ignore[attr-defined]
    return tuple(dimension.dim_value for dimension in dimensions[1:])


def _convolutions(
    model: ModelProto, constants: Mapping[str, TensorProto], mel: str, faces: str
) -> list[tuple[Weights, set[str]]]:
    """Every convolution with its normalisation, and the inputs that it depends on."""
    influences: dict[str, set[str]] = {mel: {mel}, faces: {faces}}
    readers: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = []
    for node in model.graph.node:
        reaching: set[str] = set().union(*(influences.get(name, set()) for name in node.input))
        influences.update(dict.fromkeys(node.output, reaching))
        if node.op_type in ("Conv", "ConvTranspose"):
            following = readers.get(node.output[0], [])
            norm = following[0] if [one.op_type for one in following] == ["BatchNormalization"] else None
            found.append((_weights(node, norm, constants), reaching))
    return found


def _weights(node: NodeProto, norm: NodeProto | None, constants: Mapping[str, TensorProto]) -> Weights:
    weight = _array(node.input[1], constants)
    outputs = weight.shape[1 if node.op_type == "ConvTranspose" else 0] if weight.ndim == 4 else 0
    bias = _array(node.input[2], constants) if len(node.input) > 2 else np.zeros(outputs, np.float32)
    if norm is None:
        return Weights(weight, bias)
    epsilon = next((one.f for one in norm.attribute if one.name == "epsilon"), 1e-5)
    scale, shift, mean, variance = (_array(name, constants) for name in norm.input[1:5])
    return Weights(weight, bias, Normalisation(scale, shift, mean, variance, epsilon))


def _array(name: str, constants: Mapping[str, TensorProto]) -> Array:
    if name not in constants:
        raise CheckpointRefused(
            f"The ONNX graph computes the weight {name[:80]!r}. Export it in evaluation mode with "
            "folded constants."
        )
    try:
        return numpy_helper.to_array(constants[name]).astype(np.float32)
    except (ValueError, TypeError):
        raise CheckpointRefused(f"The weight {name[:80]!r} of the ONNX graph is damaged.") from None


def _named(found: list[Weights], layers: Block) -> dict[str, Weights]:
    shapes = [one.weight.shape for one in found]
    if shapes != [layer.weight_shape for layer in layers] or any(map(_misfits, found, layers)):
        raise CheckpointRefused(
            "The ONNX graph is no whole Wav2Lip network of 96x96 pixels: its convolutions have other sizes."
        )
    return {layer.key: _summing(one, layer) for one, layer in zip(found, layers, strict=True)}


def _misfits(found: Weights, layer: Layer) -> bool:
    norm = found.normalisation
    parts = (norm.scale, norm.shift, norm.mean, norm.variance) if norm else ()
    return any(part.shape != (layer.outputs,) for part in (found.bias, *parts))


def _summing(found: Weights, layer: Layer) -> Weights:
    return Weights(found.weight, found.bias, found.normalisation, layer.residual)
