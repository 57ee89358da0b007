"""A Wav2Lip network's weights go in, ONNX graphs come out: the whole network, or what serving runs of it.

The whole network is drawn as it was trained. Split, nothing is computed twice, and little that is not shown:
- `listen` hears a window of speech; `look` sees a face, once; `speak` draws the lower half of the face.
- Every first convolution of a decoder block is linear in concat(drawn so far, features of the face), so the
  face's share, bias included, is a map that `look` computes and `speak` adds before the nonlinearity.
- The lower half needs only some rows of each size before it: going backwards from row 48, a convolution needs
  one row more than it gives, one that doubles the size half as many. A block computes one stretch of rows: as
  if nothing were above it, which each convolution carries one row further down, but not into what is shown.
- From 6 pixels on `speak` works on quarters of images (`quarters`), which takes fewer products (`winograd`).

With weights and images of 8 bits `speak` would be another 2.4 times as fast, but random weights were then off
by 0.025 (32 dB), twice what speech changes in a pixel. It is not offered until real weights do better.
"""

from __future__ import annotations

from functools import partial
from itertools import chain, pairwise

import numpy as np

from services.lipsync.mel import BANDS, COLUMNS_PER_WINDOW
from services.lipsync.training.onnx_drawing import Drawing
from services.lipsync.training.quarters import (
    Quarters,
    doubled,
    each,
    joined,
    of_each,
    quarter_names,
    quartered,
)
from services.lipsync.training.wav2lip_architecture import (
    AUDIO_ENCODER,
    FACE_CHANNELS,
    FACE_DECODER,
    FACE_ENCODER,
    FACE_PX,
    OUTPUT_BLOCK,
    SPEECH_FEATURES,
)
from services.lipsync.training.wav2lip_joints import FIRST_ROW, Joint, joints
from services.lipsync.training.wav2lip_weights import LayerWeights, Weights, folded_weights
from services.lipsync.training.winograd import convolved

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
    """faces (N, 6, 96, 96) to the maps of `map_shapes`, each (N, channels, rows, columns)."""
    folded = folded_weights(weights)
    drawing = Drawing(folded)
    features, value = [], "faces"
    for block in FACE_ENCODER:
        value = drawing.block(value, block)
        features.append(value)
    outputs: dict[str, str] = {}
    for joint, feature in zip(joints(), reversed(features), strict=True):
        _, seen = joint.shares(folded)
        drawn = drawing.convolution(feature, joint.layer, seen, f"{joint.layer.key}.seen")
        if joint.quartered:
            names, quarters = quarter_names(joint.name), quartered(drawing, drawn, joint.first_row)
            outputs.update(zip(chain(*names), chain(*quarters), strict=True))
        else:
            outputs[joint.name] = drawn
    shapes = map_shapes()
    ports = {name: (value, ("n", *shapes[name])) for name, value in outputs.items()}
    return drawing.model("look", {"faces": _FACES}, ports)


def speak_graph(weights: LayerWeights) -> bytes:
    """speech (N, 512) and the maps of one face to mouth (N, 3, 48, 96): rows 48 to 95."""
    folded = folded_weights(weights)
    drawing = Drawing(folded)
    smallest, *larger = joints()
    places = drawing.constant("places", np.array([2, 3], np.int64))
    heard = drawing.block(drawing.node("Unsqueeze", ["speech", places]), FACE_DECODER[0])
    own = drawing.convolution(heard, smallest.layer, smallest.shares(folded)[0])
    value = drawing.block(_with_map(drawing, own, smallest.name), smallest.block[1:])
    quarters = _block(drawing, larger[0], doubled(drawing, value, *_own_share(larger[0], folded)), folded)
    for before, joint in pairwise(larger):
        if joint.doubles:
            rows = drawing.rows_from(joined(drawing, quarters), joint.first_row // 2 - before.first_row)
            first = doubled(drawing, rows, *_own_share(joint, folded))
        else:
            first = convolved(drawing, quarters, *_own_share(joint, folded))
        quarters = _block(drawing, joint, first, folded)
    mouth = drawing.rows_from(joined(drawing, quarters), FIRST_ROW - larger[-1].first_row)
    ports = {"speech": ("n", SPEECH_FEATURES), **{name: (1, *shape) for name, shape in map_shapes().items()}}
    return drawing.model("speak", ports, {"mouth": (mouth, ("n", 3, FACE_PX - FIRST_ROW, FACE_PX))})


def map_shapes() -> dict[str, tuple[int, int, int]]:
    """Channels, rows and columns of each map by name."""
    shapes: dict[str, tuple[int, int, int]] = {}
    for joint in joints():
        channels, size_px = joint.layer.outputs, joint.size_px
        if joint.quartered:
            shape = (channels, (size_px - joint.first_row) // 2, size_px // 2)
            shapes.update(dict.fromkeys(chain(*quarter_names(joint.name)), shape))
        else:
            shapes[joint.name] = (channels, size_px, size_px)
    return shapes


def _own_share(joint: Joint, folded: LayerWeights) -> tuple[str, Weights]:
    """The joining layer's key, and what it does with what was drawn so far."""
    return joint.layer.key, joint.shares(folded)[0]


def _block(drawing: Drawing, joint: Joint, quarters: Quarters, folded: LayerWeights) -> Quarters:
    """All of a block behind the convolution of what was drawn so far."""
    names = quarter_names(joint.name)
    quarters = of_each(lambda row, column: _with_map(drawing, quarters[row][column], names[row][column]))
    for layer in joint.block[1:]:
        if layer.kernel == 3:
            drawn = convolved(drawing, quarters, layer.key, folded[layer.key])
            quarters = each(drawn, lambda one: drawing.node("Relu", [one]))
        else:
            quarters = each(quarters, partial(drawing.layer, layer=layer))
    return quarters


def _with_map(drawing: Drawing, own: str, map_name: str) -> str:
    """A joint's layer: both of its shares, and its nonlinearity."""
    return drawing.node("Relu", [drawing.node("Add", [own, map_name])])
