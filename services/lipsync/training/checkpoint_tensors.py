"""A .pth file goes in, its tensors come out one by one as arrays; only those that are asked for are read.

Both layouts of `torch.save` are read: the zip archive of torch 1.6 and later, and the older row of pickles
followed by the numbers, in which the public Wav2Lip checkpoints came. Neither torch nor pickle is used.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.pickle_values import Storage, StoredTensor, pickle_value
from services.lipsync.training.refusal import CheckpointRefused

ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = b"\x80"

# The list of tensors of a 36 million parameter network with its optimiser takes under 1 MB.
_LARGEST_PICKLE_BYTES = 16 << 20
# The largest layer takes 19 MB, twice that in 64-bit numbers.
_LARGEST_STORAGE_BYTES = 64 << 20
# Written by torch.save at the beginning of the older layout.
_OLDER_MAGIC, _OLDER_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_COUNT_BYTES = 8
_NUMBERS = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8"}
_ITEM_BYTES = {
    "FloatStorage": 4, "HalfStorage": 2, "DoubleStorage": 8, "BFloat16Storage": 2, "LongStorage": 8,
    "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1,
}  # fmt: skip
_DAMAGED = "The checkpoint is damaged or was cut off while it was copied. Fetch it again."
_TOO_LARGE = "The checkpoint holds more than any Wav2Lip network has."

ReadStorage = Callable[[Storage], bytes]


class Checkpoint:
    """The tensors of a state dictionary by name, `module.` in front of all names removed."""

    def __init__(self, value: Any, read: ReadStorage) -> None:
        """`value` is what was saved; `read` fetches the numbers of a storage.

        Raises:
            CheckpointRefused: there is no state dictionary in it.
        """
        state = value.get("state_dict", value) if isinstance(value, dict) else None
        tensors = {
            str(name).removeprefix("module."): tensor
            for name, tensor in (state.items() if isinstance(state, dict) else ())
            if isinstance(tensor, StoredTensor)
        }
        if not tensors:
            raise CheckpointRefused(
                "The checkpoint holds no state_dict. Save the weights with "
                "torch.save({'state_dict': model.state_dict()}, 'weights.pth')."
            )
        self._read = read
        self.shapes: Mapping[str, tuple[int, ...]] = {name: one.shape for name, one in tensors.items()}
        self._tensors = tensors

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The tensor `name`, whose shape the caller has found bearable.

        Raises:
            CheckpointRefused: its numbers are not floating point, incomplete, or not finite.
        """
        tensor = self._tensors[name]
        if tensor.storage.type_name not in _NUMBERS:
            raise CheckpointRefused(
                f"{name} holds {tensor.storage.type_name[:-7]} numbers, not 32-bit floats."
            )
        numbers = np.frombuffer(self._read(tensor.storage), _NUMBERS[tensor.storage.type_name])
        contiguous = tuple(prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape)))
        end = tensor.offset + prod(tensor.shape)
        if tensor.strides != contiguous or end > numbers.size:
            raise CheckpointRefused(_DAMAGED)
        array = numbers[tensor.offset : end].reshape(tensor.shape).astype(np.float32)
        if not np.isfinite(array).all():
            raise CheckpointRefused(
                f"{name} holds numbers that are not finite: the network was not trained well."
            )
        return array


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in `path`, a zip archive or the older layout.

    Raises:
        CheckpointRefused: it is neither, damaged, or names code.
    """
    with path.open("rb") as file:
        begins = file.read(len(ZIP_MAGIC))
    return _zipped(path) if begins == ZIP_MAGIC else _older(path)


def _zipped(path: Path) -> Checkpoint:
    with _archive(path) as archive:
        names = archive.namelist()
        found = [name for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
        if not found:
            raise CheckpointRefused("The file is a zip archive, but not one that torch.save wrote.")
        folder = found[0].removesuffix("data.pkl")
        if f"{folder}constants.pkl" in names:
            raise CheckpointRefused(
                "The file is a TorchScript archive, which holds code. Give the checkpoint with the weights, "
                "or export the whole network to ONNX."
            )
        value = pickle_value(io.BytesIO(_entry(archive, found[0], _LARGEST_PICKLE_BYTES)))

    def read(storage: Storage) -> bytes:
        with _archive(path) as archive:
            return _entry(archive, f"{folder}data/{storage.key}", _LARGEST_STORAGE_BYTES)

    return Checkpoint(value, read)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError):
        raise CheckpointRefused(_DAMAGED) from None


def _entry(archive: zipfile.ZipFile, name: str, largest_bytes: int) -> bytes:
    if archive.getinfo(name).file_size > largest_bytes:
        raise CheckpointRefused(_TOO_LARGE)
    return archive.read(name)


def _older(path: Path) -> Checkpoint:
    storages: dict[str, Storage] = {}
    with path.open("rb") as file:
        head = io.BytesIO(file.read(_LARGEST_PICKLE_BYTES))
        if pickle_value(head) != _OLDER_MAGIC or pickle_value(head) != _OLDER_PROTOCOL:
            raise CheckpointRefused("The file is a pickle, but not a checkpoint that torch.save wrote.")
        _system, value, keys = pickle_value(head), pickle_value(head, storages), pickle_value(head)
        places = _places(file, head.tell(), [storages.get(key) for key in keys])

    def read(storage: Storage) -> bytes:
        begin, size = places.get(storage.key, (0, 0))
        if size > _LARGEST_STORAGE_BYTES:
            raise CheckpointRefused(_TOO_LARGE)
        with path.open("rb") as file:
            file.seek(begin)
            return file.read(size)

    return Checkpoint(value, read)


def _places(file: IO[bytes], begin: int, storages: Sequence[Storage | None]) -> Mapping[str, tuple[int, int]]:
    """Where each storage begins in the older layout, and its bytes: they follow each other, counted."""
    places = {}
    for storage in storages:
        file.seek(begin)
        count = int.from_bytes(file.read(_COUNT_BYTES), "little")
        if storage is None:
            raise CheckpointRefused(_DAMAGED)
        size = count * _ITEM_BYTES[storage.type_name]
        places[storage.key] = (begin + _COUNT_BYTES, size)
        begin += _COUNT_BYTES + size
    return places
