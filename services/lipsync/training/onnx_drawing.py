"""Layers and their weights go in one after the other, an ONNX model comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from services.lipsync.training.wav2lip_architecture import Block, Layer
from services.lipsync.training.wav2lip_weights import LayerWeights, Weights

_OPSET, _IR_VERSION = 17, 9

Shape = Sequence[int | str]


class Drawing:
    """A graph in the making. Every method takes names of values and returns the name of a new one."""

    def __init__(self, weights: LayerWeights) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def block(self, value: str, layers: Block) -> str:
        """The layers, one after the other."""
        for layer in layers:
            value = self.layer(value, layer)
        return value

    def layer(self, value: str, layer: Layer) -> str:
        """The whole layer, its nonlinearity included."""
        weights = self._weights[layer.key]
        drawn = self.convolution(value, layer, weights)
        if weights.adds_input:
            drawn = self.node("Add", [drawn, value])
        return self.node("Relu" if layer.normalised else "Sigmoid", [drawn])

    def convolution(self, value: str, layer: Layer, weights: Weights, name: str = "") -> str:
        """The layer's convolution and normalisation."""
        key = name or layer.key
        inputs = [value, self.constant(f"{key}.weight", weights.weight)]
        if weights.bias.any():
            inputs.append(self.constant(f"{key}.bias", weights.bias))
        attributes: dict[str, Sequence[int]] = {
            "kernel_shape": [layer.kernel] * 2,
            "strides": layer.stride,
            "pads": [layer.padding] * 4,
        }
        if layer.transposed:
            attributes["output_padding"] = [layer.output_padding] * 2
        drawn = self.node("ConvTranspose" if layer.transposed else "Conv", inputs, **attributes)
        norm = weights.normalisation
        if norm is None:
            return drawn
        parts = {"scale": norm.scale, "shift": norm.shift, "mean": norm.mean, "variance": norm.variance}
        named = [self.constant(f"{key}.{part}", array) for part, array in parts.items()]
        return self.node("BatchNormalization", [drawn, *named], epsilon=norm.epsilon)

    def rows_from(self, value: str, first: int) -> str:
        """All but the `first` rows of an image."""
        bounds = (("first", [first]), ("end", [1 << 30]), ("rows", [2]))
        named = [self.constant(f"{name}.{array[0]}", np.array(array, np.int64)) for name, array in bounds]
        return self.node("Slice", [value, *named])

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Any operator with one output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, array: NDArray[np.generic]) -> str:
        """An array that belongs to the graph."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def model(
        self, name: str, inputs: Mapping[str, Shape], outputs: Mapping[str, tuple[str, Shape]]
    ) -> bytes:
        """The finished model; `outputs` maps each name outside to the value here and its shape."""
        renamed = [
            helper.make_node("Identity", [inner], [outer], f"{outer}_out")
            for outer, (inner, _) in outputs.items()
        ]
        graph = helper.make_graph(
            [*self._nodes, *renamed],
            name,
            [_port(outer, shape) for outer, shape in inputs.items()],
            [_port(outer, shape) for outer, (_, shape) in outputs.items()],
            list(self._constants.values()),
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="visavis"
        )
        return bytes(model.SerializeToString())


def _port(name: str, shape: Shape) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
