"""A set of manifests goes in, the documents that kubectl would apply come out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
OVERLAYS = sorted(path.parent.name for path in DEPLOY.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent.name for path in DEPLOY.glob("components/*/kustomization.yaml"))
Document = dict[str, Any]


def copied(folder: Path) -> Path:
    """The deploy folder, with every secret filled in as an operator would."""
    deploy = folder / "deploy"
    shutil.copytree(DEPLOY, deploy, ignore=shutil.ignore_patterns("*.env"))
    for example in deploy.glob("components/secrets/*.env.example"):
        lines = [
            f"{line}filled-in" if line.endswith("=") else line for line in example.read_text().splitlines()
        ]
        example.with_suffix("").write_text("\n".join(lines) + "\n")
    return deploy


def composed(deploy: Path, components: Iterable[str]) -> Path:
    """A set of the base and these components."""
    names = sorted(components)
    folder = deploy / "composed" / ("-".join(names) or "base")
    folder.mkdir(parents=True)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "visavis",
        "resources": ["../../base"],
        "components": [f"../../components/{name}" for name in names],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def rendered(folder: Path) -> list[Document]:
    """What `kubectl apply -k` would send."""
    result = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))
