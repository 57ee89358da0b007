"""Images and overlays go in, what hadolint and checkov have against them comes out: `make audit`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.deploy.rendering import DEPLOY, OVERLAYS, copied, rendered

ROOT = DEPLOY.parent


def main() -> None:
    """Ends with an error where there is something. The first argument is the folder of both tools."""
    tools = Path(sys.argv[1])
    dockerfiles = [*sorted(ROOT.glob("services/*/Dockerfile")), ROOT / "gateway" / "Dockerfile"]
    subprocess.run([tools / "hadolint", *dockerfiles], check=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        deploy = copied(folder)
        manifests = folder / "manifests"
        manifests.mkdir()
        for overlay in OVERLAYS:
            # What a developer runs for himself has no network policies.
            if overlay != "local":
                documents = rendered(deploy / "overlays" / overlay)
                (manifests / f"{overlay}.yaml").write_text(yaml.safe_dump_all(documents))
        config = DEPLOY / "checkov.yaml"
        subprocess.run(
            [tools / "checkov", "--config-file", config, "--directory", manifests, "--skip-download"],
            check=True,
        )
    print(f"{len(dockerfiles)} Dockerfiles and {len(OVERLAYS) - 1} overlays: nothing against them.")


if __name__ == "__main__":
    main()
