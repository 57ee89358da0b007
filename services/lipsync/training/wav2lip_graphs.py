"""A Wav2Lip network's weights go in, ONNX graphs come out: the whole network, or what serving runs of it.

The whole network is drawn as it was trained. Split, nothing is computed twice, and nothing that is not shown:
- `listen` hears a window of speech; `look` sees a face, once; `speak` draws the lower half of the face.
- Every first convolution of a decoder block is linear in concat(drawn so far, features of the face), so the
  face's share, bias included, is a map that `look` computes and `speak` adds before the nonlinearity.
- The lower half needs only some rows of each size before it: going backwards from row 48, a convolution needs
  one row more than it gives, one that doubles the size half as many. All other rows are never computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.lipsync.mel import BANDS, COLUMNS_PER_WINDOW
from services.lipsync.training.onnx_drawing import Drawing
from services.lipsync.training.wav2lip_architecture import (
    AUDIO_ENCODER,
    DECODER_LAYERS,
    FACE_CHANNELS,
    FACE_DECODER,
    FACE_ENCODER,
    FACE_PX,
    OUTPUT_BLOCK,
    SPEECH_FEATURES,
    Layer,
)
from services.lipsync.training.wav2lip_weights import LayerWeights, Weights, folded_weights

FIRST_ROW = 48
MAP_NAMES = ("m1", "m2", "m3", "m4", "m5", "m6", "m_out")

_SIZES_PX = (3, 6, 12, 24, 48, 96, 96)
_MEL = ("n", 1, BANDS, COLUMNS_PER_WINDOW)
_FACES = ("n", FACE_CHANNELS, FACE_PX, FACE_PX)


def whole_graph(weights: LayerWeights) -> bytes:
    """mel (N, 1, 80, 16) and faces (N, 6, 96, 96) to mouth (N, 3, 96, 96), as trained."""
    drawing = Drawing(weights)
    features, value = [], "faces"
    for block in FACE_ENCODER:
        value = drawing.block(value, block)
        features.append(value)
    value = drawing.block("mel", AUDIO_ENCODER)
    for block in FACE_DECODER:
        value = drawing.node("Concat", [drawing.block(value, block), features.pop()], axis=1)
    value = drawing.block(value, OUTPUT_BLOCK)
    ports = {"mel": _MEL, "faces": _FACES}
    return drawing.model("wav2lip", ports, {"mouth": (value, ("n", 3, FACE_PX, FACE_PX))})


def listen_graph(weights: LayerWeights) -> bytes:
    """mel (N, 1, 80, 16) to speech (N, 512)."""
    drawing = Drawing(folded_weights(weights))
    value = drawing.node("Flatten", [drawing.block("mel", AUDIO_ENCODER)], axis=1)
    return drawing.model("listen", {"mel": _MEL}, {"speech": (value, ("n", SPEECH_FEATURES))})


def look_graph(weights: LayerWeights) -> bytes:
    """faces (N, 6, 96, 96) to the seven maps of `map_shapes`, each (N, channels, rows, columns)."""
    folded = folded_weights(weights)
    drawing = Drawing(folded)
    features, value = [], "faces"
    for block in FACE_ENCODER:
        value = drawing.block(value, block)
        features.append(value)
    outputs = {}
    rows = _rows()
    joining = zip(MAP_NAMES, _joining_layers(), reversed(features), strict=True)
    for name, (layer, drawn_inputs), feature in joining:
        first = rows[layer.key].first
        _, seen = _shares(layer, drawn_inputs, folded[layer.key])
        drawn = drawing.convolution(feature, layer, seen, f"{layer.key}.seen")
        outputs[name] = (drawing.rows_from(drawn, first) if first else drawn, ("n", *map_shapes()[name]))
    return drawing.model("look", {"faces": _FACES}, outputs)


def speak_graph(weights: LayerWeights) -> bytes:
    """speech (N, 512) and the maps, of one face or of N, to mouth (N, 3, 48, 96): rows 48 to 95."""
    folded = folded_weights(weights)
    drawing = Drawing(folded)
    shape = drawing.constant("shape", np.array([-1, SPEECH_FEATURES, 1, 1], np.int64))
    value = drawing.block(drawing.node("Reshape", ["speech", shape]), FACE_DECODER[0])
    rows = _rows()
    blocks = (*FACE_DECODER[1:], OUTPUT_BLOCK)
    for name, (layer, drawn_inputs), block in zip(MAP_NAMES, _joining_layers(), blocks, strict=True):
        share, _ = _shares(layer, drawn_inputs, folded[layer.key])
        own = drawing.convolution(value, layer, share, rows_above=rows[layer.key].padding)
        value = drawing.node("Relu", [drawing.node("Add", [own, name])])
        for following in block[1:]:
            value = drawing.layer(value, following, rows[following.key].padding)
    ports = {"speech": ("n", SPEECH_FEATURES), **{name: ("faces", *map_shapes()[name]) for name in MAP_NAMES}}
    return drawing.model("speak", ports, {"mouth": (value, ("n", 3, FACE_PX - FIRST_ROW, FACE_PX))})


def map_shapes() -> dict[str, tuple[int, int, int]]:
    """Channels, rows and columns of each map by name."""
    joining, rows = zip(MAP_NAMES, _joining_layers(), _SIZES_PX, strict=True), _rows()
    return {name: (layer.outputs, size - rows[layer.key].first, size) for name, (layer, _), size in joining}


@dataclass(frozen=True, slots=True)
class _Rows:
    """The first row that a layer gives, and the padding above the first row that it is given."""

    first: int
    padding: int


def _rows() -> dict[str, _Rows]:
    """Of each layer of the decoder, so that the last one gives the rows from `FIRST_ROW` on and no other."""
    rows, first = {}, FIRST_ROW
    for layer in reversed(DECODER_LAYERS):
        stride = layer.stride[0]
        begin = first // stride if layer.transposed else max(first - layer.padding, 0)
        # Padding adds rows above a convolution's input, and takes rows from a transposed one's output.
        missing = first - begin * stride
        rows[layer.key] = _Rows(first, layer.padding + (missing if layer.transposed else -missing))
        first = begin
    return rows


def _joining_layers() -> list[tuple[Layer, int]]:
    """The layers behind each concatenation, and how many of their inputs are what was drawn so far."""
    blocks = (*FACE_DECODER, OUTPUT_BLOCK)
    return [(block[0], last[-1].outputs) for last, block in pairwise(blocks)]


def _shares(layer: Layer, drawn_inputs: int, weights: Weights) -> tuple[Weights, Weights]:
    """What `layer` does with what was drawn, without its bias, and with what was seen, with it."""
    drawn, seen = np.split(weights.weight, [drawn_inputs], axis=0 if layer.transposed else 1)
    return Weights(drawn, np.zeros_like(weights.bias)), Weights(seen, weights.bias)
