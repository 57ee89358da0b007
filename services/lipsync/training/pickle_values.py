"""The bytes of a checkpoint's pickle go in, plain values come out, and nothing in it is ever run.

Python's own unpickler calls whatever a pickle names. This one knows only the instructions that a checkpoint
of tensors consists of, and builds dictionaries, lists, tuples, numbers, texts and descriptions of tensors;
any other name is refused when it is read, before anything was done with it.
Source of the format: `pickletools` in Python's library; `torch.save` for the names.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.lipsync.training.refusal import CheckpointRefused

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINSTRING", "SHORT_BINSTRING",
}  # fmt: skip
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = {"PROTO", "FRAME", "STOP"}
_SAVE_WEIGHTS = "Save only the weights: torch.save({'state_dict': model.state_dict()}, 'weights.pth')."
# What is wrong with a damaged stream shows where an instruction finds something else than it needs.
_DAMAGE = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a tensor's numbers are: the name of their type, as torch calls it, and the part's key."""

    type_name: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor that was described and not yet read; `offset` and `strides` count numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    """A class or function that the pickle names; never looked up."""

    text: str


class _Mark:
    """Where the next container's items begin on the stack."""


_STORAGE_TYPES = frozenset(
    f"torch {kind}Storage"
    for kind in ("Float", "Half", "Double", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
)


def _tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> StoredTensor:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a tensor without a place")
    return StoredTensor(storage, offset, tuple(shape), tuple(strides))


# What stands for each call that a checkpoint of tensors makes.
_CALLS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": dict,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": lambda data, *_: data,
}


def pickle_value(stream: io.BytesIO, storages: dict[str, Storage] | None = None) -> Any:
    """The value of the pickle that begins at `stream`, which is left just behind it.

    `stream` is in memory as a whole: its size bounds what a length in it may ask for. `storages` gets every
    storage that is named, by key.

    Raises:
        CheckpointRefused: it names code, uses another instruction than checkpoints do, or is damaged.
    """
    machine = _Machine({} if storages is None else storages)
    try:
        for instruction, argument, _ in pickletools.genops(stream):
            machine.step(instruction.name, argument)
        return machine.stack.pop()
    except _DAMAGE as error:
        raise CheckpointRefused("The checkpoint is damaged: its list of tensors breaks off.") from error


class _Machine:
    """A pickle's stack and memory."""

    def __init__(self, storages: dict[str, Storage]) -> None:
        self.stack: list[Any] = []
        self._storages = storages
        self._memory: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _SHORT_TUPLES:
            count = _SHORT_TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memory[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memory[len(self._memory)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memory[argument])
        elif name not in _IGNORED and not self._gather(name):
            self._refer(name, argument)

    def _gather(self, name: str) -> bool:
        """Instructions that fill containers."""
        stack = self.stack
        match name:
            case "MARK":
                stack.append(_Mark())
            case "TUPLE":
                stack.append(tuple(self._marked()))
            case "APPEND":
                stack[-2].append(stack[-1])
                del stack[-1]
            case "APPENDS":
                items = self._marked()
                stack[-1].extend(items)
            case "SETITEM":
                pair = stack[-2:]
                del stack[-2:]
                _set_items(stack[-1], pair)
            case "SETITEMS":
                items = self._marked()
                _set_items(stack[-1], items)
            case _:
                return False
        return True

    def _refer(self, name: str, argument: Any) -> None:
        """Instructions that name something outside the pickle."""
        stack = self.stack
        match name:
            case "GLOBAL":
                stack.append(_allowed(argument))
            case "STACK_GLOBAL":
                module, attribute = stack[-2:]
                stack[-2:] = [_allowed(f"{module} {attribute}")]
            case "REDUCE":
                called, arguments = stack[-2:]
                stack[-2:] = [_CALLS[called.text](*arguments)]
            case "BINPERSID":
                storage = _storage(*stack[-1])
                stack[-1] = self._storages[storage.key] = storage
            case "BUILD":
                # Attributes of a dictionary, such as the versions of modules.
                del stack[-1]
            case _:
                raise CheckpointRefused(
                    f"The checkpoint's pickle holds more than tensors (instruction {name}). "
                    f"Nothing of it was run. {_SAVE_WEIGHTS}"
                )

    def _marked(self) -> list[Any]:
        mark = max(place for place, value in enumerate(self.stack) if isinstance(value, _Mark))
        items = self.stack[mark + 1 :]
        del self.stack[mark:]
        return items


def _allowed(text: str) -> _Name:
    if text not in _CALLS and text not in _STORAGE_TYPES:
        raise CheckpointRefused(
            f"The checkpoint's pickle names code: {text.replace(' ', '.', 1)[:80]!r}. "
            f"A checkpoint of tensors needs none. Nothing of it was run. {_SAVE_WEIGHTS}"
        )
    return _Name(text)


def _set_items(target: dict[Any, Any], items: list[Any]) -> None:
    for key, value in zip(items[::2], items[1::2], strict=True):
        # The hash of nested tuples can take for ever.
        if not isinstance(key, str | int):
            raise TypeError("a key that is neither text nor number")
        target[key] = value


def _storage(kind: str, type_name: _Name, key: str, *_: object) -> Storage:
    if kind != "storage" or type_name.text not in _STORAGE_TYPES or not isinstance(key, str):
        raise ValueError("not a storage")
    return Storage(type_name.text.partition(" ")[2], key)
