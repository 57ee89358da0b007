"""Nothing goes in; where a Wav2Lip network's decoder sees the face, and which rows are drawn, come out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.lipsync.training.wav2lip_architecture import (
    DECODER_LAYERS,
    FACE_DECODER,
    OUTPUT_BLOCK,
    Block,
    Layer,
)
from services.lipsync.training.wav2lip_weights import LayerWeights, Weights

FIRST_ROW = 48


@dataclass(frozen=True, slots=True)
class Joint:
    """A block whose first layer has two inputs: what was drawn so far, and what was seen of the face.

    It gives images of `size_px`, of which the rows from `first_row` on are drawn, as quarters if `quartered`.
    """

    name: str
    block: Block
    drawn_inputs: int
    size_px: int
    first_row: int

    @property
    def layer(self) -> Layer:
        """The one with two inputs."""
        return self.block[0]

    @property
    def doubles(self) -> bool:
        """Whether it makes the image twice as large."""
        return self.layer.stride == (2, 2)

    @property
    def quartered(self) -> bool:
        """Images of an odd number of rows have no quarters."""
        return self.size_px % 2 == 0

    def shares(self, weights: LayerWeights) -> tuple[Weights, Weights]:
        """What its first layer does with what was drawn, without the bias, and with what was seen."""
        both = weights[self.layer.key]
        drawn, seen = np.split(both.weight, [self.drawn_inputs], axis=0 if self.layer.transposed else 1)
        return Weights(drawn, np.zeros_like(both.bias)), Weights(seen, both.bias)


def joints() -> tuple[Joint, ...]:
    """All of them, from the smallest image on."""
    blocks = pairwise((*FACE_DECODER, OUTPUT_BLOCK))
    found, size_px, first_row = [], 3, 0
    for number, (before, block) in enumerate(blocks, 1):
        size_px *= block[0].stride[0]
        # A block that keeps the size keeps the rows, too.
        first_row = _FIRST_ROWS.get(block[0].key, first_row)
        found.append(Joint(f"m{number}", block, before[-1].outputs, size_px, first_row))
    return tuple(found)


def _first_rows() -> dict[str, int]:
    """The first row that each doubling layer gives, so that the last layer is right from `FIRST_ROW` on."""
    rows, row = {}, FIRST_ROW
    for layer in reversed(DECODER_LAYERS):
        if layer.stride == (2, 2):
            # Quarters begin with an even row.
            rows[layer.key] = row // 2 * 2
            row //= 2
        elif layer.kernel == 3:
            # It sees the row above the first one that it gives, if there is one.
            row = max(row - 1, 0)
    return rows


_FIRST_ROWS = _first_rows()
