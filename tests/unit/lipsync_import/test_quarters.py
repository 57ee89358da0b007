"""Drawn on quarters of an image, a layer computes what it computes on the whole one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.sessions import Session, execution_providers
from services.lipsync.training.onnx_drawing import Drawing
from services.lipsync.training.quarters import doubled, joined, quartered
from services.lipsync.training.wav2lip_architecture import Layer
from services.lipsync.training.wav2lip_weights import Weights
from services.lipsync.training.winograd import convolved

# The processor's blocks of 16 channels are filled by the one number and not by the other.
INPUTS, OUTPUTS, ROWS, COLUMNS = 32, 24, 6, 10

Image = NDArray[np.float32]


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(1).standard_normal((2, INPUTS, ROWS, COLUMNS)).astype(np.float32)


def weights_of(layer: Layer, *, with_bias: bool) -> Weights:
    random = np.random.default_rng(2)
    weight = random.standard_normal(layer.weight_shape, np.float32) / np.float32(16)
    bias = random.standard_normal(OUTPUTS, np.float32) if with_bias else np.zeros(OUTPUTS, np.float32)
    return Weights(weight, bias)


def drawn(image: Image, draw: Callable[[Drawing], str], rows: int, columns: int) -> Image:
    drawing = Drawing({})
    mouth = (draw(drawing), ("n", OUTPUTS, rows, columns))
    model = drawing.model("layer", {"image": ("n", INPUTS, ROWS, COLUMNS)}, {"drawn": mouth})
    session = Session(model, execution_providers(["cpu"]), "layer")
    return session.run({"image": image}, Cancellation())["drawn"]


@pytest.mark.parametrize("with_bias", [True, False])
def test_sixteen_products_make_the_four_pixels_of_a_convolution(image: Image, with_bias: bool) -> None:
    layer = Layer("layer", INPUTS, OUTPUTS)
    weights = weights_of(layer, with_bias=with_bias)

    usual = drawn(image, lambda d: d.convolution("image", layer, weights), ROWS, COLUMNS)
    in_quarters = drawn(
        image,
        lambda d: joined(d, convolved(d, quartered(d, "image", 0), "layer", weights)),
        ROWS,
        COLUMNS,
    )

    assert np.abs(in_quarters - usual).max() < 1e-5 < usual.std()


def test_four_convolutions_double_an_image(image: Image) -> None:
    layer = Layer("layer", INPUTS, OUTPUTS, stride=(2, 2), transposed=True)
    weights = weights_of(layer, with_bias=False)
    size = (2 * ROWS, 2 * COLUMNS)

    usual = drawn(image, lambda d: d.convolution("image", layer, weights), *size)
    in_quarters = drawn(image, lambda d: joined(d, doubled(d, "image", "layer", weights)), *size)

    assert np.abs(in_quarters - usual).max() < 1e-5 < usual.std()
