"""A picture goes in, its four quarters come out, and the other way round.

A quarter holds every second row and every second column of a picture: it begins with row 0 or 1 and with
column 0 or 1. In quarters, a transposed convolution that doubles the size is four plain ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from services.lipsync.training.onnx_drawing import Drawing
from services.lipsync.training.wav2lip_weights import Weights

# The names of four values: of the even and of the odd rows, each its even and its odd columns.
Quarters: TypeAlias = tuple[tuple[str, str], tuple[str, str]]

# Twice as large, with kernel 3 and padding 1: an even pixel sees one pixel, an odd one two.
_TAPS = ([1], [2, 0])


def of_each(make: Callable[[int, int], str]) -> Quarters:
    """The quarters that `make` draws for the first row and the first column of each."""
    return (make(0, 0), make(0, 1)), (make(1, 0), make(1, 1))


def each(quarters: Quarters, draw: Callable[[str], str]) -> Quarters:
    """What `draw` makes of each quarter."""
    return of_each(lambda row, column: draw(quarters[row][column]))


def quarter_names(name: str) -> Quarters:
    """What the quarters of a value are called where they enter or leave a graph."""
    return of_each(lambda row, column: f"{name}.{row}{column}")


def quartered(drawing: Drawing, value: str, first_row: int) -> Quarters:
    """The quarters of an image from `first_row` on."""

    def quarter(row: int, column: int) -> str:
        bounds = ((first_row + row, column), (1 << 30, 1 << 30), (2, 3), (2, 2))
        named = [drawing.constant(str(one), np.array(one, np.int64)) for one in bounds]
        return drawing.node("Slice", [value, *named])

    return of_each(quarter)


def joined(drawing: Drawing, quarters: Quarters) -> str:
    """The image that the quarters were taken from."""
    stacked = drawing.node("Concat", [one for row in quarters for one in row], axis=1)
    return drawing.node("DepthToSpace", [stacked], blocksize=2, mode="DCR")


def doubled(drawing: Drawing, value: str, key: str, weights: Weights) -> Quarters:
    """A transposed convolution of kernel 3, stride 2, padding 1 and output padding 1, without its bias."""
    kernel = weights.weight.transpose(1, 0, 2, 3)

    def quarter(row: int, column: int) -> str:
        taps = kernel[:, :, _TAPS[row]][..., _TAPS[column]]
        inputs = [value, drawing.constant(f"{key}.weight.{row}{column}", taps)]
        return drawing.node("Conv", inputs, pads=[0, 0, row, column])

    return of_each(quarter)
