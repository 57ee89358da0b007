"""Nothing goes in; the layers of a Wav2Lip-contract network come out, with the names its checkpoints use.

Written from the paper (Prajwal et al., "A Lip Sync Expert Is All You Need", 2020) and the names in the
public checkpoints: two encoders, and a decoder that concatenates what it has with the face encoder's
features of the same size. Every layer is a convolution, a normalisation, for some a sum with the layer's own
input, and a ReLU; only the last one differs: it has no normalisation and ends in a sigmoid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

FACE_PX = 96
FACE_CHANNELS = 6
SPEECH_FEATURES = 512


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. `key` is where a checkpoint keeps it; `stride` is (vertical, horizontal)."""

    key: str
    inputs: int
    outputs: int
    kernel: int = 3
    stride: tuple[int, int] = (1, 1)
    padding: int = 1
    residual: bool = False
    transposed: bool = False
    normalised: bool = True

    @property
    def output_padding(self) -> int:
        """Of a transposed convolution: one row and column more where it doubles the size."""
        return self.stride[0] - 1

    @property
    def convolution_key(self) -> str:
        """Where its weight and bias are."""
        return f"{self.key}.conv_block.0" if self.normalised else self.key

    @property
    def normalisation_key(self) -> str:
        """Where its normalisation is."""
        return f"{self.key}.conv_block.1"

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """A transposed convolution names its inputs first."""
        first, second = (self.inputs, self.outputs) if self.transposed else (self.outputs, self.inputs)
        return (first, second, self.kernel, self.kernel)

    def tensor_shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The name and shape of everything a checkpoint must hold for it."""
        yield f"{self.convolution_key}.weight", self.weight_shape
        yield f"{self.convolution_key}.bias", (self.outputs,)
        if self.normalised:
            for name in ("weight", "bias", "running_mean", "running_var"):
                yield f"{self.normalisation_key}.{name}", (self.outputs,)


Block = tuple[Layer, ...]


def _residuals(prefix: str, first: int, count: int, channels: int) -> Block:
    return tuple(
        Layer(f"{prefix}.{number}", channels, channels, residual=True)
        for number in range(first, first + count)
    )


def _audio_encoder() -> Block:
    layers: list[Layer] = []
    inputs = 1
    # 80x16 becomes 27x16, 9x6, 3x3.
    for outputs, stride, residuals in ((32, (1, 1), 2), (64, (3, 1), 2), (128, (3, 3), 2), (256, (3, 2), 1)):
        layers.append(Layer(f"audio_encoder.{len(layers)}", inputs, outputs, stride=stride))
        layers += _residuals("audio_encoder", len(layers), residuals, outputs)
        inputs = outputs
    layers.append(Layer(f"audio_encoder.{len(layers)}", 256, 512, padding=0))
    layers.append(Layer(f"audio_encoder.{len(layers)}", 512, SPEECH_FEATURES, kernel=1, padding=0))
    return tuple(layers)


def _face_encoder() -> tuple[Block, ...]:
    name = "face_encoder_blocks"
    blocks: list[Block] = [(Layer(f"{name}.0.0", FACE_CHANNELS, 16, kernel=7, padding=3),)]
    inputs = 16
    # 96 pixels become 48, 24, 12, 6, 3.
    for outputs, residuals in ((32, 2), (64, 3), (128, 2), (256, 2), (512, 1)):
        prefix = f"{name}.{len(blocks)}"
        halving = Layer(f"{prefix}.0", inputs, outputs, stride=(2, 2))
        blocks.append((halving, *_residuals(prefix, 1, residuals, outputs)))
        inputs = outputs
    prefix = f"{name}.{len(blocks)}"
    last = Layer(f"{prefix}.1", 512, 512, kernel=1, padding=0)
    blocks.append((Layer(f"{prefix}.0", 512, 512, padding=0), last))
    return tuple(blocks)


def _face_decoder() -> tuple[Block, ...]:
    name = "face_decoder_blocks"
    blocks: list[Block] = [(Layer(f"{name}.0.0", 512, 512, kernel=1, padding=0),)]
    growing = Layer(f"{name}.1.0", 1024, 512, padding=0, transposed=True)
    blocks.append((growing, *_residuals(f"{name}.1", 1, 1, 512)))
    # 3 pixels become 6, 12, 24, 48, 96.
    for inputs, outputs in ((1024, 512), (768, 384), (512, 256), (320, 128), (160, 64)):
        prefix = f"{name}.{len(blocks)}"
        doubling = Layer(f"{prefix}.0", inputs, outputs, stride=(2, 2), transposed=True)
        blocks.append((doubling, *_residuals(prefix, 1, 2, outputs)))
    return tuple(blocks)


AUDIO_ENCODER = _audio_encoder()
FACE_ENCODER = _face_encoder()
FACE_DECODER = _face_decoder()
OUTPUT_BLOCK: Block = (
    Layer("output_block.0", 80, 32),
    Layer("output_block.1", 32, 3, kernel=1, padding=0, normalised=False),
)


DECODER_LAYERS: Block = (*chain.from_iterable(FACE_DECODER), *OUTPUT_BLOCK)
ALL_LAYERS: Block = (*AUDIO_ENCODER, *chain.from_iterable(FACE_ENCODER), *DECODER_LAYERS)
