"""SVOX Pico's published source goes in, `pico.wasm` comes out, next to this file.

Needed only to make that file again: `pip install ziglang==0.17.0 && python -m services.tts.pico.build`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from services.tts.pico.source import published_source

_HERE = Path(__file__).parent
_COMPILE = (
    *("cc", "-target", "wasm32-wasi", "-O1", "-s", "-D__linux__", "-Wno-everything"),
    # The engine is from 2009: it aliases, overflows and compares pointers as compilers then allowed.
    *("-fno-strict-aliasing", "-fwrapv", "-fno-delete-null-pointer-checks", "-fno-sanitize=undefined"),
)


def build(pico: Path) -> None:
    """Compiles the source; the result is the same, byte for byte, on every machine."""
    library = pico / "lib"
    observed = library / "picodata.c"
    with TemporaryDirectory() as folder:
        renamed = Path(folder) / "picodata.o"
        # voice.c stands in for this one function, and calls it.
        _zig("-Dpicodata_cbPutItem=unobserved_cbPutItem", "-c", observed, "-o", renamed)
        sources = sorted(path for path in library.glob("*.c") if path != observed)
        reactor = ("-mexec-model=reactor", "-Wl,-z,stack-size=1048576", f"-I{library}")
        _zig(*reactor, _HERE / "voice.c", renamed, *sources, "-o", _HERE / "pico.wasm")
    (_HERE / "NOTICE").write_bytes((library / "NOTICE").read_bytes())


def _zig(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", *_COMPILE, *map(str, arguments)], check=True)  # noqa: S603


if __name__ == "__main__":
    with published_source() as source:
        build(source)
