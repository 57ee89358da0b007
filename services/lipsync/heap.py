"""Nothing goes in; memory that is freed goes back to the system, from then on or what there is.

glibc keeps freed blocks of up to 32 MB, in as many heaps as there are busy threads: a worker held 20 to 30 MB
that nobody used. What other C libraries do is left as it is.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

# <malloc.h>
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_SETTINGS = {_ARENA_MAX: 2, _MMAP_THRESHOLD: 1 << 20, _TRIM_THRESHOLD: 4 << 20}


def give_freed_memory_back() -> bool:
    """Call it before threads begin. False where the C library does not take all of the settings."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    taken = [set_option(name, value) == 1 for name, value in _SETTINGS.items()]
    return all(taken)


def return_freed_memory() -> None:
    """Gives back what lies between blocks in use, too, where the C library can: a network that was loaded
    leaves 3 to 50 MB of it. Takes 2 ms.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
