"""SVOX Pico's published source goes in, `pico.wasm` and the two English voices come out, next to this file.

Needed only to make these files again: `pip install ziglang==0.17.0 && python -m services.tts.pico.build`.
The source is PyPI's `ttspico` 0.3.2, which carries the engine and its voices unchanged (Apache-2.0).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

_HERE = Path(__file__).parent
_SOURCE = "ttspico-0.3.2"
_SOURCE_SHA256 = "743a280a8ced8523583665cb45797d730aceb2e145a04a212f82ebb0b5fac6c8"
_VOICE_FILES = ("en-US_ta.bin", "en-US_lh0_sg.bin", "en-GB_ta.bin", "en-GB_kh0_sg.bin")
_COMPILE = (
    *("cc", "-target", "wasm32-wasi", "-O1", "-s", "-D__linux__", "-Wno-everything"),
    # The engine is from 2009: it aliases, overflows and compares pointers as compilers then allowed.
    *("-fno-strict-aliasing", "-fwrapv", "-fno-delete-null-pointer-checks", "-fno-sanitize=undefined"),
)


def build(archive: Path) -> None:
    """Compiles the source archive; the result is the same, byte for byte, on every machine."""
    if hashlib.sha256(archive.read_bytes()).hexdigest() != _SOURCE_SHA256:
        raise SystemExit(f"{archive.name} is not the published {_SOURCE}")
    with TemporaryDirectory() as folder, tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
        pico = Path(folder) / _SOURCE / "picopi" / "pico"
        library = pico / "lib"
        observed = library / "picodata.c"
        renamed = Path(folder) / "picodata.o"
        # voice.c stands in for this one function, and calls it.
        _zig("-Dpicodata_cbPutItem=unobserved_cbPutItem", "-c", observed, "-o", renamed)
        sources = sorted(path for path in library.glob("*.c") if path != observed)
        reactor = ("-mexec-model=reactor", "-Wl,-z,stack-size=1048576", f"-I{library}")
        _zig(*reactor, _HERE / "voice.c", renamed, *sources, "-o", _HERE / "pico.wasm")
        for name in _VOICE_FILES:
            (_HERE / name).write_bytes((pico / "lang" / name).read_bytes())
        (_HERE / "NOTICE").write_bytes((library / "NOTICE").read_bytes())


def _zig(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", *_COMPILE, *map(str, arguments)], check=True)  # noqa: S603


def _download(folder: Path) -> Path:
    command = (
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--no-build-isolation",
    )
    subprocess.run([sys.executable, *command, "--dest", folder, _SOURCE.replace("-", "==")], check=True)  # noqa: S603
    return folder / f"{_SOURCE}.tar.gz"


if __name__ == "__main__":
    with TemporaryDirectory() as downloads:
        build(_download(Path(downloads)))
