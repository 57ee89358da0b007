"""A seed goes in; a Wav2Lip-contract network of the real shape comes out: its tensors, its files, in PyTorch.

Checkpoints are written without PyTorch, in both layouts of `torch.save`; a slow test reads them with it.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.wav2lip_architecture import ALL_LAYERS

Tensors = Mapping[str, NDArray[np.float32]]

OLDER_MAGIC, OLDER_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


def random_tensors(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights that keep their signal alive down to the last layer, with normalisations as after training."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, NDArray[np.float32]] = {}
    for layer in ALL_LAYERS:
        # A transposed convolution of stride 2 reaches each pixel with a quarter of its weights.
        reaching = layer.inputs * layer.kernel**2 / (prod(layer.stride) if layer.transposed else 1)
        # A residual layer adds to what there is; the last one's results go through a sigmoid.
        spread = np.sqrt((0.2 if layer.residual else 2.0 if layer.normalised else 0.1) / reaching)
        for name, shape in layer.tensor_shapes():
            noise = rng.standard_normal(shape, np.float32)
            match name.rpartition(".")[2], len(shape):
                case "weight", 4:
                    tensors[name] = noise * np.float32(spread)
                case "weight", _:
                    tensors[name] = 1 + noise * np.float32(0.1)
                case "running_var", _:
                    tensors[name] = np.exp(noise * np.float32(0.2))
                case _:
                    tensors[name] = noise * np.float32(0.1)
    return tensors


def write_checkpoint(path: Path, tensors: Tensors, prefix: str = "module.") -> Path:
    """The zip layout, as `torch.save({"state_dict": …, "global_step": 7}, path)` writes it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", _state_pickle(tensors, prefix, older=False))
        for number, array in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{number}", array.astype("<f4").tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_older_checkpoint(path: Path, tensors: Tensors) -> Path:
    """The layout before torch 1.6, in which the public checkpoints came."""
    with path.open("wb") as file:
        for value in (OLDER_MAGIC, OLDER_PROTOCOL, {"little_endian": True}):
            file.write(_pickle(_value(value)))
        file.write(_state_pickle(tensors, "", older=True))
        file.write(_pickle(_value([str(number) for number in range(len(tensors))])))
        for array in tensors.values():
            file.write(struct.pack("<q", array.size) + array.astype("<f4").tobytes())
    return path


def calling_pickle(module: str, function: str, argument: str) -> bytes:
    """A pickle that calls `module.function(argument)` as soon as Python's unpickler reads it."""
    call = _global(module, function) + _value((argument,)) + b"R"
    return _pickle(b"}(" + _value("state_dict") + call + b"u")


def zipped_pickle(data: bytes) -> bytes:
    """A zip checkpoint with nothing but this pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    return buffer.getvalue()


def torch_network(tensors: Tensors) -> Any:
    """The network as a PyTorch module in evaluation mode: (mel, faces) to mouths."""
    from tests.fakes.wav2lip_torch import Wav2Lip

    return Wav2Lip.of(tensors)


def _state_pickle(tensors: Tensors, prefix: str, *, older: bool) -> bytes:
    items = b"".join(
        _value(f"{prefix}{name}") + _tensor(str(number), array.shape, older=older)
        for number, (name, array) in enumerate(tensors.items())
    )
    ordered = _global("collections", "OrderedDict") + b")R(" + items + b"u"
    return _pickle(b"}(" + _value("state_dict") + ordered + _value("global_step") + _value(7) + b"u")


def _tensor(key: str, shape: tuple[int, ...], *, older: bool) -> bytes:
    size = prod(shape)
    place = [_value("storage"), _global("torch", "FloatStorage"), *map(_value, (key, "cpu", size))]
    storage = b"(" + b"".join(place) + (b"N" if older else b"") + b"tQ"
    strides = tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
    arguments = storage + _value(0) + _value(shape) + _value(strides) + b"\x89"
    hooks = _global("collections", "OrderedDict") + b")R"
    return _global("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + hooks + b"tR"


def _pickle(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _value(value: object) -> bytes:
    return b"".join(_instructions(value))


def _instructions(value: object) -> Iterator[bytes]:
    match value:
        case bool():
            yield b"\x88" if value else b"\x89"
        case int() if -(2**31) <= value < 2**31:
            yield b"J" + struct.pack("<i", value)
        case int():
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            yield b"\x8a" + bytes([len(data)]) + data
        case str():
            yield b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case tuple():
            yield b"(" + b"".join(map(_value, value)) + b"t"
        case list():
            yield b"](" + b"".join(map(_value, value)) + b"e"
        case dict():
            yield b"}(" + b"".join(_value(part) for pair in value.items() for part in pair) + b"u"
        case _:
            raise TypeError(type(value))
