"""The allocator's settings, tried in a process of its own: they last as long as the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Blocks below glibc's own limit, freed in another order than they came.
PROGRAM = """
import numpy as np
from services.lipsync.heap import give_freed_memory_back

def resident_kib():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

assert give_freed_memory_back()
for _ in range(3):
    np.ones(24 << 20, np.uint8)
before = resident_kib()
blocks = [np.ones(3 << 20, np.uint8) for _ in range(32)]
kept = blocks[-1]
del blocks
print(resident_kib() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has these settings")
def test_what_is_freed_goes_back_to_the_system_though_a_later_block_is_still_held() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10 << 10
