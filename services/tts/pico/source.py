"""The name and hash of SVOX Pico's published source go in; the source, and the voices inside it, come out.

`python -m services.tts.pico.source` installs the voices for this environment: they are others' data, so they
come from the package registry and not from this repository. Nothing is compiled.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# PyPI's `ttspico` carries the engine and its voices unchanged (Apache-2.0).
_NAME, _VERSION = "ttspico", "0.3.2"
_SHA256 = "743a280a8ced8523583665cb45797d730aceb2e145a04a212f82ebb0b5fac6c8"
# For each language, what analyses its texts and what makes its voice.
VOICE_FILES = {
    "en-US": ("en-US_ta.bin", "en-US_lh0_sg.bin"),
    "en-GB": ("en-GB_ta.bin", "en-GB_kh0_sg.bin"),
    "de-DE": ("de-DE_ta.bin", "de-DE_gl0_sg.bin"),
    "es-ES": ("es-ES_ta.bin", "es-ES_zl0_sg.bin"),
    "fr-FR": ("fr-FR_ta.bin", "fr-FR_nk0_sg.bin"),
    "it-IT": ("it-IT_ta.bin", "it-IT_cm0_sg.bin"),
}
_ALL_FILES = tuple(name for names in VOICE_FILES.values() for name in names)


def voices_folder() -> Path:
    """Where this environment keeps the voices, installed or not."""
    return Path(sys.prefix) / "share" / "visavis" / "pico"


def voices_installed() -> bool:
    """Whether all of them are there."""
    return all((voices_folder() / name).is_file() for name in _ALL_FILES)


@contextmanager
def published_source() -> Iterator[Path]:
    """The unpacked source's `pico` folder, with `lib` (the engine) and `lang` (the voices); gone afterwards.

    Raises:
        subprocess.CalledProcessError: pip could not fetch it, or it is not what was published.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        pinned = folder / "pinned.txt"
        pinned.write_text(f"{_NAME}=={_VERSION} --hash=sha256:{_SHA256}\n")
        fetch = "-m pip download --quiet --no-deps --no-binary :all: --no-build-isolation --require-hashes"
        subprocess.run(  # noqa: S603
            [sys.executable, *fetch.split(), "--dest", folder, "-r", pinned],
            check=True,
            stderr=subprocess.PIPE,
        )
        with tarfile.open(folder / f"{_NAME}-{_VERSION}.tar.gz") as packed:
            # Its hash says what is in it; the `filter` argument is younger than Debian's Python.
            packed.extractall(folder)  # noqa: S202
        yield folder / f"{_NAME}-{_VERSION}" / "picopi" / "pico"


def install_voices() -> None:
    """Puts the voices into `voices_folder()`, each file whole or not at all."""
    target = voices_folder()
    target.mkdir(parents=True, exist_ok=True)
    with published_source() as pico:
        for name in _ALL_FILES:
            partial = target / f"{name}.partial"
            partial.write_bytes((pico / "lang" / name).read_bytes())
            partial.replace(target / name)


if __name__ == "__main__":
    if not voices_installed():
        try:
            install_voices()
        except subprocess.CalledProcessError as error:
            sys.exit(f"Pico's voices could not be fetched:\n{error.stderr.decode(errors='replace')}")
