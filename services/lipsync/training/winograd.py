"""An image's quarters and a 3x3 kernel go in, the convolved image's quarters come out: 16 products, not 36.

Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016), as one
dimension within the other. In one, a kernel (a, b, c) makes the pixels y0 and y1 of the pixels x-1 to x2 with
four products where six are usual:

    y0 = p + q + r        p = (x-1 - x1) a        q = (x0 + x1) (a + b + c) / 2
    y1 = q - r + s        s = (x0 - x2) (-c)      r = (x1 - x0) (a - b + c) / 2

With even and odd pixels as pictures of their own, a product is a 1x1 convolution of many channels, and sums
are of whole pictures. onnxruntime, which does nothing of the kind by itself, keeps all this in its blocked
layout and adds within its convolutions: written as matrix products, the rearranging took what was won. A
kernel becomes 16 when the graph is loaded, so that the file does not grow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.lipsync.training.onnx_drawing import Drawing
from services.lipsync.training.quarters import Quarters
from services.lipsync.training.wav2lip_weights import Weights

# Rows: what p, q, r and s make of a kernel.
_KERNELS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, -1]], np.float32)
_DOWN, _ACROSS = 0, 1

_Pair = tuple[str, str]


def convolved(drawing: Drawing, quarters: Quarters, key: str, weights: Weights) -> Quarters:
    """The layer's convolution with padding 1, its bias included."""
    return _Convolution(drawing, key, weights).of(quarters)


class _Convolution:
    def __init__(self, drawing: Drawing, key: str, weights: Weights) -> None:
        self._drawing = drawing
        self._outputs, self._inputs = weights.weight.shape[:2]
        self._kernels = drawing.constant(f"{key}.weight", weights.weight.reshape(-1, 9))
        self._bias = [drawing.constant(f"{key}.bias", weights.bias)] if weights.bias.any() else []

    def of(self, quarters: Quarters) -> Quarters:
        # What each product of a row takes, of the even rows and of the odd ones.
        p, q, r, s = zip(*(self._taken(*columns, _ACROSS) for columns in quarters), strict=True)
        q, r = self._columns(1, q), self._columns(2, r)
        even = self._sum(q[0], r[0]), self._sum(q[1], r[1])
        odd = self._difference(q[0], r[0], self._outputs), self._difference(q[1], r[1], self._outputs)
        even, odd = self._columns(0, p, even), self._columns(3, s, odd)
        return (even[0], odd[0]), (even[1], odd[1])

    def _columns(self, across: int, rows: _Pair, onto: _Pair | None = None) -> _Pair:
        """A product of each row is a convolution of each column; what is added `onto` gets the bias, too."""
        p, q, r, s = self._taken(*rows, _DOWN)
        q, r = self._product(1, across, q), self._product(2, across, r)
        even, odd = self._sum(q, r), self._difference(q, r, self._outputs)
        bias: Sequence[str] = ()
        if onto:
            even, odd, bias = self._sum(even, onto[0]), self._sum(odd, onto[1]), self._bias
        p, s = self._product(0, across, p, bias), self._product(3, across, s, bias)
        return self._sum(p, even), self._sum(s, odd)

    def _taken(self, even: str, odd: str, along: int) -> tuple[str, str, str, str]:
        """What p, q, r and s take of even and odd pixels along one dimension."""
        before, after = [0, 0, 0, 0], [0, 0, 0, 0]
        before[along] = after[along + 2] = 1
        return (
            self._steps(odd, along, before),
            self._sum(even, odd),
            self._difference(odd, even, self._inputs),
            self._steps(even, along, after),
        )

    def _product(self, down: int, across: int, value: str, bias: Sequence[str] = ()) -> str:
        drawing = self._drawing
        combining = np.outer(_KERNELS[down], _KERNELS[across]).reshape(9, 1)
        sums = [self._kernels, drawing.constant(f"winograd.{down}{across}", combining)]
        shape = (self._outputs, self._inputs, 1, 1)
        shaped = drawing.constant(f"shape.{shape}", np.array(shape, np.int64))
        kernel = drawing.node("Reshape", [drawing.node("MatMul", sums), shaped])
        return drawing.node("Conv", [value, kernel, *bias])

    def _steps(self, value: str, along: int, pads: list[int]) -> str:
        """Each pixel less the next one."""
        kernel = np.tile(np.array([1, -1], np.float32), (self._inputs, 1)).reshape(
            (self._inputs, 1, 2, 1) if along == _DOWN else (self._inputs, 1, 1, 2)
        )
        weight = self._drawing.constant(f"steps.{kernel.shape}", kernel)
        return self._drawing.node("Conv", [value, weight], group=self._inputs, pads=pads)

    def _sum(self, one: str, other: str) -> str:
        return self._drawing.node("Add", [one, other])

    def _difference(self, one: str, other: str, channels: int) -> str:
        # A subtraction would be computed outside of the blocked layout.
        kernel = -np.ones((channels, 1, 1, 1), np.float32)
        weight = self._drawing.constant(f"negative.{channels}", kernel)
        return self._sum(one, self._drawing.node("Conv", [other, weight], group=channels))
